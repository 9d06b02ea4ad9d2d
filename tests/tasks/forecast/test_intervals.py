"""Intervals: they hold as many values as they say, whatever the errors are like."""

import itertools

import numpy as np
import pytest

from seqnlp.tasks.forecast import intervals


@pytest.mark.parametrize("level", [50, 80, 95])
@pytest.mark.parametrize("kind", ["normal", "skewed", "growing"])
def test_the_coverage_is_what_was_asked_for(level, kind):
    draw = np.random.default_rng(1)

    def rest(count):
        found = draw.exponential(size=(count, 3)) - 0.4 if kind == "skewed" else draw.normal(size=(count, 3))
        return found * (np.array([1, 3, 9]) if kind == "growing" else 1)

    spread = draw.uniform(1, 5, size=(4000, 1)) * np.ones(3)
    table = intervals.fit(intervals.errors(rest(4000) * spread, np.zeros((4000, 3)), spread))
    low, high = intervals.bounds(np.zeros((4000, 3)), spread, table, level)
    gold = rest(4000) * spread
    np.testing.assert_allclose(((low <= gold) & (gold <= high)).mean(0) * 100, level, atol=2.5)


def test_higher_levels_are_wider_and_hold_the_forecast():
    draw = np.random.default_rng(2)
    table = intervals.fit(draw.normal(size=(30, 5)) + 3)  # forecasts that are all too low
    ends = [intervals.bounds(np.zeros((1, 5)), np.ones((1, 5)), table, level) for level in (10, 50, 80, 95, 99)]
    for (low, high), (lower, higher) in itertools.pairwise(ends):
        assert (lower <= low).all() and (high <= higher).all()
    assert all((low <= 0).all() and (high >= 0).all() for low, high in ends)


def test_the_finite_sample_is_allowed_for():
    """Of 9 errors the 90% quantile is the ninth, not the one between the eighth and the ninth."""
    table = intervals.fit(np.repeat(np.arange(9.0)[:, None], 12, axis=1)[:, :1])
    assert np.interp(0.9, intervals.GRID, table[0]) == 8.0


def test_steps_with_few_errors_borrow_from_those_beside():
    relative = np.full((60, 3), np.nan)
    relative[:, 0], relative[:, 1] = 1.0, 2.0
    table = intervals.fit(relative)
    assert set(table[0]) >= {1.0, 2.0} and set(table[2]) >= {1.0, 2.0}
    assert not intervals.fit(np.full((4, 2), np.nan)).any()


def test_no_spread_no_error():
    found = intervals.errors(np.ones((2, 1)), np.zeros((2, 1)), np.array([[0.0], [2.0]]))
    assert np.isnan(found[0, 0]) and found[1, 0] == 0.5
