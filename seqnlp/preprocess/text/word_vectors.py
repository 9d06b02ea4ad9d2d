"""Pretrained word vectors: the text forms of word2vec, GloVe and fastText, and the binary form of word2vec."""

from __future__ import annotations

import codecs
import collections
import functools
import gzip
import hashlib
import itertools
import zlib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, TypeAlias

import numpy as np
import safetensors
import safetensors.numpy

from seqnlp import errors
from seqnlp.io import atomic, files

SAMPLE = 100  # lines that the length of a vector is taken from
OTHERS = {  # how files begin that are taken for word vectors
    b"PK\x03\x04": ("is a zip archive", "--vectors <(unzip -p {0} NAME.txt) reads one of its files"),
    b"\xba\x16\x4f\x2f": ("is a model of fastText", "its .vec file holds the vectors of the words"),
    b"\x93NUMPY": ("is an array of NumPy's, without words", "save the vectors in the form of word2vec"),
}
Numbers: TypeAlias = "Sequence[bytes] | bytes"  # of a vector: as text, or as float32
Record: TypeAlias = tuple[int, bytes, Numbers]  # the place in the file, the word, its vector


class Vectors:
    """The vectors of words of a vocabulary, read when they are asked for, and the SHA-256 of the file they come from.

    arrays: the ids of the words, (N,), and their vectors, (N, D), scaled to a unit deviation.
    """

    def __init__(self, digest: str, read: Callable[[], tuple[np.ndarray, np.ndarray]]) -> None:
        self.digest, self._read = digest, read

    def __reduce__(self) -> tuple[Any, ...]:
        return _held, (self.digest, *self.arrays)

    @functools.cached_property
    def arrays(self) -> tuple[np.ndarray, np.ndarray]:
        """Return ids and vectors."""
        return self._read()

    @property
    def size(self) -> int:
        """Return how many numbers a vector has."""
        return int(self.arrays[1].shape[1])

    def save(self, path: Path) -> None:
        """Write the vectors as one safetensors file."""
        ids, vectors = self.arrays
        with atomic.atomic(path, "wb") as file:
            file.write(safetensors.numpy.save({"ids": ids, "vectors": vectors}, {"sha256": self.digest}))

    @classmethod
    def load(cls, path: Path) -> Vectors:
        """Return the vectors in a file that `save` wrote."""
        with files.in_utf8(path) as name, safetensors.safe_open(name, "numpy") as file:
            digest = file.metadata()["sha256"]

        def read() -> tuple[np.ndarray, np.ndarray]:
            with files.in_utf8(path) as name:
                arrays = safetensors.numpy.load_file(name)
            return arrays["ids"], arrays["vectors"]

        return cls(digest, read)


def _held(digest: str, *arrays: np.ndarray) -> Vectors:
    """Return vectors that are in memory already."""
    return Vectors(digest, lambda: (arrays[0], arrays[1]))


@dataclass(frozen=True)
class Found:
    """What a file has for a vocabulary: vectors by word; its other words, in order, as many as there was room for.

    digest: the SHA-256 of the file. passed_over: how many words are not UTF-8.
    """

    by_word: Mapping[str, np.ndarray]
    more: Sequence[str]
    digest: str
    passed_over: int

    def vectors(self, vocabulary: Mapping[str, int]) -> Vectors:
        """Return the vectors by the ids that the words have in a vocabulary."""
        ids = np.array([vocabulary[word] for word in self.by_word], dtype=np.int64)
        matrix = np.stack(list(self.by_word.values()))
        scaled = matrix / max(float(matrix.std()), 1e-8)
        return Vectors(self.digest, lambda: (ids, scaled))


def read(
    path: str,
    vocabulary: Collection[str],
    normal: Callable[[str], str] = str,
    *,
    room: int = 0,
    known: Collection[str] | None = None,
) -> Found:
    """Return what a file, read once, has for the words of a vocabulary, and for at most `room` others.

    A word is looked for as it stands and, where that gives nothing, normalised; the first vector of several counts.
    known: the words of which the file must have one, by default the vocabulary. Raises `DataError` where it has none,
    or is malformed.
    """
    digest = hashlib.sha256()
    exact: dict[str, np.ndarray] = {}
    similar: dict[str, np.ndarray] = {}
    more: dict[str, None] = {}
    known = vocabulary if known is None else known
    passed_over, fitting, empty = 0, False, True
    for place, raw, numbers in _records(path, digest):
        empty = False
        try:
            word = raw.decode()
        except UnicodeDecodeError:
            passed_over += 1
            continue
        form = normal(word)
        fitting = fitting or form in known or word in known
        if form and form not in vocabulary and len(more) < room:
            more[form] = None
        found, key = (exact, word) if word in vocabulary or word in more else (similar, form)
        if key not in found and (key in vocabulary or key in more):
            found[key] = _vector(path, place, numbers)
    if empty:
        hint = "a word and its numbers on each line, separated by spaces"
        raise errors.DataError(f"{files.name(path)}: no word vectors", hint)
    if not fitting:
        raise errors.DataError(f"{files.name(path)}: has no vector for any of the words", "is it of this language?")
    return Found({**similar, **exact}, list(more), digest.hexdigest(), passed_over)


