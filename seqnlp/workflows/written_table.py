"""Tables that predict wrote as csv or tsv, read back: which column holds the answers."""

from __future__ import annotations

import csv
import re
import sys
from collections.abc import Callable, Sequence

from seqnlp.preprocess.corpora import delimiter, look
from seqnlp.tasks import base
from seqnlp.workflows import writer

SCORE = re.compile(r"-?\d+\.\d{4}(,\d+\.\d{4})*")  # as predict prints one, or those of several labels

LOGARITHM = re.compile(r"-?\d+(\.\d+)?(e[-+]?\d+)?")  # of a probability, as any tool prints it

Row = tuple[int, list[str]]  # the line on which it begins, and its cells


def cells(lines: Sequence[str], task: base.AnyTask) -> list[tuple[int, str | None]] | None:
    """Return the answer of each row with its line, None of a blank row; None where the lines are no such table.

    With a header it is the last column of the task's name; without one the column before the scores, which are the
    last. A logarithm is the last column. Tags are the last column, or stand before their scores, where it has as many
    items as the first.
    """
    for reader in (_tsv, _csv):
        rows = reader(lines)
        filled = [row for _, row in rows or () if any(map(str.strip, row))]
        if rows is None or not filled or len(filled[0]) < 2:
            continue
        column = _named(filled, task)
        if column is not None:
            body = rows[next(i for i, (_, row) in enumerate(rows) if row is filled[0]) + 1 :]
            return [(number, _cell(row, column)) for number, row in body]
        if (column := _unnamed(filled, task)) is not None:
            return [(number, _cell(row, column)) for number, row in rows]
    return None


def _tsv(lines: Sequence[str]) -> list[Row] | None:
    return [(number, line.split("\t")) for number, line in enumerate(lines, 1)]


def _csv(lines: Sequence[str]) -> list[Row] | None:
    """The rows, None where a quote is out of place: then it is something else."""
    csv.field_size_limit(sys.maxsize)
    parted, rows = delimiter.of(lines[: look.LINES])[0], []
    reader = csv.reader((line + "\n" for line in lines), delimiter=parted, strict=True)
    number = 1
    try:
        for row in reader:
            rows.append((number, row))
            number = reader.line_num + 1
    except csv.Error:
        return None
    return rows


def _named(rows: Sequence[Sequence[str]], task: base.AnyTask) -> int | None:
    """The last column that has the name, as the writer gives it, with the others behind it.

    A header names each column once, and all rows have as many: a line of several labels may hold such a name too.
    """
    header, added = rows[0], task.output.columns(None, task.Search())
    names = [re.compile(f"({re.escape(writer.TAKEN)})*{re.escape(name)}") for name in added]

    def begins(place: int) -> bool:
        cells = header[place : place + len(names)]
        return len(cells) == len(names) and all(map(re.Pattern.fullmatch, names, cells))

    found = [place for place in range(len(header)) if begins(place)]
    steady = len(set(header)) == len(header) and all(len(row) == len(header) for row in rows)
    return found[-1] if found and steady else None


def _unnamed(rows: Sequence[Sequence[str]], task: base.AnyTask) -> int | None:
    width = len(rows[0])
    if any(len(row) != width for row in rows):
        return None
    return _UNNAMED[task.answers](rows, width)


def _before_scores(rows: Sequence[Sequence[str]], width: int) -> int | None:
    said = [row for row in rows if row[-1] or row[-2]]
    if width < 3 or not said or not all(SCORE.fullmatch(row[-1]) for row in said):
        return None
    if width % 2 == 0 and all(SCORE.fullmatch(cell) for row in said for cell in row[1::2]):
        return None  # labels with their probabilities, not a table
    return width - 2


def _last(rows: Sequence[Sequence[str]], width: int) -> int | None:
    said = [row for row in rows if row[-1]]
    if any(len(row[0].split()) != len(row[-1].split()) for row in said) or all(len(row[0].split()) < 2 for row in said):
        return None  # sentences of one word each are a word a line in columns
    if all(SCORE.fullmatch(item) for row in said for item in row[-1].split()):
        return width - 2 if width > 2 else None
    return width - 1


def _last_number(rows: Sequence[Sequence[str]], width: int) -> int | None:
    said = [row for row in rows if row[-1]]
    return width - 1 if said and all(LOGARITHM.fullmatch(row[-1]) for row in said) else None


_UNNAMED: dict[str, Callable[[Sequence[Sequence[str]], int], int | None]] = {
    "labels": _before_scores,
    "texts": _before_scores,
    "tags": _last,
    "likelihoods": _last_number,
    "numbers": _last_number,
}


def _cell(row: Sequence[str], column: int) -> str | None:
    return row[column] if any(map(str.strip, row[column:])) else None
