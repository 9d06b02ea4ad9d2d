"""Writer: from predictions to what predict prints: lines, records of JSON with a key more, rows with columns more."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from seqnlp import errors
from seqnlp.io import jsonl
from seqnlp.preprocess.corpora import formats
from seqnlp.preprocess.corpora.examples import Example
from seqnlp.tasks import base

TABLES = {"csv": ",", "tsv": "\t"}
TAKEN = "predicted_"  # stands before the name of a column that the input has already


class Writer:
    """Gives the text of one prediction after the other, in the order of the inputs; a table's header with the first."""

    def __init__(self, task: base.AnyTask, codec: Any, form: str, search: Any, delimiter: str | None = None) -> None:
        """delimiter: of the input, where that is csv."""
        self.task, self.codec, self.form, self.search = task, codec, form, search
        self.delimiter = TABLES.get(form, "") if form != "csv" or delimiter is None else delimiter
        self.number = 0  # of the next record
        self.table: _Table | None = None

    def header(self, names: tuple[str, ...] | None) -> str:
        """Return the header of a table without rows, nothing where the input had none."""
        return self._table(names, 0).header() if self.form in TABLES and names else ""

    def __call__(self, example: Example, found: Any) -> str:
        """Return the lines of a prediction, None: of a blank input, with their ends."""
        number, self.number = self.number, self.number + 1
        if self.form == "jsonl":
            return self._json(example, found) + "\n"
        if self.form in TABLES:
            return self._row(example, found)
        ranked = None if found is None or self.form != "text" else self.task.output.ranked(example, found, self.search)
        if ranked is not None:
            return "".join(f"{number} ||| {text} ||| {score:.4f}\n" for text, score in ranked)
        return self.task.output.write(example, found, self.form, self.search, self.codec) + "\n"

    def _json(self, example: Example, found: Any) -> str:
        """The record with one key more; a line or a row becomes one whose text is its text."""
        record, key = example.record, self.task.text_key
        if isinstance(record, formats.Row):
            if not any(map(str.strip, record.cells)):
                return ""
            columns = dict(zip(record.header or (), record.cells, strict=False))
            record = columns if key in columns else {**columns, key: record.text}
        elif not isinstance(record, dict):
            if example.blank:
                return ""
            record = {key: record} if isinstance(record, str) else {self.task.roles[0]: example.source}
        value = None if found is None else self.task.output.value(example, found, self.codec)
        return jsonl.with_member(record, self.task.name, value)

    def _row(self, example: Example, found: Any) -> str:
        """The columns that came in, with those of the prediction behind; a blank line for a blank line."""
        output = self.task.output
        if found is not None and (rows := output.rows(example, found, self.search, self.codec)) is not None:
            return self._rows(rows, example.where)
        own = self._cells_of(example)
        if example.blank and not any(map(str.strip, own)):
            return "\n"
        head = ""
        if self.table is None:
            names = self._names_of(example.record)
            self.table = self._table(names, len(own))
            head = self.table.header()
        cells = self.table.filled(own, self._extra(example.record), example.where)
        said = {} if found is None else self.task.output.cells(example, found, self.search, self.codec)
        return head + self.table.line([*cells, *(said.get(name, "") for name in self.table.added)], example.where)

    def _table(self, names: tuple[str, ...] | None, width: int) -> _Table:
        return _Table(self.form, self.delimiter, names, width, self.task.output.columns(names, self.search))

    def _rows(self, rows: Sequence[Mapping[str, str]], where: str) -> str:
        """The rows of a prediction itself."""
        head = ""
        if self.table is None:
            self.table = _Table(self.form, self.delimiter, tuple(rows[0]), len(rows[0]), ())
            head = self.table.header()
        table, names = self.table, self.table.names or ()
        return head + "".join(table.line([row.get(name, "") for name in names], where) for row in rows)

    def _names_of(self, record: Any) -> tuple[str, ...] | None:
        """The names of the columns that came in, None for a table without a header."""
        if isinstance(record, formats.Row):
            return record.header
        if isinstance(record, dict):
            return tuple(record)
        return (self.task.text_key,) if isinstance(record, str) else ()

    def _cells_of(self, example: Example) -> list[str]:
        record = example.record
        if isinstance(record, formats.Row):
            return list(record.cells)
        if isinstance(record, dict):
            names = tuple(record) if self.table is None else self.table.names or ()
            return [self._cell(record, name) for name in names]
        return [record] if isinstance(record, str) else []

    def _cell(self, record: Mapping[str, Any], name: str) -> str:
        """A value of JSON as a cell: text as it is, lists of words joined, nothing for null, else JSON."""
        value = record.get(name)
        if isinstance(value, list) and all(isinstance(part, str) and part.strip() for part in value):
            value = self.task.output.listed(value, self.codec)
        if value is None:
            return ""
        if not isinstance(value, str):
            value = record.written(name) if isinstance(record, jsonl.Object) else jsonl.to_json(value)
        return jsonl.without_surrogates(value)

    def _extra(self, record: Any) -> Sequence[str]:
        """The fields of an object that the first one lacked."""
        if not isinstance(record, Mapping) or self.table is None:
            return ()
        return [name for name in record if name not in (self.table.names or ())]


class _Table:
    """The form of the rows: the names of the columns that came in, if they have any, how many, and those added."""

    def __init__(
        self, form: str, delimiter: str, names: tuple[str, ...] | None, width: int, added: Sequence[str]
    ) -> None:
        self.form, self.delimiter, self.names, self.added = form, delimiter, names, added
        self.width = len(names) if names is not None else width

    def header(self) -> str:
        """Return the line with the names, if the input has any: those added differ from those that are there."""
        if self.names is None:
            return ""
        names = list(self.names)
        for name in self.added:
            while name in names:
                name = TAKEN + name
            names.append(name)
        return self.line(names, "header")

    def filled(self, cells: list[str], extra: Sequence[str], where: str) -> list[str]:
        """Return as many cells as there are columns; raises `DataError` where there are more."""
        if extra:
            raise errors.DataError(f"{where}: a field {extra[0]!r}, which the first record lacks", "--to jsonl")
        if len(cells) > self.width:
            what = f"{where}: {formats.count(cells)}, expected {self.width}"
            raise errors.DataError(what, "every row has the same columns")
        return [*cells, *[""] * (self.width - len(cells))]

    def line(self, cells: Sequence[str], where: str) -> str:
        """Return a row; raises `DataError` where tsv, which has no quotes, cannot hold it."""
        if self.form == "tsv" and (bad := next((cell for cell in cells if re.search("[\t\n]", cell)), None)):
            raise errors.DataError(
                f"{where}: a tab or a line end inside a column ({bad[:40]!r})", "--to csv has quotes"
            )
        return self.delimiter.join(cells if self.form == "tsv" else map(self._quoted, cells)) + "\n"

    def _quoted(self, cell: str) -> str:
        """A cell by RFC 4180."""
        special = any(sign in cell for sign in ('"', "\r", "\n", self.delimiter))
        return '"' + cell.replace('"', '""') + '"' if special else cell
