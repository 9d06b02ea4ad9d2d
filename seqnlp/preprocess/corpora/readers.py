"""Readers: from files of every format to records of named values, with errors that name file and line."""

from __future__ import annotations

import itertools
import logging
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from seqnlp import errors
from seqnlp.io import files
from seqnlp.preprocess.corpora import alignment, conll, detect, formats, look, objects, schema, tables, tabular

log = logging.getLogger(__name__)

TABLES = {"parquet": tables.parquet, "hub": tables.hub, "saved": tables.saved}
READERS = {
    **formats.READERS,
    "tsv": tabular.tsv,
    "csv": tabular.read_csv,
    "jsonl": objects.read_json,
    "conll": conll.conll,
    "conllu": conll.conllu,
}


def records(
    source: schema.Source, roles: Sequence[str], *, targets: bool, answers: bool = False
) -> Iterator[formats.Record]:
    """Yield the records of all files, one file after the other.

    With `targets` every role must be there, and plain text is taken two by two where there are two roles; without
    (predict) only the first role must, and such a file is one input a line. With `answers` (score) what is no corpus,
    plain text or a table of one column, holds the last role alone. What a file was recognised as is noted in
    `source.schemas`, and expected of the next. Raises `DataError` at the first malformed record.
    """
    roles, paths = tuple(roles), iter(source.paths)
    needed = len(roles) if targets else 1
    for path in paths:
        seen = _opened(source, path, roles, needed, answers)
        if isinstance(seen, str):
            file = _file(source, path, roles, needed, schema.Schema(seen), ())
            source.schemas[path] = file.schema
            yield from objects.read_rows(file, TABLES[seen](path, file.name, source.digest(path)))
            continue
        found = detect.recognised(seen)
        if answers and (found.format == "text" or found.width == 1):
            seen = replace(seen, roles=roles[-1:], needed=1)
        elif found.format == "text" and needed > 1:
            if (partner := next(paths, None)) is not None:
                log.info("%s, %s: text, line by line", source.name(path), source.name(partner))
                source.schemas.update({path: found, partner: found})
                yield from _pairs(source, (path, partner), (seen.lines, source.lines(partner)), roles)
                continue
            found = detect.recognised(seen, alone=True)
        _check(source, path, seen.roles, found, seen.needed)
        lines = seen.lines if found.format == "text" else _unmarked(seen.lines)
        file = _file(source, path, seen.roles, seen.needed, found, lines)
        source.schemas[path] = found
        if found.format != "jsonl" and seen.head:
            file.note(found)
        yield from READERS[found.format](file)


def format_of(source: schema.Source, roles: tuple[str, ...]) -> str:
    """Return the format of a file, which can be opened again, or of a table; text where nothing tells."""
    (path,) = source.paths
    seen = _opened(source, path, roles, 1)
    return seen if isinstance(seen, str) else detect.format_of(seen) or "text"


def _opened(
    source: schema.Source, path: str, roles: tuple[str, ...], needed: int, answers: bool = False
) -> look.Look | str:
    """Return the first lines of a file, or which kind of table with named columns it is."""
    if (kind := detect.is_table(path, source)) is not None:
        return kind
    try:
        return look.first_lines(path, source, roles, needed, answers=answers)
    except files.OtherKindError as error:
        if error.mark != files.PARQUET or source.format is not None or not os.path.isfile(path):
            raise
        log.warning(detect.DISAGREE, source.name(path), detect.by_name(path, source) or "text", "parquet")
        return "parquet"


def _file(
    source: schema.Source,
    path: str,
    roles: tuple[str, ...],
    needed: int,
    found: schema.Schema,
    lines: Iterable[str],
) -> formats.File:
    name = source.name(path)

    def note(known: schema.Schema) -> None:
        log.info("%s: %s", name, known)
        source.schemas[path] = known

    about = (source.columns, source.layout, source.expected, source.header, note)
    return formats.File(name, lines, roles, needed, found, *about)


def _unmarked(lines: Iterable[str]) -> Iterator[str]:
    """Yield lines without the byte order marks that come before some where files were joined."""
    return (line.removeprefix("\ufeff") for line in lines)


def _check(source: schema.Source, path: str, roles: tuple[str, ...], found: schema.Schema, needed: int) -> None:
    """Raise `UsageError` where a file is of a kind that does not hold these roles."""
    name = source.name(path)
    if found.format in ("conll", "conllu") and roles[:1] != conll.ROLES[:1]:
        raise errors.UsageError(f"{name}: holds tokens and tags", "seqnlp tag takes it")
    if found.format == "text" and needed > 1:
        raise errors.UsageError(
            f"{name}: a plain text file needs a second one with the {roles[1]} of each line",
            f"give both, or a .tsv with {' and '.join(roles)}, or say what it is with --from",
        )


def _pairs(
    source: schema.Source, paths: tuple[str, str], lines: tuple[Iterator[str], Iterator[str]], roles: Sequence[str]
) -> Iterator[formats.Record]:
    """Line i of one file belongs to line i of the other."""
    left, right = lines
    number = 0
    for number, (first, second) in enumerate(itertools.zip_longest(left, right), 1):
        if first is None or second is None:
            counts = [number - 1, number + sum(1 for _ in (right if first is None else left))]
            if second is None:
                counts.reverse()
            one, other = map(source.name, paths)
            raise errors.DataError(
                f"{one} has {counts[0]} lines, {other} has {counts[1]}{_shift(source, paths)}",
                "the two files must belong together line by line",
            )
        yield formats.Record({roles[0]: first, roles[1]: second}, first, source.name(paths[0]), number)


def _shift(source: schema.Source, paths: tuple[str, str]) -> str:
    """Return in words where two files come apart, as far as they can be read once more."""
    if not all(map(os.path.isfile, paths)):
        return ""
    place = alignment.shifted(*(files.lines(path, source.encoding) for path in paths))
    return f"; from line {place} on they look shifted" if place else ""
