"""Readers: from files of every format to records of named values, with errors that name file and line."""

from __future__ import annotations

import itertools
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from seqnlp import errors, textio
from seqnlp.preprocess import formats

ENDINGS = {".tsv": "tsv", ".csv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl"}


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


def records(source: Source, roles: Sequence[str], *, targets: bool) -> Iterator[formats.Record]:
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
            file = formats.File(source.name(path), lines, tuple(roles), needed, source.columns, source.header)
            yield from formats.READERS[kind](file)


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
        if first.startswith(formats.FASTTEXT_MARK):
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


def _pairs(source: Source, path: str, partner: str, roles: Sequence[str]) -> Iterator[formats.Record]:
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
        yield formats.Record({roles[0]: first, roles[1]: second}, first, source.name(path), number)


FORMATS = tuple(formats.READERS)
