"""Tables in text files: rows of cells, parted by tabs or by the rules of CSV, to records."""

from __future__ import annotations

import csv
import logging
import sys
from collections.abc import Iterable, Iterator, Sequence

from seqnlp.preprocess.corpora import delimiter, formats
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
            yield number, cells

    name = delimiter.NAMES.get(parted, "delimiter")
    yield from _records(file, rows(), f'a field that holds a {name} stands in quotes "..."')


def _records(file: File, rows: Rows, hint: str) -> Iterator[Record]:
    """Rows of cells to records, by the places of the schema."""
    header, said = file.schema.header, False
    under_way = False
    for number, cells in rows:
        if not any(cell.strip() for cell in cells) and len(cells) < 2:
            if file.needed == 1:  # predict: a blank line gives a blank line
                yield Record({file.roles[0]: ""}, Row("", tuple(cells), header), file.name, number)
            continue
        if header is not None and (not under_way or _is_again(cells, header)):
            if under_way and not said:
                log.info("%s:%d: its header once more, which is left out", file.name, number)
                said = True
            under_way = True
            continue
        under_way = True
        _check(file, number, cells, hint)
        places = {role: place for role, place in file.schema.places.items() if max(place) < len(cells)}
        values = {role: formats.together(file, role, [cells[i] for i in place]) for role, place in places.items()}
        yield Record(values, Row(values[file.roles[0]], tuple(cells), header), file.name, number)


def _is_again(cells: Sequence[str], header: Sequence[str]) -> bool:
    """Return whether a row is the header once more, as where files are joined: each may begin with a mark."""
    return cells[0].removeprefix("\ufeff") == header[0] and list(cells[1:]) == list(header[1:])


def _check(file: File, number: int, cells: Sequence[str], hint: str) -> None:
    found, width = len(cells), file.schema.width or len(file.roles)
    count = formats.count(cells)
    if file.schema.header is not None:
        if found <= max(max(file.schema.places[role]) for role in file.roles[: file.needed]):
            raise file.error(number, f"{count}, fewer than the header has", hint)
        if found > width:
            raise file.error(number, f"{count}, the header has {width}", hint)
        return
    expected = f"{len(file.roles)} ({', '.join(file.roles)})" if width <= len(file.roles) else str(width)
    if found != width if file.needed > 1 else found > max(width, len(file.roles)):
        raise file.error(number, f"{count}, expected {expected}", hint)
    if found <= max(max(file.schema.places[role]) for role in file.roles[: file.needed]):
        raise file.error(number, f"{count}, expected {expected}", hint)
