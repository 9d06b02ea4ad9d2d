"""A prediction: the forecasts of a series from one origin or several, by the method that was chosen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from seqnlp.metrics import forecasting
from seqnlp.tasks.forecast import baselines, intervals
from seqnlp.tasks.forecast.codec import Codec

if TYPE_CHECKING:
    from seqnlp.tasks.forecast.network import Forecaster

SHOWN = 3  # windows of a history that are kept for its picture


@dataclass(frozen=True)
class Prediction:
    """The forecasts of a series from F origins.

    values: (F, H); bounds: of each level the lower and the upper ends; gold: (F, H), NaN where it is not known; scale:
    what MASE divides by; candidates: what each method forecasts, with its spread; history: the last values before the
    first origin; series: (N,) values.
    """

    values: np.ndarray
    bounds: Mapping[int, tuple[np.ndarray, np.ndarray]]
    gold: np.ndarray
    origins: np.ndarray
    scale: float
    method: str
    candidates: Mapping[str, tuple[np.ndarray, np.ndarray]] = field(repr=False)
    history: np.ndarray = field(repr=False)


def chosen(one: Prediction, method: str, table: np.ndarray, levels: Sequence[int]) -> Prediction:
    """Return a prediction whose values and intervals are those of one of its candidates."""
    values, spread = one.candidates[method]
    found = {level: intervals.bounds(values, spread, table, level) for level in levels}
    return replace(one, values=values, bounds=found, method=method)


def of(
    row: Mapping[str, Any],
    origins: np.ndarray,
    own: tuple[np.ndarray, np.ndarray],
    others: Mapping[str, np.ndarray],
    codec: Codec,
    network: Forecaster,
    levels: Sequence[int],
) -> Prediction:
    """Return the prediction of a row: own are the network's forecasts with their spread, others the baselines'.

    The spread of a baseline is the naive error of the series, so that its intervals only grow with the steps ahead.
    """
    values, (wide, _) = np.asarray(row["values"]), own[0].shape
    spread = row["scale"] if row["scale"] == row["scale"] else 0.0
    candidates = {baselines.NETWORK: own} | {
        name: (found, np.broadcast_to(spread, found.shape)) for name, found in others.items()
    }
    method = baselines.METHODS[int(network.method)]
    first = int(origins[0]) if wide else len(values)
    one = Prediction(
        own[0],
        {},
        np.stack([after(values, int(place), codec.horizon) for place in origins]) if wide else own[0],
        origins,
        row["scale"],
        method,
        candidates,
        values[max(first - SHOWN * max(codec.window, codec.horizon), 0) : first].copy(),
    )
    return chosen(one, method, network.errors.double().cpu().numpy(), levels)


def after(values: np.ndarray, origin: int, horizon: int) -> np.ndarray:
    """Return the values behind an origin, NaN where there are none any more."""
    found = values[origin : origin + horizon]
    return np.concatenate([found, np.full(horizon - len(found), np.nan)])


def calibrated(found: Sequence[Prediction], network: Forecaster, *, auto: bool) -> tuple[str, np.ndarray]:
    """Return the method that forecasts best, and the quantiles of its errors, see `intervals.fit`.

    auto: a baseline may be taken; the network it is otherwise, and where no series has an error to compare by.
    """
    method = baselines.NETWORK
    if auto:
        method = min(baselines.METHODS, key=lambda name: _error(found, name))
    relative = [intervals.errors(one.gold, *one.candidates[method]) for one in found]
    return method, intervals.fit(np.concatenate(relative))


def _error(found: Sequence[Prediction], method: str) -> float:
    """The MASE of a method; its MAE where there is none."""
    sums = np.sum([forecasting.sums(one.gold, one.candidates[method][0], one.scale).sum(0) for one in found], axis=0)
    name = "mase" if sums[forecasting.SCALED_VALUES] else "mae"
    return float(forecasting.VALUES_OF[name](sums))
