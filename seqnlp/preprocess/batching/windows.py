"""Sliding windows over series: W values that are looked at, and the H values after them, which are to be forecast.

Every place where a window fits is an item (series, start). A window lies inside the span of its series: before the
split point in training, so that nothing of what is forecast later has been seen.

    series     0 1 2 3 4 5 6 7 8 9       W = 3, H = 2, split at 7
    training   0 1 2 [3 4]   1 2 3 [4 5]   2 3 4 [5 6]
    dev        4 5 6 [7 8]   5 6 7 [8 9]
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np

from seqnlp import errors
from seqnlp.preprocess.batching import stream


def spans(lengths: np.ndarray, splits: np.ndarray, window: int) -> tuple[np.ndarray, np.ndarray]:
    """Return where the windows of training and of dev may lie, each (N, 2), begin and end in the series.

    lengths, splits: (N,). What training looks at and forecasts lies before the split; what dev forecasts lies after it,
    and its first window is the last one of training's part.
    """
    training = np.stack([np.zeros_like(splits), splits], axis=1)
    return training, np.stack([np.maximum(splits - window, 0), lengths], axis=1)


@dataclass(frozen=True)
class Batch:
    """Windows by the number of their series and their first place in it, both (B,)."""

    series: np.ndarray
    starts: np.ndarray

    def read(self, series: stream.Concatenation, begins: np.ndarray, steps: int) -> np.ndarray:
        """Return the values of the windows, (B, steps); begins: (N,), where each series begins in all of them."""
        return series.take((begins[self.series] + self.starts)[:, None] + np.arange(steps))


@dataclass(frozen=True)
class Windows:
    """Windows of W + H values within spans, (N, 2), of N series, drawn in random order: pure in (seed, epoch).

    batch: windows of a batch, at the most; passes: how often an epoch has every window.
    Raises `DataError` where no window fits into any span.
    """

    spans: np.ndarray
    window: int
    horizon: int
    batch: int
    seed: int = 0
    passes: int = 1

    def __post_init__(self) -> None:
        if not self.items:
            raise errors.DataError(
                f"no series is long enough for a window of {self.window} values and a horizon of {self.horizon}"
            )

    @functools.cached_property
    def _ends(self) -> np.ndarray:
        """The number of windows in each series and all before it, (N,)."""
        room = self.spans[:, 1] - self.spans[:, 0] - (self.window + self.horizon) + 1
        return np.cumsum(np.maximum(room, 0))

    @property
    def items(self) -> int:
        """Return the windows of an epoch."""
        return self.passes * self.places

    @property
    def places(self) -> int:
        """Return the places where a window fits."""
        return int(self._ends[-1]) if len(self._ends) else 0

    def windows(self, numbers: np.ndarray) -> Batch:
        """Return the windows of these numbers, which are counted from the first place of the first series on."""
        numbers = numbers.astype(np.int64)
        series = np.searchsorted(self._ends, numbers, side="right")
        before = np.concatenate([[0], self._ends[:-1]])
        return Batch(series, self.spans[series, 0] + numbers - before[series])

    def epoch(self, number: int) -> list[np.ndarray]:
        """Return the batches of an epoch, of nearly the same size: the numbers of windows, shuffled in each pass."""
        draw = np.random.default_rng((self.seed, number))
        order = np.empty((self.passes, self.places), np.min_scalar_type(self.places))  # four bytes a window mostly
        for one in order:
            one[:] = draw.permutation(self.places)
        return np.array_split(order.reshape(-1), -(-self.items // self.batch))

    def rows(self, batch: np.ndarray) -> int:
        """Return the number of windows in a batch."""
        return len(batch)

    def part(self, batch: np.ndarray, rows: slice) -> np.ndarray:
        """Return a batch of some of a batch's windows."""
        return batch[rows]

    def summary(self) -> str:
        """Return how the items meet, in a few words."""
        return f"{self.places} windows of {self.window} + {self.horizon} steps"
