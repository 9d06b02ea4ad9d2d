"""Accuracy, precision, recall and F1 of classes, one or several an item, and the confusion matrix."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from seqnlp import errors
from seqnlp.metrics import base

LabelSet = tuple[str, ...]

MOST_CONFUSED = 100  # classes; nobody reads a larger matrix


def score(
    gold: Sequence[LabelSet], predicted: Sequence[LabelSet], *, several: bool = False, intervals: bool = True
) -> tuple[list[base.Score], dict[str, Any]]:
    """Return the scores and details: micro averages, each class, the confusion matrix.

    With one label an item the scores are accuracy and macro F1, precision and recall; with `several` macro F1,
    precision and recall, and exact_match. Classes are those that occur in gold or predicted, as in scikit-learn.
    Raises `DataError` where the numbers of items differ, or there are none.
    """
    if len(gold) != len(predicted):
        raise errors.DataError(
            f"{len(gold)} references, {len(predicted)} predictions", "both must have one line for each item"
        )
    if not gold:
        raise errors.DataError("nothing to score: no items")
    names = sorted({label for labels in (*gold, *predicted) for label in labels})
    hits = np.array([[set(g) == set(p)] for g, p in zip(gold, predicted, strict=True)], dtype=np.float64)
    counts = np.concatenate(_indicators(gold, predicted, names), axis=1)  # (N, 3C)
    equal = base.from_counts(
        "exact_match" if several else "accuracy", hits, lambda sums: 100 * sums[..., 0] / len(hits), intervals=intervals
    )
    averages = [
        base.from_counts(name, counts, macro(name), "average:macro", intervals=intervals)
        for name in ("f1", "precision", "recall")
    ]
    details: dict[str, Any] = {"micro": _micro(counts), "classes": per_class(counts, names)}
    if several:
        return [*averages, equal], details
    if len(names) <= MOST_CONFUSED:
        details["confusion"] = confusion([g[0] for g in gold], [p[0] for p in predicted], names)
    return [equal, *averages], details


def _indicators(
    gold: Sequence[LabelSet], predicted: Sequence[LabelSet], names: Sequence[str]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return for each item and class whether it is right, predicted, gold; each (N, C)."""
    number = {name: i for i, name in enumerate(names)}
    true, said = (np.zeros((len(gold), len(names)), dtype=np.int32) for _ in range(2))
    for matrix, items in ((true, gold), (said, predicted)):
        for i, labels in enumerate(items):
            matrix[i, [number[label] for label in labels]] = 1
    return true * said, said, true


def ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """Return part / whole, 0 where whole is 0, as scikit-learn and conlleval have it."""
    return np.divide(part, whole, out=np.zeros_like(part, dtype=np.float64), where=whole > 0)


# From right, predicted and gold counts to each score.
FORMULAS = {
    "precision": lambda right, said, true: ratio(right, said),
    "recall": lambda right, said, true: ratio(right, true),
    "f1": lambda right, said, true: ratio(2 * right, said + true),
}


def macro(name: str) -> Any:
    """Return the mean of a score over the classes, as a function of sums of (right, predicted, gold) counts (..., 3C).

    It is over the classes that occur: a resample may lack some.
    """

    def value(sums: np.ndarray) -> np.ndarray:
        right, said, true = np.split(sums, 3, axis=-1)
        return 100 * ratio(FORMULAS[name](right, said, true).sum(axis=-1), (said + true > 0).sum(axis=-1))

    return value


def _micro(counts: np.ndarray) -> dict[str, float]:
    right, said, true = (part.sum(dtype=np.float64, keepdims=True) for part in np.split(counts, 3, axis=-1))
    return {name: round(100 * float(formula(right, said, true)[0, 0]), 6) for name, formula in FORMULAS.items()}


def per_class(counts: np.ndarray, names: Sequence[str]) -> dict[str, dict[str, float]]:
    """Return the scores and the support of each class from (right, predicted, gold) counts of items (N, 3C)."""
    right, said, true = np.split(counts.sum(axis=0, dtype=np.float64), 3)
    columns = {name: 100 * formula(right, said, true) for name, formula in FORMULAS.items()}
    return {
        label: {**{name: round(float(column[i]), 6) for name, column in columns.items()}, "support": int(true[i])}
        for i, label in enumerate(names)
    }


def confusion(gold: Sequence[str], predicted: Sequence[str], names: Sequence[str]) -> dict[str, Any]:
    """Return the confusion matrix: rows are gold, columns predicted, in the order of `labels`."""
    number = {name: i for i, name in enumerate(names)}
    matrix = np.zeros((len(names), len(names)), dtype=np.int64)
    np.add.at(matrix, ([number[g] for g in gold], [number[p] for p in predicted]), 1)
    return {"labels": list(names), "matrix": matrix.tolist()}
