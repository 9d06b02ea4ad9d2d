"""Seen: which rows a model was trained on and which chose its weights, known again by the fingerprints of their inputs.

Eight bytes a row, in one file of the model's folder. Of more than a million rows those with the smallest fingerprints
are kept: up to the greatest of them every row can be told, beyond it none (a bottom-k sketch, Cohen & Kaplan 2007).
"""

from __future__ import annotations

import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from seqnlp.io import atomic, files
from seqnlp.preprocess.corpora import fingerprints
from seqnlp.preprocess.corpora.examples import Example

MOST = 1_000_000  # rows that are kept: 8 MB
ALL = np.uint64(2**64 - 1)


@dataclass(frozen=True)
class Seen:
    """The fingerprints of the rows of train and of dev, sorted, none in both; those above `bound` are lost."""

    train: np.ndarray
    dev: np.ndarray
    bound: np.uint64 = ALL

    @classmethod
    def of(cls, train: Sequence[int] | np.ndarray, dev: Sequence[int] | np.ndarray, bound: np.uint64 = ALL) -> Seen:
        """Return what remembers the inputs with these fingerprints; what is in both parts was trained on."""
        trained = np.unique(np.asarray(train, np.uint64))
        chosen = np.setdiff1d(np.unique(np.asarray(dev, np.uint64)), trained)
        every = np.concatenate([trained, chosen])
        if len(every) > MOST:
            bound = min(bound, np.partition(every, MOST - 1)[MOST - 1])
        return cls(trained[trained <= bound], chosen[chosen <= bound], bound)

    def joined(self, before: Seen) -> Seen:
        """Return what remembers the rows of the model that this one began with, too."""
        return Seen.of(
            np.concatenate([self.train, before.train]),
            np.concatenate([self.dev, before.dev]),
            min(self.bound, before.bound),
        )

    def new(self, inputs: np.ndarray) -> np.ndarray:
        """Return whether rows are certainly neither of train nor of dev, by the fingerprints of their inputs, (N,)."""
        known: np.ndarray = np.isin(inputs, self.train) | np.isin(inputs, self.dev) | (inputs > self.bound)
        return ~known

    def save(self, path: Path) -> None:
        """Write it as one safetensors file."""
        import safetensors.numpy  # help need not wait for it

        arrays = {"train": self.train, "dev": self.dev, "bound": np.array([self.bound], np.uint64)}
        with atomic.atomic(path, "wb") as file:
            file.write(safetensors.numpy.save(arrays))

    @classmethod
    def load(cls, path: Path) -> Seen:
        """Return what `save` wrote."""
        import safetensors.numpy

        with files.in_utf8(path) as name:
            arrays = safetensors.numpy.load_file(name)
        return cls(arrays["train"], arrays["dev"], np.uint64(arrays["bound"][0]))


class Sketch:
    """The fingerprints of rows as they come by: what `Seen` needs of them, in memory that does not grow with them."""

    def __init__(self) -> None:
        self.kept, self.new = np.zeros(0, np.uint64), array.array("Q")

    def add(self, fingerprint: int) -> None:
        """Take that of a row."""
        self.new.append(fingerprint)
        if len(self.new) >= MOST:
            self._join()

    def values(self) -> np.ndarray:
        """Return the smallest ones, each once, sorted; one more than `MOST` where some are lost, as `Seen.of` asks."""
        self._join()
        return self.kept

    def _join(self) -> None:
        self.kept = np.unique(np.concatenate([self.kept, np.array(self.new, np.uint64)]))[: MOST + 1]
        self.new = array.array("Q")


def inputs(corpus: Iterable[Example]) -> np.ndarray:
    """Return the fingerprints of the inputs of examples, (N,)."""
    return np.fromiter((fingerprints.of(example.source) for example in corpus), np.uint64)
