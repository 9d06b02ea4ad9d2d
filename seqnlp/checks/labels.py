"""Labels: how unevenly they are spread, which look like typos of another, and which only dev has."""

from __future__ import annotations

import collections
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from seqnlp.checks import base
from seqnlp.preprocess.corpora.examples import Example
from seqnlp.preprocess.text import labels

UNEVEN, VERY_UNEVEN = 10, 50  # times as many rows as the rarest label
FEW_ROWS, FEW_SHARE = 10, 0.05  # a typo has at most so many rows, and so small a share of the rows of what was meant
SHORTEST = 4  # letters of a name in which one that differs is a typo: NN and NNS are two tags
LOST = 0.1  # share of dev that no model can get right, from which on that is an error

LabelsOf = Callable[[Example], Iterable[str]]


class Labels(base.Check):
    """Counts labels; `what` one is called, what has one; `option` is the flag that weighs them, where there is such."""

    name = "labels"

    def __init__(self, labels_of: LabelsOf, what: str, item: str = "row", option: str | None = None) -> None:
        self.labels_of, self.what, self.item, self.option = labels_of, what, item, option
        self.counts = {part: collections.Counter[str]() for part in base.PARTS}
        self.places: dict[str, base.Places] = collections.defaultdict(base.Places)

    def see(self, example: Example, part: str) -> None:
        for name in self.labels_of(example):
            self.counts[part][name] += 1
            if part == base.TRAIN and self.places[name].count < base.SHOWN:
                self.places[name].add(example.where)

    def findings(self) -> Iterator[base.Finding]:
        counts = self.counts[base.TRAIN]
        if len(counts) == 1:
            message = f"all {self.item}s have one {self.what} ({next(iter(counts))}): there is nothing to learn"
            yield self._finding(base.ERROR, message, "is this the field with the labels?", counts)
        elif labels.nearly_each_its_own(counts, sum(counts.values())):
            message = f"{sum(counts.values()):,} {self.item}s have {len(counts):,} labels, nearly each its own"
            yield self._finding(base.ERROR, message, "is this the field with the labels?", list(counts))
        else:
            yield from self._doubtful(counts)

    def _doubtful(self, counts: Mapping[str, int]) -> Iterator[base.Finding]:
        if missing := sorted(labels.MISSING_NAMES & counts.keys()):
            message = f"{labels.shown(missing)} is a {self.what}"
            yield self._finding(base.WARNING, message, "is that a label that is missing? leave those out", missing)
        if once := sorted(name for name, number in counts.items() if number == 1):
            message = f"only one {self.item} has the {self.what} {labels.shown(once)}"
            yield self._finding(base.WARNING, message, f"find more {self.item}s with it, or join it with another", once)
        for group in labels.same_but_for_case(counts):
            rare = sorted(group, key=lambda name: counts[name])[:-1]
            message = f"labels differ in case or blanks only: {_counted(group, counts)}"
            yield self._finding(base.WARNING, message, "write them alike", rare)
        for typo, meant in _typos(counts):
            message = f"{typo!r} looks like a typo of {meant!r}: {counts[typo]:,} and {counts[meant]:,} {self.item}s"
            yield self._finding(base.WARNING, message, "write them alike, if they mean the same", [typo])
        yield from self._uneven(counts)

    def _uneven(self, counts: Mapping[str, int]) -> Iterator[base.Finding]:
        (most, number), (least, fewest) = (sorted(counts.items(), key=lambda item: item[1])[i] for i in (-1, 0))
        if self.option is None or number < UNEVEN * fewest:
            return
        times = f"{number // fewest} times as often as {least!r} ({number:,} and {fewest:,} {self.item}s)"
        hint = f"{self.option} makes each count alike, if the rare ones matter as much"
        level = base.WARNING if number >= VERY_UNEVEN * fewest else base.NOTE
        yield self._finding(level, f"{most!r} occurs {times}", hint, [least])

    def _finding(self, level: str, message: str, hint: str, names: Iterable[str]) -> base.Finding:
        names = list(names)
        places = [f"{place} {name}" for name in names for place in self.places[name].first][: base.SHOWN]
        count = sum(self.counts[base.TRAIN][name] for name in names)
        return base.Finding(level, self.name, message, hint, count, places)

    def summary(self) -> Mapping[str, Any]:
        train, dev = (self.counts[part] for part in base.PARTS)
        weights = dict(zip(train, labels.balanced(list(train.values())), strict=True)) if self.option else {}
        return {
            "labels": {
                name: {"train": number, "dev": dev[name]} | ({"weight": round(weights[name], 3)} if self.option else {})
                for name, number in train.most_common()
            }
        }


class OnlyInDev(base.Check):
    """Finds labels that dev has and train lacks: no model can give them."""

    name = "labels only in dev"  # training says it itself, when it scores dev

    def __init__(self, labels_of: LabelsOf) -> None:
        self.labels_of = labels_of
        self.known: set[str] = set()
        self.unknown: dict[str, base.Places] = {}
        self.rows, self.lost = 0, 0

    def see(self, example: Example, part: str) -> None:
        if part == base.TRAIN:
            self.known.update(self.labels_of(example))
            return
        new = {*self.labels_of(example)} - self.known
        self.rows, self.lost = self.rows + 1, self.lost + bool(new)
        for name in new:
            self.unknown.setdefault(name, base.Places()).add(f"{example.where} {name}")

    def findings(self) -> Iterator[base.Finding]:
        if self.unknown:
            names = labels.shown(self.unknown)
            level = base.ERROR if self.lost >= LOST * self.rows else base.WARNING
            message = f"{base.share(self.lost, self.rows)} rows of dev have labels that train lacks: {names}"
            places = [place for found in self.unknown.values() for place in found.first][: base.SHOWN]
            hint = "no model can get them right: put rows with them into train"
            yield base.Finding(level, self.name, message, hint, self.lost, places)


def _counted(names: Iterable[str], counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name!r} ({counts[name]:,})" for name in names)


def _typos(counts: Mapping[str, int]) -> Iterator[tuple[str, str]]:
    """Yield rare labels with the frequent one that is a letter away.

    Names that are a letter apart have a form in common, where one letter or none is left out of each.
    """
    forms: dict[str, list[str]] = collections.defaultdict(list)
    for name in sorted(counts):
        if len(name) >= SHORTEST:
            for form in {name, *(name[:i] + name[i + 1 :] for i in range(len(name)))}:
                forms[form].append(name)
    found = {
        (typo, meant)
        for names in forms.values()
        for typo in names
        if counts[typo] <= FEW_ROWS
        for meant in names
        if counts[typo] <= FEW_SHARE * counts[meant] and _a_letter_apart(typo, meant)
    }
    yield from sorted(found)


def _a_letter_apart(one: Sequence[str], other: Sequence[str]) -> bool:
    """Return whether one letter is another, left out, or put in: no digit, since `step1` and `step2` are two labels.

    Nor the first one, or all but it: `B-PER` and `I-PER` are two tags. Case and blanks are looked at elsewhere.
    """
    short, long = sorted((one, other), key=len)
    start = next((i for i, (a, b) in enumerate(zip(short, long, strict=False)) if a != b), len(short))
    rest = long[start + 1 :]
    apart = rest == short[start:] if len(short) < len(long) else rest == short[start + 1 :]
    letters = long[start] + (short[start] if len(short) == len(long) else "")
    same = len(letters) == 2 and letters[0].casefold() == letters[1].casefold()
    return apart and start > 0 and letters.isalpha() and not same
