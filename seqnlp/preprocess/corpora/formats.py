"""Formats: from the lines of one file to records of named values, with errors that name file and line."""

from __future__ import annotations

import csv
import json
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from seqnlp import errors
from seqnlp.io import jsonl

FASTTEXT_MARK = "__label__"


@dataclass(frozen=True)
class Record:
    """The values of one record by role, None where it has none; as it came; and its place.

    raw: the text of a line, a `Row` of a table, an object of JSON, a block of columns.
    """

    values: dict[str, Any]
    raw: Any
    file: str
    line: int

    @property
    def where(self) -> str:
        """Return `file:line`."""
        return f"{self.file}:{self.line}"


@dataclass(frozen=True)
class Row:
    """A row of a table as it came: its input as text, its cells, and the names of the columns where it has a header."""

    text: str
    cells: tuple[str, ...]
    header: tuple[str, ...] | None


@dataclass(frozen=True)
class File:
    """One file on its way through a reader. `needed` is how many of the roles a record must have."""

    name: str
    lines: Iterable[str]  # none, for a table
    roles: tuple[str, ...]
    needed: int
    columns: Mapping[str, str]
    header: bool
    layout: Mapping[str, str] = field(default_factory=dict)  # of files in columns: see `columns`

    def error(self, line: int, what: str, hint: str | None = None) -> errors.DataError:
        return errors.DataError(f"{self.name}:{line}: {what}", hint)


def _text(file: File) -> Iterator[Record]:
    """One input a line; blank lines too, so that N lines in give N lines out."""
    for number, line in enumerate(file.lines, 1):
        yield Record({file.roles[0]: line}, line, file.name, number)


def _tsv(file: File) -> Iterator[Record]:
    rows = ((number, line, line.split("\t")) for number, line in enumerate(file.lines, 1))
    yield from _columns(file, rows, "columns are separated by one tab")


def _csv(file: File) -> Iterator[Record]:
    """RFC 4180; a quoted field may hold line ends, so a record's line is the one it begins on."""
    csv.field_size_limit(sys.maxsize)  # a field may be a whole text
    reader = csv.reader((line + "\n" for line in file.lines), strict=True)

    def rows() -> Iterator[tuple[int, str, list[str]]]:
        while True:
            number = reader.line_num + 1
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                raise file.error(number, f"not CSV ({error})", 'a quote inside a quoted field is written ""') from None
            yield number, ",".join(cells), cells

    yield from _columns(file, rows(), 'a field that holds a comma stands in quotes "..."')


def _columns(file: File, rows: Iterable[tuple[int, str, list[str]]], hint: str) -> Iterator[Record]:
    """Rows of cells to records: by position, or by name below a header."""
    places: dict[str, list[int]] | None = None
    header: tuple[str, ...] | None = None
    for index, (number, raw, cells) in enumerate(rows):
        if index == 0 and _is_header(file, cells):
            places, header = _places(file, cells), tuple(cells)
            continue
        if not raw.strip():
            if file.needed == 1:  # predict: a blank line gives a blank line
                yield Record({file.roles[0]: ""}, Row("", tuple(cells), header), file.name, number)
            continue
        if places is not None:
            if len(cells) <= max(max(p) for p in places.values()):
                raise file.error(number, f"{count(cells)}, fewer than the header has", hint)
            values = {role: " ".join(cells[i] for i in place) for role, place in places.items()}
        else:
            if len(cells) != len(file.roles) if file.needed > 1 else len(cells) > len(file.roles):
                raise file.error(number, f"{count(cells)}, expected {len(file.roles)} ({', '.join(file.roles)})", hint)
            values = dict(zip(file.roles, cells, strict=False))
        yield Record(values, Row(values[file.roles[0]], tuple(cells), header), file.name, number)


def count(cells: Sequence[str]) -> str:
    """Return how many columns these are, in words."""
    return "1 column" if len(cells) == 1 else f"{len(cells)} columns"


def _is_header(file: File, cells: Sequence[str]) -> bool:
    return file.header or bool(file.columns) or set(cells) == set(file.roles)


