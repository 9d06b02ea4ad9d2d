"""Formats: from the lines of one file to records of named values, with errors that name file and line."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from seqnlp import errors
from seqnlp.preprocess.corpora.schema import Schema

FASTTEXT_MARK = "__label__"
FLAGS = {"0": False, "0.0": False, "false": False, "1": True, "1.0": True, "true": True}


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

    def text(self, role: str) -> str:
        """Return the value of a role; raises `DataError` where it is no text."""
        text = self.values[role]
        if not isinstance(text, str):
            raise errors.DataError(f"{self.where}: the {role} is a {type(text).__name__}, expected a string")
        return text


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
    schema: Schema
    columns: Mapping[str, str] = field(default_factory=dict)  # what the options say, by role
    layout: Mapping[str, str] = field(default_factory=dict)  # of files in columns: see `conll`
    remembered: Schema | None = None
    header: bool | None = None  # what the options say of the first line of a table
    note: Callable[[Schema], None] = lambda found: None  # what a reader finds out itself

    def error(self, line: int, what: str, hint: str | None = None) -> errors.DataError:
        return errors.DataError(f"{self.name}:{line}: {what}", hint)


def _text(file: File) -> Iterator[Record]:
    """One input a line; blank lines too, so that N lines in give N lines out."""
    for number, line in enumerate(file.lines, 1):
        yield Record({file.roles[0]: line}, line, file.name, number)


def together(file: File, line: int, role: str, values: Sequence[Any], names: Sequence[str] = ()) -> Any:
    """Return the value of a role: of its one field, or of several, put one after the other.

    Several targets that are 0 or 1 each say which of their names hold: they are a list of those. names: of the fields,
    where the schema of the file does not say. Raises `DataError` where one of such targets is another number, or none.
    """
    if len(values) == 1:
        return values[0]
    held = [str(value).strip().lower() for value in values]
    if role == file.roles[0] or FLAGS.keys().isdisjoint(held):
        return " ".join(map(str, values))
    names = names or file.schema.fields[role]
    other = next((number for number, value in enumerate(held) if value not in FLAGS), None)
    if other is None:
        return [name for name, value in zip(names, held, strict=True) if FLAGS[value]]
    if not held[other] or held[other].replace(".", "", 1).lstrip("-").isdigit():
        what = f"{names[other]} is {held[other]!r}, another of {', '.join(names)} is 0 or 1"
        raise file.error(line, what, f"where several columns are the {role}, each says 1 or 0: it holds or not")
    return " ".join(map(str, values))


def count(cells: Sequence[str]) -> str:
    """Return how many columns these are, in words."""
    return "1 column" if len(cells) == 1 else f"{len(cells)} columns"


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


def _label_text(file: File) -> Iterator[Record]:
    """A label and a text, parted by a blank; without targets the whole line is text, where there is no label."""
    for number, line in enumerate(file.lines, 1):
        label, _, text = line.strip().partition(" ")
        if text or file.needed == 1:
            values = {file.roles[0]: text or label, file.roles[1]: label if text else None}
            yield Record(values, text or label, file.name, number)
        elif label:
            raise file.error(number, "no text behind the label", "as in: LOC:city Where is Oslo ?")


READERS: dict[str, Callable[[File], Iterator[Record]]] = {
    "text": _text,
    "fasttext": _fasttext,
    "label-text": _label_text,
}
