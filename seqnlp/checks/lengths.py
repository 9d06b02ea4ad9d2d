"""Lengths: how long the texts are, what training would cut off, and where a cut would cost little."""

from __future__ import annotations

import collections
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from seqnlp.checks import base
from seqnlp.preprocess.corpora.examples import Example

WHOLE = 0.99  # of the texts are to be read to their end


class Lengths(base.Check):
    """Counts the units of each side of an example, and compares them with the option that bounds them, if one does.

    sides: from a side's name to what counts its units, and what these are called. option: the flag, and its value by
    default; cuts: what happens to what is longer.
    """

    name = "lengths"

    def __init__(
        self,
        sides: Mapping[str, Callable[[Example], int]],
        unit: str,
        option: tuple[str, int] | None = None,
        cuts: str = "",
    ) -> None:
        self.sides, self.unit, self.option, self.cuts = sides, unit, option, cuts
        self.counts = {part: {side: collections.Counter[int]() for side in sides} for part in base.PARTS}
        self.long = base.Places()

    def see(self, example: Example, part: str) -> None:
        longest = 0
        for side, measure in self.sides.items():
            length = measure(example)
            self.counts[part][side][length] += 1
            longest = max(longest, length)
        if self.option and part == base.TRAIN and longest > self.option[1]:
            self.long.add(f"{example.where} ({longest:,} {self.unit})")

    def findings(self) -> Iterator[base.Finding]:
        if not self.option or not self.long.count:
            return
        (flag, limit), proposed = self.option, self._cut()
        total = sum(next(iter(self.counts[base.TRAIN].values())).values())
        level = base.WARNING if self.long.count > (1 - WHOLE) * total else base.NOTE
        message = f"{base.share(self.long.count, total)} rows have more than {limit:,} {self.unit}: {self.cuts}"
        hint = f"{flag} {max(proposed, limit)} keeps {WHOLE:.0%} of them whole, and takes the time of it"
        yield base.Finding(level, self.name, message, hint, self.long.count, self.long.first)

    def _cut(self) -> int:
        """Return the length that nearly all rows keep to, rounded up to a multiple of eight."""
        return -(-max(_quantiles(counts, [WHOLE])[0] for counts in self.counts[base.TRAIN].values()) // 8) * 8

    def summary(self) -> Mapping[str, Any]:
        found: dict[str, Any] = {"unit": self.unit}
        for part, sides in self.counts.items():
            for side, counts in sides.items():
                if counts:
                    found[f"{part} {side}"] = _described(counts)
        if self.option and any(self.counts[base.TRAIN].values()):
            found["cut"] = {"option": self.option[0], "default": self.option[1], "proposed": self._cut()}
        return {self.name: found}


def _described(counts: Mapping[int, int]) -> dict[str, Any]:
    total = sum(counts.values())
    median, most, nearly = _quantiles(counts, [0.5, 0.95, WHOLE])
    mean = round(sum(length * number for length, number in counts.items()) / total, 1)
    return {"mean": mean, "median": median, "p95": most, "p99": nearly, "longest": max(counts)}


def _quantiles(counts: Mapping[int, int], shares: Sequence[float]) -> list[int]:
    """Return the smallest lengths that at least these shares of the rows do not exceed."""
    lengths = sorted(counts)
    sums = np.cumsum([counts[length] for length in lengths])
    return [lengths[int(np.searchsorted(sums, part * sums[-1]))] for part in shares]
