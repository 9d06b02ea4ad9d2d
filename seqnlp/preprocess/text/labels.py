"""Labels: the classes or tags of a task, numbered."""

from __future__ import annotations

import collections
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from seqnlp import errors
from seqnlp.io import jsonl

MISSING = -1  # the number of a label that training never saw


class Labels:
    """The names of classes in a fixed order, how often training saw each, and the way from name to number."""

    def __init__(self, names: Sequence[str], counts: Sequence[int]) -> None:
        self.names, self.counts = list(names), list(counts)
        self._number = {name: i for i, name in enumerate(self.names)}

    def __len__(self) -> int:
        return len(self.names)

    @classmethod
    def fit(cls, names: Iterable[str]) -> Labels:
        """Return the labels that occur, sorted by code point."""
        return cls.of(collections.Counter(names))

    @classmethod
    def of(cls, counts: Mapping[str, int]) -> Labels:
        """Return the labels by how often each occurs, sorted by code point."""
        ordered = sorted(counts)
        return cls(ordered, [counts[name] for name in ordered])

    def number(self, name: str) -> int:
        """Return a label's number, `MISSING` for one that training never saw."""
        return self._number.get(name, MISSING)

    def require(self, names: Iterable[str]) -> None:
        """Raise `DataError` for a name that is not among the labels: a trained model cannot learn new ones."""
        for name in names:
            if self.number(name) == MISSING:
                raise errors.DataError(f"the model to start from does not know the label {name!r}", "train a new model")

    def save(self, path: str | Path) -> None:
        """Write names and counts as JSON."""
        jsonl.write_json(path, {"labels": self.names, "counts": self.counts})

    @classmethod
    def load(cls, path: str | Path) -> Labels:
        """Return the labels in a file."""
        content = jsonl.read_json(path)
        return cls(content["labels"], content["counts"])
