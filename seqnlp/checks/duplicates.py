"""Duplicates: the same input twice, and rows of dev that are in train, where a score says little about new text.

A row is kept as two fingerprints and its place: 28 bytes.
"""

from __future__ import annotations

import array
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from seqnlp.checks import base
from seqnlp.preprocess.corpora import fingerprints
from seqnlp.preprocess.corpora.examples import Example

MANY, LEAK = 0.1, 0.1  # shares of a part from which on repetition is a warning, and overlap an error


class Rows:
    """The rows of a part: fingerprints of inputs and of targets, and where each stands."""

    def __init__(self) -> None:
        self.inputs, self.targets = array.array("Q"), array.array("Q")
        self.lines, self.files = array.array("Q"), array.array("L")
        self.names: dict[str, int] = {}

    def add(self, example: Example) -> None:
        """Take a row."""
        self.inputs.append(fingerprints.of(example.source))
        self.targets.append(fingerprints.of(example.target))
        self.lines.append(example.line)
        self.files.append(self.names.setdefault(example.file, len(self.names)))

    def where(self, row: int) -> str:
        """Return the place of a row as errors have it."""
        return f"{list(self.names)[self.files[row]]}:{self.lines[row]}"


class Duplicates(base.Check):
    """Finds inputs that recur, within train and from train to dev; `what` a row is called: a text, a pair.

    varied: one input may well have several targets, as a sentence has several translations.
    """

    name, quick = "duplicates", True

    def __init__(self, what: str, *, varied: bool = False) -> None:
        self.what, self.varied = what, varied
        self.rows = {part: Rows() for part in base.PARTS}

    def see(self, example: Example, part: str) -> None:
        self.rows[part].add(example)

    def findings(self) -> Iterator[base.Finding]:
        yield from self._repeated(self.rows[base.TRAIN])
        yield from self._overlap(self.rows[base.TRAIN], self.rows[base.DEV])

    def summary(self) -> Mapping[str, Any]:
        sizes = {part: len(rows.inputs) for part, rows in self.rows.items() if rows.inputs}
        distinct = {part: len(np.unique(_array(self.rows[part].inputs))) for part in sizes}
        return {"rows": sizes, "distinct": distinct}

    def _repeated(self, rows: Rows) -> Iterator[base.Finding]:
        """Compare each row with the first one of the same input."""
        inputs, targets = _array(rows.inputs), _array(rows.targets)
        _, first, which = np.unique(inputs, return_index=True, return_inverse=True)
        first = first[which.reshape(-1)]
        again = np.flatnonzero(first != np.arange(len(inputs)))
        same = targets[again] == targets[first[again]]
        if same.any():
            level = base.WARNING if same.sum() >= MANY * len(inputs) else base.NOTE
            what = f"are a copy of an earlier {self.what}, target included"
            yield self._finding(level, rows, rows, again[same], first[again[same]], what, "one of each is enough")
        if not self.varied and not same.all():
            other = again[~same]
            what = f"have the input of an earlier {self.what}, but another target"
            hint = "decide which one is right: no model can learn both"
            yield self._finding(base.WARNING, rows, rows, other, first[other], what, hint)

    def _overlap(self, train: Rows, dev: Rows) -> Iterator[base.Finding]:
        inputs, order = _array(train.inputs), np.argsort(_array(train.inputs), kind="stable")
        if not len(inputs) or not dev.inputs:
            return
        wanted = _array(dev.inputs)
        places = np.minimum(np.searchsorted(inputs, wanted, sorter=order), len(inputs) - 1)
        known = np.flatnonzero(inputs[order[places]] == wanted)
        if len(known):
            level = base.ERROR if len(known) >= LEAK * len(wanted) else base.WARNING
            what, hint = "of dev are in train too", "take them out of one: the score on dev is too good for new text"
            yield self._finding(level, dev, train, known, order[places[known]], what, hint, "overlap")

    def _finding(
        self,
        level: str,
        rows: Rows,
        others: Rows,
        numbers: np.ndarray,
        twins: np.ndarray,
        what: str,
        hint: str,
        check: str = "duplicates",
    ) -> base.Finding:
        pairs = list(zip(numbers[: base.SHOWN].tolist(), twins[: base.SHOWN].tolist(), strict=True))
        places = [f"{rows.where(row)} = {others.where(twin)}" for row, twin in pairs]
        message = f"{base.share(len(numbers), len(rows.inputs))} {self.what}s {what}"
        return base.Finding(level, check, message, hint, len(numbers), places)


def _array(numbers: array.array[int]) -> np.ndarray:
    return np.frombuffer(numbers, np.uint64) if numbers else np.zeros(0, np.uint64)
