"""A spool: the examples of a corpus in an Arrow column, so that the files they come from are read once."""

from __future__ import annotations

import io
import json
import os
import tempfile
import weakref
from collections.abc import Iterable, Iterator
from typing import Any, cast

import pyarrow

from seqnlp.io import jsonl
from seqnlp.preprocess.corpora import arrow, examples
from seqnlp.preprocess.corpora.examples import Example

COLUMN = "example"
FEATURES = {COLUMN: pyarrow.string()}


def to_json(example: Example) -> str:
    """Return an example as it stands in the column: all of it but its raw record."""
    rest = [example.others, example.steps] if example.steps else [example.others] if example.others else []
    return jsonl.to_json([example.source, example.target, example.file, example.line, *rest])


def _from_json(text: str) -> Example:
    source, target, file, line, *rest = json.loads(text)
    return Example(_frozen(source), _frozen(target), None, file, line, *map(_frozen, rest))


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def decoded(batches: Iterable[pyarrow.RecordBatch]) -> Iterator[Example]:
    """Yield the examples in batches that have the column."""
    for batch in arrow.released(batches):
        yield from map(_from_json, batch.column(COLUMN).to_pylist())


def spooled(items: Iterable[Example]) -> examples.Examples:
    """Return the examples, read once and kept in a temporary file without a name: memory does not grow with them."""
    file = tempfile.TemporaryFile(prefix="seqnlp-")  # noqa: SIM115 (it lives as long as the spool)
    spool = _Spool(file)
    size = 0
    with pyarrow.ipc.new_stream(file, pyarrow.schema(FEATURES)) as stream:
        for chunk in arrow.chunks(map(to_json, items), len):
            size += len(chunk)
            stream.write_batch(arrow.batch_of([{COLUMN: text} for text in chunk], FEATURES))
    file.flush()
    return examples.Examples(lambda: decoded(spool.batches()), size)


class _Spool:
    """The open file of a spool, which it closes when nobody needs it any more."""

    def __init__(self, file: Any) -> None:
        self._file = file
        weakref.finalize(self, file.close)

    def batches(self) -> Iterator[pyarrow.RecordBatch]:
        """Yield the batches from the first on; several readers may be under way."""
        # Not mapped into memory: pages that were read once would stay, and look as if memory grew with the corpus.
        with _Reader(self._file.fileno()) as reader:
            yield from pyarrow.ipc.open_stream(cast(Any, reader))


class _Reader(io.RawIOBase):
    """A file from its beginning, whatever others do that read it too."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor, self._place = descriptor, 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        block = os.pread(self._descriptor, len(buffer), self._place)
        buffer[: len(block)] = block
        self._place += len(block)
        return len(block)
