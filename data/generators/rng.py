"""Random choices that come out the same on every Python version.

Only `random.Random.random()` is promised to keep its sequence from version to version; `choice`, `shuffle` and
`sample` are not. Everything random in this folder is therefore drawn here, from `random()` alone.
"""

import random
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

Item = TypeVar("Item")


class Rng:
    """A seeded source of choices."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def chance(self, probability: float) -> bool:
        """True with the given probability."""
        return self._random.random() < probability

    def integer(self, low: int, high: int) -> int:
        """A whole number from low to high, both included."""
        return low + int(self._random.random() * (high - low + 1))

    def pick(self, items: Sequence[Item]) -> Item:
        """One of the items, each as likely as the others."""
        return items[self.integer(0, len(items) - 1)]

    def weighted(self, weights: Mapping[Item, float]) -> Item:
        """One of the keys, as likely as its weight says."""
        rest = self._random.random() * sum(weights.values())
        for item, weight in weights.items():
            rest -= weight
            if rest < 0:
                return item
        return item

    def shuffled(self, items: Sequence[Item]) -> list[Item]:
        """The items in a random order (Fisher and Yates)."""
        result = list(items)
        for last in range(len(result) - 1, 0, -1):
            other = self.integer(0, last)
            result[last], result[other] = result[other], result[last]
        return result

    def pick_two(self, items: Sequence[Item]) -> tuple[Item, Item]:
        """Two items at different positions."""
        first = self.integer(0, len(items) - 1)
        second = self.integer(0, len(items) - 2)
        return items[first], items[second + (second >= first)]

    def normal(self) -> float:
        """Nearly a standard normal number: the sum of twelve uniform ones, which needs no logarithm and no sine."""
        return sum(self._random.random() for _ in range(12)) - 6.0


def unique(make: Callable[[], Item], key: Callable[[Item], str], count: int, seen: set[str]) -> list[Item]:
    """`count` items whose keys are not in `seen`; adds their keys to it, so that later splits stay disjoint."""
    result: list[Item] = []
    while len(result) < count:
        item = make()
        if key(item) not in seen:
            seen.add(key(item))
            result.append(item)
    return result
