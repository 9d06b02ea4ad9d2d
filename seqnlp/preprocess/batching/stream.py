"""A contiguous stream: rows one after the other, cut into parallel streams that are read a chunk at a time.

A language model reads on where the batch before stopped, so its state is carried from chunk to chunk. The places of the
concatenation are cut into B streams of (nearly) equal length; a chunk is the next T steps of every one of them, and the
target of a step is the item after it.

    rows       [a b c d] [e f g] [h i j k l]        B = 2, T = 3
    chunks     a b c   d e f
               g h i   j k l
    targets    b c d   e f g
               h i j   k l .        the last item of all has none
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from seqnlp import errors

HALVED, SPREAD = 0.05, 1 / 14  # of the chunks have half the steps; standard deviation of the steps, in their number


class Concatenation:
    """Arrays one after the other as one sequence; they are read where they are, so memory-mapped ones stay mapped."""

    def __init__(self, parts: Iterable[np.ndarray]) -> None:
        self.parts = [part for part in parts if len(part)]
        self.ends = np.cumsum([len(part) for part in self.parts], dtype=np.int64)

    def __len__(self) -> int:
        return int(self.ends[-1]) if len(self.ends) else 0

    def take(self, places: np.ndarray) -> np.ndarray:
        """Return the items at these places, an array of their shape; raises `IndexError` for a place outside."""
        if places.size and not 0 <= places.min() <= places.max() < len(self):
            raise IndexError(f"places from {places.min()} to {places.max()} of {len(self)}")
        found = np.empty(places.shape, dtype=np.result_type(*self.parts) if self.parts else np.int64)
        numbers = np.searchsorted(self.ends, places, side="right")
        for number in np.unique(numbers):
            part, chosen = self.parts[number], numbers == number
            found[chosen] = part[places[chosen] - (self.ends[number] - len(part))]
        return found


@dataclass(frozen=True)
class Chunk:
    """The next steps of every stream: the places where they begin, (B,), their number, and where each stream ends."""

    starts: np.ndarray
    steps: int
    ends: np.ndarray

    def read(self, items: Concatenation, ignored: int) -> tuple[np.ndarray, np.ndarray]:
        """Return inputs and targets, both (B, T) int64; a target is `ignored` past the end of its stream.

        All inputs are items of the stream or of the one after it: no row of a batch needs padding.
        """
        places = self.starts[:, None] + np.arange(self.steps)  # (B, T)
        inside = places < self.ends[:, None]
        inputs = items.take(places).astype(np.int64)
        targets = items.take(np.minimum(places + 1, len(items) - 1)).astype(np.int64)
        return inputs, np.where(inside, targets, ignored)


@dataclass(frozen=True)
class Stream:
    """The chunks of so many items; `varying`: chunks of other lengths in every epoch, a pure function of (seed, epoch).

    streams: read side by side, B; steps: of a chunk, T. Raises `DataError` where no item has a next one.
    """

    length: int
    streams: int
    steps: int
    seed: int = 0
    varying: bool = False

    def __post_init__(self) -> None:
        if self.length < 2:
            raise errors.DataError(f"a stream of {self.length} items has nothing to predict")

    @property
    def items(self) -> int:
        """Return the steps of an epoch: every item but the last has the next one for a target."""
        return self.length - 1

    @property
    def batch(self) -> int:
        """Return the steps of a batch, on average."""
        return min(self.streams, self.items) * self.steps

    def epoch(self, number: int) -> list[Chunk]:
        """Return the chunks of an epoch, in the order of the stream; they are as many in every epoch."""
        streams = min(self.streams, self.items)
        edges = -(-np.arange(streams + 1) * self.items // streams)  # no stream has two steps more than another
        starts, ends = edges[:-1], edges[1:]
        longest = int((ends - starts).max())
        places = self._varied(longest, number) if self.varying else [*range(0, longest, self.steps), longest]
        return [Chunk(starts + begin, end - begin, ends) for begin, end in itertools.pairwise(places)]

    def rows(self, batch: Chunk) -> int:
        """Return the number of streams in a chunk."""
        return len(batch.starts)

    def part(self, batch: Chunk, rows: slice) -> Chunk:
        """Return a chunk of some of the streams."""
        return Chunk(batch.starts[rows], batch.steps, batch.ends[rows])

    def _varied(self, longest: int, epoch: int) -> list[int]:
        """Where the chunks of an epoch begin and end: lengths as in Merity et al. 2018, section 5.

        A length is drawn around T, now and then around T / 2. All of them are stretched together to fill the stream,
        so that an epoch has always the same number of chunks.
        """
        number = min(longest, max(1, round(longest / (self.steps * (1 - HALVED / 2)))))
        rng = np.random.default_rng((self.seed, epoch))
        means = np.where(rng.random(number) < HALVED, self.steps / 2, self.steps)
        lengths = np.maximum(rng.normal(means, SPREAD * self.steps), 1)
        ends = np.rint(np.cumsum(lengths) * (longest / lengths.sum())).astype(np.int64)
        room = np.arange(1, number + 1)  # at least one step each, also where rounding leaves none
        ends = np.maximum.accumulate(np.maximum(ends - room, 0)) + room
        return [0, *np.minimum(ends, longest - number + room).tolist()]

    def summary(self) -> str:
        """Return how the items meet, in a few words."""
        varying = "about " if self.varying else ""
        return f"{min(self.streams, self.items)} streams, chunks of {varying}{self.steps} steps"
