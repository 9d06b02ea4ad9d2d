"""Score: a number, how it was made, and how far to trust it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

import seqnlp

SAMPLES = 1000
SEED = 12345
MOST_CELLS = 25_000_000  # of the array of resampled multiplicities: memory stays under half a gigabyte


@dataclass(frozen=True)
class Score:
    """A score on the scale of 0 to 100 with its 95% interval, its signature and the number of items scored."""

    name: str
    value: float
    interval: tuple[float, float] | None
    signature: str
    n: int

    def to_dict(self) -> dict[str, Any]:
        """Return the score as the JSON result holds it, to six decimals."""
        rounded = None if self.interval is None else [round(end, 6) for end in self.interval]
        return {**asdict(self), "value": round(self.value, 6), "interval": rounded}


def signature(name: str, *details: str) -> str:
    """Return how a score was made, in one line that can be compared, in the manner of sacrebleu (Post 2018)."""
    return "|".join([name, *details, f"bs:{SAMPLES}", f"seed:{SEED}", f"v:{seqnlp.__version__}"])


def from_counts(
    name: str, counts: np.ndarray, value: Callable[[np.ndarray], np.ndarray], *details: str, intervals: bool = True
) -> Score:
    """Return the score `value` of the summed counts, with its interval.

    counts: (N, K), one row an item; value: takes sums (..., K) to scores (...).
    """
    total = float(value(counts.sum(axis=0, dtype=np.float64)))
    around = interval(counts, value) if intervals else None
    return Score(name, total, around, signature(name, *details), len(counts))


def interval(counts: np.ndarray, value: Callable[[np.ndarray], np.ndarray]) -> tuple[float, float] | None:
    """Return the 95% percentile bootstrap interval (Efron & Tibshirani 1993, section 13.3), None for under two items.

    Items with equal counts are drawn together: how often each kind of item comes up is multinomial.
    """
    if len(counts) < 2:
        return None
    kinds, multiplicity = np.unique(counts, axis=0, return_counts=True)
    generator = np.random.default_rng(SEED)
    scores = []
    step = max(1, min(SAMPLES, MOST_CELLS // len(kinds)))
    for start in range(0, SAMPLES, step):
        drawn = generator.multinomial(len(counts), multiplicity / len(counts), size=min(step, SAMPLES - start))
        scores.append(value(drawn.astype(np.float64) @ kinds))
    low, high = np.percentile(np.concatenate(scores), [2.5, 97.5])
    return float(low), float(high)
