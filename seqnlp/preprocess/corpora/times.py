"""Times in text: which form they have, the places of their steps as whole numbers, and the way back to text.

A place is counted in ticks: months, weekdays, seconds, or millionths where times are plain numbers. So a step of a
month is one tick, however many days it has.
"""

from __future__ import annotations

import calendar
import datetime
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from seqnlp import errors

MILLION = 1_000_000  # ticks of a number
DAY = 86400
EPOCH = datetime.datetime(1970, 1, 1)
MONDAY = -3  # the day of a Monday, counted from the epoch

FORMS = {
    "compact": re.compile(r"(?P<y>(?:19|20)\d\d)(?P<m>0[1-9]|1[0-2])(?P<d>[0-2]\d|3[01])"),
    "number": re.compile(r"[+-]?[0-8]?\d{1,12}(?:\.\d{1,6})?"),  # its ticks have 63 bits
    "quarter": re.compile(r"(?P<y>\d{4})(?P<sep>[- ]?)[Qq](?P<q>[1-4])"),
    "day": re.compile(r"(?P<y>\d{4})(?P<sep>[-/.])(?P<m>\d\d?)(?P=sep)(?P<d>\d\d?)"),
    "day-first": re.compile(r"(?P<d>\d\d?)(?P<sep>\.)(?P<m>\d\d?)\.(?P<y>\d{4})"),
    "month": re.compile(r"(?P<y>\d{1,4})(?P<sep>[-/])(?P<m>\d\d?)"),
    "second": re.compile(
        r"(?P<y>\d{4})(?P<sep>[-/])(?P<m>\d\d?)(?P=sep)(?P<d>\d\d?)(?P<t>[T ])(?P<H>\d\d?):(?P<M>\d\d)"
        r"(?P<S>:\d\d)?(?:\.0+)?(?P<zone>Z|[+-]\d\d:?\d\d)?"
    ),
}

UNITS = {  # a step of each: its unit and ticks, how many make a season
    "second": ("second", 1, 60),
    "minute": ("second", 60, 60),
    "hour": ("second", 3600, 24),
    "day": ("second", DAY, 7),
    "weekday": ("weekday", 1, 5),
    "week": ("second", 7 * DAY, 52),
    "month": ("month", 1, 12),
    "quarter": ("month", 3, 4),
    "year": ("month", 12, 1),
}
LARGER = {"second": DAY, "minute": DAY, "hour": DAY}  # of several of these the season is a day
FREQUENCY = re.compile(rf"(?:([1-9]\d{{0,5}}) )?({'|'.join(UNITS)})s?")


def form_of(text: str) -> str | None:
    """Return the form that a time has, None where it has none of `FORMS`."""
    return next((name for name, form in FORMS.items() if form.fullmatch(text)), None)


def zone(text: str) -> str | None:
    """Return the zone of a time of day as it is written, None where none is."""
    found = FORMS["second"].fullmatch(text)
    return found["zone"] if found else None


