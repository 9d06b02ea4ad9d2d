"""Words: which of dev's words train does not have."""

from __future__ import annotations

import collections
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from seqnlp.checks import base
from seqnlp.preprocess.corpora.examples import Example

STRANGE = 0.25  # of the words unknown: dev is of another kind than train


def once(split: Callable[[str], list[str]], side: str = "source") -> Callable[[Example], list[str]]:
    """Return what splits a side of an example, and remembers the last one: several checks ask one after the other."""
    last: list[Any] = [None, []]

    def words(example: Example) -> list[str]:
        if last[0] is not example:
            last[:] = example, split(getattr(example, side))
        found: list[str] = last[1]
        return found

    return words


class UnknownWords(base.Check):
    """Counts the words of dev that train lacks. sides: from a side's name to what splits an example's into words."""

    name = "unknown words"

    def __init__(self, sides: Mapping[str, Callable[[Example], Iterable[str]]]) -> None:
        self.sides = sides
        self.known: dict[str, set[str]] = {side: set() for side in sides}
        self.unknown = {side: collections.Counter[str]() for side in sides}
        self.totals = dict.fromkeys(sides, 0)
        self.places = {side: base.Places() for side in sides}

    def see(self, example: Example, part: str) -> None:
        for side, words_of in self.sides.items():
            if part == base.TRAIN:
                self.known[side].update(words_of(example))
                continue
            words = list(words_of(example))
            new = [word for word in words if word not in self.known[side]]
            self.totals[side] += len(words)
            self.unknown[side].update(new)
            if new:
                self.places[side].add(f"{example.where} {new[0]}")

    def findings(self) -> Iterator[base.Finding]:
        for side, counts in self.unknown.items():
            number, total = sum(counts.values()), self.totals[side]
            if total and number >= STRANGE * total:
                message = f"{base.share(number, total)} words of dev ({side}) are not in train"
                hint = "is dev of the same kind and language as train?"
                yield base.Finding(base.WARNING, self.name, message, hint, number, self.places[side].first)

    def summary(self) -> Mapping[str, Any]:
        found = {
            side: {
                "share": round(sum(counts.values()) / self.totals[side], 4),
                "most_frequent": [word for word, _ in counts.most_common(base.SHOWN)],
            }
            for side, counts in self.unknown.items()
            if self.totals[side]
        }
        return {"unknown_words": found} if found else {}
