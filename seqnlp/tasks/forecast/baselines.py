"""Baselines: what every forecast is measured against, and what `--model auto` may take instead of the network."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from seqnlp.tasks.forecast import theta

Forecasts = Callable[[np.ndarray, np.ndarray, int, int], np.ndarray]


def last(values: np.ndarray, origins: np.ndarray, horizon: int, season: int) -> np.ndarray:
    """Return the value before each origin for all steps, (F, H)."""
    return np.repeat(values[origins - 1][:, None], horizon, axis=1)


def seasonal(values: np.ndarray, origins: np.ndarray, horizon: int, season: int) -> np.ndarray:
    """Return the values of the last season before each origin, over and over, (F, H); the last one of a shorter series.

    values: (N,); origins: (F,), from 1 on.
    """
    ahead = np.arange(horizon) % season
    places = origins[:, None] - season + ahead  # (F, H)
    found: np.ndarray = values[np.where(origins[:, None] >= season, np.maximum(places, 0), origins[:, None] - 1)]
    return found


BASELINES: Mapping[str, Forecasts] = {"last": last, "seasonal": seasonal, "theta": theta.forecasts}
NETWORK = "network"
METHODS = (NETWORK, *BASELINES)  # by the numbers that a network keeps


def of(values: np.ndarray, origins: np.ndarray, horizon: int, season: int) -> dict[str, np.ndarray]:
    """Return the forecasts of each baseline from each origin, (F, H); there may be no origin."""
    if not len(origins):
        return dict.fromkeys(BASELINES, np.zeros((0, horizon)))
    return {name: made(values, origins, horizon, season) for name, made in BASELINES.items()}
