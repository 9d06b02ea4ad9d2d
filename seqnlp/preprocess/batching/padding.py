"""Padding: rows of different lengths as one array, and the lengths that they are padded to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

Edge = tuple[int, ...]  # what a bucket is padded to: one length a row, or two for pairs
Batch = tuple[np.ndarray, Edge]  # the rows' numbers, and the lengths to pad them to


def round_up(length: int) -> int:
    """Return the length to pad to: exact for short rows, then in steps of at most 6%, so that shapes are few."""
    step = 1 if length <= 32 else 2 ** max(1, (length - 1).bit_length() - 5)
    return -(-length // step) * step


def padding_fraction(lengths: np.ndarray, batches: Iterable[Batch]) -> float:
    """Return the fraction of padding in the batches, between 0 and 1."""
    cells = sum(len(rows) * sum(width) for rows, width in batches)
    return 1 - float(np.sum(lengths)) / cells if cells else 0.0


def pad(rows: Sequence[Sequence[int]], width: int, value: int = 0) -> np.ndarray:
    """Return rows of ids as one (B, width) array, filled up with `value`."""
    padded = np.full((len(rows), width), value, dtype=np.int64)
    for i, row in enumerate(rows):
        padded[i, : len(row)] = row
    return padded
