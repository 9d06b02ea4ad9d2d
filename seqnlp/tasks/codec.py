"""What a task makes of examples: rows, batches of them, and the codec between; a trained model to begin with."""

from __future__ import annotations

import abc
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seqnlp.preprocess.corpora import examples

if TYPE_CHECKING:
    import torch
    from typing_extensions import Self

Row = dict[str, Any]  # an encoded example, by column
Columns = Mapping[str, list[Any]]  # encoded rows, by column


@dataclass(frozen=True)
class Batch:
    """Encoded rows as tensors, each a field; one that is None is not there."""

    def to(self, device: torch.device) -> Self:
        """Return the batch on a device."""
        moved = {f.name: v.to(device) for f in fields(self) if (v := getattr(self, f.name)) is not None}
        return replace(self, **moved)


@dataclass(frozen=True)
class Pretrained:
    """A trained model that another begins with: the name of its folder, and the hash of its weights."""

    name: str
    config: Any
    codec: Any
    network: Any
    weights: str


class Codec(abc.ABC):
    """From an example to numbers: tokenizers, labels and what else was fitted on the training part."""

    def __getstate__(self) -> dict[str, Any]:
        """Return what a copy, or a pickle, holds: the fields, not what is remembered beside them."""
        return {field.name: getattr(self, field.name) for field in fields(self)}  # type: ignore[arg-type]

    @property
    def sources(self) -> list[str]:
        """Return the SHA-256 of each of `Task.files` as they were read."""
        return []

    @property
    def labels(self) -> Mapping[str, int]:
        """Return how often training saw each label; nothing where a task has none."""
        return {}

    def labels_of(self, example: examples.Example) -> Iterable[str]:
        """Return the labels of an example as `labels` calls them."""
        return example.target or ()

    @abc.abstractmethod
    def encode(self, example: examples.Example, *, fitted: bool = False) -> Row:
        """Return the row of an example; `lengths` is its number of steps. Targets may be missing.

        fitted: the example is one of those that the codec was fitted on.
        """

    @abc.abstractmethod
    def features(self) -> dict[str, Any]:
        """Return the types of a row by column, pyarrow's."""

    @abc.abstractmethod
    def save(self, folder: Path) -> list[str]:
        """Write the codec into a folder; return the names of its files."""

    @classmethod
    @abc.abstractmethod
    def load(cls, folder: Path, config: Any) -> Self:
        """Return the codec that `save` wrote."""
