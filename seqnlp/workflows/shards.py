"""Shards: an encoded corpus in several folders, each the rows of a part, which training reads as one."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow

from seqnlp import errors
from seqnlp.preprocess.corpora.examples import Examples
from seqnlp.workflows import encoded


def part(examples: Examples, number: int, count: int) -> Examples:
    """Return part `number`, from 1, of `count` of the examples: parts in order are the whole in order."""
    begin, end = (len(examples) * place // count for place in (number - 1, number))
    return Examples(lambda: itertools.islice(examples, begin, end), end - begin)


def opened(names: Sequence[str]) -> encoded.Encoded:
    """Return the encoded corpus in a folder, or in several; raises `DataError` where they do not belong together."""
    first, *others = parts = [encoded.open_folder(name) for name in names]
    if not others:
        return first
    for other in parts:
        if other.plan is not None:
            raise errors.UsageError(f"{other.path}: is packed, shards are not", "train on what encode made")
        other.check_task(first.content["task"])
        other.check_codec(first.content["files"], first.config(), str(first.path))
    if len({other.content["made"][encoded.ROWS] for other in parts}) < len(parts):
        raise errors.UsageError(f"{first.title}, ...: two of the folders hold the same rows", "each shard once")
    if len({other.fitted for other in parts}) > 1:
        raise errors.UsageError(
            f"{first.title}, ...: some were encoded with --codec, others not", "encode all shards the same way"
        )
    return Shards(first.path, first.content, None, tuple(parts))


@dataclass(frozen=True)
class Shards(encoded.Encoded):
    """An encoded corpus in several folders, of one task and one codec; the first one speaks for all."""

    parts: tuple[encoded.Encoded, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Return what errors call it."""
        return tuple(one.title for one in self.parts)

    @property
    def data(self) -> dict[str, str]:
        """Return the SHA-256 of each file that it comes from, by name."""
        return {name: digest for one in self.parts for name, digest in one.data.items()}

    @property
    def digests(self) -> list[str]:
        """Return what tells it from any other corpus."""
        return [digest for one in self.parts for digest in one.digests]

    @functools.cached_property
    def table(self) -> pyarrow.Table:
        """Return the rows of all, one after the other, read from the disk as they are used."""
        return pyarrow.concat_tables(one.table for one in self.parts)
