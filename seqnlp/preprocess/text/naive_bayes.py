"""Naive Bayes over word n-grams: what each n-gram of a text says for each class, as evidence beside a network.

Simple counts of words and word pairs do better on short texts than their simplicity promises (Wang & Manning 2012,
section 2.1), and other mistakes than a recurrent network: the network adds their scores to its own.
"""

from __future__ import annotations

import functools
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import safetensors.numpy

from seqnlp.io import atomic

MOST_CELLS = 1 << 23  # of the table of n-grams by classes: 32 MB
CHUNK = 1 << 20  # n-grams that are counted at once
SAMPLE = 2000  # training texts that the scale is measured on


@dataclass(frozen=True)
class NaiveBayes:
    """Counts of n-grams by class, from which every score follows.

    longest: words of the longest n-gram; keys: (F,), the n-grams' hashes, sorted; counts: (F, C), in how many training
    texts of a class an n-gram occurs; texts: (C,), training texts; scale: makes the scores of unit size.
    """

    longest: int
    keys: np.ndarray
    counts: np.ndarray
    texts: np.ndarray
    scale: float

    @classmethod
    def fit(cls, examples: Iterable[tuple[Sequence[str], int]], classes: int, longest: int) -> NaiveBayes:
        """Return the counts over (words, class) pairs, of the most frequent n-grams where there are too many.

        The examples are gone through twice, a part of them in memory at once.
        """
        keys, frequency, number = _frequencies((_hashes(words, longest) for words, _ in examples))
        most = MOST_CELLS // classes
        if len(keys) > most:
            keys = np.sort(keys[np.argsort(-frequency, kind="stable")[:most]])
        found = cls(longest, keys, np.zeros((len(keys), classes), np.int32), np.zeros(classes, np.int64), 1.0)
        some = []
        for place, (words, label) in enumerate(examples):
            row = found._lookup(_hashes(words, longest))
            found.counts[row, label] += 1
            found.texts[label] += 1
            if place % max(1, number // SAMPLE) == 0:
                some.append((row, label))
        scores = found.scores([row for row, _ in some], [label for _, label in some])
        return replace(found, scale=1 / max(float(scores.std()), 1e-6))

    def ids(self, words: Sequence[str]) -> list[int]:
        """Return the numbers of the known n-grams in a text, each once."""
        return list(map(int, self._lookup(_hashes(words, self.longest))))

    def _lookup(self, hashes: np.ndarray) -> np.ndarray:
        places = np.searchsorted(self.keys, hashes)
        places[places == len(self.keys)] = 0
        return places[self.keys[places] == hashes]

    def scores(self, rows: Sequence[Sequence[int] | np.ndarray], own: Sequence[int]) -> np.ndarray:
        """Return the classes' scores (B, C), centred: the log-likelihood over the square root of the n-grams' number.

        rows: n-gram numbers of each text; own: the class that a text has in the counts, which are then taken without
        it (so that a network sees in training how good they are on new text), -1 where it is not among them.
        """
        lengths = np.array([len(row) for row in rows], dtype=np.int64)
        flat = np.concatenate([np.asarray(row, dtype=np.int64) for row in rows]) if len(rows) else np.zeros(0, np.int64)
        labels = np.asarray(own, dtype=np.int64).reshape(-1)
        counted = labels >= 0
        owner = np.repeat(np.arange(len(rows)), lengths)
        seen = self._totals[flat] > counted[owner]  # without its own text an n-gram may never have been seen
        flat, owner = flat[seen], owner[seen]
        kept = np.bincount(owner, minlength=len(rows))

        size = self._sizes + len(self.keys)
        sums = np.log(self.texts + 1) - kept[:, None] * np.log(size)  # (B, C)
        full = np.flatnonzero(kept)
        starts = (np.cumsum(kept) - kept)[full]
        if len(full):
            sums[full] += np.add.reduceat(self._logs[flat], starts, dtype=np.float64)

        # A text takes itself out of its own class only: one n-gram each, its n-grams' number, and itself.
        mine = counted[owner]
        count = self.counts[flat[mine], labels[owner[mine]]]
        less = np.bincount(owner[mine], weights=np.log(count) - np.log(count + 1), minlength=len(rows))
        row, label = np.flatnonzero(counted), labels[counted]
        rest = kept[row] * (np.log(size[label]) - np.log(size[label] - lengths[row]))
        sums[row, label] += less[row] + rest + np.log(self.texts[label]) - np.log(self.texts[label] + 1)

        sums /= np.sqrt(np.maximum(kept, 1))[:, None]
        return ((sums - sums.mean(1, keepdims=True)) * self.scale).astype(np.float32)

    @functools.cached_property
    def _logs(self) -> np.ndarray:
        return np.log(self.counts + 1, dtype=np.float32)  # (F, C)

    @functools.cached_property
    def _totals(self) -> np.ndarray:
        return self.counts.sum(1)  # (F,)

    @functools.cached_property
    def _sizes(self) -> np.ndarray:
        return self.counts.sum(0)  # (C,)

    def save(self, path: Path) -> None:
        """Write the counts as one safetensors file."""
        arrays = {"keys": self.keys, "counts": self.counts, "texts": self.texts, "scale": np.array([self.scale])}
        with atomic.atomic(path, "wb") as file:
            file.write(safetensors.numpy.save(arrays))

    @classmethod
    def load(cls, path: Path, longest: int) -> NaiveBayes:
        """Return the counts in a file."""
        arrays = safetensors.numpy.load_file(path)
        return cls(longest, arrays["keys"], arrays["counts"], arrays["texts"], float(arrays["scale"][0]))


def _frequencies(texts: Iterable[np.ndarray]) -> tuple[np.ndarray, np.ndarray, int]:
    """Return the hashes that occur, sorted, in how many texts each does, and how many texts there are."""
    keys, frequency, number = np.zeros(0, np.uint32), np.zeros(0, np.int64), 0
    for chunk in _chunks(texts):
        number += len(chunk)
        new, counts = np.unique(np.concatenate(chunk), return_counts=True)
        keys, place = np.unique(np.concatenate([keys, new]), return_inverse=True)
        frequency = np.bincount(place, weights=np.concatenate([frequency, counts]), minlength=len(keys))
    return keys, frequency, number


def _chunks(texts: Iterable[np.ndarray]) -> Iterator[list[np.ndarray]]:
    """Yield the hashes of many texts together."""
    chunk: list[np.ndarray] = []
    size = 0
    for hashes in texts:
        chunk.append(hashes)
        size += len(hashes)
        if size >= CHUNK:
            yield chunk
            chunk, size = [], 0
    if chunk:
        yield chunk


def _hashes(words: Sequence[str], longest: int) -> np.ndarray:
    """Return the hashes of a text's n-grams, each once, sorted; a CRC goes on from that of the n-gram before."""
    marked = [b" " + word.encode("utf-8", "surrogatepass") for word in words]
    last = [zlib.crc32(word) for word in marked]
    found = list(last)
    for n in range(2, longest + 1):
        last = [zlib.crc32(word, before) for word, before in zip(marked[n - 1 :], last, strict=False)]
        found += last
    return np.unique(np.array(found, dtype=np.uint32))
