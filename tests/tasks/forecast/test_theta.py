"""The Theta method and the naive ones: against the figures of another program, and against their definitions."""

import csv
from pathlib import Path

import numpy as np
import pytest

from seqnlp.tasks.forecast import baselines, theta

DATA = Path(__file__).parents[3] / "data" / "series"

# statsforecast 2.1.1, Theta(season_length), of the first so many values
FIGURES = [
    ("monthly.csv", 228, 12, 5e-3, [266.57, 258.2, 302.37, 326.84, 348.11, 378.31, 411.94, 402.87, 359.58]),
    ("daily.csv", 700, 7, 1e-3, [601.58, 612.88, 678.08, 541.89, 437.03, 639.06, 619.37]),
]


def values(name, number):
    with open(DATA / name) as file:
        return np.array([float(row["value"]) for row in csv.DictReader(file)])[:number]


@pytest.mark.parametrize(("name", "number", "season", "near", "expected"), FIGURES)
def test_the_figures_of_statsforecast(name, number, season, near, expected):
    (found,) = theta.forecasts(values(name, number), np.array([number]), len(expected), season)
    np.testing.assert_allclose(found, expected, rtol=near)


def test_a_line_is_gone_on_with_half_its_slope():
    """Half of the slope is drift; the smoothing, which takes the newest value, gives the rest of the level."""
    (found,) = theta.forecasts(np.arange(50.0), np.array([50]), 3)
    np.testing.assert_allclose(np.diff(found), 0.5)


def test_a_constant_stays():
    (found,) = theta.forecasts(np.full(30, 4.0), np.array([30]), 5, 7)
    np.testing.assert_allclose(found, 4.0)


def test_a_season_of_factors_is_found():
    factors = np.array([0.5, 1.0, 1.5])
    found, multiplied = theta.seasonal(np.tile(factors, 20) * 8, 3)
    assert multiplied
    np.testing.assert_allclose(found, factors)
    found, multiplied = theta.seasonal(np.tile(factors, 20) - 1, 3)
    assert not multiplied
    np.testing.assert_allclose(found, factors - 1, atol=1e-12)


def test_the_smoothing_is_the_best_of_all_alphas_and_first_levels():
    draw = np.random.default_rng(1)
    series = np.cumsum(draw.normal(size=40)) + 10

    def error(alpha, level):
        total = 0.0
        for value in series:
            total += (value - level) ** 2
            level += alpha * (value - level)
        return total, level

    best = min((*error(alpha, level), alpha) for alpha in theta.ALPHAS for level in np.linspace(-5, 30, 701))
    (level,), (alpha,) = theta._smoothed(series, np.array([40]))
    assert alpha == pytest.approx(best[2], abs=0.021)
    assert level == pytest.approx(best[1], abs=0.05)


@pytest.mark.parametrize("name", baselines.BASELINES)
@pytest.mark.parametrize("season", [1, 3, 7])
def test_nothing_of_the_future_is_seen(name, season):
    draw = np.random.default_rng(2)
    series, origins = draw.normal(size=60) + 5, np.array([30, 37, 44])
    before = baselines.BASELINES[name](series, origins, 7, season)
    series[44:] = 1e9
    np.testing.assert_array_equal(baselines.BASELINES[name](series, origins, 7, season), before)
    changed = series.copy()
    changed[30:] = -1e9
    after = baselines.BASELINES[name](changed, origins, 7, season)
    np.testing.assert_array_equal(after[0], before[0])
    assert not (after[1:] == before[1:]).all()


def test_the_naive_ones():
    series, origins = np.arange(10.0), np.array([1, 4, 10])
    np.testing.assert_array_equal(baselines.last(series, origins, 2, 3), [[0, 0], [3, 3], [9, 9]])
    np.testing.assert_array_equal(baselines.seasonal(series, origins, 4, 3), [[0] * 4, [1, 2, 3, 1], [7, 8, 9, 7]])
