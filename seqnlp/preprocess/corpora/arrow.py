"""Encoded corpora: Arrow tables through `datasets`, in memory or memory-mapped from a folder."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import datasets
import numpy as np
import pyarrow

from seqnlp.io import atomic

CHUNK = 4096


class Corpus:
    """The rows of an encoded corpus; every row has `lengths`, its number of steps (of source and target, for pairs)."""

    def __init__(self, table: datasets.Dataset) -> None:
        self.table = table
        flat = table.data.column("lengths").combine_chunks().flatten().to_numpy().astype(np.int64)
        self.lengths = flat.reshape(len(table), -1 if len(table) else 1)  # (N, 1), or (N, 2) for pairs

    def __len__(self) -> int:
        return len(self.table)

    def columns(self, rows: Sequence[int] | np.ndarray) -> dict[str, list[Any]]:
        """Return the columns of the given rows, for a task's `collate`."""
        return self.table[list(map(int, rows))]

    def parts(self, column: str) -> list[np.ndarray]:
        """Return the numbers in a column of lists, one row after the other, in arrays that are not copied.

        They lie where the table lies: those of a corpus on the disk stay mapped.
        """
        return [chunk.flatten().to_numpy() for chunk in self.table.data.column(column).chunks]


def in_memory(rows: Iterable[Mapping[str, Any]], features: Mapping[str, Any]) -> Corpus:
    """Return encoded rows as an Arrow table in memory."""
    batches = [batch_of(chunk, features) for chunk in chunks(rows)]
    table = pyarrow.Table.from_batches(batches, schema=datasets.Features(features).arrow_schema)
    return Corpus(_dataset(table))


def write(path: str | Path, batches: Iterable[pyarrow.RecordBatch], features: Mapping[str, Any]) -> int:
    """Write batches of rows as an Arrow stream and return the number of rows: memory does not grow with the corpus."""
    rows = 0
    schema = datasets.Features(features).arrow_schema
    with atomic.atomic(path, "wb") as file, pyarrow.ipc.new_stream(file, schema) as stream:
        for batch in batches:
            stream.write_batch(batch)
            rows += batch.num_rows
    return rows


def memory_mapped(path: str | Path, without: Sequence[str] = ()) -> Corpus:
    """Return what `write` wrote, read from the disk as it is used, but for some columns."""
    file = pyarrow.memory_map(os.fsencode(path))  # `datasets` itself takes names in UTF-8 only
    table = pyarrow.ipc.open_stream(file).read_all()
    return Corpus(_dataset(table.drop_columns(list(without))))


def _dataset(table: pyarrow.Table) -> datasets.Dataset:
    return datasets.Dataset(table, fingerprint="rows")  # else the whole table is hashed


def in_order(table: datasets.Dataset, order: np.ndarray) -> Iterator[pyarrow.RecordBatch]:
    """Yield the rows of a table in another order."""
    gathered = table.with_format("arrow")
    for start in range(0, len(order), CHUNK):
        yield from gathered[order[start : start + CHUNK].tolist()].combine_chunks().to_batches()


def batch_of(rows: Sequence[Mapping[str, Any]], features: Mapping[str, Any]) -> pyarrow.RecordBatch:
    """Return some rows as Arrow has them."""
    return pyarrow.RecordBatch.from_pylist(list(rows), schema=datasets.Features(features).arrow_schema)


Item = TypeVar("Item")


def chunks(items: Iterable[Item]) -> Iterator[list[Item]]:
    """Yield the items in lists of `CHUNK`."""
    rest = iter(items)
    while chunk := list(itertools.islice(rest, CHUNK)):
        yield chunk
