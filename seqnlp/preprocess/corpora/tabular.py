"""Tables in text files: rows of cells, parted by tabs or by the rules of CSV, to records."""

from __future__ import annotations

import csv
import logging
import sys
from collections.abc import Iterable, Iterator, Sequence

from seqnlp.preprocess.corpora import delimiter, formats, names
from seqnlp.preprocess.corpora.formats import File, Record, Row

log = logging.getLogger(__name__)

Rows = Iterable[tuple[int, list[str]]]  # each with the number of the line it begins on


def tsv(file: File) -> Iterator[Record]:
    """Columns parted by tabs; there is no quoting."""
    rows = ((number, line.split("\t")) for number, line in enumerate(file.lines, 1))
    yield from _records(file, rows, "columns are separated by one tab")


def read_csv(file: File) -> Iterator[Record]:
    """RFC 4180 with the delimiter of the file; a quoted field may hold line ends: a record stands where it begins."""
    csv.field_size_limit(sys.maxsize)  # a field may be a whole text
    parted = file.schema.delimiter or ","
    reader = csv.reader((line + "\n" for line in file.lines), delimiter=parted, strict=True)

    def rows() -> Rows:
        while True:
            number = reader.line_num + 1
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                raise file.error(number, f"not CSV ({error})", 'a quote inside a quoted field is written ""') from None
            if number > 1 or not delimiter.said([parted.join(cells)]):
                yield number, cells

    name = delimiter.NAMES.get(parted, "delimiter")
    yield from _records(file, rows(), f'a field that holds a {name} stands in quotes "..."')


def _records(file: File, rows: Rows, hint: str) -> Iterator[Record]:
    """Rows of cells to records, by the places of the schema."""
    header, said = file.schema.header, False
    least = 1 + max(place for role in file.roles[: file.needed] for place in file.schema.places[role])
    under_way, again = False, _Again(file)
    for number, cells in rows:
        if not any(cell.strip() for cell in cells) and len(cells) < 2:
            if file.needed == 1:  # predict: a blank line gives a blank line
                yield Record({file.roles[0]: ""}, Row("", tuple(cells), header), file.name, number)
            continue
        if (header is not None and not under_way) or again(number, cells):
            if under_way and not said:
                log.info("%s:%d: its header once more, which is left out", file.name, number)
                said = True
            under_way = True
            continue
        under_way = True
        _check(file, number, cells, least, hint)
        there = {role: [cells[i] for i in at] for role, at in file.schema.places.items() if max(at) < len(cells)}
        values = {role: formats.together(file, number, role, found) for role, found in there.items()}
        yield Record(values, Row(values[file.roles[0]], tuple(cells), header), file.name, number)


class _Again:
    """Whether a row is a header once more, as where files are joined; case does not count."""

    def __init__(self, file: File) -> None:
        self.file = file
        self.header = None if file.schema.header is None else list(map(_folded, file.schema.header))
        self.looking = file.needed > 1 and file.header is None

    def __call__(self, number: int, cells: Sequence[str]) -> bool:
        """Return it; raises `DataError` where a row is another header, as far as its names say."""
        folded = list(map(_folded, cells))
        if folded == self.header:
            return True
        if self.looking and any(cell in names.EVERY for cell in folded) and self._is_other(cells):
            hint = "give files one by one, not joined; with --header or --no-header it is a row like the others"
            raise self.file.error(number, f"looks like a header ({', '.join(cells)}), unlike the first line", hint)
        return False

    def _is_other(self, cells: Sequence[str]) -> bool:
        """Return whether a row names all roles that are needed in a usual way."""
        places = [names.usual(role, cells) for role in self.file.roles[: self.file.needed]]
        return all(places) and len({place for found in places for place in found}) >= len(places)


def _folded(cell: str) -> str:
    return cell.strip().casefold()


def _check(file: File, number: int, cells: Sequence[str], least: int, hint: str) -> None:
    """Raise `DataError` unless a row has as many columns as it should, and those that are needed."""
    found, width = len(cells), file.schema.width or len(file.roles)
    count = formats.count(cells)
    if file.schema.header is not None:
        if found < least:
            raise file.error(number, f"{count}, fewer than the header has", hint)
        if found > width:
            raise file.error(number, f"{count}, the header has {width}", hint)
        return
    expected = f"{len(file.roles)} ({', '.join(file.roles)})" if width <= len(file.roles) else str(width)
    if found < least or (found != width if file.needed > 1 else found > max(width, len(file.roles))):
        raise file.error(number, f"{count}, expected {expected}", hint)
