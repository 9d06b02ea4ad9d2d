"""An example: what goes into a model, what should come out, and where in the data both stand."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import numpy as np


@dataclass(frozen=True)
class Example:
    """One input with its target, which may be missing, its raw record (a line, or a JSON object) and its place.

    others: further targets, which would be as right. steps: how many lines below that place each token stands, where
    each has a line of its own.
    """

    source: Any
    target: Any
    record: Any
    file: str
    line: int
    others: tuple[str, ...] = ()
    steps: tuple[int, ...] = ()

    @property
    def where(self) -> str:
        """Return `file:line`, as errors name it."""
        return f"{self.file}:{self.line}"

    def where_of(self, token: int) -> str:
        """Return `file:line` of a token, by its number from 0."""
        return f"{self.file}:{self.line + (self.steps[token] if self.steps else 0)}"

    @property
    def blank(self) -> bool:
        """Return whether there is nothing to predict from: a blank line gives a blank line."""
        return not self.source or (isinstance(self.source, str) and not self.source.strip())


Item = TypeVar("Item")


class ReIterable(Generic[Item]):
    """Items that can be iterated over again and again, made anew every time: they need not fit into memory."""

    def __init__(self, make: Callable[[], Iterator[Item]], size: int) -> None:
        self._make, self._size = make, size

    def __iter__(self) -> Iterator[Item]:
        return self._make()

    def __len__(self) -> int:
        return self._size


Examples = ReIterable[Example]


DEV_FRACTION, MAX_DEV_SIZE = 0.1, 2000


def random_split(examples: Examples, seed: int) -> tuple[Examples, Examples]:
    """Return train and dev: a random tenth for dev, at most 2,000, the same ones for the same seed."""
    total = len(examples)
    size = min(max(1, int(total * DEV_FRACTION)), MAX_DEV_SIZE)
    chosen = set(np.random.default_rng(seed).choice(total, size, replace=False).tolist()) if total > 1 else set()

    def part(dev: bool) -> Iterator[Example]:
        return (example for number, example in enumerate(examples) if (number in chosen) is dev)

    return Examples(lambda: part(False), total - len(chosen)), Examples(lambda: part(True), len(chosen))
