"""Encoded corpora: Arrow tables through `datasets`, in memory or memory-mapped from a folder."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import datasets
import numpy as np
import pyarrow

from seqnlp import textio

CHUNK = 4096


class Corpus:
    """The rows of an encoded corpus; every row has `lengths`, its number of steps (of source and target, for pairs)."""

    def __init__(self, table: datasets.Dataset) -> None:
        self.table = table
        self.lengths = np.array([max(row) for row in table["lengths"][:]], dtype=np.int64)

    def __len__(self) -> int:
        return len(self.table)

    def columns(self, rows: Sequence[int] | np.ndarray) -> dict[str, list[Any]]:
        """Return the columns of the given rows, for a task's `collate`."""
        return self.table[list(map(int, rows))]


def in_memory(rows: Iterable[Mapping[str, Any]], features: Mapping[str, Any]) -> Corpus:
    """Return encoded rows as an Arrow table in memory."""
    schema = datasets.Features(features).arrow_schema
    tables = [pyarrow.Table.from_batches([batch]) for batch in _batches(rows, schema)]
    table = pyarrow.concat_tables(tables) if tables else schema.empty_table()
    return Corpus(datasets.Dataset(table, fingerprint="memory"))  # else the whole table is hashed


def write(path: str | Path, rows: Iterable[Mapping[str, Any]], features: Mapping[str, Any]) -> None:
    """Write encoded rows as an Arrow stream, a few at a time: memory does not grow with the corpus."""
    schema = datasets.Features(features).arrow_schema
    with textio.atomic(path, "wb") as file, pyarrow.ipc.new_stream(file, schema) as stream:
        for batch in _batches(rows, schema):
            stream.write_batch(batch)


def memory_mapped(path: str | Path) -> Corpus:
    """Return what `write` wrote, read from the disk as it is used."""
    return Corpus(datasets.Dataset.from_file(str(path)))


def _batches(rows: Iterable[Mapping[str, Any]], schema: pyarrow.Schema) -> Iterator[pyarrow.RecordBatch]:
    for chunk in _chunks(rows):
        yield pyarrow.RecordBatch.from_pylist(chunk, schema=schema)


def _chunks(rows: Iterable[Mapping[str, Any]]) -> Iterable[list[dict[str, Any]]]:
    chunk: list[dict[str, Any]] = []
    for row in rows:
        chunk.append(dict(row))
        if len(chunk) == CHUNK:
            yield chunk
            chunk = []
    if chunk:
        yield chunk
