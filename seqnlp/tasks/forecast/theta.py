"""The Theta method (Assimakopoulos & Nikolopoulos 2000), the benchmark of forecasting competitions.

By Hyndman & Billah (2003, section 3) it is simple exponential smoothing with half of the linear trend as its drift. A
season is taken out before, where the autocorrelation says that there is one, and put back after.
"""

from __future__ import annotations

import numpy as np

ALPHAS = np.linspace(0.01, 0.99, 50)  # of the smoothing; the one with the least squared error is taken
CONFIDENCE = 1.645  # of the test for a season: 90%


def forecasts(values: np.ndarray, origins: np.ndarray, horizon: int, season: int = 1) -> np.ndarray:
    """Return the forecasts from each origin, (F, H): each is made of the values before it alone.

    values: (N,); origins: (F,), rising, from 1 on. The season is that of the history before the first origin.
    """
    first = int(origins[0])
    factors, multiplied = seasonal(values[:first], season)
    every = factors[np.arange(max(len(values), int(origins[-1])) + horizon) % season]
    plain = values / every[: len(values)] if multiplied else values - every[: len(values)]
    level, alpha = _smoothed(plain, origins)
    ahead = np.arange(horizon)
    power = (1 - alpha) ** origins
    drift = _slopes(plain, origins)[:, None] / 2 * (ahead + 1 / alpha[:, None] - (power / alpha)[:, None])
    found = level[:, None] + drift  # (F, H)
    places = origins[:, None] + ahead
    back: np.ndarray = found * every[places] if multiplied else found + every[places]
    return back


def _smoothed(values: np.ndarray, origins: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The level before each origin and the alpha that forecast the values up to there best, both (F,).

    A level is a + b l of the first level l, and so is every error: of each alpha the best l has a closed form.
    """
    a, b = np.zeros(len(ALPHAS)), np.ones(len(ALPHAS))
    rr, rb, bb = (np.zeros(len(ALPHAS)) for _ in range(3))  # sums of products of r = value - a and b
    levels, alphas, n = np.empty(len(origins)), np.empty(len(origins)), 0
    for number, origin in enumerate(origins):
        for value in values[n:origin].tolist():
            r = value - a
            rr += r * r
            rb += r * b
            bb += b * b
            a += ALPHAS * r
            b *= 1 - ALPHAS
        n = max(n, int(origin))
        best = int(np.argmin(rr - rb * rb / bb))
        levels[number] = a[best] + b[best] * rb[best] / bb[best]
        alphas[number] = ALPHAS[best]
    return levels, alphas


def _slopes(values: np.ndarray, origins: np.ndarray) -> np.ndarray:
    """The slope of the line through the values before each origin, (F,)."""
    steps = np.arange(len(values), dtype=np.float64)
    total, moment = (np.concatenate([[0.0], np.cumsum(part)])[origins] for part in (values, steps * values))
    n = origins.astype(np.float64)
    squares = n * (n**2 - 1) / 12
    slopes: np.ndarray = np.divide(moment - (n - 1) / 2 * total, squares, out=np.zeros(len(n)), where=squares > 0)
    return slopes


def seasonal(history: np.ndarray, season: int) -> tuple[np.ndarray, bool]:
    """Return the season's factors (season,), or what is added, and whether they are factors; ones where there is none.

    Factors need positive values. By classical decomposition: what a centred moving average leaves over, averaged.
    """
    if not _is_seasonal(history, season):
        return np.ones(season), True
    multiplied = bool((history > 0).all())
    weights = np.full(season + 1 - season % 2, 1.0)
    if season % 2 == 0:
        weights[[0, -1]] = 0.5
    trend = np.convolve(history, weights / weights.sum(), "valid")
    skipped = len(weights) // 2
    middle = history[skipped : skipped + len(trend)]
    rest = middle / trend if multiplied else middle - trend
    means = np.array([rest[(place - skipped) % season :: season].mean() for place in range(season)])
    return (means / means.mean() if multiplied else means - means.mean()), multiplied


def _is_seasonal(history: np.ndarray, season: int) -> bool:
    """Whether the values a season apart are correlated, beyond what nearer ones explain (Makridakis et al. 2020)."""
    if season < 2 or len(history) < 3 * season:
        return False
    centred = history - history.mean()
    if not (variance := float(centred @ centred)):
        return False
    nearer = [float(centred[lag:] @ centred[:-lag]) / variance for lag in range(1, season + 1)]
    limit = CONFIDENCE * np.sqrt((1 + 2 * float(np.sum(np.square(nearer[:-1])))) / len(history))
    return bool(abs(nearer[-1]) > limit)
