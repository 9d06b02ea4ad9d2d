"""Hashed features of words: character n-grams, affixes, shape; they carry words never seen in training.

Each feature is hashed into one of a fixed number of buckets, so that nothing is fitted and nothing saved.
"""

from __future__ import annotations

import functools
import re
import zlib
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

CACHED_WORDS = 30_000  # about 10 MB; a word of running text is nearly always one that came before


class Hashed:
    """From words to the bucket numbers of their features; `parts` gives the features of a word as strings."""

    def __init__(self, parts: Callable[[str], Iterable[str]], buckets: int) -> None:
        self.parts, self.buckets = parts, buckets
        self.of_word = functools.lru_cache(maxsize=CACHED_WORDS)(self._of_word)

    def __reduce__(self) -> tuple[Any, ...]:  # what is remembered is no part of it
        return Hashed, (self.parts, self.buckets)

    def _of_word(self, word: str) -> np.ndarray:
        """Return the buckets of one word's features, each feature once."""
        # A set of strings has another order in every process: sums of floats must not.
        parts = sorted(set(self.parts(word)))
        return np.array([zlib.crc32(part.encode("utf-8", "surrogatepass")) % self.buckets for part in parts], np.int64)

    def flat(self, words: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        """Return the words' features, flat, with the offset where each word's begin, as `EmbeddingBag` takes them."""
        parts = [self.of_word(word) for word in words]
        offsets = np.cumsum([0, *map(len, parts)][:-1] or [0])
        return np.concatenate(parts) if parts else np.zeros(0, dtype=np.int64), offsets

    def of_batch(self, sentences: Sequence[Sequence[str]]) -> tuple[list[list[int]], np.ndarray, np.ndarray]:
        """Return each word's number among the distinct words of a batch, and these words' features as `flat` does."""
        rows, words = distinct(sentences)
        return rows, *self.flat(words)


def distinct(sentences: Sequence[Sequence[str]]) -> tuple[list[list[int]], list[str]]:
    """Return each word's number among the distinct words of a batch, and these: each is embedded once."""
    numbers: dict[str, int] = {}
    rows = [[numbers.setdefault(word, len(numbers)) for word in sentence] for sentence in sentences]
    return rows, list(numbers)


class CharNgrams(Hashed):
    """Character n-grams: a word is the bag of them, boundary marks `<` and `>` included.

    Bojanowski et al. 2017, section 3.2.
    """

    def __init__(self, shortest: int, longest: int, buckets: int) -> None:
        super().__init__(functools.partial(_ngrams, shortest, longest), buckets)


def _ngrams(shortest: int, longest: int, word: str) -> list[str]:
    marked = f"<{word}>"
    return [
        marked[start : start + n] for n in range(shortest, longest + 1) for start in range(len(marked) - n + 1)
    ] or [marked]


LONGEST_AFFIX = 4
REPEATED = re.compile(r"(.)\1+")


def affixes(word: str) -> list[str]:
    """Return what shows on a word's surface: beginnings and ends, and its shape (Ratnaparkhi 1996, table 1)."""
    lower, shape = word.lower(), shape_of(word)
    sizes = range(1, min(LONGEST_AFFIX, len(word)) + 1)
    parts = [part for n in sizes for part in (f"{n}<{lower[:n]}", f"{n}>{lower[-n:]}")]
    return [*parts, "s:" + shape, "r:" + REPEATED.sub(r"\1", shape)]


def shape_of(word: str) -> str:
    """Return a word with X for capitals, x for other letters, 9 for digits: Xxxxx, 9999, x-9."""
    return "".join("X" if c.isupper() else "x" if c.isalpha() else "9" if c.isdigit() else c for c in word)
