"""Hashed character n-grams of words: features that carry short text and words never seen in training.

Bojanowski et al. 2017, section 3.2: a word is the bag of its character n-grams, boundary marks `<` and `>` included,
each n-gram hashed into a fixed number of buckets.
"""

from __future__ import annotations

import functools
import zlib
from collections.abc import Sequence

import numpy as np

CACHED_WORDS = 30_000  # about 10 MB; a word of running text is nearly always one that came before


class Subwords:
    """From words to the bucket numbers of their n-grams; a pure function, so it has nothing to save but its sizes."""

    def __init__(self, shortest: int, longest: int, buckets: int) -> None:
        self.shortest, self.longest, self.buckets = shortest, longest, buckets
        self.of_word = functools.lru_cache(maxsize=CACHED_WORDS)(self._of_word)

    def _of_word(self, word: str) -> np.ndarray:
        """Return the buckets of one word, in order of length and place; never empty."""
        marked = f"<{word}>"
        grams = {
            marked[start : start + n]
            for n in range(self.shortest, self.longest + 1)
            for start in range(len(marked) - n + 1)
        } or {marked}
        # A set of strings has another order in every process: sums of floats must not.
        return np.array(
            [zlib.crc32(gram.encode("utf-8", "surrogatepass")) % self.buckets for gram in sorted(grams)], dtype=np.int64
        )

    def of_batch(self, sentences: Sequence[Sequence[str]]) -> tuple[list[list[int]], np.ndarray, np.ndarray]:
        """Return each word's number among the distinct words of a batch, and these words' n-grams.

        The n-grams are flat, with the offset where each word's begin, as `torch.nn.EmbeddingBag` takes them: every
        distinct word is embedded once, however often the batch holds it.
        """
        numbers: dict[str, int] = {}
        rows = [[numbers.setdefault(word, len(numbers)) for word in sentence] for sentence in sentences]
        grams = [self.of_word(word) for word in numbers]
        offsets = np.cumsum([0, *map(len, grams)][:-1] or [0])
        return rows, np.concatenate(grams) if grams else np.zeros(0, dtype=np.int64), offsets
