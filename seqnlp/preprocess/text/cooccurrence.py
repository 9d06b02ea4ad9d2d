"""Word vectors from a corpus's own text: which words stand near each other, more often than chance has it.

Positive pointwise mutual information of words and their neighbours, factorised (Levy, Goldberg & Dagan 2015, section
2): neighbours count by the inverse of their distance, the frequent ones are smoothed, and the root of the singular
values weighs the dimensions. It needs scikit-learn.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

WINDOW = 5  # words to either side
SMOOTHING = 0.75  # exponent of the neighbours' frequencies
ONE = 60  # what a neighbour next to a word counts: a multiple of all distances
CHUNK = 2_000  # texts that are counted at once


def vectors(texts: Iterable[Sequence[int]], words: int, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the words that have a neighbour, (N,), and their vectors (N, size), of mean 0 and unit deviation.

    texts: lists of words' numbers, all below `words`. There are no vectors where N is less than their size.
    """
    from sklearn.utils import extmath

    counts = _counts(texts, words)
    known = np.flatnonzero(np.asarray(counts.sum(1)).ravel())
    if len(known) < size:
        return np.zeros(0, np.int64), np.zeros((0, size), np.float32)
    information = _information(counts[known][:, known])
    left, values, _ = extmath.randomized_svd(information, size, n_iter=4, random_state=0)
    found = left * np.sqrt(values)
    found -= found.mean(0)
    return known, (found / max(found.std(), 1e-9)).astype(np.float32)


def _counts(texts: Iterable[Sequence[int]], words: int) -> Any:
    """Return how often words stand near each other, (words, words), sparse and symmetric.

    In whole numbers, so that the sums are exact and the order of the texts does not matter.
    """
    import scipy.sparse

    total = scipy.sparse.csr_matrix((words, words))
    for stream, owners in _chunks(texts):
        for distance in range(1, WINDOW + 1):
            same = owners[distance:] == owners[:-distance]
            pair = stream[:-distance][same], stream[distance:][same]
            total = total + scipy.sparse.csr_matrix((np.full(len(pair[0]), ONE / distance), pair), (words, words))
    return total + total.T


def _chunks(texts: Iterable[Sequence[int]]) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield the words of several texts, one after the other, and the number of the text that each stands in."""
    for _, part in itertools.groupby(enumerate(texts), lambda pair: pair[0] // CHUNK):
        numbered = [(number, word) for number, text in part for word in text]
        stream, owners = np.array(numbered, np.int64).reshape(-1, 2).T[::-1]
        yield stream, owners


def _information(counts: Any) -> Any:
    """Return the positive pointwise mutual information of counts (N, N), sparse."""
    import scipy.sparse

    pairs = counts.tocoo()
    frequencies = np.asarray(counts.sum(1)).ravel()
    smoothed = frequencies**SMOOTHING
    expected = frequencies[pairs.row] * (smoothed / smoothed.sum())[pairs.col]
    values = np.log(pairs.data / expected)
    positive = values > 0
    place = pairs.row[positive], pairs.col[positive]
    return scipy.sparse.csr_matrix((values[positive], place), counts.shape)
