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

COST = 1.0  # of an error: scikit-learn's C
SMOOTHING = 0.1  # of the counts behind the log-count ratios
MAX_VALUES = 5 * 10**7  # of the sparse matrix of texts by features, about 2 GB with what liblinear makes of it
MAX_WEIGHTS = 1 << 24  # 32 MB in half precision

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
    inputs, targets = _sparse(matrix, len(features)), _targets(rows, used, classes)
    evidence = _evidence(inputs, targets)
    inputs.data *= evidence[inputs.indices]
    exclusive = not multi_label
    weight, bias = _machines(inputs, targets[:, int(exclusive and classes == 2) :], exclusive, balanced)
    log.info("wide part: %d features of %d texts", len(features), len(used))
    return {
        "keys": features.keys.view(np.int32),
        "idf": features.idf,
        "weight": np.ascontiguousarray((weight * evidence).T, np.float16),
        "bias": bias.astype(np.float32),
    }


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


def _targets(rows: data.Rows, order: np.ndarray, classes: int) -> np.ndarray:
    """Return whether each row has each class, (N, C)."""
    own = [numbers for part in _parts(rows, order) for numbers in part["labels"]]
    owner = np.repeat(np.arange(len(own)), [len(numbers) for numbers in own])
    targets = np.zeros((len(own), classes), bool)
    targets[owner, np.array([number for numbers in own for number in numbers], np.int64)] = True
    return targets


def _evidence(inputs: Any, targets: np.ndarray) -> np.ndarray:
    """Return what the features are multiplied with, (F,): half is one, half says how far each tells the classes apart.

    It is the absolute log-count ratio of Wang & Manning 2012, section 2.3, its mean over the classes, of what was
    counted to what was to be expected: rare features tell nothing about rare classes.
    """
    import scipy.sparse

    total = np.asarray(inputs.sum(0)).ravel()
    inside = (scipy.sparse.csr_matrix(targets.T, dtype=np.float64) @ inputs).toarray()  # (C, F)
    shares = inside.sum(1) / total.sum()
    mean = np.zeros_like(total)
    for count, share in zip(inside, shares, strict=True):
        sides = (count, share * total), (total - count, (1 - share) * total)
        logs = [np.log((counted + SMOOTHING) / (expected + SMOOTHING)) for counted, expected in sides]
        mean += np.abs(logs[0] - logs[1]) * share / max(shares.sum(), 1e-9)
    scale: np.ndarray = (1 + mean) / 2
    return scale


def _machines(inputs: Any, targets: np.ndarray, exclusive: bool, balanced: bool) -> tuple[np.ndarray, np.ndarray]:
    """Return weights (C, F) and biases (C,) of a machine a class, against the rest.

    A class that all rows have, or none, has a bias alone.
    """
    import sklearn
    from sklearn import exceptions, svm

    weight, bias = np.zeros((targets.shape[1], inputs.shape[1])), np.where(targets.all(0), 1.0, -1.0)
    decided = np.flatnonzero(targets.any(0) & ~targets.all(0))
    machine = svm.LinearSVC(C=COST, class_weight="balanced" if balanced else None, random_state=0)
    with sklearn.config_context(assume_finite=True), warnings.catch_warnings():
        warnings.simplefilter("ignore", exceptions.ConvergenceWarning)  # it is near enough
        together = exclusive and len(decided) > 2  # liblinear goes from class to class by itself
        for place, own in [(decided, targets.argmax(1))] if together else [([c], targets[:, c]) for c in decided]:
            machine.fit(inputs, own)
            weight[place], bias[place] = machine.coef_, machine.intercept_
    return weight, bias
