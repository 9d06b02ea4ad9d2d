"""Accuracy, precision, recall and F1 of classes, one or more an item, and the confusion matrix."""

from __future__ import annotations

import collections
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from seqnlp import errors
from seqnlp.metrics import base, bootstrap

LabelSet = tuple[str, ...]
Formula = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]  # of right, predicted and gold counts

MAX_CONFUSION = 100  # classes; nobody reads a larger matrix
TOP_CONFUSIONS = 10  # pairs of classes


def score(
    gold: Sequence[LabelSet], predicted: Sequence[LabelSet], *, multi_label: bool = False, intervals: bool = True
) -> tuple[list[base.Score], dict[str, Any]]:
    """Return the scores and details: micro averages, each class, what is confused with what.

    With one label an item the scores are accuracy and macro F1, precision and recall; with `multi_label` macro F1,
    precision and recall, and exact_match. An item without a label counts as wrong, and how many have one, in percent,
    is the coverage in the details. Classes are those that occur in gold or predicted, as in scikit-learn.
    Raises `DataError` where the numbers of items differ, or there are none.
    """
    if len(gold) != len(predicted):
        raise errors.DataError(
            f"{len(gold)} references, {len(predicted)} predictions", "both must have one line for each item"
        )
    if not gold:
        raise errors.DataError("nothing to score: no items")
    names = sorted({label for labels in (*gold, *predicted) for label in labels})
    hits = [set(g) == set(p) for g, p in zip(gold, predicted, strict=True)]
    equal = base.from_means({"exact_match" if multi_label else "accuracy": hits}, intervals=intervals)
    counts = _counts(gold, predicted, names)
    averages = base.from_counts(MACRO, counts, "average:macro", intervals=intervals)
    details: dict[str, Any] = {"micro": _micro(counts.total), "classes": per_class(counts.total, names)}
    if multi_label:
        return [*averages, *equal], details
    if not all(predicted):
        details["coverage"] = round(100 * sum(map(bool, predicted)) / len(predicted), 6)
    answered = [(g[0], p[0]) for g, p in zip(gold, predicted, strict=True) if p]
    details |= confusions([g for g, _ in answered], [p for _, p in answered], names)
    return [*equal, *averages], details


def measure(
    names: Sequence[str], gold: Sequence[LabelSet], predicted: Sequence[LabelSet], *, multi_label: bool = False
) -> tuple[list[base.Score], dict[str, Any]]:
    """Return the scores in the order of `names`, for the registry."""
    scores, details = score(gold, predicted, multi_label=multi_label)
    return sorted(scores, key=lambda score: names.index(score.name)), details


def _counts(gold: Sequence[LabelSet], predicted: Sequence[LabelSet], names: Sequence[str]) -> bootstrap.Counts:
    """Whether each class is right, predicted and gold, (3C columns), for each pair of label sets that occurs."""
    number = {name: i for i, name in enumerate(names)}
    sets = [[tuple(sorted({number[label] for label in labels})) for labels in part] for part in (gold, predicted)]
    kinds = sorted(collections.Counter(zip(*sets, strict=True)).items())
    cells = []  # of each label: its kind of item, its column
    for kind, ((true, said), _) in enumerate(kinds):
        parts = ({*true} & {*said}, said, true)
        cells += [(kind, part * len(names) + label) for part, labels in enumerate(parts) for label in labels]
    places = np.array(cells, dtype=np.int64).reshape(-1, 2)
    items = np.array([items for _, items in kinds])
    return bootstrap.Counts.sparse(items, places[:, 0], places[:, 1], np.ones(len(places)), 3 * len(names))


def ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """Return part / whole, 0 where whole is 0, as scikit-learn and conlleval have it."""
    quotient: np.ndarray = np.divide(part, whole, out=np.zeros_like(part, dtype=np.float64), where=whole > 0)
    return quotient


FORMULAS: dict[str, Formula] = {
    "precision": lambda right, said, true: ratio(right, said),
    "recall": lambda right, said, true: ratio(right, true),
    "f1": lambda right, said, true: ratio(2 * right, said + true),
}


def macro(formula: Formula) -> bootstrap.Value:
    """Return the mean of a formula over the classes, as a function of sums of (right, predicted, gold) counts.

    The sums are (..., 3C). It is over the classes that occur: a resample may lack some.
    """

    def value(sums: np.ndarray) -> np.ndarray:
        right, said, true = np.split(sums, 3, axis=-1)
        return 100 * ratio(formula(right, said, true).sum(axis=-1), (said + true > 0).sum(axis=-1))

    return value


# The order is that of the results.
MACRO = {name: macro(FORMULAS[name]) for name in ("f1", "precision", "recall")}


def _micro(total: np.ndarray) -> dict[str, float]:
    right, said, true = total.reshape(3, -1).sum(axis=1, keepdims=True)
    return {name: round(100 * float(formula(right, said, true)[0]), 6) for name, formula in FORMULAS.items()}


def per_class(total: np.ndarray, names: Sequence[str]) -> dict[str, dict[str, float]]:
    """Return the scores and the support of each class from summed (right, predicted, gold) counts, (3C,)."""
    right, said, true = np.split(total, 3)
    columns = {name: 100 * formula(right, said, true) for name, formula in FORMULAS.items()}
    return {
        label: {**{name: round(float(column[i]), 6) for name, column in columns.items()}, "support": int(true[i])}
        for i, label in enumerate(names)
    }


def confusions(gold: Sequence[str], predicted: Sequence[str], names: Sequence[str]) -> dict[str, Any]:
    """Return the `confusions` that occur most, and the `confusion` matrix unless there are many classes.

    Rows of the matrix are gold, columns predicted, in the order of its `labels`.
    """
    wrong = collections.Counter((g, p) for g, p in zip(gold, predicted, strict=True) if g != p)
    top = sorted(wrong.items(), key=lambda item: (-item[1], item[0]))[:TOP_CONFUSIONS]
    found: dict[str, Any] = {"confusions": [{"gold": g, "predicted": p, "count": n} for (g, p), n in top]}
    return found if len(names) > MAX_CONFUSION else {**found, "confusion": _matrix(gold, predicted, names)}


def _matrix(gold: Sequence[str], predicted: Sequence[str], names: Sequence[str]) -> dict[str, Any]:
    number = {name: i for i, name in enumerate(names)}
    matrix = np.zeros((len(names), len(names)), dtype=np.int64)
    np.add.at(matrix, ([number[g] for g in gold], [number[p] for p in predicted]), 1)
    return {"labels": list(names), "matrix": matrix.tolist()}
