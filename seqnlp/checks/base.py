"""A check: it sees the examples of a corpus one by one, and says at the end what it found."""

from __future__ import annotations

import abc
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, ClassVar

from seqnlp.preprocess.corpora.examples import Example

ERROR, WARNING, NOTE = LEVELS = ("error", "warning", "note")  # worst first
TRAIN, DEV = PARTS = ("train", "dev")
SHOWN = 5  # examples of a finding


@dataclass(frozen=True)
class Finding:
    """Something that may be wrong: how bad, in words, what to do, how many rows, and where the first ones stand.

    An error spoils a training or its score; a warning costs some of it; a note is worth a look.
    """

    level: str
    check: str
    message: str
    hint: str
    count: int = 1
    examples: Sequence[str] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON holds it."""
        return {**asdict(self), "examples": list(self.examples)}

    def __str__(self) -> str:
        """Return it in a line, with the first of its examples."""
        first = f" (the first: {self.examples[0]})" if self.examples else ""
        return f"{self.message}{first}; {self.hint}"


@dataclass
class Places:
    """How many rows have something in common, and where the first few of them stand."""

    count: int = 0
    first: list[str] = field(default_factory=list)

    def add(self, place: str) -> None:
        """Count a row."""
        self.count += 1
        if len(self.first) < SHOWN:
            self.first.append(place)


class Check(abc.ABC):
    """Sees all of train, then all of dev, and once more where it `reviews`; memory does not grow with the texts."""

    name: ClassVar[str]
    quick: ClassVar[bool] = False  # so cheap that every training looks for it
    reviews: ClassVar[bool] = False  # needs a second look, when it knows what is usual

    @abc.abstractmethod
    def see(self, example: Example, part: str) -> None:
        """Take an example of a part, train or dev."""

    def review(self, example: Example, part: str) -> None:  # noqa: B027 (most look once)
        """Take it once more."""

    @abc.abstractmethod
    def findings(self) -> Iterator[Finding]:
        """Yield what was found."""

    def summary(self) -> Mapping[str, Any]:
        """Return what there is to know besides, by topic: counts, lengths, classes."""
        return {}


def share(count: int, total: int) -> str:
    """Return a number of rows with its share in words: `12 of 300 (4%)`."""
    percent = 100 * count / max(total, 1)
    return f"{count:,} of {total:,} ({'under 1' if 0 < percent < 1 else f'{percent:.0f}'}%)"


Read = Callable[[], Iterable[Example]]


def run(checks: Sequence[Check], parts: Mapping[str, Read]) -> list[Finding]:
    """Show each part to the checks, and return what they found, worst first."""
    for part, read in parts.items():
        for example in read():
            for check in checks:
                check.see(example, part)
    if again := [check for check in checks if check.reviews]:
        for part, read in parts.items():
            for example in read():
                for check in again:
                    check.review(example, part)
    return ranked(checks)


def ranked(checks: Iterable[Check]) -> list[Finding]:
    """Return what checks found, worst first."""
    found = [finding for check in checks for finding in check.findings()]
    return sorted(found, key=lambda finding: LEVELS.index(finding.level))
