"""Batches: rows of (nearly) the same length together, under a budget of tokens.

DESIGN of speed: an LSTM over a padded batch runs several times as fast as over a packed one on a CPU, if padding is
little. So rows are put into buckets of narrow ranges of length, every batch is drawn from one bucket, and it is padded
to the bucket's edge: few distinct shapes, for each of which the kernels are prepared once. Preparing them takes longer
than a step, and pairs have two lengths, so their shapes would be hundreds: all batches of a bucket of pairs have the
same even number of rows, and those that are too many for that go to a wider bucket.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from seqnlp.preprocess.batching import padding

FULL = (4, 2)  # batches that a bucket should hold, of inputs and inside it of targets: who meets whom is to change
EVEN = 16  # rows that the batches of pairs are a multiple of, where they can be twice as many
NARROW, WIDE = 1.25, 2.0  # longest over shortest in a bucket: where it is full enough, and at the most
STEPS, SMALLEST = 128, 1024  # batches an epoch that a budget is chosen for, and its least number of tokens
LARGEST = {1: 8192, 2: 2048}  # the greatest one, of rows and of pairs: these learn better from more and smaller steps


@dataclass(frozen=True)
class Limits:
    """What bounds a batch: tokens (rows times the longest) and rows."""

    max_tokens: int = 8192
    batch_size: int = 128

    def rows(self, length: int) -> int:
        """Return how many rows of a length make a batch."""
        return max(1, min(self.batch_size, self.max_tokens // max(length, 1)))


@dataclass(frozen=True)
class Plan:
    """How rows become batches: the edges (greatest lengths) of the buckets, and what bounds a batch."""

    edges: tuple[padding.Edge, ...]
    limits: Limits


def budget(lengths: np.ndarray) -> int:
    """Return the tokens of a batch where nobody says: some 128 batches an epoch."""
    return min(max(int(longest(lengths).sum()) // STEPS, SMALLEST), LARGEST[lengths.shape[1]])


def longest(lengths: np.ndarray) -> np.ndarray:
    """Return the length that counts of each row, (N,), from all of its lengths, (N, 1) or (N, 2)."""
    return np.maximum(lengths.max(axis=1), 1) if len(lengths) else np.zeros(0, dtype=np.int64)


def plan(lengths: np.ndarray, limits: Limits) -> Plan:
    """Return the plan for rows of these lengths, (N, 1), or (N, 2) for pairs: buckets as narrow as their rows allow.

    Pairs are put into buckets of the first length, and each of those into buckets of the second.
    """
    return Plan(tuple(_split(np.maximum(lengths, 1), limits, ())), limits)


def _split(lengths: np.ndarray, limits: Limits, outer: padding.Edge) -> list[padding.Edge]:
    """Return the edges of buckets inside the bucket `outer` of the lengths before."""
    column = lengths[:, len(outer)]
    edges = _cuts(column, limits, max(outer, default=1), FULL[len(outer)])
    if len(outer) + 1 == lengths.shape[1]:
        return [(*outer, edge) for edge in edges]
    bucket = np.searchsorted(edges, column)
    parts = [_split(lengths[bucket == number], limits, (*outer, edge)) for number, edge in enumerate(edges)]
    return [edge for part in parts for edge in part]


def _cuts(lengths: np.ndarray, limits: Limits, min_width: int, enough: int) -> list[int]:
    """Return the edges of buckets over one length; min_width: batches are at least so wide."""
    counts = np.bincount(lengths)
    edges: list[int] = []
    shortest, held = 0, 0
    present = [int(n) for n in np.flatnonzero(counts)]
    for length, following in zip(present, [*present, None][1:], strict=True):
        shortest = shortest or length
        held += int(counts[length])
        full = held / limits.rows(max(length, min_width))
        stretch = math.inf if following is None else padding.round_up(following) / shortest
        if full >= enough or (full >= 1 and stretch > NARROW) or stretch > WIDE:
            edges.append(padding.round_up(length))
            shortest, held = 0, 0
    return sorted(set(edges))


@dataclass(frozen=True)
class Buckets:
    """Rows of these lengths, (N, 1) or (N, 2), in batches by a plan: a pure function of (seed, epoch)."""

    lengths: np.ndarray
    plan: Plan
    seed: int = 0

    @property
    def items(self) -> int:
        """Return the rows of an epoch."""
        return len(self.lengths)

    @property
    def batch(self) -> int:
        """Return the rows of a batch, on average, before they are put into buckets."""
        limits, tokens = self.plan.limits, int(longest(self.lengths).sum())
        return min(limits.batch_size, max(1, limits.max_tokens * self.items // max(tokens, 1)))

    def epoch(self, number: int) -> list[padding.Batch]:
        """Return the batches of an epoch; they are as many in every epoch."""
        return shuffled(self.lengths, self.plan, seed=self.seed, epoch=number)

    def rows(self, batch: padding.Batch) -> int:
        """Return the number of rows in a batch."""
        return len(batch[0])

    def part(self, batch: padding.Batch, rows: slice) -> padding.Batch:
        """Return a batch of some of a batch's rows, as wide as it is."""
        return batch[0][rows], batch[1]

    def summary(self) -> str:
        """Return how the items meet, in a few words."""
        return f"{100 * padding.padding_fraction(self.lengths, self.epoch(0)):.1f}% padding"


