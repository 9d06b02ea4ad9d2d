"""Detection: which format a corpus has, by its name and its first line."""

from __future__ import annotations

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
    """Return the format of a file: --from, else its ending, else fastText's if that is how its first line begins."""
    if path.startswith(tables.HUB):
        return "hub"
    if source.format:
        return source.format
    bare = path.removesuffix(".gz")
    for ending, kind in ENDINGS.items():
        if bare.endswith(ending):
            return kind
    if targets and path != files.STDIN:
        first = next(iter(files.lines(path, source.encoding)), "")
        if first.startswith(formats.FASTTEXT_MARK):
            return "fasttext"
    return "text"
