"""Errors of forecasts: in the unit of the values (MAE, RMSE), in percent (sMAPE), beside a naive forecast's (MASE).

The mean is over all values that were forecast. sMAPE is that of the M4 competition (Makridakis et al. 2020, section 3):
200 |y - f| / (|y| + |f|), 0 where both are 0. MASE divides by the mean absolute difference of a season in the history
(Hyndman & Koehler 2006); series without such a difference, which are constant, have none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from seqnlp import errors
from seqnlp.metrics import base, bootstrap
from seqnlp.preprocess.corpora import even, schema, series

ABSOLUTE, SQUARED, PERCENT, VALUES, SCALED, SCALED_VALUES = range(6)  # the columns of an item's sums


def sums(gold: np.ndarray, predicted: np.ndarray, scale: np.ndarray | float = np.nan) -> np.ndarray:
    """Return what is summed over forecasts, (N, 6).

    gold, predicted: (N, H), NaN where a value is not known; scale: what MASE divides by, (N,) or one, NaN for none.
    """
    error = np.abs(gold - predicted)
    size = np.abs(gold) + np.abs(predicted)
    percent = np.where(size == 0, 0.0, 200 * error / np.where(size == 0, 1.0, size))
    known = ~np.isnan(error)
    divisor = np.broadcast_to(np.asarray(scale, dtype=np.float64).reshape(-1, 1), error.shape)
    scaled = known & (divisor > 0)
    columns = [
        np.where(known, error, 0),
        np.where(known, error**2, 0),
        np.where(known, percent, 0),
        known,
        np.divide(error, divisor, out=np.zeros_like(error), where=scaled),
        scaled,
    ]
    return np.stack([column.sum(1) for column in columns], axis=1)


def _mean(column: int, number: int = VALUES) -> Callable[[np.ndarray], np.ndarray]:
    def value(total: np.ndarray) -> np.ndarray:
        mean: np.ndarray = total[..., column] / np.maximum(total[..., number], 1)
        return mean

    return value


def _root(total: np.ndarray) -> np.ndarray:
    root: np.ndarray = np.sqrt(_mean(SQUARED)(total))
    return root


VALUES_OF: Mapping[str, Callable[[np.ndarray], np.ndarray]] = {
    "mae": _mean(ABSOLUTE),
    "rmse": _root,
    "smape": _mean(PERCENT),
    "mase": _mean(SCALED, SCALED_VALUES),
}


def naive_error(values: Sequence[float] | np.ndarray, season: int) -> float:
    """Return the mean absolute difference of values a season apart; of a shorter series from one to the next.

    NaN where it is 0, or there is none.
    """
    numbers = np.asarray(values, dtype=np.float64)
    lag = season if len(numbers) > season else 1
    found = np.abs(numbers[lag:] - numbers[:-lag])
    return float(found.mean()) if len(found) and found.any() else float("nan")


def score(rows: np.ndarray, *details: str, names: Sequence[str], intervals: bool = True) -> list[base.Score]:
    """Return the scores of forecasts by their `sums`; intervals: by resampling forecasts. Without a scale no MASE."""
    counts = bootstrap.Counts.of(rows)
    kept = [name for name in names if name != "mase" or counts.total[SCALED_VALUES]]
    return base.from_counts({name: VALUES_OF[name] for name in kept}, counts, *details, intervals=intervals)


def measure(
    names: Sequence[str],
    gold: Sequence[tuple[str, float]],
    predicted: Sequence[float],
    *,
    history: str | None = None,
    season: int = 1,
) -> tuple[list[base.Score], dict[str, Any]]:
    """Return the named scores of numbers, and how many series there are.

    gold: the id of each one's series, and the value. history: the file of the values before them, which MASE divides
    by; without it by the differences of the values themselves.
    """
    if not gold:
        raise errors.DataError("nothing to score: no items")
    if len(gold) != len(predicted):
        raise errors.DataError(f"{len(predicted)} predictions of {len(gold)} values")
    ids, values = [name for name, _ in gold], np.array([value for _, value in gold], dtype=np.float64)
    details: list[str] = []
    scale: np.ndarray | float = np.nan
    if "mase" in names:
        divisors = _divisors(ids, values, history, season)
        scale = np.array([divisors[name] for name in ids])
        details = [f"season:{season}", f"scale:{'history' if history else 'reference'}"]
    rows = sums(values.reshape(-1, 1), np.array(predicted, dtype=np.float64).reshape(-1, 1), scale)
    found = score(rows, *details, names=names)
    if not found:
        raise errors.DataError(
            "nothing to score: every series is constant", "MASE divides by how much a series changes"
        )
    return found, {"series": len(set(ids))}


def _divisors(ids: Sequence[str], values: np.ndarray, history: str | None, season: int) -> dict[str, float]:
    """What MASE divides by, of each series."""
    before: dict[str, Sequence[float]] = {}
    if history is None:
        gathered: dict[str, list[float]] = {}
        for name, value in zip(ids, values.tolist(), strict=True):
            gathered.setdefault(name, []).append(value)
        before.update(gathered)
    else:
        found = series.read(schema.Source((history,)), even.Known(gaps="ignore"))
        before.update((one.id, one.values) for one, _ in found)
        if missing := set(ids) - before.keys():
            raise errors.DataError(f"{history}: no series {min(missing)!r}", "it holds what went before the reference")
    return {name: naive_error(one, season) for name, one in before.items()}
