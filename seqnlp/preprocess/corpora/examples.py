"""An example: what goes into a model, what should come out, and where in the data both stand."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Generic, TypeVar


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
