"""Pretrained word vectors in the text formats of word2vec and GloVe: a word and its numbers a line."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

import numpy as np

from seqnlp import errors
from seqnlp.io import files


def size(path: str) -> int:
    """Return how many numbers a vector has; raises `DataError` where the file has none."""
    for _, _, numbers in _read(path):
        return len(numbers)
    raise errors.DataError(
        f"{files.name(path)}: no word vectors", "a word and its numbers on each line, separated by spaces"
    )


def words(path: str, normal: Callable[[str], str] = str, known: Collection[str] = ()) -> list[str]:
    """Return the words that have a vector, normalised, in the order of the file.

    Raises `DataError` where it has none of the known words.
    """
    found = [normal(word) for _, word, _ in _read(path)]
    if known and set(found).isdisjoint(known):
        raise _foreign(path)
    return found


def rows(path: str, vocabulary: Mapping[str, int], normal: Callable[[str], str] = str) -> tuple[np.ndarray, np.ndarray]:
    """Return the ids of the words that a file has vectors for, (N,), and these, (N, D), scaled to a unit deviation.

    A word is looked for as it stands and, where that gives nothing, normalised; the first vector of several counts.
    """
    exact: dict[int, np.ndarray] = {}
    similar: dict[int, np.ndarray] = {}
    for line, word, numbers in _read(path):
        found, place = exact, vocabulary.get(word)
        if place is None:
            found, place = similar, vocabulary.get(normal(word))
        if place is not None and place not in found:
            found[place] = _vector(path, line, numbers)
    similar.update(exact)
    if not similar:
        raise _foreign(path)
    matrix = np.stack(list(similar.values()))
    return np.array(list(similar), dtype=np.int64), matrix / max(float(matrix.std()), 1e-8)


def _foreign(path: str) -> errors.DataError:
    return errors.DataError(f"{files.name(path)}: has no vector for any of the words", "is it of this language?")


def _read(path: str) -> Iterator[tuple[int, str, list[str]]]:
    """Yield the number of the line, the word, its numbers; word2vec's first line, two numbers, is left out."""
    length = 0
    for line, text in enumerate(files.lines(path), 1):
        word, *numbers = text.replace("\t", " ").rstrip(" ").split(" ")
        if not text.strip() or (line == 1 and len(numbers) == 1 and word.isdigit() and numbers[0].isdigit()):
            continue
        length = length or len(numbers)
        if len(numbers) > length:  # a word with blanks inside
            word, numbers = " ".join([word, *numbers[:-length]]), numbers[-length:]
        if len(numbers) != length or not length:
            raise _malformed(path, line, length)
        yield line, word, numbers


def _vector(path: str, line: int, numbers: Sequence[str]) -> np.ndarray:
    try:
        vector = np.array(numbers, dtype=np.float32)
    except ValueError:
        raise _malformed(path, line, len(numbers)) from None
    if not np.isfinite(vector).all():
        raise _malformed(path, line, len(numbers))
    return vector


def _malformed(path: str, line: int, length: int) -> errors.DataError:
    return errors.DataError(f"{files.name(path)}:{line}: not a word and {length or 'its'} numbers")
