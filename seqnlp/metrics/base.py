"""Score: a number, which way it is better, how it was made, and how far to trust it."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from seqnlp import version
from seqnlp.metrics import bootstrap, registry


@dataclass(frozen=True)
class Score:
    """A value on its scale, with its 95% interval, its signature and the number of items scored."""

    name: str
    value: float
    interval: bootstrap.Interval | None
    signature: str
    n: int
    scale: registry.Scale

    @property
    def higher_is_better(self) -> bool:
        """Whether higher is better."""
        return self.scale.higher_is_better

    def to_dict(self) -> dict[str, Any]:
        """Return the score as the JSON result holds it, to six decimals."""
        return {
            "name": self.name,
            "value": round(self.value, 6),
            "interval": None if self.interval is None else [round(end, 6) for end in self.interval],
            "signature": self.signature,
            "n": self.n,
            "higher_is_better": self.higher_is_better,
        }


def better(value: float, other: float, *, higher_is_better: bool) -> bool:
    """Return whether a value is better than another one of the same score."""
    return value > other if higher_is_better else value < other


def signature(name: str, *details: str) -> str:
    """Return how a score was made, in one line that can be compared, in the manner of sacrebleu (Post 2018)."""
    return "|".join([name, *details, f"bs:{bootstrap.SAMPLES}", f"seed:{bootstrap.SEED}", f"v:{version.__version__}"])


def from_counts(
    values: Mapping[str, bootstrap.Value], counts: bootstrap.Counts, *details: str, intervals: bool = True
) -> list[Score]:
    """Return scores of summed counts, with their intervals unless there are fewer than two items.

    values: by name, from sums (..., K) to scores (...); details: of the signature.
    """
    total, n = counts.total, counts.n
    around: list[bootstrap.Interval | None] = [None] * len(values)
    scales = [registry.SCALES[name] for name in values]
    if intervals and n > 1:
        around = [*bootstrap.intervals(counts, [*values.values()], [(scale.low, scale.high) for scale in scales])]
    return [
        Score(name, float(value(total)), ends, signature(name, *details), n, scale)
        for (name, value), ends, scale in zip(values.items(), around, scales, strict=True)
    ]


def from_means(columns: Mapping[str, Sequence[float]], *details: str, intervals: bool = True) -> list[Score]:
    """Return the means over the items of what each was given by a score, from 0 to 1, in percent."""
    values = {name: functools.partial(_mean, column) for column, name in enumerate(columns)}
    rows = np.array([*columns.values(), np.ones(len(next(iter(columns.values()))))], dtype=np.float64).T
    return from_counts(values, bootstrap.Counts.of(rows), *details, intervals=intervals)


def _mean(column: int, sums: np.ndarray) -> np.ndarray:
    """The last sum is the number of items."""
    mean: np.ndarray = 100 * sums[..., column] / sums[..., -1]
    return mean
