"""Series: rows of a file in long form, with an id, a time and a value, put together into series of even steps."""

from __future__ import annotations

import logging
import math
from array import array
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from seqnlp import errors
from seqnlp.io import jsonl
from seqnlp.preprocess.corpora import even, formats, names, objects, readers, schema, times
from seqnlp.preprocess.corpora.even import Known, Rows, Series

log = logging.getLogger(__name__)

ROLES = ("value", "time", "id")
MISSING = frozenset(("", "na", "n/a", "nan", "null", "none", "?"))
LARGEST = 1e100  # of values whose squares can be added up


def read(source: schema.Source, known: Known) -> Iterator[tuple[Series, Rows]]:
    """Yield each series of all files, in the order in which they begin, with its rows.

    Raises `DataError`, with file and line, where a value is no number, a time is none or comes twice, or is missing.
    """
    reader = _Reader(source, known)
    for record in readers.records(source, ROLES, targets=False):
        reader.add(record)
    axis = reader.axis()
    for name in list(reader.series):
        rows = reader.series.pop(name)
        yield even.series(rows, axis, known), rows


class _Reader:
    """Gathers rows by their series."""

    def __init__(self, source: schema.Source, known: Known) -> None:
        self.source, self.known = source, known
        self.series: dict[str, Rows] = {}
        self.form: str | None = None  # of the times
        self.sample = ""
        self.parse = times.parser("number")
        self.zone: str | None = None  # of the first time, None where it has none or the rows' differ
        self.file = ""
        self.fields: dict[str, tuple[str, ...]] = dict.fromkeys(ROLES, ())

    def add(self, record: formats.Record) -> None:
        """Take in a row: a value for each column of values, for each a series."""
        if record.file != self.file:
            self._begin(record)
        columns = self.fields["value"]
        if len(columns) > 1:
            for name in columns:
                self._value(record, cell(record.raw, name), name)
        elif record.values["value"] != "" or not _is_blank(record.raw):
            self._value(record, record.values["value"], "")

    def _begin(self, record: formats.Record) -> None:
        """The first row of a file: which of its columns is what."""
        self.file, self.fields = record.file, dict.fromkeys(ROLES, ())
        found = [*self.source.schemas.values()][-1:]
        self.fields |= {role: tuple(name) for one in found for role, name in one.fields.items()}
        if not self.fields["time"] and isinstance(record.raw, formats.Row) and record.raw.header:
            several = [record.raw.header[place] for place in names.usual("time", record.raw.header)]
            if len(several) > 1:
                what = f"{', '.join(several)}: which is the time?"
                raise errors.DataError(f"{record.where}: {what}", f"--time-field {several[0]}, for example")

    def _value(self, record: formats.Record, value: Any, column: str) -> None:
        found = record.values.get("id")
        name = ":".join(part for part in ("" if found is None else jsonl.as_text(found), column) if part)
        rows = self.series.get(name)
        if rows is None:
            static = tuple(jsonl.as_text(cell(record.raw, one, record.where)) for one in self.known.static)
            rows = self.series[name] = Rows(name, record.file, static, (self.fields["id"] or ("id",))[0])
            rows.future = [array("d") for _ in self.known.future]
        if isinstance(value, list):
            for number, one in enumerate(value):
                self._row(rows, record, one, None, number)
        else:
            self._row(rows, record, value, record.values.get("time"), 0)

    def _row(self, rows: Rows, record: formats.Record, value: Any, time: Any, number: int) -> None:
        rows.values.append(number_of(value, record.where))
        rows.lines.append(record.line)
        rows.places.append(len(rows.places) if time is None else self._place(str(time).strip(), record))
        for column, name in zip(rows.future, self.known.future, strict=True):
            found = cell(record.raw, name, record.where)
            if isinstance(found, list) and number >= len(found):
                raise errors.DataError(f"{record.where}: {name} has {len(found)} values, fewer than the series")
            column.append(number_of(found[number] if isinstance(found, list) else found, record.where, name))

    def _place(self, text: str, record: formats.Record) -> int:
        if self.form is None:
            self.form, self.sample = times.form_of(text) or "", text
            if self.form:
                self.parse, self.zone = times.parser(self.form), times.zone(text)
        if self.zone is not None and not text.endswith(self.zone):
            log.warning(
                "%s: %s has another zone than the first, %s: both are taken as they stand",
                record.where,
                text,
                self.sample,
            )
            self.zone = None
        try:
            if not self.form:
                raise ValueError(text)
            return self.parse(text)
        except ValueError:
            hint = "as 2024-03-31, 2024-03, 2024-Q1, 31.3.2024, 2024-03-31 18:00, or a number; --time-field says which"
            like = f" like the first, {self.sample!r}" if self.form else ""
            raise errors.DataError(f"{record.where}: {text[:40]!r} is no time{like}", hint) from None

    def axis(self) -> times.Axis | None:
        """Return the axis of all series, None where they have no times; their places become its ticks."""
        if self.form is None:
            return None
        ordered = [np.sort(np.frombuffer(rows.places, np.int64)) for rows in self.series.values()]
        frequency = self.known.frequency
        if self.form == "number" and self.fields["time"]:  # numbers of an "hour" are hours
            column = names.plain(self.fields["time"][0])
            frequency = frequency or (column if column in times.UNITS else None)
        axis = times.axis(self.form, self.sample, ordered, frequency)
        if axis.unit in ("month", "weekday") and self.form not in ("month", "quarter"):
            for rows in self.series.values():
                rows.places = array("q", (times.tick(axis.unit, place) for place in rows.places))
        return axis


def _is_blank(raw: Any) -> bool:
    cells = raw.cells if isinstance(raw, formats.Row) else [raw] if isinstance(raw, str) else ["x"]
    return not any(map(str.strip, cells))


def cell(raw: Any, name: str, where: str = "") -> Any:
    """Return the value of a column, by name or by number from 1; raises `DataError` where there is none."""
    if isinstance(raw, formats.Row):
        place = names.place(name, raw.header) if raw.header else None
        if place is None and name.isdigit():
            place = int(name) - 1
        if place is not None and 0 <= place < len(raw.cells):
            return raw.cells[place].strip()
    elif isinstance(raw, Mapping) and (found := objects.nested(raw, name)) is not None:
        return found
    elif isinstance(raw, Mapping) and name in raw:
        return ""
    columns = raw.header if isinstance(raw, formats.Row) else list(raw) if isinstance(raw, Mapping) else None
    raise errors.DataError(f"{where}: no column {name!r}", f"it has: {', '.join(columns)}" if columns else None)


def number_of(value: Any, where: str, column: str = "value") -> float:
    """Return a value as a number, NaN where it is missing; raises `DataError` where it is something else."""
    if value is None or (isinstance(value, str) and value.strip().casefold() in MISSING):
        return math.nan
    try:
        if isinstance(value, bytes | bytearray) or (isinstance(value, str) and "_" in value):  # Python reads 1_000
            raise ValueError(value)
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        hint = "a point stands before decimals, and nothing between thousands"
        shown = jsonl.as_text(value)
        raise errors.DataError(f"{where}: the {column} is {shown[:40]!r}, expected a number", hint) from None
    if abs(number) > LARGEST or isinstance(value, bool):
        found = number if math.isinf(number) else value
        raise errors.DataError(f"{where}: the {column} is {found}, expected a finite number, {LARGEST:g} at the most")
    return number


def of_text(text: str, where: str) -> list[float]:
    """Return the numbers in a text, with blanks or commas between them; raises `DataError` where one is none."""
    return [number_of(part, where) for part in text.replace(",", " ").split()]