def buckets(lengths: np.ndarray, plan: Plan) -> np.ndarray:
    """Return the number of each row's bucket, (N,), in as few bytes as hold it: there may be many rows."""
    small = np.min_scalar_type(len(plan.edges))
    first, begins = np.unique([edge[0] for edge in plan.edges], return_index=True)
    outer, found = np.searchsorted(first, lengths[:, 0]).astype(small), np.zeros(len(lengths), small)
    for number, (begin, end) in enumerate(itertools.pairwise([*begins.tolist(), len(plan.edges)])):
        rows, inner = outer == number, [edge[-1] for edge in plan.edges[begin:end]]
        found[rows] = begin + np.searchsorted(inner, lengths[rows, -1])
    return found


def shuffled(lengths: np.ndarray, plan: Plan, *, seed: int, epoch: int) -> list[padding.Batch]:
    """Return the batches of an epoch: a pure function of (seed, epoch).

    Rows meet at random inside their bucket, of pairs some in a wider one; a bucket is cut into batches, and the batches
    of all buckets come in random order. Of the rows' order only that inside a bucket matters: rows that were sorted by
    bucket make the same batches.
    """
    rng = np.random.default_rng((seed, epoch))
    bucket = buckets(lengths, plan)
    ordered = np.argsort(bucket, kind="stable").astype(np.min_scalar_type(len(bucket)))
    ends = np.cumsum(np.bincount(bucket, minlength=len(plan.edges)))
    members = np.split(ordered, ends[:-1])
    batches: list[padding.Batch] = []
    for number, edge in enumerate(plan.edges):
        max_rows = plan.limits.rows(max(edge))
        parts, left = _even(rng.permutation(members[number]), max_rows, pairs=len(edge) == 2)
        wider = next((n for n in range(number + 1, len(plan.edges)) if np.all(np.array(plan.edges[n]) >= edge)), None)
        if wider is None:
            parts += _cut(left, max_rows)
        else:
            members[wider] = np.concatenate([members[wider], left])
        batches.extend((part, edge) for part in parts)
    return [batches[i] for i in rng.permutation(len(batches))]


def _cut(members: np.ndarray, max_rows: int) -> list[np.ndarray]:
    """Return rows in as few parts as may be, of nearly the same size, the smallest one last."""
    return np.array_split(members, -(-len(members) // max_rows)) if len(members) else []


def _even(members: np.ndarray, max_rows: int, *, pairs: bool) -> tuple[list[np.ndarray], np.ndarray]:
    """Return a bucket's batches, and the rows that are left over: of pairs those that make the batches uneven."""
    parts = _cut(members, max_rows)
    smallest = len(parts[-1]) if parts else 0
    if not pairs or smallest < EVEN or max_rows < 2 * EVEN:
        return parts, members[:0]
    whole = (smallest - smallest % EVEN) * len(parts)
    return np.array_split(members[:whole], len(parts)), members[whole:]


def by_length(lengths: np.ndarray, limits: Limits) -> Iterator[padding.Batch]:
    """Yield the batches of evaluation and prediction, shortest rows first."""
    padded = np.array([[padding.round_up(max(int(n), 1)) for n in row] for row in lengths], dtype=np.int64)
    order = np.lexsort(padded.T[::-1]) if len(padded) else np.zeros(0, dtype=np.int64)
    start, width = 0, np.zeros(0)
    for end, row in enumerate(order):
        wider = padded[row] if end == start else np.maximum(width, padded[row])
        if end > start and end - start >= limits.rows(int(wider.max())):
            yield order[start:end], tuple(map(int, width))
            start, wider = end, padded[row]
        width = wider
    if len(order):
        yield order[start:], tuple(map(int, width))
