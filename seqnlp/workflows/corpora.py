"""A corpus, opened once and handed on: a text that was read to its end, or a folder of encoded rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from seqnlp import errors
from seqnlp.preprocess.corpora import schema, spool
from seqnlp.preprocess.corpora.examples import Examples
from seqnlp.tasks import base
from seqnlp.workflows import encoded, shards


@dataclass(frozen=True)
class Text:
    """A corpus of text: its examples, one at least, and the SHA-256 of each of its files, by name."""

    names: tuple[str, ...]  # what errors call its files
    examples: Examples
    data: Mapping[str, str]
    schema: schema.Schema | None = None  # what its first file looks like

    @property
    def title(self) -> str:
        """Return what errors call it."""
        return ", ".join(self.names)

    @property
    def digests(self) -> list[str]:
        """Return what tells it from any other corpus."""
        return list(self.data.values())


Corpus: TypeAlias = Text | encoded.Encoded


def opened(task: base.AnyTask, source: schema.Source, config: Any) -> Corpus:
    """Return the corpus that a source names.

    Raises `DataError` if it is malformed, empty or damaged, or was encoded for another task.
    """
    if source.encoded is None:
        return read(task, source, config)
    folder = shards.opened(source.paths)
    folder.check_task(task.name)
    return folder


def read(task: base.AnyTask, source: schema.Source, config: Any) -> Text:
    """Return a corpus of text, each of its files read once; raises `DataError` if there is no example in it."""
    source = replace(source, digests={})
    found = spool.spooled(task.read(source, config))
    if not len(found):
        raise errors.DataError(f"{source.title}: no examples", "is this the right file?")
    return Text(tuple(map(source.name, source.paths)), found, source.hashes(), source.schema)
