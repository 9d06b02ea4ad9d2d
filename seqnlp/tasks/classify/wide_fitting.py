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
SMOOTHING = 0.1  # of the counts behind the log-count ratios
MAX_VALUES = 5 * 10**7  # of the sparse matrix of texts by features, about 1.5 GB with what liblinear makes of it
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
    chosen = range(int(classes == 2 and not multi_label), classes)  # of two that exclude each other one is enough
    inputs, owned = _sparse(matrix, len(features)), _targets(rows, used, classes)
    machines = [_machine(inputs, owned[:, label], balanced) for label in chosen]
    log.info("wide part: %d features of %d texts", len(features), len(used))
    return {
        "keys": features.keys.view(np.int32),
        "idf": features.idf,
        "weight": np.stack([weight for weight, _ in machines], axis=1),
        "bias": np.array([bias for _, bias in machines], np.float32),
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


def _machine(inputs: Any, targets: np.ndarray, balanced: bool) -> tuple[np.ndarray, float]:
    """Return weights, in half precision, and bias of a class against the rest; of one that all or none have, a bias."""
    import sklearn
    from sklearn import exceptions, svm

    if targets.all() or not targets.any():
        return np.zeros(inputs.shape[1], np.float16), float(2 * targets.all()) - 1
    scale = _evidence(inputs, targets)
    scaled = inputs.copy()
    scaled.data *= scale[inputs.indices]
    machine = svm.LinearSVC(C=COST, class_weight="balanced" if balanced else None, random_state=0)
    with sklearn.config_context(assume_finite=True), warnings.catch_warnings():
        warnings.simplefilter("ignore", exceptions.ConvergenceWarning)  # it is near enough
        machine.fit(scaled, targets)
    return (machine.coef_[0] * scale).astype(np.float16), float(machine.intercept_[0])


def _evidence(inputs: Any, targets: np.ndarray) -> np.ndarray:
    """Return what the features are multiplied with: half is one, half says how far naive Bayes would trust each.

    The absolute log-count ratio of Wang & Manning 2012, section 2.3: what tells the class apart is held back less.
    """
    inside = inputs.T @ targets.astype(np.float64)
    counts = np.stack([inside, np.asarray(inputs.sum(0)).ravel() - inside]) + SMOOTHING
    logs = np.log(counts / counts.sum(1, keepdims=True))
    scale: np.ndarray = (1 + np.abs(logs[0] - logs[1])) / 2
    return scale
