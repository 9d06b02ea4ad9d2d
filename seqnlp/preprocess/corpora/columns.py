"""Columns of a table: which one plays which role."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence

from seqnlp import errors
from seqnlp.preprocess.corpora import header, names, schema

log = logging.getLogger(__name__)


def recognised(table: header.Table, form: schema.Schema) -> schema.Schema:
    """Return the schema of a table with its header and columns filled in.

    Raises `DataError` where they cannot be told, with the columns that are there and the option that settles it.
    """
    memory = _memory(table)
    has_header = header.is_there(table, memory)
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
    first = table.first if has_header else None
    titles = first or tuple(str(number) for number in range(1, len(table.first) + 1))
    fields = {role: tuple(titles[place] for place in taken) for role, taken in places.items()}
    return schema.Schema(form.format, form.delimiter, first, fields, len(table.first), places)


def _by_number(table: header.Table) -> bool:
    """Return whether the options name all columns that are needed by number."""
    given = [table.columns.get(role, "") for role in table.roles[: table.needed]]
    return all(part.isdigit() for name in given for part in name.split(","))


def _memory(table: header.Table) -> schema.Schema | None:
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


def _by_name(table: header.Table, memory: schema.Schema) -> schema.Schema | None:
    """Return what is remembered with the header of this table, where that has the fields that are needed."""
    asked = [role for role in table.roles[: table.needed] if role not in table.columns]
    wanted = [name for role in asked for name in memory.fields.get(role, ())]
    if not wanted or table.header is False or not all(header.has(name, table.first) for name in wanted):
        return None
    return schema.Schema(memory.format, memory.delimiter, table.first, memory.fields)


def _given(table: header.Table, memory: schema.Schema | None, has_header: bool) -> dict[str, tuple[int, ...]]:
    """Return the columns that the options name, or that are remembered."""
    known: dict[str, tuple[str, ...]] = {}
    remembered = table.remembered
    if has_header and remembered is not None and remembered.header is not None:
        there = {name for fields in remembered.fields.values() for name in fields if header.has(name, table.first)}
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


def _place(table: header.Table, part: str, has_header: bool) -> int | None:
    part = part.strip()
    if has_header and (place := names.place(part, table.first)) is not None:
        return place
    return int(part) - 1 if part.isdigit() and 0 < int(part) <= len(table.first) else None


def _no_column(table: header.Table, role: str, part: str, has_header: bool) -> errors.DataError:
    if has_header and not part.isdigit():
        what = f"no column {part!r} in the header ({', '.join(table.first)})"
        return table.error(what, f"name the field that holds the {role} with --{role}-field")
    return table.error(
        f"no column {part}: {table.listed()}", f"--{role}-field takes a number from 1, or a header's name"
    )


def _usual(table: header.Table, role: str, taken: Mapping[str, tuple[int, ...]]) -> int | None:
    """Return the column that a header names for a role in a usual way; raises `DataError` where several could be it."""
    found = [place for place in names.usual(role, table.first) if place not in _places(taken)]
    if len(found) > 1 and role in table.roles[: table.needed]:
        listed = ", ".join(table.first[place] for place in found)
        raise table.error(f"{listed}: which is the {role}?", f"--{role}-field {table.first[found[0]]}, for example")
    return found[0] if len(found) == 1 else None


def _places(taken: Mapping[str, tuple[int, ...]]) -> set[int]:
    return {place for places in taken.values() for place in places}


def _rest(table: header.Table, places: dict[str, tuple[int, ...]]) -> None:
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


def _label_first(table: header.Table) -> bool:
    one, other = table.column(0), table.column(1)
    return header.recurs(one) and not header.recurs(other) and _words(one) < _words(other)


def _words(column: Iterable[str]) -> int:
    return sum(len(cell.split()) for cell in column)


def _holds_texts(column: Sequence[str]) -> bool:
    return bool(column) and len(set(column)) * 2 > len(column) and _words(column) >= 2 * len(column)


def _unknown(table: header.Table, missing: Sequence[str], has_header: bool) -> errors.DataError:
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
