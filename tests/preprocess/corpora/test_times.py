"""Times: every form is read and written back, the commonest step is the frequency, a season follows from it."""

import datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqnlp import errors
from seqnlp.preprocess.corpora import times

ROWS = [
    ("month", ["2020-01-31", "2020-02-29", "2020-03-31"], "2020-04-30", 12),
    ("month", ["1949-01", "1949-02", "1949-03"], "1949-04", 12),
    ("month", ["1-11", "1-12"], "2-01", 12),
    ("quarter", ["2020Q3", "2020Q4"], "2021Q1", 4),
    ("year", ["2020-07-01", "2021-07-01", "2022-07-01"], "2023-07-01", 1),
    ("week", ["2020-01-06", "2020-01-13"], "2020-01-20", 52),
    ("weekday", [f"2020-01-{day:02d}" for day in (2, 3, 6, 7, 8, 9, 10)], "2020-01-13", 5),
    ("day", ["28.2.2020", "29.2.2020"], "01.03.2020", 7),
    ("day", ["20200228", "20200229"], "20200301", 7),
    ("day", ["2020/02/28", "2020/02/29"], "2020/03/01", 7),
    ("hour", ["2019-12-31T22:00:00Z", "2019-12-31T23:00:00Z"], "2020-01-01T00:00:00Z", 24),
    ("30 minute", ["2019-12-31 23:00", "2019-12-31 23:30"], "2020-01-01 00:00", 48),
    (None, ["1", "2", "3"], "4", 1),
    (None, ["-0.5", "0", "0.5"], "1", 1),
]


def axis(texts, frequency=None):
    form = times.form_of(texts[0])
    places = list(map(times.parser(form), texts))
    found = times.axis(form, texts[0], [np.array(places)], frequency)
    plain = found.unit in ("second", "number") or form in ("month", "quarter")
    return found, places if plain else [times.tick(found.unit, place) for place in places]


@pytest.mark.parametrize(("frequency", "texts", "after", "season"), ROWS, ids=[row[2] for row in ROWS])
def test_a_form_goes_there_and_back_and_on(frequency, texts, after, season):
    found, ticks = axis(texts)
    assert found.frequency == frequency
    assert found.text(ticks[-1] + found.step) == after
    assert times.season(found.frequency) == season
    assert list(map(times.parser(found.form), map(found.text, ticks))) == list(map(times.parser(found.form), texts))


@given(st.dates(datetime.date(1900, 1, 1), datetime.date(2100, 12, 1)), st.integers(0, 4000))
def test_days_follow_each_other_as_the_calendar_has_them(first, steps):
    found, (tick, _) = axis([first.isoformat(), (first + datetime.timedelta(1)).isoformat()], "day")
    assert found.text(tick + steps * found.step) == (first + datetime.timedelta(steps)).isoformat()


@given(st.dates(datetime.date(1990, 1, 1), datetime.date(2030, 1, 1)), st.integers(1, 500))
def test_weekdays_leave_out_weekends(first, steps):
    days = [first + datetime.timedelta(n) for n in range(steps)]
    days = [day for day in days if day.weekday() < 5]
    ticks = [times.tick("weekday", times.parser("day")(day.isoformat())) for day in days]
    assert ticks == list(range(ticks[0], ticks[0] + len(ticks))) if ticks else True
    kept = times.Axis("day", "2020-01-01", "weekday", 1)
    assert [kept.text(tick) for tick in ticks] == [day.isoformat() for day in days]


@pytest.mark.parametrize("text", ["2020-13-01", "2020-02-30", "13-13", "2020-01-01 25:00", "yesterday", ""])
def test_what_is_no_time_is_refused(text):
    form = times.form_of(text)
    if form is not None:
        with pytest.raises(ValueError):
            times.parser(form)(text)


@pytest.mark.parametrize(
    ("form", "sample", "unit"),
    [("day", "9999-12-31", "second"), ("month", "9999-12", "month"), ("day", "9999-12-31", "weekday")],
)
def test_no_time_is_written_beyond_the_calendar(form, sample, unit):
    one = times.Axis(form, sample, unit, 1)
    with pytest.raises(errors.DataError, match="beyond the year 9999"):
        one.text(10**15)


@pytest.mark.parametrize(
    ("frequency", "season"),
    [("15 minutes", 96), ("6 hours", 4), ("2 months", 6), ("5 months", 1), ("7 moons", 1), (None, 1)],
)
def test_the_season_of_several_steps(frequency, season):
    assert times.season(frequency) == season
