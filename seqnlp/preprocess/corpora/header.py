"""The first rows of a table, and whether the very first is a header."""

from __future__ import annotations

import collections
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from seqnlp import errors
from seqnlp.preprocess.corpora import names, schema

log = logging.getLogger(__name__)

MIN_ROWS = 4  # that tell anything about what recurs
LONG_NAME = 40  # letters of a cell that no header has


@dataclass(frozen=True)
class Table:
    """The first rows of a table, the very first at least, and what is known of it besides."""

    name: str  # of the file
    line: int  # of its first row
    rows: Sequence[Sequence[str]]
    roles: tuple[str, ...]
    needed: int  # how many of the roles it must have
    columns: Mapping[str, str]  # what the options say, by role
    header: bool | None
    remembered: schema.Schema | None
    hint: str  # what to do where a row has too many columns

    @property
    def first(self) -> tuple[str, ...]:
        """Return the cells of the first row."""
        return tuple(self.rows[0])

    def column(self, place: int) -> list[str]:
        """Return a column of the rows below the first, as far as it goes."""
        return [row[place].strip() for row in self.rows[1:] if place < len(row)]

    def error(self, what: str, hint: str | None = None) -> errors.DataError:
        """Return an error in the first row."""
        return errors.DataError(f"{self.name}:{self.line}: {what}", hint)

    def listed(self) -> str:
        """Return the columns, numbered, as the first row has them."""
        return ", ".join(f"{number} {_short(cell)!r}" for number, cell in enumerate(self.first, 1))


def is_there(table: Table, memory: schema.Schema | None) -> bool:
    """Return whether the first row is a header: as the options say, by its names, or as nothing below is like it."""
    if table.header is not None:
        return table.header
    parts = [part for role in table.roles for part in table.columns.get(role, "").split(",") if part]
    if any(not part.isdigit() for part in parts) or _is_remembered(table.first, table.remembered):
        return True
    roles = table.roles[: table.needed] if len(table.first) > 1 else table.roles[:1]
    found = [names.usual(role, table.first) for role in roles]
    if all(found) and len({place for places in found for place in places}) >= len(roles):
        return True
    return memory is None and (_is_above_numbers(table) or _is_unlike(table) or _are_languages(table))


def _is_remembered(first: Sequence[str], memory: schema.Schema | None) -> bool:
    """Return whether the first row has a name among its cells that the header had which is remembered."""
    if memory is None or memory.header is None:
        return False
    return any(has(name, first) for fields in memory.fields.values() for name in fields)


def has(name: str, first: Sequence[str]) -> bool:
    """Return whether a first row has a name among its cells."""
    return names.place(name, first) is not None


def _is_above_numbers(table: Table) -> bool:
    """Return whether the first row of series has no number, where a column below begins with one."""
    below = table.rows[1] if len(table.rows) > 1 else ()
    return table.roles[0] == "value" and not any(map(_is_number, table.first)) and any(map(_is_number, below))


def _is_unlike(table: Table) -> bool:
    """Return whether the first row is as names are, one of them a usual one or nowhere below where others recur."""
    first = [cell.strip() for cell in table.first]
    if "label" not in table.roles or len(first) < 2 or len(set(first)) < len(first):
        return False
    if not all(cell and len(cell) <= LONG_NAME and not _is_number(cell) for cell in first):
        return False
    if (usual := _usual_above_others(table, first)) is not None:
        _say_header(table, f", for {usual!r} is a usual name")
        return True
    if (alone := _alone_above_classes(table, first)) is not None:
        _say_header(table, f", for {alone!r} is nowhere below")
        return True
    return False


def _usual_above_others(table: Table, first: Sequence[str]) -> str | None:
    """Return a usual name of the first row, where all its cells are single words that stand nowhere below them."""
    usual = [first[place] for role in table.roles[: table.needed] for place in names.usual(role, first)]
    if not usual or len(table.rows) < 2 or any(" " in cell for cell in first):
        return None
    below = any(cell in table.column(place) for place, cell in enumerate(first))
    return None if below else usual[0]


def _alone_above_classes(table: Table, first: Sequence[str]) -> str | None:
    """Return a cell of the first row that stands nowhere below it, in a column of classes (`recurs`)."""
    given = table.columns.get("label", "")
    places = [int(given) - 1] if given.isdigit() and 0 < int(given) <= len(first) else range(len(first))
    below = ((first[place], table.column(place)) for place in places)
    return next((cell for cell, column in below if recurs(column) and cell not in column), None)


def _are_languages(table: Table) -> bool:
    """Return whether the first row names two languages, as translations have above them."""
    found = {cell.strip().casefold() for cell in table.first}
    if "source" not in table.roles or len(found) < 2 or not found <= names.LANGUAGES:
        return False
    _say_header(table, "")
    return True


def _say_header(table: Table, why: str) -> None:
    first = ", ".join(cell.strip() for cell in table.first)
    log.warning("%s: its first row (%s) is taken as a header%s; --no-header if it is none", table.name, first, why)


def _is_number(cell: str) -> bool:
    return cell.strip().replace(".", "", 1).lstrip("+-").isdigit()


def recurs(values: Sequence[str]) -> bool:
    """Return whether values are such as classes have: few, hardly any of them once."""
    counts = collections.Counter(values)
    singles = sum(count == 1 for count in counts.values())
    return len(values) >= MIN_ROWS and len(counts) * 2 <= len(values) and singles * 20 <= len(values)


def _short(cell: str) -> str:
    return cell if len(cell) <= 20 else cell[:17] + "..."
