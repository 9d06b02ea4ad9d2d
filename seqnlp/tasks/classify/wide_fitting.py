"""Fitting the wide part: a linear support vector machine for each class, by liblinear (Fan et al. 2008)."""

from __future__ import annotations

import hashlib
import logging
import warnings
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from seqnlp.preprocess.corpora import arrow
from seqnlp.preprocess.text import tfidf
from seqnlp.training import data

COST = 0.5  # of an error: scikit-learn's C
MAX_VALUES = 5 * 10**7  # of the sparse matrix of texts by features, about 1.5 GB with what liblinear makes of it
MAX_WEIGHTS = 1 << 26  # 128 MB in half precision

log = logging.getLogger(__name__)


def fit(rows: data.Rows, classes: int, *, multi_label: bool, balanced: bool, seed: int) -> dict[str, np.ndarray]:
    """Return the arrays of the wide part (see `nn.wide`), fitted to the rows of a training part: of many, to a sample.

    They do not depend on the order of the rows. balanced: classes weigh the more the rarer they are.
    """
    order = _order(rows, seed)
    texts = (words for part in _parts(rows, order) for words in part["words"])
    features, matrix = tfidf.fit(texts, features=MAX_WEIGHTS // classes, values=MAX_VALUES)
    used = order[: len(matrix.offsets) - 1]
    if len(used) < len(order):
        log.warning("the wide part is fitted to a sample of %d of %d texts: all are too many", len(used), len(order))
    own = [row for part in _parts(rows, used) for row in part["labels"]]
    weight, bias = _machines(_sparse(matrix, len(features)), own, classes, multi_label=multi_label, balanced=balanced)
    first = int(classes == 2 and not multi_label)  # of two classes that exclude each other the second is enough
    log.info("wide part: %d features of %d texts", len(features), len(used))
    arrays = {
        "keys": features.keys.view(np.int32),
        "idf": features.idf,
        "weight": weight[first:].T.astype(np.float16),
        "bias": bias[first:].astype(np.float32),
    }
    return {name: np.ascontiguousarray(array) for name, array in arrays.items()}


def _parts(rows: data.Rows, order: np.ndarray) -> Iterator[Any]:
    """Yield the columns of the rows in an order, some rows at a time."""
    for start in range(0, len(order), arrow.CHUNK):
        yield rows.columns(order[start : start + arrow.CHUNK])


def _order(rows: data.Rows, seed: int) -> np.ndarray:
    """Return an order of the rows that looks random and follows from their content, wherever they stand."""
    key = seed.to_bytes(8, "little")

    def number(words: Sequence[str], own: Sequence[int]) -> int:
        content = " ".join([*words, *map(str, own)]).encode("utf-8", "surrogatepass")
        return int.from_bytes(hashlib.blake2b(content, digest_size=8, key=key).digest(), "little")

    parts = _parts(rows, np.arange(len(rows.lengths)))
    numbers = [number(*pair) for part in parts for pair in zip(part["words"], part["labels"], strict=True)]
    return np.argsort(np.array(numbers, np.uint64), kind="stable")


def _sparse(matrix: tfidf.Matrix, features: int) -> Any:
    """Return a matrix as scikit-learn takes it."""
    import scipy.sparse

    parts = matrix.values.astype(np.float64), matrix.features.astype(np.int32), matrix.offsets.astype(np.int32)
    return scipy.sparse.csr_matrix(parts, (len(matrix.offsets) - 1, features))


def _machines(
    inputs: Any, own: Sequence[Sequence[int]], classes: int, *, multi_label: bool, balanced: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Return the weights (C, F) and biases (C,) of a machine for each class, which says no where there is none.

    own: the numbers of the classes of each row.
    """
    weight, bias = np.zeros((classes, inputs.shape[1])), np.full(classes, -1.0)
    if not multi_label:
        known = np.array([row[0] for row in own])
        if len(present := np.unique(known)) > 1:
            weight[present], bias[present] = _machine(inputs, known, balanced)
        return weight, bias
    for label in range(classes):
        known = np.array([label in row for row in own])
        if len(np.unique(known)) > 1:
            weight[label], bias[label] = (part[1] for part in _machine(inputs, known, balanced))
        elif len(known):
            bias[label] = 1.0 if known[0] else -1.0
    return weight, bias


def _machine(inputs: Any, known: np.ndarray, balanced: bool) -> tuple[np.ndarray, np.ndarray]:
    """Return weights and bias for each of the classes that occur, one against the rest."""
    from sklearn import exceptions, svm

    machine = svm.LinearSVC(C=COST, class_weight="balanced" if balanced else None, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", exceptions.ConvergenceWarning)  # it is near enough
        machine.fit(inputs, known)
    weight, bias = machine.coef_, machine.intercept_
    return (weight, bias) if len(bias) > 1 else (np.concatenate([-weight, weight]), np.concatenate([-bias, bias]))
