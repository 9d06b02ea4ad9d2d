"""The delimiter of a .csv: the one under which the rows are the most alike."""

from __future__ import annotations

import collections
import csv
import re
import sys
from collections.abc import Sequence

from seqnlp.preprocess.corpora import names

DELIMITERS = (",", ";", "\t", "|")
NAMES = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
SAID = re.compile(r"sep=([,;\t|])")  # a first line that spreadsheets write and read, no row


def shown(delimiter: str) -> str:
    """Return how a person reads a delimiter."""
    return "tab" if delimiter == "\t" else f"'{delimiter}'"


def said(head: Sequence[str]) -> str | None:
    """Return the delimiter that the first line names, as `sep=;` does; None where it names none."""
    found = SAID.fullmatch(head[0]) if head else None
    return found and found[1]


def rows(head: Sequence[str], delimiter: str, *, complete: bool = True) -> list[list[str]]:
    """Return the rows of the first lines of a .csv, blank ones left out, up to where it is none.

    complete: these are all lines; otherwise the last row may be cut, and is left out where there are others.
    """
    csv.field_size_limit(sys.maxsize)  # a field may be a whole text
    found: list[list[str]] = []
    body = head[1:] if said(head) else head
    try:
        for cells in csv.reader((line + "\n" for line in body), delimiter=delimiter):
            if any(cell.strip() for cell in cells):
                found.append(cells)
    except csv.Error:
        pass
    return found[:-1] if not complete and len(found) > 1 else found


def of(head: Sequence[str], wanted: Sequence[str] = (), *, complete: bool = True) -> tuple[str, float]:
    """Return the delimiter of a .csv by its first lines, and the share of rows that agree; a comma if there is none.

    wanted: names that the header must have.
    """
    if (named := said(head)) is not None:
        return named, 1.0
    best: tuple[tuple[float, ...], str] = ((0, 0), DELIMITERS[0])
    for delimiter in DELIMITERS:
        if any(delimiter in line for line in head):
            key = _evidence(rows(head, delimiter, complete=complete), wanted)
            best = max(best, (key, delimiter), key=lambda item: item[0])
    return best[1], best[0][1]


def _evidence(found: Sequence[Sequence[str]], wanted: Sequence[str]) -> tuple[float, ...]:
    """Return what speaks for a delimiter, the strongest first.

    A header with the names; rows of one length; no blank behind it, as there is behind the commas of a text.
    """
    counts = collections.Counter(map(len, found))
    width, number = max(counts.items(), key=lambda item: (item[1], item[0]), default=(1, 0))
    if width < 2:
        return (0, 0)
    cells = [cell for row in found for cell in row[1:]]
    padded = sum(cell.startswith(" ") for cell in cells) / len(cells)
    named = bool(wanted) and all(names.place(name, found[0]) is not None for name in wanted)
    repeated = max(len(found) - len(set(column)) for column in zip(*(row for row in found if len(row) == width)))  # noqa: B905
    return (named, round(number / len(found), 2), -padded, repeated)
