"""Rows: which rows of a batch are at hand, where it is computed in parts, by one process or several.

What is drawn for a row must not depend on the parts. So every part draws what the whole batch would, from a generator
in the same state, and takes its own rows of it: a mask has few numbers beside what the layers compute.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class Part:
    """Rows from `begin` to `end` of a batch of `total`."""

    begin: int
    end: int
    total: int

    @classmethod
    def of(cls, total: int, number: int, count: int) -> Part:
        """Return part `number` of `count` of a batch: rows that follow each other, as many in each as can be."""
        return cls(total * number // count, total * (number + 1) // count, total)

    def cut(self, pieces: int) -> list[Part]:
        """Return as many smaller parts that make up this one, or fewer: each has a row."""
        found = (Part.of(len(self), number, pieces) for number in range(pieces))
        return [Part(self.begin + one.begin, self.begin + one.end, self.total) for one in found if one]

    def __len__(self) -> int:
        return self.end - self.begin

    @property
    def rows(self) -> slice:
        """Return the rows as a slice of the batch."""
        return slice(self.begin, self.end)


_here: list[Part] = []  # the innermost part that is computed now; empty where batches are whole


@contextlib.contextmanager
def only(part: Part) -> Iterator[None]:
    """Let what is computed inside the context be a part of a batch."""
    _here.append(part)
    try:
        yield
    finally:
        _here.pop()


def drawn(draw: Callable[[int], torch.Tensor], rows: int) -> torch.Tensor:
    """Return what is drawn for the rows at hand; draw: from a number of rows to random numbers, a row each."""
    if not _here:
        return draw(rows)
    part = _here[-1]
    assert len(part) == rows, "only what has a row for each of the batch is drawn by row"
    return draw(part.total)[part.rows]
