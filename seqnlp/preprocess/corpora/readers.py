"""Readers: from files of every format to records of named values, with errors that name file and line."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator, Sequence

from seqnlp import errors
from seqnlp.io import files
from seqnlp.preprocess.corpora import alignment, conll, detect, formats, schema, tables

TABLES = {"parquet": tables.parquet, "hub": tables.hub}
READERS = {**formats.READERS, "conll": conll.conll, "conllu": conll.conllu}


def records(source: schema.Source, roles: Sequence[str], *, targets: bool) -> Iterator[formats.Record]:
    """Yield the records of all files, one file after the other.

    With `targets` every role must be there, and files without a known ending are taken two by two where there are two
    roles; without (predict) only the first role must, and such a file is one input a line. Raises `DataError` at the
    first malformed record.
    """
    paths = iter(source.paths)
    for path in paths:
        kind, lines = detect.by_name(path, source), source.lines(path)
        if kind is None:
            kind, lines = detect.by_content(lines) if targets else ("text", lines)
        if kind in ("conll", "conllu") and tuple(roles)[:1] != conll.ROLES[:1]:
            raise errors.UsageError(f"{source.name(path)}: holds tokens and tags", "seqnlp tag takes it")
        if kind == "text" and targets and len(roles) > 1:
            partner = next(paths, None)
            if partner is None:
                raise errors.UsageError(
                    f"{source.name(path)}: a plain text file needs a second one with the {roles[1]} of each line",
                    f"give both, or a .tsv with {' and '.join(roles)}, or say what it is with --from",
                )
            yield from _pairs(source, (path, partner), (lines, source.lines(partner)), roles)
        else:
            needed = len(roles) if targets else 1
            about = (tuple(roles), needed, source.columns, source.header, source.layout)
            file = formats.File(source.name(path), lines, *about)
            if kind in TABLES:
                yield from formats.objects(file, TABLES[kind](path, file.name, source.digest(path)))
            else:
                yield from READERS[kind](file)


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
