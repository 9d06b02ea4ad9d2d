"""Intervals around forecasts, calibrated on dev: conformal prediction with errors relative to how sure a forecast is.

Split conformal prediction with locally weighted residuals (Lei et al. 2018, section 5.2): the errors of dev's
forecasts, each divided by its own spread, have quantiles; a new forecast's interval lies between two of them, times
its spread.
"""

from __future__ import annotations

import numpy as np

GRID = np.arange(1, 200) / 200  # the probabilities whose quantiles are kept
ENOUGH = 100  # errors of a step: where there are fewer, those of the steps beside it count too


def errors(gold: np.ndarray, forecasts: np.ndarray, spread: np.ndarray) -> np.ndarray:
    """Return the relative errors (N, H), NaN where a value is not known or the spread is 0."""
    found: np.ndarray = np.divide(gold - forecasts, spread, out=np.full(gold.shape, np.nan), where=spread > 0)
    return found


def fit(relative: np.ndarray) -> np.ndarray:
    """Return the quantiles of relative errors (N, H), of each step at the probabilities of `GRID`, (H, G).

    With the correction for a finite sample: of n errors the one of rank (n + 1) p is taken.
    """
    known, horizon = ~np.isnan(relative), relative.shape[1]
    counts, table = known.sum(0), np.zeros((horizon, len(GRID)))
    for step in range(horizon):
        beside = 0
        while counts[max(step - beside, 0) : step + beside + 1].sum() < ENOUGH and beside < horizon:
            beside += 1
        part = slice(max(step - beside, 0), step + beside + 1)
        pool = relative[:, part][known[:, part]]
        if len(pool):
            table[step] = np.quantile(pool, GRID, method="weibull")
    return table


def bounds(forecasts: np.ndarray, spread: np.ndarray, table: np.ndarray, level: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the lower and upper ends of intervals that hold `level` percent of the values, both (F, H)."""
    outside = (1 - level / 100) / 2
    low, high = (np.array([np.interp(p, GRID, row) for row in table]) for p in (outside, 1 - outside))
    return forecasts + np.minimum(low, 0) * spread, forecasts + np.maximum(high, 0) * spread
