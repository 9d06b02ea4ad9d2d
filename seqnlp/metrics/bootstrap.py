"""The bootstrap: how far a score of summed counts would move on another sample of as many items.

A sample is a number of times for each item, and its score that of the summed counts. Items with equal counts are of one
kind, and need one number together.
"""

from __future__ import annotations

import itertools
import math
import statistics
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

SAMPLES = 1000
SEED = 12345
LEVEL = 0.95
MAX_CELLS = 500_000  # numbers in an array: some 4 MB each, whatever the corpus
BLOCK = 16  # columns of counts that are summed in one product

Value = Callable[[np.ndarray], np.ndarray]  # from sums (..., K) to scores (...)
Interval = tuple[float, float]

EVERYTHING = (-math.inf, math.inf)


@dataclass(frozen=True)
class Block:
    """Some columns of the counts, with only those kinds of items that have any in them."""

    columns: slice
    kinds: np.ndarray  # (m,)
    rows: np.ndarray  # (m, columns)


@dataclass(frozen=True)
class Counts:
    """M kinds of items with K counts each, most of which may be 0, and how many items there are of each kind."""

    items: np.ndarray  # (M,)
    blocks: list[Block]
    width: int  # K

    @classmethod
    def of(cls, rows: np.ndarray) -> Counts:
        """Return the counts of items, (N, K)."""
        kinds, items = np.unique(np.asarray(rows, dtype=np.float64), axis=0, return_counts=True)
        kind, column = kinds.nonzero()
        return cls.sparse(items, kind, column, kinds[kind, column], kinds.shape[1])

    @classmethod
    def sparse(cls, items: np.ndarray, kind: np.ndarray, column: np.ndarray, count: np.ndarray, width: int) -> Counts:
        """Return the counts of kinds of items from those that are not 0.

        items: (M,); kind, column, count: (Z,), of each count that is not 0; width: K.
        """
        order = np.argsort(column, kind="stable")
        kind, column, count = kind[order], column[order], count[order]
        edges = [*range(0, width, BLOCK), width]
        blocks = []
        for start, stop in itertools.pairwise(edges):
            part = slice(*np.searchsorted(column, [start, stop]))
            kinds, row = np.unique(kind[part], return_inverse=True)
            rows = np.zeros((len(kinds), stop - start))
            rows[row, column[part] - start] = count[part]
            blocks.append(Block(slice(start, stop), kinds, rows))
        return cls(items, blocks, width)

    @property
    def n(self) -> int:
        """The number of items."""
        return int(self.items.sum())

    @property
    def total(self) -> np.ndarray:
        """The summed counts of all items, (K,)."""
        total: np.ndarray = self.sums(self.items[None])[0]
        return total

    def sums(self, times: np.ndarray) -> np.ndarray:
        """Return the summed counts of samples, (B, K), from how often each has each kind, (B, M)."""
        found = np.empty((len(times), self.width))
        for block in self.blocks:
            found[:, block.columns] = times[:, block.kinds] @ block.rows
        return found


def intervals(counts: Counts, values: Sequence[Value], bounds: Sequence[Interval]) -> list[Interval]:
    """Return the 95% interval of each score `values` of the summed counts; bounds: of each score."""
    total = counts.total
    resampled = _scores(counts, resamples(counts), values)
    samples, weights = jackknife(counts)
    accelerations = [acceleration(scores, weights) for scores in _scores(counts, samples, values)]
    return [
        interval(float(value(total)), scores, a, limits)
        for value, scores, a, limits in zip(values, resampled, accelerations, bounds, strict=True)
    ]


def interval(value: float, resampled: np.ndarray, a: float = 0.0, bounds: Interval = EVERYTHING) -> Interval:
    """Return the 95% interval around a value: BCa (Efron & Tibshirani 1993, section 14.3), with the bias subtracted.

    resampled: (B,) scores; a: their `acceleration`; bounds: what no score is below or above. BCa answers a bias with
    other quantiles, and where nearly all resamples lie on one side of the value none are left to take: a macro average
    over rare classes, a third of which each resample lacks, had an interval half as wide as the scores of new samples
    are spread, or one without the value. So the resamples are moved until their median is the value, which therefore is
    always inside; where there is no bias it is BCa.
    """
    moved = resampled + (value - np.median(resampled))
    tail = statistics.NormalDist().inv_cdf((1 + LEVEL) / 2)
    levels = [statistics.NormalDist().cdf(z / (1 - a * z)) for z in (-tail, tail)]
    first, last = np.quantile(moved, levels)
    low, high = bounds
    return min(max(float(first), low), value), max(min(float(last), high), value)


def acceleration(left: np.ndarray, weights: np.ndarray) -> float:
    """Return how fast the spread of a score grows with it (Efron & Tibshirani 1993, equation 14.15), at most 1/6.

    left: (G,), the scores of the samples of the `jackknife`; weights: (G,), how many samples have each.
    """
    away = np.average(left, weights=weights) - left
    spread = float(weights @ away**2)
    return float(weights @ away**3) / (6 * spread**1.5) if spread else 0.0


def resamples(counts: Counts) -> Iterator[np.ndarray]:
    """Give SAMPLES samples of N items drawn with replacement, a part at a time, as times of each kind: (B, M)."""
    generator, n = np.random.default_rng(SEED), counts.n
    for size in _parts(counts):
        if n > 16 * len(counts.items):  # few kinds: a number for each is less work than one for each item
            yield generator.multinomial(n, counts.items / n, size=size)
        else:
            yield _tally(counts, generator.integers(0, n, size=(size, n)))


def jackknife(counts: Counts) -> tuple[Iterator[np.ndarray], np.ndarray]:
    """Return the samples without one item, a part at a time, as times of each kind; and how many are alike, (G,).

    Where there are more than SAMPLES kinds, they lack one of SAMPLES groups of items put together by chance instead.
    The acceleration is the same: a group is less skewed than an item by the root of its size, and groups are fewer.
    """
    kinds = len(counts.items)
    if kinds <= SAMPLES:
        return (counts.items - part for part in np.array_split(np.eye(kinds), min(kinds, 8))), counts.items
    order = np.random.default_rng(SEED).permutation(counts.n)
    groups = iter(order[: len(order) // SAMPLES * SAMPLES].reshape(SAMPLES, -1))
    parts = (np.stack(list(itertools.islice(groups, size))) for size in _parts(counts))
    return (counts.items - _tally(counts, part) for part in parts), np.ones(SAMPLES)


def _scores(counts: Counts, samples: Iterable[np.ndarray], values: Sequence[Value]) -> list[np.ndarray]:
    """The scores of samples, (B,) of each value: sums are made once for all of them."""
    parts = [[value(sums) for value in values] for sums in map(counts.sums, samples)]
    return [np.concatenate(scores) for scores in zip(*parts, strict=True)]


def _parts(counts: Counts) -> list[int]:
    """How many of the samples are made at a time."""
    size = max(1, min(SAMPLES, MAX_CELLS // max(counts.n, counts.width)))
    return [min(size, SAMPLES - start) for start in range(0, SAMPLES, size)]


def _tally(counts: Counts, drawn: np.ndarray) -> np.ndarray:
    """How often each kind is among drawn items, (B, n), the items being numbered kind after kind: (B, M)."""
    kinds = len(counts.items)
    cells = np.repeat(np.arange(kinds), counts.items)[drawn] + kinds * np.arange(len(drawn))[:, None]
    return np.bincount(cells.ravel(), minlength=len(drawn) * kinds).reshape(len(drawn), kinds)
