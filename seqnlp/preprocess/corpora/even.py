"""Rows of a series as they came, and the series of even steps made of them: sorted, its gaps refused or filled."""

from __future__ import annotations

import base64
import functools
import logging
from array import array
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from seqnlp import errors
from seqnlp.preprocess.corpora import times

log = logging.getLogger(__name__)

GAPS = ("refuse", "linear", "last", "zero", "ignore")
MOST = 10_000_000  # steps of a series whose gaps are filled


@dataclass(frozen=True)
class Series:
    """Values at even steps, and what else is known of them.

    start: the tick of the first value; axis: of its times, None where there are none. future: columns whose values are
    known beforehand, each as long as the values and as far ahead as it is known; static: what holds for all of it;
    column: the name of the field of the id.
    """

    id: str
    values: np.ndarray
    start: int = 0
    axis: times.Axis | None = None
    future: Sequence[np.ndarray] = ()
    static: Sequence[str] = ()
    column: str = "id"

    def to_dict(self) -> dict[str, Any]:
        """Return what `from_dict` reads, as JSON has it."""
        axis = None if self.axis is None else asdict(self.axis)
        return {"id": self.id, "start": self.start, "axis": axis, "static": list(self.static)} | {
            "column": self.column,
            "values": _packed(self.values),
            "future": list(map(_packed, self.future)),
        }

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Series:
        """Return the series that `to_dict` gave."""
        axis = content["axis"]
        arrays = {"values": _unpacked(content["values"]), "future": list(map(_unpacked, content["future"]))}
        return cls(**{**content, **arrays, "axis": None if axis is None else times.Axis(**axis)})

    def tick(self, step: int) -> int:
        """Return the tick of a step, counted from the first value; beyond the last one too."""
        return self.start + step * (self.axis.step if self.axis else 1)

    def time(self, step: int) -> str:
        """Return the time of a step as text; its number from 1 where there are no times."""
        return str(step + 1 + self.start) if self.axis is None else self.axis.text(self.tick(step))


def _packed(values: np.ndarray) -> str:
    """Numbers as text, bit for bit: a third of the memory of a list."""
    return base64.b64encode(values.astype("<f8").tobytes()).decode("ascii")


def _unpacked(text: str) -> np.ndarray:
    return np.frombuffer(base64.b64decode(text), "<f8")


@dataclass(frozen=True)
class Known:
    """What is known of series before they are read: frequency, what becomes of gaps, further columns by name."""

    frequency: str | None = None
    gaps: str = "refuse"
    future: tuple[str, ...] = ()
    static: tuple[str, ...] = ()


@dataclass
class Rows:
    """The rows of one series as they came: 24 bytes each, and 8 for each further column."""

    id: str
    file: str
    static: tuple[str, ...]
    column: str  # of the id
    values: array[float] = field(default_factory=lambda: array("d"))
    places: array[int] = field(default_factory=lambda: array("q"))
    lines: array[int] = field(default_factory=lambda: array("q"))
    future: list[array[float]] = field(default_factory=list)

    @property
    def key(self) -> Any:
        """Return what a record of JSON has of the series: its id under the name of its field."""
        return {self.column: self.id} if self.id else {}

    def error(self, row: int, what: str, hint: str | None = None) -> errors.DataError:
        """Return an error in one of the rows."""
        return errors.DataError(f"{self.file}:{self.lines[row]}: {what}", hint)


