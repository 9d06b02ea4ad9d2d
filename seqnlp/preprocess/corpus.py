"""Encoded corpora: Arrow tables through `datasets`, in memory or memory-mapped from a folder."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import datasets
import numpy as np
import pyarrow

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
    """Return an Arrow table of encoded rows."""
    schema = datasets.Features(features)
    tables = [pyarrow.Table.from_pylist(chunk, schema=schema.arrow_schema) for chunk in _chunks(rows)]
    table = pyarrow.concat_tables(tables) if tables else schema.arrow_schema.empty_table()
    return Corpus(datasets.Dataset(table, fingerprint="memory"))  # else the whole table is hashed


def _chunks(rows: Iterable[Mapping[str, Any]]) -> Iterable[list[dict[str, Any]]]:
    chunk: list[dict[str, Any]] = []
    for row in rows:
        chunk.append(dict(row))
        if len(chunk) == CHUNK:
            yield chunk
            chunk = []
    if chunk:
        yield chunk
