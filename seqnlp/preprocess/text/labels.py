"""Labels: the classes or tags of a task, numbered; what they look like in print, and what looks wrong with them."""

from __future__ import annotations

import collections
import itertools
import re
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

    @property
    def by_name(self) -> dict[str, int]:
        """Return how often training saw each label."""
        return dict(zip(self.names, self.counts, strict=True))

    def number(self, name: str) -> int:
        """Return a label's number, `MISSING` for one that training never saw."""
        return self._number.get(name, MISSING)

    def unseen(self, names: Iterable[str]) -> int:
        """Return how many of some labels training never saw."""
        return sum(self.number(name) == MISSING for name in names)

    def require(self, names: Iterable[str]) -> None:
        """Raise `DataError` for a name that is not among the labels."""
        for name in names:
            if self.number(name) == MISSING:
                raise errors.DataError(
                    f"the codec does not know the label {name!r}", "train from the text, which can take new labels"
                )

    def save(self, path: str | Path) -> None:
        """Write names and counts as JSON."""
        jsonl.write_json(path, {"labels": self.names, "counts": self.counts})

    @classmethod
    def load(cls, path: str | Path) -> Labels:
        """Return the labels in a file; raises `ValueError` unless they are such as `save` writes."""
        content = jsonl.read_json(path)
        names, counts = content["labels"], content["counts"]
        if not (isinstance(names, list) and isinstance(counts, list)):
            raise ValueError(f"{path}: not a list of labels, and one of counts")
        if not all(isinstance(name, str) and not re.search("[\r\n]", name) for name in names):
            raise ValueError(f"{path}: a label that is no text of one line")
        if len(set(names)) < len(names) or not names:
            raise ValueError(f"{path}: a label twice, or none")
        if len(counts) != len(names) or not all(type(count) is int and count >= 0 for count in counts):
            raise ValueError(f"{path}: not a count for each label")
        return cls(names, counts)


def balanced(counts: Sequence[int]) -> list[float]:
    """Return a weight for each label: inversely proportional to its count, 1 on average over the examples.

    As in scikit-learn's class_weight="balanced".
    """
    return [sum(counts) / (len(counts) * count) for count in counts]


def printed(name: str) -> str:
    """Return a label as it is printed and compared: white space, which would break lines and columns, is one blank.

    The byte order mark of a file that was joined to another is no part of it.
    """
    return " ".join(name.removeprefix("\ufeff").split())


def escaped(name: str, separator: str) -> str:
    """Return a name with %XX for a separator, as in addresses; and %25 for a % that would be taken for such a one."""
    code = f"%{ord(separator):02X}"
    return re.sub(f"%(?=25|{code[1:]})", "%25", name).replace(separator, code)


def unescaped(text: str, separator: str) -> str:
    """Return the name that `escaped` made a text of."""
    return re.sub(f"%(25|{ord(separator):02X})", lambda match: chr(int(match[1], 16)), text)


def joined(names: Iterable[str]) -> str:
    """Return several labels as one text, separated by commas; a comma inside one is %2C."""
    return ",".join(escaped(name, ",") for name in names)


def parted(text: str) -> tuple[str, ...]:
    """Return the labels in a text that `joined` made, or somebody else, with blanks or nothing between commas."""
    return tuple(dict.fromkeys(unescaped(printed(part), ",") for part in text.split(",") if part.strip()))


SHOWN = 5  # labels in a warning
LONG = 40  # characters of one there
FEW_ROWS = 5  # each may well have a label of its own
MISSING_NAMES = {"nan", "NaN", "NAN", "null", "NULL", "<NA>"}  # as programs print a label that is not there


def doubts(counts: Mapping[str, int], rows: int) -> list[str]:
    """Return in words what can be, but looks wrong, with the labels of so many rows."""
    found = alike(counts)
    if missing := MISSING_NAMES & counts.keys():
        found.append(f"{shown(missing)} is a class: is that a label that is missing?")
    once = [name for name, number in counts.items() if number == 1]
    if nearly_each_its_own(counts, rows):
        found.append(f"{rows} rows have {len(counts)} labels, nearly each its own: is this the field with the labels?")
    elif once:
        found.append(f"{'a class occurs' if len(once) == 1 else f'{len(once)} classes occur'} only once: {shown(once)}")
    return found


def nearly_each_its_own(counts: Mapping[str, int], rows: int) -> bool:
    """Return whether so many rows have nearly as many labels, which then are none."""
    return rows >= FEW_ROWS and 10 * len(counts) >= 8 * rows


def same_but_for_case(names: Iterable[str]) -> list[list[str]]:
    """Return the groups of names that differ in case or blanks only."""
    groups = collections.defaultdict(list)
    for name in sorted(names):
        groups["".join(name.split()).casefold()].append(name)
    return [group for group in groups.values() if len(group) > 1]


def alike(names: Iterable[str]) -> list[str]:
    """Return in words which labels differ in case or blanks only."""
    several = [" and ".join(map(repr, group)) for group in same_but_for_case(names)]
    more = f" ({len(several) - SHOWN} more)" if len(several) > SHOWN else ""
    return [f"labels that differ in case or blanks only: {', '.join(several[:SHOWN])}{more}"] if several else []


def shown(names: Iterable[str]) -> str:
    """Return the first few of some labels, and how many more there are."""
    ordered = sorted(names)
    more = f" ({len(ordered) - SHOWN} more)" if len(ordered) > SHOWN else ""
    return ", ".join(repr(name if len(name) <= LONG else f"{name[: LONG - 3]}...") for name in ordered[:SHOWN]) + more


def after_split(train: Iterable[Iterable[str]], dev: Iterable[Iterable[str]], what: str) -> list[str]:
    """Return in words what a split has left of the labels: one only in dev; what: a class, a tag.

    Raises `DataError` where one only is left to train on, though there are others in dev.
    """
    left, off = _first_two(train), _first_two(dev)
    if len(left) == 1 and off - left:
        (name,), (other, *_) = left, sorted(off - left)
        raise errors.DataError(
            f"after the split into train and dev, train has only one {what} ({name}): {other} is in dev alone",
            "more examples, or a part of your own with --dev",
        )
    if len(off) == 1 and len(left) == 2:
        return [
            f"after the split into train and dev, dev has only one {what} ({off.pop()}): few rows? --dev names a part"
        ]
    return []


def _first_two(targets: Iterable[Iterable[str]]) -> set[str]:
    """The first label and the next other one, all there are if fewer; no more is read than that takes."""
    found: set[str] = set()
    for name in itertools.chain.from_iterable(targets):
        found.add(name)
        if len(found) == 2:
            break
    return found
