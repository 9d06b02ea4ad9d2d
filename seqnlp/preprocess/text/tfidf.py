"""TF-IDF features of a text: its words and pairs of words, and the character n-grams inside its words.

A pair stands side by side, or has one word between: a skip-bigram (Guthrie et al. 2006).

A linear model over them is hard to beat on short texts (Wang & Manning 2012 for words; Joachims 1998 for the weights).
The values are those of scikit-learn's TfidfVectorizer with `sublinear_tf`, words and characters each of unit length.
"""

from __future__ import annotations

import functools
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

SHORTEST, LONGEST = 2, 5  # characters of an n-gram
CACHED_WORDS = 50_000  # about 20 MB; a word of running text is nearly always one that came before
CHARACTERS = 1  # the lowest bit of a feature's hash: set for characters, not for words


@dataclass(frozen=True)
class Matrix:
    """Sparse rows: the features of all rows, one after the other, their values, and where each row begins."""

    features: np.ndarray  # (N,), rising inside a row
    values: np.ndarray  # (N,), float32
    offsets: np.ndarray  # (rows + 1,)


class Features:
    """The features that a training part has, and how rare each is; from words to their values.

    keys: (F,), the features' hashes, sorted; idf: (F,), the inverse document frequencies.
    """

    def __init__(self, keys: np.ndarray, idf: np.ndarray) -> None:
        self.keys, self.idf = keys, idf
        self._block = (keys & 1).astype(np.int64)
        self._of_word = functools.lru_cache(CACHED_WORDS)(self._inside)

    def __len__(self) -> int:
        return len(self.keys)

    def lookup(self, hashes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the numbers of features by their hashes, and which are known; the number of another is anything."""
        if not len(self):
            return np.zeros(len(hashes), np.int64), np.zeros(len(hashes), bool)
        numbers = np.minimum(np.searchsorted(self.keys, hashes), len(self) - 1)
        return numbers, self.keys[numbers] == hashes

    def _inside(self, word: str) -> np.ndarray:
        numbers, known = self.lookup(_hashes_of_word(word))
        found: np.ndarray = numbers[known]
        return found

    def matrix(self, texts: Sequence[Sequence[str]]) -> Matrix:
        """Return the values of the known features of texts, each a list of words."""
        sizes, rows = np.array([len(words) for words in texts], np.int64), np.arange(len(texts))
        parts = [self._of_word(word) for words in texts for word in words]
        owner = np.repeat(np.repeat(rows, sizes), np.array([len(part) for part in parts], np.int64))
        paired = [_pairs(words) for words in texts]
        pairs, known = self.lookup(np.array([pair for row in paired for pair in row], np.uint32))
        owner = np.concatenate([owner, np.repeat(rows, [len(row) for row in paired])[known]])
        bits = len(self).bit_length()  # a row and a feature in one number, so that one sort counts them all
        cells, counts = np.unique(owner << bits | np.concatenate([*parts, pairs[known]]), return_counts=True)
        return self.weighted(Matrix(cells & (1 << bits) - 1, counts, _offsets(cells >> bits, len(texts))))

    def weighted(self, counted: Matrix) -> Matrix:
        """Return the values of counts: (1 + ln count) idf, the words' of a row and the characters' of unit length."""
        owner = np.repeat(np.arange(len(counted.offsets) - 1), np.diff(counted.offsets))
        values = (1 + np.log(counted.values.astype(np.float32))) * self.idf[counted.features]
        block = 2 * owner + self._block[counted.features]
        norms = np.sqrt(np.bincount(block, values * values, minlength=1))
        return Matrix(counted.features, (values / norms[block]).astype(np.float32), counted.offsets)


def fit(texts: Iterable[Sequence[str]], *, features: int, values: int) -> tuple[Features, Matrix]:
    """Return the features of texts, and the values of the texts.

    features: the most that are kept, of more the most frequent; values: as soon as there are more, no further text is
    taken, so that the matrix may have fewer rows than there are texts.
    """
    found: list[np.ndarray] = []
    often: list[np.ndarray] = []
    for words in texts:
        hashes, counts = np.unique(_of_text(words), return_counts=True)
        found.append(hashes)
        often.append(counts.astype(np.float32))
        if (values := values - len(hashes)) < 0:
            break
    hashes = np.concatenate(found)
    keys, frequency = np.unique(hashes, return_counts=True)
    if len(keys) > features:
        chosen = np.sort(np.argsort(-frequency, kind="stable")[:features])
        keys, frequency = keys[chosen], frequency[chosen]
    idf = np.log((1 + len(found)) / (1 + frequency)) + 1  # as if one more text had every feature
    made = Features(keys, idf.astype(np.float32))
    places, known = made.lookup(hashes)
    owner = np.repeat(np.arange(len(found)), [len(row) for row in found])[known]
    counted = Matrix(places[known], np.concatenate(often)[known], _offsets(owner, len(found)))
    return made, made.weighted(counted)


def _offsets(owner: np.ndarray, rows: int) -> np.ndarray:
    offsets: np.ndarray = np.searchsorted(owner, np.arange(rows + 1))
    return offsets


def _of_text(words: Sequence[str]) -> np.ndarray:
    """Return the hashes of a text's features, each as often as it occurs."""
    return np.concatenate([np.array(_pairs(words), np.uint32), *map(_cached, words)])


def _hashes_of_word(word: str) -> np.ndarray:
    """Return the hashes of a word and of its character n-grams, the blanks around it included."""
    whole, padded = zlib.crc32(_bytes(word)), f" {word} "
    parts = [zlib.crc32(part.encode("utf-8", "surrogatepass")) | CHARACTERS for part in _ngrams(padded)]
    return np.array([whole & ~CHARACTERS, *parts], np.uint32)


_cached = functools.lru_cache(CACHED_WORDS)(_hashes_of_word)


def _ngrams(padded: str) -> Iterator[str]:
    """Yield the n-grams of a word; one that is shorter than n counts once, as a whole."""
    for n in range(SHORTEST, LONGEST + 1):
        yield from (padded[start : start + n] for start in range(max(len(padded) - n, 0) + 1))
        if n >= len(padded):
            break


def _pairs(words: Sequence[str]) -> list[int]:
    """Return the hashes of a text's pairs of words, next to each other or with one between them.

    A CRC goes on from that of the word before; a blank more stands for what is between.
    """
    encoded = [*map(_bytes, words)]
    before = [*map(zlib.crc32, encoded)]
    near = zip(encoded[1:], before, strict=False)
    far = zip(encoded[2:], (zlib.crc32(b" ", crc) for crc in before), strict=False)
    return [zlib.crc32(word, crc) & ~CHARACTERS for word, crc in (*near, *far)]


def _bytes(word: str) -> bytes:
    return b" " + word.encode("utf-8", "surrogatepass")
