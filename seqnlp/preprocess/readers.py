"""Readers: from files of every format to records of named values, with errors that name file and line."""

from __future__ import annotations

import csv
import itertools
import json
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from seqnlp import errors, textio

ENDINGS = {".tsv": "tsv", ".csv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl"}
FASTTEXT_MARK = "__label__"


@dataclass(frozen=True)
class Source:
    """What to read, and how: paths ("-" is stdin), and what the endings of the names do not say.

    `columns` maps a role of the task (text, label) to the field of the corpus that plays it; several fields, joined
    by commas, are put one after the other with a blank between.
    """

    paths: tuple[str, ...]
    format: str | None = None
    encoding: str = "utf-8"
    header: bool = False
    columns: Mapping[str, str] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)  # how errors call a path, where not by itself

    def name(self, path: str) -> str:
        """Return how a person knows a path."""
        return self.names.get(path) or textio.name(path)

    def check(self) -> None:
        """Raise `UsageError` unless every file is there and may be read."""
        for path in self.paths:
            if path != textio.STDIN:
                textio.open_bytes(path).close()

    @property
    def title(self) -> str:
        """Return the names of all files, for errors."""
        return ", ".join(map(self.name, self.paths))

    def hashes(self) -> dict[str, str]:
        """Return the SHA-256 of every file, by name."""
        return {self.name(path): textio.sha256(path) for path in self.paths}


@dataclass(frozen=True)
class Record:
    """The values of one record by role, None where it has none; the raw line or object; and its place."""

    values: dict[str, Any]
    raw: Any
    file: str
    line: int

    @property
    def where(self) -> str:
        """Return `file:line`."""
        return f"{self.file}:{self.line}"


@dataclass(frozen=True)
class _File:
    """One file on its way through a reader. `needed` is how many of the roles a record must have."""

    name: str
    lines: Iterable[str]
    roles: tuple[str, ...]
    needed: int
    columns: Mapping[str, str]
    header: bool

    def error(self, line: int, what: str, hint: str | None = None) -> errors.DataError:
        return errors.DataError(f"{self.name}:{line}: {what}", hint)


def records(source: Source, roles: Sequence[str], *, targets: bool) -> Iterator[Record]:
    """Yield the records of all files, one file after the other.

    With `targets` every role must be there, and files without a known ending are taken two by two; without (predict)
    only the first role must, and such a file is one input a line. Raises `DataError` at the first malformed record.
    """
    paths = iter(source.paths)
    for path in paths:
        kind = format_of(path, source, targets)
        if kind == "text" and targets:
            partner = next(paths, None)
            if partner is None:
                raise errors.UsageError(
                    f"{source.name(path)}: a plain text file needs a second one with the {roles[1]} of each line",
                    f"give both, or a .tsv with {' and '.join(roles)}, or say what it is with --from",
                )
            yield from _pairs(source, path, partner, roles)
        else:
            lines = textio.lines(path, source.encoding)
            needed = len(roles) if targets else 1
            file = _File(source.name(path), lines, tuple(roles), needed, source.columns, source.header)
            yield from READERS[kind](file)


def format_of(path: str, source: Source, targets: bool) -> str:
    """Return the format of a file: --from, else its ending, else fastText's if that is how its first line begins."""
    if source.format:
        return source.format
    bare = path.removesuffix(".gz")
    for ending, kind in ENDINGS.items():
        if bare.endswith(ending):
            return kind
    if targets and path != textio.STDIN:
        first = next(iter(textio.lines(path, source.encoding)), "")
        if first.startswith(FASTTEXT_MARK):
            return "fasttext"
    return "text"


def spooled(source: Source) -> Source:
    """Return the source with stdin and pipes copied to files: training reads its corpus more than once."""
    for path in source.paths:
        if path == textio.STDIN or not os.path.isfile(path):
            source = _spool(source, path)
    return source


def _spool(source: Source, pipe: str) -> Source:
    copy = tempfile.NamedTemporaryFile(prefix="seqnlp-stdin-")  # noqa: SIM115 (it must outlive this function)
    with textio.open_bytes(pipe) as stream:
        shutil.copyfileobj(stream, copy)
    copy.flush()
    paths = tuple(copy.name if path == pipe else path for path in source.paths)
    _SPOOLED.append(copy)
    return replace(source, paths=paths, names={**source.names, copy.name: textio.name(pipe)})


_SPOOLED: list[Any] = []  # temporary files live as long as the process