def series(rows: Rows, axis: times.Axis | None, known: Known) -> Series:
    """Return the series in the order of its times; its values end with the last known one, further columns need not."""
    places, values = np.frombuffer(rows.places, np.int64), np.frombuffer(rows.values)
    future = np.array([np.frombuffer(column) for column in rows.future]).reshape(len(rows.future), len(values))
    order = np.argsort(places, kind="stable")
    back = np.flatnonzero(np.diff(places) < 0)
    places, values, future = places[order], values[order], future[:, order]
    if axis is not None:
        _check_times(rows, places, order, axis, known)
        if len(back):
            log.warning("%s:%d: its times are not in order: sorted", rows.file, rows.lines[int(back[0]) + 1])
        places = (places - places[0]) // axis.step if known.gaps != "ignore" else np.arange(len(places))
    start = int(rows.places[order[0]]) if axis is not None else 0
    if len(places) and places[-1] >= len(places):
        at = places - places[0]
        if at[-1] >= MOST:
            raise rows.error(int(order[-1]), f"{at[-1]:,} steps after the first time: too many to fill", "is it right?")
        whole = np.full((1 + len(future), at[-1] + 1), np.nan)
        whole[:, at] = [values, *future]
        values, future = whole[0], whole[1:]
    end = len(values) - int(np.argmax(~np.isnan(values[::-1]))) if not np.isnan(values).all() else 0
    values = _filled(values[:end], known.gaps, functools.partial(_missing, rows, order, places, "value"))
    ahead = [
        _filled(column, known.gaps, functools.partial(_missing, rows, order, places, name))
        for name, column in zip(known.future, future, strict=True)
    ]
    if axis is not None and known.gaps == "ignore":  # the last time counts
        start = int(rows.places[order[max(end - 1, 0)]]) - (end - 1) * axis.step
    return Series(rows.id, values, start, axis, ahead, rows.static, rows.column)


def _check_times(rows: Rows, places: np.ndarray, order: np.ndarray, axis: times.Axis, known: Known) -> None:
    """Raise `DataError` where a time comes twice, lies between two steps, or is missing and may not be."""
    steps = np.diff(places)
    if (steps == 0).any():
        row = int(np.flatnonzero(steps == 0)[0])
        first, again = sorted(int(order[at]) for at in (row, row + 1))
        hint = "--id-field names the column that tells series apart" if not rows.id else None
        raise rows.error(again, f"{axis.text(int(places[row]))} comes twice, first in line {rows.lines[first]}", hint)
    if known.gaps == "ignore" or (steps == axis.step).all():
        return
    between = np.flatnonzero(steps % axis.step)
    row = int(between[0]) if len(between) else int(np.flatnonzero(steps != axis.step)[0])
    follows = f"{axis.text(int(places[row + 1]))} follows {axis.text(int(places[row]))}"
    said = f" (frequency: {axis.frequency})" if axis.frequency else ""
    if len(between):
        raise rows.error(
            int(order[row + 1]), f"{follows}, not a whole number of steps{said}", "--frequency says the step"
        )
    if known.gaps == "refuse":
        what = f"{follows}: {int(steps[row] // axis.step) - 1} missing between{said}"
        raise rows.error(int(order[row + 1]), what, "--gaps linear fills them, --gaps ignore takes rows as they stand")


def _missing(rows: Rows, order: np.ndarray, places: np.ndarray, column: str, step: int) -> errors.DataError:
    """The error of a step without a value."""
    row = int(np.searchsorted(places, step + places[0], side="right")) - 1
    hint = "--gaps linear fills it from its neighbours; last and zero are other ways"
    return rows.error(int(order[max(row, 0)]), f"no {column}", hint)


def _filled(values: np.ndarray, gaps: str, missing: Callable[[int], errors.DataError]) -> np.ndarray:
    """The values with those filled in that are NaN; those before the first one get its value."""
    holes = np.isnan(values)
    if not holes.any():
        return values
    if gaps == "refuse":
        raise missing(int(np.flatnonzero(holes)[0]))
    there = np.flatnonzero(~holes)
    if gaps == "ignore":
        gaps = "last"
    if not len(there) or gaps == "zero":
        return np.where(holes, 0.0, values)
    if gaps == "linear":
        return np.where(holes, np.interp(np.arange(len(values)), there, values[there]), values)
    before = np.maximum(np.searchsorted(there, np.arange(len(values)), side="right") - 1, 0)
    return values[there[before]]
