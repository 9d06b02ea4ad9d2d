"""Pairs: whose lengths do not go along, which are copies, and whose sides are in the wrong script or language.

What is usual for a corpus is learnt from it at the first look; what is not is found at the second.
"""

from __future__ import annotations

import collections
import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from seqnlp.checks import base
from seqnlp.preprocess.corpora.examples import Example
from seqnlp.preprocess.text import scripts

SIDES = ("source", "target")
FAR, SMOOTH = 3.0, 5  # times the usual ratio of lengths; letters that are added to each side, for the short ones
BLOCK, SPREAD = 200, 0.2  # pairs; the least deviation of their log lengths that tells anything
APART, TOGETHER = 0.1, 0.5  # correlations of log lengths: of pairs without relation, and of translations at the least
USUAL = 0.8  # of a side's texts are in its script
MANY = 0.05  # of the pairs, from which on copies are a warning
SPOILT = 0.2  # of the pairs, from which on what is wrong with them is an error
CLEAR, WORDS = 1.0, 3  # mean log odds of the words that a text is in the other side's language; words that tell


class Lengths(base.Check):
    """Finds pairs one side of which is much too long for the other, and places from which on lengths have no relation.

    Lengths of sentences and their translations go along with each other (Gale & Church 1993, section 3.1).
    """

    name, reviews = "lengths of pairs", True

    def __init__(self) -> None:
        self.sum, self.rows = 0.0, 0
        self.odd = base.Places()
        self.block: list[tuple[float, float]] = []
        self.begin, self.related = "", list[float]()
        self.unrelated = base.Places()

    def see(self, example: Example, part: str) -> None:
        if part != base.TRAIN:
            return
        source, target = _sizes(example)
        self.sum, self.rows = self.sum + target - source, self.rows + 1
        self.begin = self.begin if self.block else example.where
        self.block.append((source, target))
        if len(self.block) == BLOCK:
            self._close()

    def _close(self) -> None:
        """Look whether the lengths of a block's pairs go along with each other."""
        lengths = np.array(self.block)
        self.block = []
        if lengths.std(0).min() >= SPREAD:
            self.related.append(float(np.corrcoef(lengths.T)[0, 1]))
            if self.related[-1] < APART:
                self.unrelated.add(f"{self.begin} and the {BLOCK - 1} pairs behind it")

    def review(self, example: Example, part: str) -> None:
        if part == base.TRAIN:
            source, target = _sizes(example)
            if abs(target - source - self.sum / self.rows) > math.log(FAR):
                self.odd.add(f"{example.where} ({len(example.source):,} and {len(example.target):,} characters)")

    def findings(self) -> Iterator[base.Finding]:
        usual = float(np.median(self.related or [1.0]))
        if self.unrelated.count and not APART <= usual < TOGETHER:  # else the lengths of all pairs say little
            what = f"{self.unrelated.count:,} of {len(self.related):,} blocks of {BLOCK} pairs have unrelated lengths"
            hint = "look whether a line is missing on one side: all behind it would be shifted"
            level = base.ERROR if usual < APART else base.WARNING
            yield base.Finding(level, "misaligned", what, hint, self.unrelated.count * BLOCK, self.unrelated.first)
        if self.odd.count:
            what = f"{base.share(self.odd.count, self.rows)} pairs have lengths {FAR:g} times out of proportion"
            level = base.ERROR if self.odd.count >= SPOILT * self.rows else base.WARNING
            hint = "do they belong together? leave out those that do not"
            yield base.Finding(level, self.name, what, hint, self.odd.count, self.odd.first)


def _sizes(example: Example) -> tuple[float, float]:
    """Return the logarithms of both sides' lengths in characters."""
    return math.log(len(example.source) + SMOOTH), math.log(len(example.target) + SMOOTH)


class Copies(base.Check):
    """Finds pairs with letters whose sides are the same."""

    name, quick = "copies", True

    def __init__(self, why: str = "were they left untranslated?") -> None:
        self.why = why
        self.copies, self.rows = base.Places(), 0

    def see(self, example: Example, part: str) -> None:
        if part == base.TRAIN:
            self.rows += 1
            if example.source.strip() == example.target.strip() and any(map(str.isalpha, example.source)):
                self.copies.add(example.where)

    def findings(self) -> Iterator[base.Finding]:
        if self.copies.count:
            level = base.WARNING if self.copies.count >= MANY * self.rows else base.NOTE
            message = f"{base.share(self.copies.count, self.rows)} pairs have the same text on both sides"
            hint = f"{self.why} a model learns to copy from them"
            yield base.Finding(level, self.name, message, hint, self.copies.count, self.copies.first)