def _records(path: str, digest: files.Digest) -> Iterator[Record]:
    """Yield what a file holds; it is read to its end."""
    with files.open_bytes(path, digest) as file:
        try:
            yield from _recognised(path, file)
        except (gzip.BadGzipFile, EOFError, zlib.error) as error:
            raise errors.DataError(f"{files.name(path)}: damaged gzip file ({error})") from None


def _recognised(path: str, stream: BinaryIO) -> Iterator[Record]:
    """Yield the records of an open file in whatever form."""
    head = list(itertools.islice(stream, SAMPLE + 1))
    for start, (what, hint) in OTHERS.items():
        if head and head[0].startswith(start):
            raise errors.DataError(f"{files.name(path)}: {what}", hint.format(files.name(path)))
    head[:1] = [line.removeprefix(codecs.BOM_UTF8) for line in head[:1]]
    counts = _counts(head[0]) if head else None
    length = _length(head[1:] if counts else head)
    if counts and _is_binary(b"".join(head[1:]), length, counts[1]):
        return _binary(path, stream, b"".join(head[1:]), *counts)
    first = 1 if counts and (length != 1 or counts[1] == 1) else 0  # the line of counts is left out
    return _text(path, itertools.chain(head, stream), first, length)


def _counts(line: bytes) -> tuple[int, int] | None:
    """Return what a first line of counts says, how many words and how many numbers each; None where it is none."""
    parts = line.split()
    return (int(parts[0]), int(parts[1])) if len(parts) == 2 and all(map(bytes.isdigit, parts)) else None


def _length(lines: Sequence[bytes]) -> int:
    """Return how many numbers a vector has: as many as most lines end with, since a word may have blanks inside."""
    tails = collections.Counter(filter(None, map(_tail, lines)))
    return max(tails, key=lambda length: (tails[length], length), default=0)


def _tail(line: bytes) -> int:
    """Return with how many numbers a line ends, behind a first word."""
    behind = line.split()[1:]
    return sum(1 for _ in itertools.takewhile(_is_number, reversed(behind)))


def _is_number(text: bytes) -> bool:
    try:
        return bool(np.isfinite(float(text)))
    except ValueError:
        return False


def _is_binary(content: bytes, length: int, announced: int) -> bool:
    """Return whether what follows a line of counts is float32: not as many numbers as announced, and no clean text."""
    if length == announced:
        return False
    try:
        text = codecs.getincrementaldecoder("utf-8")().decode(content)
    except UnicodeDecodeError:
        return True
    return any(ord(letter) < 32 and not letter.isspace() for letter in text)


def _text(path: str, lines: Iterator[bytes], first: int, length: int) -> Iterator[Record]:
    """Yield the records of a text: a word, which may have blanks inside, and its numbers."""
    for place, line in enumerate(lines, 1):
        parts = line.split()
        if place <= first or not parts:
            continue
        blank = len(parts) == length and line[:1].isspace()  # the word is some blank
        if not blank and (len(parts) <= length or not length):
            raise _malformed(path, place, length)
        if not blank:
            yield place, b" ".join(parts[:-length]), parts[-length:]


def _binary(path: str, stream: BinaryIO, data: bytes, count: int, length: int) -> Iterator[Record]:
    """Yield the records of word2vec's binary form: a word, a blank, float32s, and for some writers a line end.

    data: what is read of the stream already.
    """
    width, start = 4 * length, 0
    for place in range(1, count + 1):
        while (end := data.find(b" ", start)) < 0 or len(data) < end + 1 + width:
            block = stream.read(files.BLOCK)
            if not block:
                raise errors.DataError(
                    f"{files.name(path)}: ends after {place - 1} of {count} word vectors", "is it a part of a file?"
                )
            data, start = data[start:] + block, 0
        yield place, data[start:end].lstrip(b"\n"), data[end + 1 : end + 1 + width]
        start = end + 1 + width
    while stream.read(files.BLOCK):  # its hash is that of the whole file
        pass


def _vector(path: str, place: int, numbers: Numbers) -> np.ndarray:
    try:
        vector = np.frombuffer(numbers, "<f4") if isinstance(numbers, bytes) else np.array(numbers, dtype=np.float32)
    except ValueError:
        raise _malformed(path, place, len(numbers)) from None
    if not np.isfinite(vector).all():
        raise _malformed(path, place, len(vector))
    return vector.astype(np.float32)


def _malformed(path: str, place: int, length: int) -> errors.DataError:
    return errors.DataError(f"{files.name(path)}:{place}: not a word and {length or 'its'} numbers")
