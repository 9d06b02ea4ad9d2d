"""Detection: which format a corpus has, by its name and its first line."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from seqnlp.io import files
from seqnlp.preprocess.corpora import formats, schema, tables

FORMATS = ("text", "tsv", "csv", "jsonl", "fasttext", "conll", "conllu", "parquet")
ENDINGS = {
    ".tsv": "tsv",
    ".csv": "csv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".conll": "conll",
    ".conllu": "conllu",
    ".parquet": "parquet",
}


def format_of(path: str, source: schema.Source, targets: bool) -> str:
    """Return the format of a file by its name, else by its first line; stdin is not waited for."""
    kind = by_name(path, source)
    if kind is None and targets and path != files.STDIN:
        kind, _ = by_content(files.lines(path, source.encoding))
    return kind or "text"


def by_name(path: str, source: schema.Source) -> str | None:
    """Return the format that --from or the ending of a name says, None where neither does."""
    if path.startswith(tables.HUB):
        return "hub"
    if source.format:
        return source.format
    bare = path.removesuffix(".gz")
    for ending, kind in ENDINGS.items():
        if bare.endswith(ending):
            return kind
    return None


def by_content(lines: Iterator[str]) -> tuple[str, Iterator[str]]:
    """Return the format of lines with targets, fastText's if that is how the first begins, and all of the lines."""
    first = next(lines, None)
    if first is None:
        return "text", lines
    kind = "fasttext" if first.startswith(formats.FASTTEXT_MARK) else "text"
    return kind, itertools.chain([first], lines)