def season(frequency: str | None) -> int:
    """Return how many steps make a season: 12 of a month, 24 of an hour, 48 of 30 minutes; 1 where there is none."""
    found = FREQUENCY.fullmatch(frequency or "")
    if found is None:
        return 1
    count, (_, ticks, usual) = int(found[1] or 1), UNITS[found[2]]
    if count > 1 and found[2] in LARGER:
        return max(LARGER[found[2]] // (count * ticks), 1)
    return usual // count if usual % count == 0 else 1


@dataclass(frozen=True)
class Axis:
    """The times of series: their form, and what a tick and a step are.

    sample: a time as it was written, whose separators and zone others get. unit: month, weekday, second or number;
    step: in ticks; offset: seconds since the beginning of the month or the day, where a tick is one; named: what a step
    of numbers is.
    """

    form: str
    sample: str
    unit: str
    step: int
    offset: int = 0
    named: str | None = None

    @property
    def frequency(self) -> str | None:
        """Return the frequency as people call it, None of numbers of which nothing is said."""
        if self.unit == "number":
            return self.named
        for name, (unit, ticks, _) in reversed(UNITS.items()):
            if unit == self.unit and self.step % ticks == 0:
                count = self.step // ticks
                return name if count == 1 else f"{count} {name}"
        return None

    def text(self, tick: int) -> str:
        """Return the time of a tick as text, in the form that the others have."""
        if self.unit == "number":
            whole, rest = divmod(abs(tick), MILLION)
            return "-" * (tick < 0) + (f"{whole}.{rest:06d}".rstrip("0") if rest else str(whole))
        return _written(self.form, self.sample, self._moment(tick))

    def _moment(self, tick: int) -> datetime.datetime:
        try:
            return self._date(tick)
        except (OverflowError, ValueError):
            raise errors.DataError("the times go beyond the year 9999", "calendars end there") from None

    def _date(self, tick: int) -> datetime.datetime:
        if self.unit == "month":
            return _in_month(tick, self.offset)
        if self.unit == "weekday":
            return EPOCH + datetime.timedelta(tick // 5 * 7 + tick % 5 - 3, self.offset)
        return EPOCH + datetime.timedelta(0, tick)


def _in_month(tick: int, offset: int) -> datetime.datetime:
    """The moment in a month: so many seconds after it began, on its last day where it has no such day."""
    year, month = divmod(tick, 12)
    days, seconds = divmod(offset, DAY)
    last = calendar.monthrange(year, month + 1)[1]
    return datetime.datetime(year, month + 1, min(days + 1, last)) + datetime.timedelta(0, seconds)


def _written(form: str, sample: str, at: datetime.datetime) -> str:
    found = FORMS[form].fullmatch(sample)
    parts: dict[str, Any] = {} if found is None else found.groupdict()
    sep = parts.get("sep")
    if form == "compact":
        return f"{at:%Y%m%d}"
    if form == "quarter":
        return f"{at.year}{sep}Q{(at.month + 2) // 3}"
    if form == "month":
        return f"{at.year}{sep}{at.month:0{len(parts['m'])}d}"
    if form == "day-first":
        return f"{at.day:02d}.{at.month:02d}.{at.year}"
    day = f"{at.year:04d}{sep}{at.month:02d}{sep}{at.day:02d}"
    if form == "day":
        return day
    return f"{day}{parts['t']}{at:%H:%M}{f':{at:%S}' if parts['S'] else ''}{parts['zone'] or ''}"


def parser(form: str) -> Callable[[str], int]:
    """Return what makes a number of a time of a form; raises `ValueError` where it is of another form, or no time.

    Numbers are in millionths, months and quarters in months, all others in seconds since 1970.
    """
    match = FORMS[form].fullmatch

    def parse(text: str) -> int:
        found = match(text)
        if found is None:
            raise ValueError(text)
        return _PARSERS[form](found)

    return parse


def _number(found: re.Match[str]) -> int:
    whole, _, rest = found[0].partition(".")
    fraction = int(rest.ljust(6, "0")) if rest else 0
    return int(whole) * MILLION + (-fraction if whole.startswith("-") else fraction)


def _months(found: re.Match[str]) -> int:
    month = int(found["m"])
    if not 1 <= month <= 12 or int(found["y"]) < 1:
        raise ValueError(found[0])
    return int(found["y"]) * 12 + month - 1


def _quarters(found: re.Match[str]) -> int:
    return int(found["y"]) * 12 + 3 * (int(found["q"]) - 1)


def _seconds(found: re.Match[str]) -> int:
    days = datetime.date(int(found["y"]), int(found["m"]), int(found["d"])).toordinal() - EPOCH.toordinal()
    if "H" not in found.re.groupindex:
        return days * DAY
    hours, minutes, seconds = int(found["H"]), int(found["M"]), int((found["S"] or ":0")[1:])
    if hours > 23 or minutes > 59 or seconds > 59:
        raise ValueError(found[0])
    return days * DAY + hours * 3600 + minutes * 60 + seconds


_PARSERS: dict[str, Callable[[re.Match[str]], int]] = {
    "number": _number,
    "month": _months,
    "quarter": _quarters,
    "compact": _seconds,
    "day": _seconds,
    "day-first": _seconds,
    "second": _seconds,
}


# The frequency


def axis(form: str, sample: str, places: Sequence[np.ndarray], frequency: str | None = None) -> Axis:
    """Return the axis of series whose times were parsed to `places`, sorted; the most common step is the step.

    frequency: what is known of it, such as "month" or "30 minutes".
    """
    found = FREQUENCY.fullmatch(frequency or "")
    if form == "number":
        return Axis(form, sample, "number", _usual(places) or MILLION, named=frequency)
    if form in ("month", "quarter"):
        wanted = UNITS[found[2]][1] * int(found[1] or 1) if found and UNITS[found[2]][0] == "month" else None
        return Axis(form, sample, "month", wanted or _usual(places) or (3 if form == "quarter" else 1))
    unit = UNITS[found[2]][0] if found else _unit(places)
    offset = _offset(unit, places)
    if found:
        step: int | None = UNITS[found[2]][1] * int(found[1] or 1)
    elif unit == "second":
        step = _usual(places)
    else:
        step = _usual([np.array([tick(unit, place) for place in one.tolist()]) for one in places])
    return Axis(form, sample, unit, step or (1 if unit != "second" else DAY), offset)


def tick(unit: str, place: int) -> int:
    """Return the tick of a place in seconds."""
    if unit == "month":
        moment = EPOCH + datetime.timedelta(0, place)
        return moment.year * 12 + moment.month - 1
    if unit == "weekday":
        week, day = divmod(place // DAY - MONDAY - 7, 7)
        return (week + 1) * 5 + min(day, 4)
    return place


def _usual(places: Sequence[np.ndarray]) -> int | None:
    """The most common difference between a place and the next; of equals the smaller. None where there is none."""
    counts: Counter[int] = Counter()
    for one in places:
        steps, numbers = np.unique(np.diff(one), return_counts=True)
        counts.update(dict(zip(steps.tolist(), numbers.tolist(), strict=True)))
    del counts[0]
    return min(counts, key=lambda step: (-counts[step], step)) if counts else None


def _unit(places: Sequence[np.ndarray]) -> str:
    """Months where the same day of each is there, or the last; weekdays where no day of a weekend is; else seconds."""
    steps = {step for one in places for step in np.unique(np.diff(one)).tolist()} - {0}
    if steps and min(steps) >= 28 * DAY:
        moments = _moments(places)
        days = {moment.day for moment in moments}
        ends = all(moment.day == calendar.monthrange(moment.year, moment.month)[1] for moment in moments)
        return "month" if len(days) == 1 or ends else "second"
    held = {day for one in places for day in np.unique((one // DAY - MONDAY) % 7).tolist()}
    return "weekday" if {DAY, 3 * DAY} <= steps and held == {0, 1, 2, 3, 4} else "second"


def _moments(places: Sequence[np.ndarray]) -> list[datetime.datetime]:
    """The different moments of all series, which mostly have the same ones."""
    return [EPOCH + datetime.timedelta(0, place) for place in np.unique(np.concatenate(places)).tolist()]


def _offset(unit: str, places: Sequence[np.ndarray]) -> int:
    first = next((int(one[0]) for one in places if len(one)), 0)
    if unit == "month":
        return (max((moment.day for moment in _moments(places)), default=1) - 1) * DAY + first % DAY
    return first % DAY if unit == "weekday" else 0
