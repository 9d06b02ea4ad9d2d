"""Columns of a table: whether its first row is a header, and which column plays which role."""

from __future__ import annotations

import collections
import logging
from collections.abc import Iterable, Mapping, Sequence
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


def recognised(table: Table, form: schema.Schema) -> schema.Schema:
    """Return the schema of a table with its header and columns filled in.

    Raises `DataError` where they cannot be told, with the columns that are there and the option that settles it.
    """
    memory = _memory(table)
    has_header = _has_header(table, memory)
    if has_header and (name := names.twice(table.first)) and not _by_number(table):
        raise table.error(f"the header names {name!r} twice", "say which by number, as in --text-field 2")
    places = _given(table, memory, has_header)
    for role in table.roles:
        if role not in places and has_header and (place := _usual(table, role, places)) is not None:
            places[role] = (place,)
    _rest(table, places)
    missing = [role for role in table.roles[: table.needed] if role not in places]
    if missing:
        raise _unknown(table, missing, has_header)
    places = {role: places[role] for role in table.roles if role in places}
    header = table.first if has_header else None
    titles = header or tuple(str(number) for number in range(1, len(table.first) + 1))
    fields = {role: tuple(titles[place] for place in taken) for role, taken in places.items()}
    return schema.Schema(form.format, form.delimiter, header, fields, len(table.first), places)


def _by_number(table: Table) -> bool:
    """Return whether the options name all columns that are needed by number."""
    given = [table.columns.get(role, "") for role in table.roles[: table.needed]]
    return all(part.isdigit() for name in given for part in name.split(","))


# The header


def _has_header(table: Table, memory: schema.Schema | None) -> bool:
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
    return any(_is_there(name, first) for fields in memory.fields.values() for name in fields)


def _is_there(name: str, first: Sequence[str]) -> bool:
    return names.place(name, first) is not None


def _is_above_numbers(table: Table) -> bool:
    """Return whether the first row of series has no number, where a column below begins with one."""
    below = table.rows[1] if len(table.rows) > 1 else ()
    return table.roles[0] == "value" and not any(map(_is_number, table.first)) and any(map(_is_number, below))


def _is_unlike(table: Table) -> bool:
    """Return whether the first row has short names only, one of them a usual one, or never below where others recur."""
    first = [cell.strip() for cell in table.first]
    if "label" not in table.roles or len(first) < 2 or len(set(first)) < len(first):
        return False
    if not all(cell and len(cell) <= LONG_NAME and not _is_number(cell) for cell in first):
        return False
    usual = [first[place] for role in table.roles[: table.needed] for place in names.usual(role, first)]
    names_only = not any(" " in cell for cell in first)
    if (
        usual
        and names_only
        and len(table.rows) > 1
        and not any(cell in table.column(place) for place, cell in enumerate(first))
    ):
        _say_header(table, f", for {usual[0]!r} is a usual name")
        return True
    labels = table.columns.get("label", "")
    places = [int(labels) - 1] if labels.isdigit() and 0 < int(labels) <= len(first) else range(len(first))
    columns = {place: table.column(place) for place in places}
    unlike = [place for place, column in columns.items() if recurs(column) and first[place] not in column]
    if not unlike:
        return False
    _say_header(table, f", for {first[unlike[0]]!r} is nowhere below")
    return True


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


# The columns


def _memory(table: Table) -> schema.Schema | None:
    """Return what is remembered, where the table is such a one; says it where it is not."""
    memory, first = table.remembered, table.first
    if memory is None or memory.format not in schema.TABLES or table.columns:
        return memory and _by_name(table, memory)
    if memory.header is None:
        return memory if len(first) == memory.width else None
    if (known := _by_name(table, memory)) is not None:
        return known
    usual = any(names.usual(role, first) for role in table.roles)
    if len(first) == len(memory.header) and table.header is not True and not usual:
        log.warning("%s: has no header, the corpus before had one: %s", table.name, " ".join(memory.header))
        numbers = {
            role: tuple(str(memory.header.index(name) + 1) for name in fields if name in memory.header)
            for role, fields in memory.fields.items()
        }
        return schema.Schema(memory.format, memory.delimiter, None, numbers, memory.width)
    if len(first) > 1:
        log.warning("%s: other columns than the corpus before (%s)", table.name, " ".join(memory.header))
    return None


def _by_name(table: Table, memory: schema.Schema) -> schema.Schema | None:
    """Return what is remembered with the header of this table, where that has the fields that are needed."""
    asked = [role for role in table.roles[: table.needed] if role not in table.columns]
    wanted = [name for role in asked for name in memory.fields.get(role, ())]
    if not wanted or table.header is False or not all(_is_there(name, table.first) for name in wanted):
        return None
    return schema.Schema(memory.format, memory.delimiter, table.first, memory.fields)


