"""Encoded rows as Arrow tables: in memory, or memory-mapped from a file that `write` left."""

from __future__ import annotations

import mmap
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pyarrow

from seqnlp.io import atomic, files

CHUNK, HEAVY = 4096, 1 << 20  # rows in a batch of Arrow's, at the most, and what they weigh
RELEASE_EVERY = 16  # batches that are read one after the other
SCATTERED = 512  # rows that are taken before what was read is let go: each may map a megabyte around what it has

Features = Mapping[str, pyarrow.DataType]


class Rows:
    """The rows of an encoded corpus; every row has `lengths`, its number of steps (of source and target, for pairs)."""

    def __init__(self, table: pyarrow.Table) -> None:
        self.table = table
        self._batches = table.to_batches()
        self._starts = np.cumsum([0, *(batch.num_rows for batch in self._batches)])
        self._taken = 0  # rows, since what was read was let go
        flat = np.concatenate([np.zeros(0, np.int32), *self.parts("lengths")])
        self.lengths = flat.reshape(len(table), -1 if len(table) else 1)  # (N, 1), or (N, 2) for pairs

    def __len__(self) -> int:
        return len(self.table)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        for batch in released(self._batches):
            yield from batch.to_pylist()

    def columns(self, numbers: Sequence[int] | np.ndarray) -> dict[str, list[Any]]:
        """Return the columns of the given rows, for a task's `collate`."""
        table = self.take(numbers)
        return {name: table.column(name).to_pylist() for name in table.column_names}

    def take(self, numbers: Sequence[int] | np.ndarray) -> pyarrow.Table:
        """Return the given rows, in that order, as a table of one chunk.

        Arrow's own `take` would first join all batches of the table, which need not fit into memory.
        """
        self._taken += len(numbers)
        if self._taken > SCATTERED:
            self._taken = 0
            release()
        if len(self._batches) == 1:
            return self.table.take(pyarrow.array(numbers, pyarrow.int64()))
        holders = np.searchsorted(self._starts, numbers, side="right") - 1
        places = np.asarray(numbers, dtype=np.int64) - self._starts[holders]
        slices = [self._batches[i].slice(place, 1) for i, place in zip(holders.tolist(), places.tolist(), strict=True)]
        return pyarrow.Table.from_batches(slices, schema=self.table.schema).combine_chunks()

    def in_order(self, order: np.ndarray) -> Iterator[pyarrow.RecordBatch]:
        """Yield the rows in another order, a batch at a time."""
        for start in range(0, len(order), CHUNK):
            yield from self.take(order[start : start + CHUNK]).to_batches()

    def parts(self, column: str) -> list[np.ndarray]:
        """Return the numbers in a column of lists, one row after the other, in arrays that are not copied.

        They lie where the table lies: those of a corpus on the disk stay mapped.
        """
        return [chunk.flatten().to_numpy() for chunk in self.table.column(column).chunks]


def in_memory(rows: Iterable[Mapping[str, Any]], features: Features) -> Rows:
    """Return encoded rows as an Arrow table in memory."""
    batches = [batch_of(chunk, features) for chunk in chunks(rows, lambda row: sum(row["lengths"]))]
    return Rows(pyarrow.Table.from_batches(batches, schema=pyarrow.schema(features)).combine_chunks())


def write(path: str | Path, batches: Iterable[pyarrow.RecordBatch], features: Features | pyarrow.Schema) -> int:
    """Write batches of rows as an Arrow stream and return the number of rows: memory does not grow with the corpus."""
    rows = 0
    with atomic.atomic(path, "wb") as file, pyarrow.ipc.new_stream(file, pyarrow.schema(features)) as stream:
        for batch in batches:
            stream.write_batch(batch)
            rows += batch.num_rows
    return rows


def memory_mapped(path: str | Path) -> tuple[pyarrow.Table, str]:
    """Return what `write` wrote, read from the disk as it is used, and the SHA-256 of the file.

    Raises `pyarrow.ArrowInvalid` or `ValueError` where it is no such file.
    """
    with open(path, "rb") as file:
        digest = files.sha256_of(file)
        mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    _mapped.add(mapped)
    return pyarrow.ipc.open_stream(pyarrow.py_buffer(mapped)).read_all(), digest


_mapped: weakref.WeakSet[mmap.mmap] = weakref.WeakSet()


def release() -> None:
    """Let go of what was read of mapped files: it stays in the system's cache, but does not count as this process's."""
    for mapped in _mapped:
        mapped.madvise(mmap.MADV_DONTNEED)


def released(batches: Iterable[pyarrow.RecordBatch]) -> Iterator[pyarrow.RecordBatch]:
    """Yield batches, and let go of those before now and then: memory does not grow with the corpus."""
    for number, batch in enumerate(batches, 1):
        yield batch
        if number % RELEASE_EVERY == 0:
            release()


def batch_of(rows: Sequence[Mapping[str, Any]], features: Features) -> pyarrow.RecordBatch:
    """Return some rows as Arrow has them."""
    return pyarrow.RecordBatch.from_pylist(list(rows), schema=pyarrow.schema(features))


Item = TypeVar("Item")


def chunks(items: Iterable[Item], weight: Callable[[Item], int] = lambda item: 1) -> Iterator[list[Item]]:
    """Yield the items in lists of `CHUNK`, of fewer where they weigh more than `HEAVY`."""
    chunk, total = list[Item](), 0
    for item in items:
        chunk.append(item)
        total += weight(item)
        if len(chunk) == CHUNK or total > HEAVY:
            yield chunk
            chunk, total = [], 0
    if chunk:
        yield chunk
