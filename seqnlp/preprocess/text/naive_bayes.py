"""Naive Bayes over word n-grams: what each n-gram of a text says for each class, scores to be added to a network's.

Simple counts of words and word pairs do better on short texts than their simplicity promises (Wang & Manning 2012,
section 2.1), and other mistakes than a recurrent network: the network adds their scores to its own.
"""

from __future__ import annotations

import functools
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import safetensors.numpy

from seqnlp.io import atomic

MAX_CELLS = 1 << 23  # of the table of n-grams by classes: 32 MB
CHUNK = 1 << 20  # n-grams that are counted at once
LABEL_BITS = 31
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

    def ids(self, words: Sequence[str]) -> list[int]:
        """Return the numbers of the known n-grams in a text, each once."""
        return list(map(int, self.lookup(_hashes(words, self.longest))))

    def lookup(self, hashes: np.ndarray) -> np.ndarray:
        """Return the numbers of the known n-grams among hashes."""
        places = np.searchsorted(self.keys, hashes)
        places[places == len(self.keys)] = 0
        known: np.ndarray = places[self.keys[places] == hashes]
        return known

    def widened(self, classes: int) -> NaiveBayes:
        """Return the counts for more classes: those behind the known ones have no texts."""
        more = classes - len(self.texts)
        return replace(self, counts=np.pad(self.counts, ((0, 0), (0, more))), texts=np.pad(self.texts, (0, more)))

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
        scores: np.ndarray = (sums - sums.mean(1, keepdims=True)) * self.scale
        return scores.astype(np.float32)

    @functools.cached_property
    def _logs(self) -> np.ndarray:
        logs: np.ndarray = np.log(self.counts + 1, dtype=np.float32)
        return logs  # (F, C)

    @functools.cached_property
    def _totals(self) -> np.ndarray:
        totals: np.ndarray = self.counts.sum(1)
        return totals  # (F,)

    @functools.cached_property
    def _sizes(self) -> np.ndarray:
        sizes: np.ndarray = self.counts.sum(0)
        return sizes  # (C,)

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


class Counter:
    """Counts n-grams by class in one pass: memory grows with the distinct n-grams of a class, not with the texts."""

    def __init__(self, longest: int, texts: int) -> None:
        """Begin to count n-grams of up to `longest` words, of so many texts."""
        self.longest, self.stride = longest, max(1, texts // SAMPLE)
        self.labels: dict[str, int] = {}  # in the order of their first texts
        self.texts: list[int] = []
        self.keys, self.counts = np.zeros(0, np.uint64), np.zeros(0, np.int64)  # (hash, label) pairs and how often
        self.pending: list[np.ndarray] = []
        self.held = 0
        self.sample: list[tuple[np.ndarray, int]] = []

    def add(self, words: Sequence[str], label: str) -> None:
        """Count a text."""
        hashes = _hashes(words, self.longest)
        number = self.labels.setdefault(label, len(self.labels))
        if sum(self.texts) % self.stride == 0:
            self.sample.append((hashes, number))
        self.texts += [0] * (number == len(self.texts))
        self.texts[number] += 1
        self.pending.append(hashes.astype(np.uint64) << np.uint64(LABEL_BITS) | np.uint64(number))
        self.held += len(hashes)
        if self.held >= CHUNK:
            self._merge()

    def _merge(self) -> None:
        """Put what has come since the last time to the other counts."""
        new, counts = np.unique(np.concatenate(self.pending or [self.keys[:0]]), return_counts=True)
        self.keys, place = np.unique(np.concatenate([self.keys, new]), return_inverse=True)
        weights = np.concatenate([self.counts, counts])
        self.counts = np.bincount(place, weights=weights, minlength=len(self.keys)).astype(np.int64)
        self.pending, self.held = [], 0

    def finish(self, names: Sequence[str]) -> NaiveBayes:
        """Return the counts with the classes in the order of their names, of the most frequent n-grams where they are
        too many.
        """
        self._merge()
        hashes = (self.keys >> np.uint64(LABEL_BITS)).astype(np.uint32)
        number = np.array([names.index(name) for name in self.labels], np.int64)
        labels = number[(self.keys & np.uint64(2**LABEL_BITS - 1)).astype(np.int64)]
        kept, place = np.unique(hashes, return_inverse=True)
        if len(kept) > (limit := MAX_CELLS // len(names)):
            frequency = np.bincount(place, weights=self.counts)
            kept = np.sort(kept[np.argsort(-frequency, kind="stable")[:limit]])
        counts, texts = np.zeros((len(kept), len(names)), np.int32), np.zeros(len(names), np.int64)
        rows = np.minimum(np.searchsorted(kept, hashes), len(kept) - 1)
        known = kept[rows] == hashes
        counts[rows[known], labels[known]] = self.counts[known]
        texts[number] = self.texts
        found = NaiveBayes(self.longest, kept, counts, texts, 1.0)
        scores = found.scores([found.lookup(row) for row, _ in self.sample], [int(number[n]) for _, n in self.sample])
        return replace(found, scale=1 / max(float(scores.std()), 1e-6))


def _hashes(words: Sequence[str], longest: int) -> np.ndarray:
    """Return the hashes of a text's n-grams, each once, sorted; a CRC goes on from that of the n-gram before."""
    marked = [b" " + word.encode("utf-8", "surrogatepass") for word in words]
    last = [zlib.crc32(word) for word in marked]
    found = list(last)
    for n in range(2, longest + 1):
        last = [zlib.crc32(word, before) for word, before in zip(marked[n - 1 :], last, strict=False)]
        found += last
    return np.unique(np.array(found, dtype=np.uint32))