class Sides(base.Check):
    """Finds pairs whose sides are swapped, or have one in another script or language than the rest.

    The script is that of most texts of a side. Where both sides have one, the words tell: those that stand on one side
    nearly always, counted without the pair itself.
    """

    name, reviews = "sides", True

    def __init__(self) -> None:
        self.words = [collections.Counter[str]() for _ in SIDES]
        self.scripts = [collections.Counter[str]() for _ in SIDES]
        self.totals = [0, 0]
        self.rows = 0
        self.usual: list[str] | None = None
        self.swapped = base.Places()
        self.wrong = [base.Places() for _ in SIDES]

    def see(self, example: Example, part: str) -> None:
        if part != base.TRAIN:
            return
        self.rows += 1
        for side, text in enumerate((example.source, example.target)):
            words = _words(text)
            self.words[side].update(words)
            self.totals[side] += len(words)
            self.scripts[side][scripts.of_text(text)] += 1

    def review(self, example: Example, part: str) -> None:
        if part != base.TRAIN:
            return
        self.usual = self.usual or [_usual(counts) for counts in self.scripts]
        source, target = self._strange(example)
        if source and target and example.source != example.target:
            self.swapped.add(example.where)
        else:
            for side, strange in enumerate((source, target)):
                if strange:
                    self.wrong[side].add(f"{example.where} ({strange})")

    def _strange(self, example: Example) -> list[str]:
        """Return for each side what is strange about it, "" where nothing is."""
        assert self.usual
        texts = (example.source, example.target)
        found = [scripts.of_text(text) for text in texts]
        if all(self.usual) and self.usual[0] != self.usual[1]:
            return [one if one and one != usual else "" for one, usual in zip(found, self.usual, strict=True)]
        words = [_words(text) for text in texts]
        odds = [self._odds(words, side) for side in (0, 1)]
        return [
            one
            if one and usual and one != usual
            else f"the language of the {SIDES[1 - side]}"
            if odds[side] < -CLEAR
            else ""
            for side, (one, usual) in enumerate(zip(found, self.usual, strict=True))
        ]

    def _odds(self, words: list[list[str]], side: int) -> float:
        """Return the mean log odds that the words of a side stand on it, 0 where they are few."""
        if len(words[side]) < WORDS:
            return 0.0
        own, other = self.words[side], self.words[1 - side]
        here, there = self.totals[side] + 1, self.totals[1 - side] + 1
        mine, theirs = collections.Counter(words[side]), collections.Counter(words[1 - side])
        known = [
            math.log((own[word] - mine[word] + 0.5) / here) - math.log((other[word] - theirs[word] + 0.5) / there)
            for word in words[side]
        ]
        return sum(known) / len(known)

    def findings(self) -> Iterator[base.Finding]:
        about = [
            (self.swapped, "seem to have their sides swapped", "swap them"),
            *(
                (
                    places,
                    f"have a {side} in another script or language",
                    "translate it, or leave it out",
                )
                for side, places in zip(SIDES, self.wrong, strict=True)
            ),
        ]
        for places, what, hint in about:
            if places.count:
                level = base.ERROR if places.count >= SPOILT * self.rows else base.WARNING
                message = f"{base.share(places.count, self.rows)} pairs {what}"
                yield base.Finding(level, self.name, message, hint, places.count, places.first)

    def summary(self) -> Mapping[str, Any]:
        return {"scripts": {side: _usual(counts) for side, counts in zip(SIDES, self.scripts, strict=True)}}


def _words(text: str) -> list[str]:
    """Return the words of a text that tell a language: those of letters."""
    return [word for word in text.casefold().split() if word.isalpha()]


def _usual(counts: Mapping[str, int]) -> str:
    """Return the script that nearly all texts with letters are in, "" where there is none."""
    written = {script: number for script, number in counts.items() if script}
    script = max(written, key=lambda name: written[name], default="")
    return script if script and written[script] >= USUAL * sum(written.values()) else ""