def _given(table: Table, memory: schema.Schema | None, has_header: bool) -> dict[str, tuple[int, ...]]:
    """Return the columns that the options name, or that are remembered."""
    known: dict[str, tuple[str, ...]] = {}
    remembered = table.remembered
    if has_header and remembered is not None and remembered.header is not None:
        there = {name for fields in remembered.fields.values() for name in fields if _is_there(name, table.first)}
        known = {role: fields for role, fields in remembered.fields.items() if there.issuperset(fields)}
    elif not has_header and memory is not None and memory.header is None:
        known = {**memory.fields}
    options = {role: name.split(",") for role, name in table.columns.items() if role in table.roles}
    found = {}
    for role, parts in {**known, **options}.items():
        if role not in table.roles:
            continue
        places = [_place(table, part, has_header) for part in parts]
        if None not in places:
            found[role] = tuple(place for place in places if place is not None)
        elif role in table.roles[: table.needed] and role in options:
            raise _no_column(table, role, parts[places.index(None)], has_header)
    return found


def _place(table: Table, part: str, has_header: bool) -> int | None:
    part = part.strip()
    if has_header and (place := names.place(part, table.first)) is not None:
        return place
    return int(part) - 1 if part.isdigit() and 0 < int(part) <= len(table.first) else None


def _no_column(table: Table, role: str, part: str, has_header: bool) -> errors.DataError:
    if has_header and not part.isdigit():
        what = f"no column {part!r} in the header ({', '.join(table.first)})"
        return table.error(what, f"name the field that holds the {role} with --{role}-field")
    return table.error(
        f"no column {part}: {table.listed()}", f"--{role}-field takes a number from 1, or a header's name"
    )


def _usual(table: Table, role: str, taken: Mapping[str, tuple[int, ...]]) -> int | None:
    """Return the column that a header names for a role in a usual way; raises `DataError` where several could be it."""
    found = [place for place in names.usual(role, table.first) if place not in _places(taken)]
    if len(found) > 1 and role in table.roles[: table.needed]:
        listed = ", ".join(table.first[place] for place in found)
        raise table.error(f"{listed}: which is the {role}?", f"--{role}-field {table.first[found[0]]}, for example")
    return found[0] if len(found) == 1 else None


def _places(taken: Mapping[str, tuple[int, ...]]) -> set[int]:
    return {place for places in taken.values() for place in places}


def _rest(table: Table, places: dict[str, tuple[int, ...]]) -> None:
    """Fill in what is left, where only one way is left: as many columns as roles, or one that holds texts."""
    open_roles = [role for role in table.roles if role not in places]
    free = [place for place in range(len(table.first)) if place not in _places(places)]
    if not open_roles or open_roles[0] not in table.roles[: table.needed]:
        return
    if open_roles[0] == "value" and len(free) <= len(open_roles):  # an id, a time and a value stand in this order
        places.update({role: (place,) for role, place in zip(open_roles, free[::-1], strict=False)})
        return
    if len(free) == len(open_roles) or (len(free) == 1 and table.needed == 1):
        if len(free) == 2 and table.roles[1] == "label" and _label_first(table):
            free.reverse()
        places.update({role: (place,) for role, place in zip(open_roles, free, strict=False)})
    elif open_roles[0] == "text":
        texts = [place for place in free if _holds_texts(table.column(place))]
        if len(texts) == 1:
            places["text"] = (texts[0],)


def _label_first(table: Table) -> bool:
    one, other = table.column(0), table.column(1)
    return recurs(one) and not recurs(other) and _words(one) < _words(other)


def _words(column: Iterable[str]) -> int:
    return sum(len(cell.split()) for cell in column)


def _holds_texts(column: Sequence[str]) -> bool:
    return bool(column) and len(set(column)) * 2 > len(column) and _words(column) >= 2 * len(column)


def _unknown(table: Table, missing: Sequence[str], has_header: bool) -> errors.DataError:
    """Return the error of a table in which a role's column cannot be told."""
    count = "1 column" if len(table.first) == 1 else f"{len(table.first)} columns"
    flags = " ".join(f"--{role}-field {'NAME' if has_header else 'N'}" for role in missing)
    if has_header:
        what = f"{count} in the header, which is the {', which the '.join(missing)}? it has: {', '.join(table.first)}"
        return table.error(what, f"{flags} says which, by name or by number from 1")
    expected = f"{count}, expected {len(table.roles)} ({', '.join(table.roles)})"
    if len(table.first) < len(table.roles):
        return table.error(expected, table.hint)
    asked = f"which is the {', which the '.join(missing)}? {table.listed()}"
    return table.error(f"{expected}; {asked}", f"{flags} says which, by number from 1; or {table.hint}")


def _short(cell: str) -> str:
    return cell if len(cell) <= 20 else cell[:17] + "..."
