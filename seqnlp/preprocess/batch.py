"""Batches: rows of (nearly) the same length together, under a budget of tokens.

DESIGN of speed: an LSTM over a padded batch runs several times as fast as over a packed one on a CPU, if padding is
little. So rows are put into buckets of narrow ranges of length, every batch is drawn from one bucket, and it is padded
to the bucket's edge: few distinct shapes, for each of which the kernels are prepared once.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

FULL = 4  # a bucket should hold this many batches, so that who meets whom changes from epoch to epoch
NARROW, WIDE = 1.25, 2.0  # greatest over least length in a bucket: where it is full enough, and at the most


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

    edges: tuple[int, ...]
    limits: Limits


Batch = tuple[np.ndarray, int]  # the rows' numbers, and the length to pad them to


def plan(lengths: np.ndarray, limits: Limits) -> Plan:
    """Return the plan for rows of these lengths: buckets as narrow as their rows allow."""
    counts = np.bincount(np.maximum(lengths, 1))
    edges: list[int] = []
    least, held = 0, 0
    present = [int(n) for n in np.flatnonzero(counts)]
    for length, following in zip(present, [*present, None][1:], strict=True):
        least = least or length
        held += int(counts[length])
        full = held / limits.rows(length)
        stretch = math.inf if following is None else round_up(following) / least
        if full >= FULL or (full >= 1 and stretch > NARROW) or stretch > WIDE:
            edges.append(round_up(length))
            least, held = 0, 0
    return Plan(tuple(sorted(set(edges))), limits)


def round_up(length: int) -> int:
    """Return the length to pad to: exact for short rows, then in steps of at most 6%, so that shapes are few."""
    step = 1 if length <= 32 else 2 ** max(1, (length - 1).bit_length() - 5)
    return -(-length // step) * step


def shuffled(lengths: np.ndarray, plan: Plan, *, seed: int, epoch: int) -> list[Batch]:
    """Return the batches of an epoch: a pure function of (seed, epoch).

    Rows meet at random inside their bucket, a bucket is cut into batches of nearly the same size, and the batches of
    all buckets come in random order.
    """
    generator = np.random.default_rng((seed, epoch))
    bucket = np.searchsorted(plan.edges, lengths)
    batches: list[Batch] = []
    for number, edge in enumerate(plan.edges):
        members = generator.permutation(np.flatnonzero(bucket == number))
        if len(members):
            parts = np.array_split(members, -(-len(members) // plan.limits.rows(edge)))
            batches.extend((part, edge) for part in parts)
    return [batches[i] for i in generator.permutation(len(batches))]


def by_length(lengths: np.ndarray, limits: Limits) -> Iterator[Batch]:
    """Yield the batches of evaluation and prediction, shortest rows first."""
    padded = np.array([round_up(max(int(n), 1)) for n in lengths], dtype=np.int64)
    order = np.argsort(padded, kind="stable")
    start = 0
    for end in range(1, len(order) + 1):
        if end == len(order) or end - start >= limits.rows(int(padded[order[end]])):
            yield order[start:end], int(padded[order[end - 1]])
            start = end


def padding_share(lengths: np.ndarray, batches: Sequence[Batch]) -> float:
    """Return the share of padding in the batches, between 0 and 1."""
    cells = sum(len(rows) * width for rows, width in batches)
    return 1 - float(np.sum(lengths)) / cells if cells else 0.0


def pad(rows: Sequence[Sequence[int]], width: int, value: int = 0) -> np.ndarray:
    """Return rows of ids as one (B, width) array, filled up with `value`."""
    padded = np.full((len(rows), width), value, dtype=np.int64)
    for i, row in enumerate(rows):
        padded[i, : len(row)] = row
    return padded
