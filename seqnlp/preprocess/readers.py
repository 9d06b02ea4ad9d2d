"""Readers: from files of every format to records of named values, with errors that name file and line."""

from __future__ import annotations

import itertools
import math
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from seqnlp import errors, textio
from seqnlp.preprocess import columns, formats, tables

ENDINGS = {
    ".tsv": "tsv",
    ".csv": "csv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".conll": "conll",
    ".conllu": "conllu",
    ".parquet": "parquet",
}
TABLES = {"parquet": tables.parquet, "hub": tables.hub}
READERS = {**formats.READERS, "conll": columns.conll, "conllu": columns.conllu}
ENCODED = "encoded.json"  # stands in the folders that `encode` and `pack` make


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
    layout: Mapping[str, str] = field(default_factory=dict)  # of files in columns: tokens, tags, column
    names: Mapping[str, str] = field(default_factory=dict)  # how errors call a path, where not by itself

    def name(self, path: str) -> str:
        """Return how a person knows a path."""
        return self.names.get(path) or textio.name(path)

    @property
    def encoded(self) -> str | None:
        """Return the folder, where it is one that `encode` or `pack` made; such a one stands alone."""
        found = [path for path in self.paths if os.path.isfile(os.path.join(path, ENCODED))]
        if found and len(self.paths) > 1:
            raise errors.UsageError(f"{found[0]}: an encoded corpus cannot be read together with others")
        return found[0] if found else None

    def check(self) -> None:
        """Raise `UsageError` unless every file is there and may be read."""
        if self.encoded:
            return
        for path in self.paths:
            if path != textio.STDIN and not path.startswith(tables.HUB) and not _is_pipe(path):
                textio.open_bytes(path).close()

    @property
    def title(self) -> str:
        """Return the names of all files, for errors."""
        return ", ".join(map(self.name, self.paths))

    def hashes(self) -> dict[str, str]:
        """Return the SHA-256 of every file, by name."""
        return {self.name(path): self._hash(path) for path in self.paths}

    def _hash(self, path: str) -> str:
        return tables.fingerprint(path) if path.startswith(tables.HUB) else textio.sha256(path)


def records(source: Source, roles: Sequence[str], *, targets: bool) -> Iterator[formats.Record]:
    """Yield the records of all files, one file after the other.

    With `targets` every role must be there, and files without a known ending are taken two by two; without (predict)
    only the first role must, and such a file is one input a line. Raises `DataError` at the first malformed record.
    """
    paths = iter(source.paths)
    for path in paths:
        kind = format_of(path, source, targets)
        if kind in ("conll", "conllu") and tuple(roles)[:1] != columns.ROLES[:1]:
            raise errors.UsageError(f"{source.name(path)}: holds tokens and tags", "seqnlp tag takes it")
        if kind == "text" and targets:
            partner = next(paths, None)
            if partner is None:
                raise errors.UsageError(
                    f"{source.name(path)}: a plain text file needs a second one with the {roles[1]} of each line",
                    f"give both, or a .tsv with {' and '.join(roles)}, or say what it is with --from",
                )
            yield from _pairs(source, path, partner, roles)
        else:
            lines = () if kind in TABLES else textio.lines(path, source.encoding)
            needed = len(roles) if targets else 1
            about = (tuple(roles), needed, source.columns, source.header, source.layout)
            file = formats.File(source.name(path), lines, *about)
            yield from formats.objects(file, TABLES[kind](path, file.name)) if kind in TABLES else READERS[kind](file)


def format_of(path: str, source: Source, targets: bool) -> str:
    """Return the format of a file: --from, else its ending, else fastText's if that is how its first line begins."""
    if path.startswith(tables.HUB):
        return "hub"
    if source.format:
        return source.format
    bare = path.removesuffix(".gz")
    for ending, kind in ENDINGS.items():
        if bare.endswith(ending):
            return kind
    if targets and path != textio.STDIN:
        first = next(iter(textio.lines(path, source.encoding)), "")
        if first.startswith(formats.FASTTEXT_MARK):
            return "fasttext"
    return "text"