def _text(file: _File) -> Iterator[Record]:
    """One input a line; blank lines too, so that N lines in give N lines out."""
    for number, line in enumerate(file.lines, 1):
        yield Record({file.roles[0]: line}, line, file.name, number)


def _pairs(source: Source, path: str, partner: str, roles: Sequence[str]) -> Iterator[Record]:
    """Line i of one file belongs to line i of the other."""
    left, right = (textio.lines(p, source.encoding) for p in (path, partner))
    number = 0
    for number, (first, second) in enumerate(itertools.zip_longest(left, right), 1):
        if first is None or second is None:
            counts = [number - 1, number + sum(1 for _ in (right if first is None else left))]
            if second is None:
                counts.reverse()
            raise errors.DataError(
                f"{source.name(path)} has {counts[0]} lines, {source.name(partner)} has {counts[1]}",
                "the two files must belong together line by line",
            )
        yield Record({roles[0]: first, roles[1]: second}, first, source.name(path), number)


def _tsv(file: _File) -> Iterator[Record]:
    rows = ((number, line, line.split("\t")) for number, line in enumerate(file.lines, 1))
    yield from _columns(file, rows, "columns are separated by one tab")


def _csv(file: _File) -> Iterator[Record]:
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


def _columns(file: _File, rows: Iterable[tuple[int, str, list[str]]], hint: str) -> Iterator[Record]:
    """Rows of cells to records: by position, or by name below a header."""
    places: dict[str, list[int]] | None = None
    for index, (number, raw, cells) in enumerate(rows):
        if index == 0 and _is_header(file, cells):
            places = _places(file, cells)
            continue
        if not raw.strip():
            if file.needed == 1:  # predict: a blank line gives a blank line
                yield Record({file.roles[0]: ""}, raw, file.name, number)
            continue
        if places is not None:
            if len(cells) <= max(max(p) for p in places.values()):
                raise file.error(number, f"{_count(cells)}, fewer than the header has", hint)
            values = {role: " ".join(cells[i] for i in place) for role, place in places.items()}
        else:
            if len(cells) != len(file.roles) if file.needed > 1 else len(cells) > len(file.roles):
                raise file.error(number, f"{_count(cells)}, expected {len(file.roles)} ({', '.join(file.roles)})", hint)
            values = dict(zip(file.roles, cells, strict=False))
        yield Record(values, raw, file.name, number)


def _count(cells: Sequence[str]) -> str:
    return "1 column" if len(cells) == 1 else f"{len(cells)} columns"


def _is_header(file: _File, cells: Sequence[str]) -> bool:
    return file.header or bool(file.columns) or set(cells) == set(file.roles)


def _places(file: _File, header: Sequence[str]) -> dict[str, list[int]]:
    """Where each role's fields stand; by position where the header has other names and none were asked for."""
    wanted = {role: file.columns.get(role, role).split(",") for role in file.roles}
    if not file.columns and not set(file.roles[: file.needed]) <= set(header):
        if len(header) < file.needed:
            raise file.error(1, f"{_count(header)} in the header, expected {', '.join(file.roles)}")
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


def _jsonl(file: _File) -> Iterator[Record]:
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
        yield Record(values, record, file.name, number)


def _clean(value: Any) -> Any:
    return textio.without_surrogates(value) if isinstance(value, str) else value


def nested(record: Any, name: str) -> Any:
    """Return the field of a record, `translation.de` being the field de of the object translation; None if missing."""
    if isinstance(record, dict) and name in record:
        return record[name]
    for part in name.split("."):
        record = record.get(part) if isinstance(record, dict) else None
    return record


def _fasttext(file: _File) -> Iterator[Record]:
    """fastText's format: `__label__NAME` words anywhere in the line are its labels, the rest is its text."""
    for number, line in enumerate(file.lines, 1):
        words = re.split("[ \t]", line)
        marked = [word.removeprefix(FASTTEXT_MARK) for word in words if word.startswith(FASTTEXT_MARK)]
        text = " ".join(word for word in words if not word.startswith(FASTTEXT_MARK))
        if not marked and file.needed > 1:
            if not line.strip():
                continue
            raise file.error(number, "no __label__", "every line names its label, as in: __label__good I liked it")
        yield Record({file.roles[0]: text, file.roles[1]: marked or None}, line, file.name, number)


READERS: dict[str, Callable[[_File], Iterator[Record]]] = {
    "text": _text,
    "tsv": _tsv,
    "csv": _csv,
    "jsonl": _jsonl,
    "fasttext": _fasttext,
}
FORMATS = tuple(READERS)
