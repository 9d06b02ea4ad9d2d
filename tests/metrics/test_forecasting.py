"""Errors of forecasts, against their definitions written out."""

import math

import numpy as np
import pytest

from seqnlp import errors
from seqnlp.metrics import forecasting, measure, registry

GOLD, SAID = [3.0, -0.5, 2.0, 7.0, 0.0], [2.5, 0.0, 2.0, 8.0, 0.0]


def by_name(name, gold, said, **options):
    (score,), _ = measure.by_name(name, [("", value) for value in gold], said, registry.Options(**options))
    return score.value


def test_the_definitions():
    rest = [abs(one - other) for one, other in zip(GOLD, SAID, strict=True)]
    assert by_name("mae", GOLD, SAID) == pytest.approx(sum(rest) / 5)
    assert by_name("rmse", GOLD, SAID) == pytest.approx(math.sqrt(sum(part**2 for part in rest) / 5))
    percent = [200 * 0.5 / 5.5, 200 * 0.5 / 0.5, 0, 200 / 15, 0]
    assert by_name("smape", GOLD, SAID) == pytest.approx(sum(percent) / 5)
    naive = (3.5 + 2.5 + 5 + 7) / 4
    assert by_name("mase", GOLD, SAID) == pytest.approx(sum(rest) / 5 / naive)


def test_mase_divides_by_the_history_a_season_apart(tmp_path):
    (tmp_path / "history.csv").write_text("id,value\na,1\na,5\na,2\na,7\nb,1\nb,1\nb,1\n")
    gold, said = [("a", 3.0), ("a", 4.0), ("b", 2.0)], [4.0, 4.0, 3.0]
    options = registry.Options(history=str(tmp_path / "history.csv"), season=2)
    (score,), details = measure.by_name("mase", gold, said, options)
    assert score.value == pytest.approx((1 / 1.5 + 0) / 2)  # b never changes: it has no scale
    assert "season:2|scale:history" in score.signature and details["series"] == 2


def test_a_series_that_the_history_lacks_is_named(tmp_path):
    (tmp_path / "history.csv").write_text("id,value\na,1\na,5\n")
    with pytest.raises(errors.DataError, match="no series 'b'"):
        by = registry.Options(history=str(tmp_path / "history.csv"))
        measure.by_name("mase", [("b", 1.0)], [1.0], by)


def test_constant_series_have_no_mase():
    with pytest.raises(errors.DataError, match="every series is constant"):
        by_name("mase", [1.0, 1.0], [1.0, 2.0])


def test_values_that_are_not_known_do_not_count():
    gold, said = np.array([[1.0, np.nan], [4.0, 2.0]]), np.array([[2.0, 9.0], [4.0, 4.0]])
    total = forecasting.sums(gold, said, np.array([np.nan, 2.0])).sum(0)
    assert forecasting.VALUES_OF["mae"](total) == pytest.approx(1.0)
    assert forecasting.VALUES_OF["mase"](total) == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("values", "season", "error"), [([1, 2, 4, 1], 2, 2.0), ([1, 2], 7, 1.0), ([3, 3], 1, None), ([3], 1, None)]
)
def test_the_naive_error(values, season, error):
    found = forecasting.naive_error(values, season)
    assert math.isnan(found) if error is None else found == error
