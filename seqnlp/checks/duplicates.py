"""Duplicates: the same input twice, and rows of dev that are in train, where a score says little about new text.

A row is kept as the fingerprints of its input, eight bytes, and of its target, four, and its line: sixteen bytes.
"""

from __future__ import annotations

import array
import bisect
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from seqnlp.checks import base
from seqnlp.preprocess.corpora import fingerprints
from seqnlp.preprocess.corpora.examples import Example

SHORT = 2**32 - 1  # the part of a fingerprint that tells the targets of one input apart
MANY, LEAK = 0.1, 0.1  # shares of a part from which on repetition is a warning, and overlap an error


class Rows:
    """The rows of a part: fingerprints of inputs and of targets, and where each stands."""

    def __init__(self) -> None:
        self.inputs, self.targets, self.lines = array.array("Q"), array.array("I"), array.array("I")
        self.files: list[str] = []  # one after the other
        self.begins: list[int] = []  # the first row of each

    def add(self, example: Example) -> None:
        """Take a row."""
        if not self.files or self.files[-1] != example.file:
            self.files.append(example.file)
            self.begins.append(len(self.inputs))
        self.inputs.append(fingerprints.of(example.source))
        self.targets.append(fingerprints.of(example.target) & SHORT)
        self.lines.append(example.line)

    def where(self, row: int) -> str:
        """Return the place of a row as errors have it."""
        return f"{self.files[bisect.bisect(self.begins, row) - 1]}:{self.lines[row]}"


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
        train = self.rows[base.TRAIN]
        order = np.argsort(_array(train.inputs), kind="stable")  # of equal inputs the first row comes first
        inputs = _array(train.inputs)[order]
        yield from self._repeated(train, inputs, order)
        yield from self._overlap(train, inputs, order, self.rows[base.DEV])

    def summary(self) -> Mapping[str, Any]:
        sizes = {part: len(rows.inputs) for part, rows in self.rows.items() if rows.inputs}
        distinct = {part: len(np.unique(_array(self.rows[part].inputs))) for part in sizes}
        return {"rows": sizes, "distinct": distinct}

    def _repeated(self, rows: Rows, inputs: np.ndarray, order: np.ndarray) -> Iterator[base.Finding]:
        """Compare each row with the first one of the same input; inputs: in order, the rows' numbers in that order."""
        places = np.flatnonzero(inputs[1:] == inputs[:-1]) + 1
        places = places[np.argsort(order[places])]  # as the rows stand
        again, first = order[places], order[np.searchsorted(inputs, inputs[places])]
        targets = _array(rows.targets)
        same = targets[again] == targets[first]
        if same.any():
            level = base.WARNING if same.sum() >= MANY * len(inputs) else base.NOTE
            what = f"are a copy of an earlier {self.what}, target included"
            yield self._finding(level, rows, rows, again[same], first[same], what, "one of each is enough")
        if not self.varied and not same.all():
            what = f"have the input of an earlier {self.what}, but another target"
            hint = "decide which one is right: no model can learn both"
            yield self._finding(base.WARNING, rows, rows, again[~same], first[~same], what, hint)

    def _overlap(self, train: Rows, inputs: np.ndarray, order: np.ndarray, dev: Rows) -> Iterator[base.Finding]:
        """Look for the rows of dev among the inputs of train, in order."""
        if not len(inputs) or not dev.inputs:
            return
        wanted = _array(dev.inputs)
        places = np.minimum(np.searchsorted(inputs, wanted), len(inputs) - 1)
        known = np.flatnonzero(inputs[places] == wanted)
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
    return np.frombuffer(numbers, numbers.typecode) if numbers else np.zeros(0, numbers.typecode)