def _places(file: File, header: Sequence[str]) -> dict[str, list[int]]:
    """Where each role's fields stand; by position where the header has other names and none were asked for."""
    wanted = {role: file.columns.get(role, role).split(",") for role in file.roles}
    if not file.columns and not set(file.roles[: file.needed]) <= set(header):
        if len(header) < file.needed:
            raise file.error(1, f"{count(header)} in the header, expected {', '.join(file.roles)}")
        return {role: [i] for i, role in enumerate(file.roles) if i < len(header)}
    places: dict[str, list[int]] = {}
    for index, (role, names) in enumerate(wanted.items()):
        missing = [name for name in names if name not in header]
        if not missing:
            places[role] = [header.index(name) for name in names]
        elif index < file.needed:
            raise file.error(1, f"no column {missing[0]!r} in the header ({', '.join(header)})", _field_hint(role))
    return places


def _field_hint(role: str) -> str:
    return f"name the field that holds the {role} with --{role}-field"


def _jsonl(file: File) -> Iterator[Record]:
    for number, line in enumerate(file.lines, 1):
        if not line.strip():
            if file.needed == 1:
                yield Record({file.roles[0]: ""}, line, file.name, number)
            continue
        try:
            record = json.loads(line)
        except json.JSONDecodeError as error:
            raise file.error(
                number, f"not JSON ({error.msg} at character {error.pos + 1})", "one object a line"
            ) from None
        except (ValueError, RecursionError) as error:  # a number of thousands of digits, thousands of brackets
            raise file.error(number, f"not JSON that can be read ({error})", "one object a line") from None
        if not isinstance(record, dict):
            raise file.error(number, f"a JSON {type(record).__name__}, expected an object", "one object a line")
        yield _fields(file, number, record)


def objects(file: File, rows: Iterable[Mapping[str, Any]]) -> Iterator[Record]:
    """Rows of a table, which has names for its columns."""
    for number, row in enumerate(rows, 1):
        yield _fields(file, number, dict(row))


def _fields(file: File, number: int, record: dict[str, Any]) -> Record:
    """Return an object as a record: each role is a field, or several put one after the other."""
    values = {}
    for index, role in enumerate(file.roles):
        names = file.columns.get(role, role).split(",")
        found = [_clean(nested(record, name)) for name in names]
        if None not in found:
            values[role] = found[0] if len(found) == 1 else " ".join(map(str, found))
        elif index < file.needed:
            missing = names[found.index(None)]
            if missing in record:
                raise file.error(number, f"the field {missing!r} is null")
            fields = ", ".join(list(record)[:12])
            raise file.error(number, f"no field {missing!r} (it has: {fields})", _field_hint(role))
    return Record(values, record, file.name, number)


def _clean(value: Any) -> Any:
    if isinstance(value, list):
        return list(map(_clean, value))
    return jsonl.without_surrogates(value) if isinstance(value, str) else value


def nested(record: Any, name: str) -> Any:
    """Return the field of a record, `translation.de` being the field de of the object translation; None if missing."""
    if isinstance(record, dict) and name in record:
        return record[name]
    for part in name.split("."):
        record = record.get(part) if isinstance(record, dict) else None
    return record


def _fasttext(file: File) -> Iterator[Record]:
    """fastText's format: `__label__NAME` words anywhere in the line are its labels, the rest is its text."""
    for number, line in enumerate(file.lines, 1):
        words = re.split("[ \t]", line)
        marked = [word.removeprefix(FASTTEXT_MARK) for word in words if word.startswith(FASTTEXT_MARK)]
        text = " ".join(word for word in words if not word.startswith(FASTTEXT_MARK))
        if not marked and file.needed > 1:
            if not line.strip():
                continue
            raise file.error(number, "no __label__", "every line names its label, as in: __label__good I liked it")
        yield Record({file.roles[0]: text, file.roles[1]: marked or None}, text, file.name, number)


READERS: dict[str, Callable[[File], Iterator[Record]]] = {
    "text": _text,
    "tsv": _tsv,
    "csv": _csv,
    "jsonl": _jsonl,
    "fasttext": _fasttext,
}