def spooled(source: Source) -> Source:
    """Return the source with stdin and pipes copied to files: training reads its corpus more than once."""
    for path in source.paths:
        if path == textio.STDIN or not (os.path.isfile(path) or os.path.isdir(path) or path.startswith(tables.HUB)):
            source = _spool(source, path)
    return source


def _is_pipe(path: str) -> bool:
    """Return whether a path can be opened once only: a named pipe, or what a shell makes of <(...)."""
    return os.path.exists(path) and not os.path.isfile(path) and not os.path.isdir(path)


def _spool(source: Source, pipe: str) -> Source:
    copy = tempfile.NamedTemporaryFile(prefix="seqnlp-stdin-")  # noqa: SIM115 (it must outlive this function)
    with textio.open_bytes(pipe) as stream:
        shutil.copyfileobj(stream, copy)
    copy.flush()
    paths = tuple(copy.name if path == pipe else path for path in source.paths)
    _SPOOLED.append(copy)
    return replace(source, paths=paths, names={**source.names, copy.name: textio.name(pipe)})


_SPOOLED: list[Any] = []  # temporary files live as long as the process


def _pairs(source: Source, path: str, partner: str, roles: Sequence[str]) -> Iterator[formats.Record]:
    """Line i of one file belongs to line i of the other."""
    left, right = (textio.lines(p, source.encoding) for p in (path, partner))
    number = 0
    for number, (first, second) in enumerate(itertools.zip_longest(left, right), 1):
        if first is None or second is None:
            counts = [number - 1, number + sum(1 for _ in (right if first is None else left))]
            if second is None:
                counts.reverse()
            place = shifted(*(textio.lines(p, source.encoding) for p in (path, partner)))
            where = f"; from line {place} on they look shifted" if place else ""
            raise errors.DataError(
                f"{source.name(path)} has {counts[0]} lines, {source.name(partner)} has {counts[1]}{where}",
                "the two files must belong together line by line",
            )
        yield formats.Record({roles[0]: first, roles[1]: second}, first, source.name(path), number)


def shifted(left: Iterable[str], right: Iterable[str]) -> int | None:
    """Return the line from which on two files do not seem to belong together any more, None if there is none.

    Lengths of lines that belong together go along with each other (Gale & Church 1993). So where lines are missing from
    the shorter file, those after them go along with later ones of the longer.
    """
    sizes = (np.log1p([len(line) for line in side]) for side in (left, right))
    short, long = sorted(sizes, key=len)
    if not len(short):
        return None
    missing = len(long) - len(short)
    offsets = {*range(1, min(missing, NEAR) + 1), missing}
    return min(filter(None, (_turn(long, short, offset) for offset in offsets)), default=None)


def _turn(long: np.ndarray, short: np.ndarray, offset: int) -> int | None:
    """Return the line from which on `short` goes along with what is `offset` lines further on in `long`.

    Of each line we know how far the ratio of lengths is from the usual one, as it stands and moved. The place is where
    it is best to go over to the moved ones; it must save more than chance would at the best of so many places.
    """
    usual = np.median(long[: len(short)] - short)
    still, moved = (np.abs(long[begin : begin + len(short)] - short - usual) for begin in (0, offset))
    sums = np.concatenate([[0.0], np.cumsum(still - moved)])
    place = int(sums.argmin())
    saved = (sums[-1] - sums[place]) / max(np.minimum(still, moved).mean(), LEAST_NOISE)
    return place + 1 if saved > SURE + 2 * math.log(len(short)) else None


NEAR = 5  # lines that may be missing one after the other, or all that are
SURE, LEAST_NOISE = 4.0, 0.05  # in units of what lines that belong together differ by, in logarithms; its least
FORMATS = (*READERS, "parquet")
