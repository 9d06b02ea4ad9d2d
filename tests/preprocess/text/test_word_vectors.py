"""Pretrained vectors: their forms and how they are written, words found by their form, faults by line, one reading."""

import gzip
import hashlib
import os
import struct
import threading

import numpy as np
import pytest

from seqnlp import errors
from seqnlp.preprocess.text import word_vectors

NUMBERS = {"the": [1, -2, 0.5], "of": [0.25, 3, -1], "Oslo": [-1, 0, 2]}


def line(word, numbers):
    return " ".join([word, *map(str, numbers)])


PLAIN = "".join(f"{line(word, numbers)}\n" for word, numbers in NUMBERS.items())
WRITTEN = {
    "glove": PLAIN,
    "word2vec": "3 3\n" + PLAIN,
    "blanks at the ends": "3 3\n" + PLAIN.replace("\n", " \n"),
    "tabs": PLAIN.replace(" ", "\t"),
    "a tab behind the word": "".join(
        f"{line(word + chr(9), [])}{line('', row)[1:]}\n" for word, row in NUMBERS.items()
    ),
    "crlf and a byte order mark": "\ufeff" + PLAIN.replace("\n", "\r\n"),
    "blank lines": PLAIN.replace("\n", "\n\n") + " \n",
    "exponents": PLAIN.replace("0.25", "2.5e-1").replace(" 3", " +3.0E+0"),
    "no line end": PLAIN[:-1],
}


@pytest.fixture
def path(tmp_path):
    """Write a file of vectors and return its name."""

    def write(content, name="v.txt"):
        data = content if isinstance(content, bytes) else content.encode()
        (tmp_path / name).write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
        return str(tmp_path / name)

    return write


def binary(vectors, end=b""):
    """The binary form of word2vec; gensim puts no end behind a vector, the original does."""
    size = len(next(iter(vectors.values())))
    records = (word.encode() + b" " + struct.pack(f"<{size}f", *row) + end for word, row in vectors.items())
    return f"{len(vectors)} {size}\n".encode() + b"".join(records)


def words(path, **rest):
    """The words of a file."""
    return word_vectors.read(path, {}, room=99, known=KNOWN, **rest).more


class Anything:
    """All words."""

    def __contains__(self, word):
        return True


KNOWN = Anything()


def found(path, vocabulary, *normal):
    """The vectors by id, on the scale of the file."""
    ids, matrix = word_vectors.read(path, vocabulary, *normal).vectors(vocabulary).arrays
    return dict(zip(ids.tolist(), matrix, strict=True))


def scaled(*rows):
    matrix = np.array(rows, dtype=np.float32)
    return matrix / matrix.std()


def expect_numbers(file):
    assert words(file) == list(NUMBERS)
    rows = found(file, {"the": 7, "of": 4, "Oslo": 5})
    np.testing.assert_allclose([rows[7], rows[4], rows[5]], scaled(*NUMBERS.values()), rtol=1e-6)


@pytest.mark.parametrize("form", WRITTEN)
@pytest.mark.parametrize("name", ["v.txt", "v.vec.gz"])
def test_every_way_of_writing_gives_the_same(path, form, name):
    expect_numbers(path(WRITTEN[form], name))


@pytest.mark.parametrize("end", [b"", b"\n"])
@pytest.mark.parametrize("name", ["v.bin", "v.bin.gz", "v.txt"])
def test_the_binary_form_gives_the_same(path, end, name):
    expect_numbers(path(binary(NUMBERS, end), name))


@pytest.mark.parametrize("size", [1, 2, 3, 50, 301])
def test_the_binary_form_is_recognised_at_every_size(path, size):
    rows = np.random.default_rng(size).normal(size=(700, size)).astype(np.float32)
    names = [f"wörd{number}" for number in range(len(rows))]
    file = path(binary(dict(zip(names, rows, strict=True))))
    vocabulary = {word: number for number, word in enumerate(names, 4)}
    ids, matrix = word_vectors.read(file, vocabulary).vectors(vocabulary).arrays
    assert ids.tolist() == list(vocabulary.values())
    np.testing.assert_allclose(matrix, rows / rows.std(), rtol=1e-5)


def test_a_pipe_is_read_once_and_its_hash_taken(path, tmp_path):
    for number, data in enumerate((PLAIN.encode(), gzip.compress(PLAIN.encode()), binary(NUMBERS) + b"\n" * 99)):
        pipe = tmp_path / str(number)
        os.mkfifo(pipe)
        writer = threading.Thread(target=pipe.write_bytes, args=(data,))
        writer.start()
        read = word_vectors.read(str(pipe), {"of": 4})
        writer.join(60)
        assert list(read.by_word) == ["of"]
        assert read.digest == hashlib.sha256(data).hexdigest()


def test_words_of_the_vocabulary_are_found_and_scaled_to_a_unit_deviation(path):
    vocabulary = {"of": 9, "Oslo": 3, "unheard": 5}
    ids, matrix = word_vectors.read(path(PLAIN), vocabulary).vectors(vocabulary).arrays
    assert sorted(ids.tolist()) == [3, 9]
    assert ids.dtype == np.int64
    assert matrix.std() == pytest.approx(1)
    rows = dict(zip(ids.tolist(), matrix, strict=True))
    np.testing.assert_allclose(rows[9] / rows[9][0], np.array(NUMBERS["of"]) / 0.25, rtol=1e-5)


def test_vectors_come_back_from_their_file(path, tmp_path):
    made = word_vectors.read(path(PLAIN), {"of": 9, "Oslo": 3}).vectors({"of": 9, "Oslo": 3})
    made.save(tmp_path / "v.safetensors")
    again = word_vectors.Vectors.load(tmp_path / "v.safetensors")
    assert (again.size, again.digest) == (3, hashlib.sha256(PLAIN.encode()).hexdigest())
    for one, other in zip(made.arrays, again.arrays, strict=True):
        np.testing.assert_array_equal(one, other)
    again.save(tmp_path / "w.safetensors")
    assert (tmp_path / "v.safetensors").read_bytes() == (tmp_path / "w.safetensors").read_bytes()


def test_a_vector_of_zeros_is_one(path):
    np.testing.assert_array_equal(found(path("the 0 0\n"), {"the": 5})[5], [0, 0])


def test_the_first_of_several_vectors_counts(path):
    assert found(path("a 1 -1\na 5 7\n"), {"a": 4})[4].tolist() == [1, -1]


@pytest.mark.parametrize("begin", ["", "4 2\n"])
@pytest.mark.parametrize("order", [1, -1])
def test_a_word_may_hold_blanks_and_numbers_the_first_too(path, begin, order):
    lines = ["New York City 1 -1\n", "the 1 -1\n", ". . 1 -1\n", "route 66 1 -1\n"][::order]
    file = path(begin + "".join(lines))
    assert words(file) == ["New York City", "the", ". .", "route 66"][::order]
    assert list(found(file, {"New York City": 6})) == [6]


def test_a_number_may_be_a_word(path):
    assert words(path("2 2\n7 1 -1\n3 2 1\n")) == ["7", "3"]


def test_a_word_may_have_one_number(path):
    assert words(path("the 3\nof 0.25\n7 1\n")) == ["the", "of", "7"]
    assert words(path("7 3\nof 0.25\nthe 1\n")) == ["7", "of", "the"]
    assert words(path("2 1\nof 0.25\nthe 1\n")) == ["of", "the"]


def test_a_word_that_is_a_blank_is_passed_over(path):
    assert words(path("the 1 2\n  3 4\nof 1 2\n")) == ["the", "of"]


@pytest.mark.parametrize("order", [1, -1])
def test_words_that_are_not_utf_8_are_passed_over_and_counted(path, order):
    lines = [b"caf\xe9 1 2 3\n", b"the 1 2 3\n", b"\xff 3 2 1\n", b"of 1 2 3\n"][::order]
    for begin in (b"", b"4 3\n"):
        read = word_vectors.read(path(begin + b"".join(lines)), {"the": 4, "of": 5})
        assert sorted(read.by_word) == ["of", "the"]
        assert read.passed_over == 2


def test_words_are_found_as_they_are_normalised(path):
    file = path("Oslo 1 -1\nTHE 2 -2\nthe 3 -3\nThe 4 -4\n")
    assert words(file, normal=str.lower) == ["oslo", "the"]
    rows = found(file, {"oslo": 4, "the": 5}, str.lower)
    np.testing.assert_allclose([rows[4], rows[5]], scaled([1, -1], [3, -3]), rtol=1e-6)


def test_other_words_come_as_far_as_there_is_room(path):
    read = word_vectors.read(path(PLAIN + "last 9 9 9\n"), {"of": 4}, room=2)
    assert read.more == ["the", "Oslo"]
    assert sorted(read.by_word) == ["Oslo", "of", "the"]


def test_vectors_of_another_language_are_reported(path):
    message = r"v\.txt: has no vector for any of the words; hint: is it of this language\?"
    with pytest.raises(errors.DataError, match=message):
        word_vectors.read(path(PLAIN), {"le": 4})
    with pytest.raises(errors.DataError, match=message):
        word_vectors.read(path(PLAIN), {}, room=9, known={"le"})
    assert word_vectors.read(path(PLAIN), {}, room=9, known={"le", "of"}).more == list(NUMBERS)


FAULTS = {
    "too few numbers": ("the 1 2\nof 1\n", 2, 2),
    "a word alone": ("the\n", 1, "its"),
    "no number": ("of 1 2\nthe 1 x\n", 2, 2),
    "not a number": ("of 1 2\nthe nan 1\n", 2, 2),
    "infinite": ("of 1 2\n\nthe 1 -inf\n", 3, 2),
    "infinite, binary": (binary({"of": [1, 2], "the": [1, float("inf")]}), 2, 2),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_faulty_line_is_reported(path, name):
    content, number, size = FAULTS[name]
    with pytest.raises(errors.DataError, match=rf"v\.txt:{number}: not a word and {size} numbers"):
        word_vectors.read(path(content), {"the": 4, "of": 5})


@pytest.mark.parametrize("content", ["", "\n \n", "400000 300\n"])
def test_a_file_without_vectors_is_reported(path, content):
    with pytest.raises(errors.DataError, match=r"v\.txt: no word vectors; hint: a word and its numbers on each line"):
        word_vectors.read(path(content), {"the": 4})


OTHERS = {
    "cut binary": (binary(NUMBERS)[:-5], r"ends after 2 of 3 word vectors; hint: is it a part of a file\?"),
    "zip": (b"PK\x03\x04\x14\0\0\0", r"is a zip archive; hint: --vectors <\(unzip -p .*v\.txt NAME\.txt\)"),
    "fastText": (struct.pack("<ii", 793712314, 12) + bytes(99), r"is a model of fastText; hint: its \.vec file"),
    "array": (b"\x93NUMPY\x01\x00v\x00{'descr'", r"is an array of NumPy's"),
    "gzip": (gzip.compress(PLAIN.encode())[:-20], r"damaged gzip file"),
    "noise": (bytes(range(256)) * 9, r"not a word and its numbers"),
}


@pytest.mark.parametrize("name", OTHERS)
def test_what_is_no_file_of_vectors_is_named(path, name):
    content, message = OTHERS[name]
    with pytest.raises(errors.DataError, match=message):
        word_vectors.read(path(content), {"the": 4, "of": 5, "Oslo": 6})


def test_a_file_that_is_named_gz_but_is_none_is_reported(path, tmp_path):
    (tmp_path / "v.gz").write_text(PLAIN)
    with pytest.raises(errors.DataError, match="damaged gzip file"):
        word_vectors.read(str(tmp_path / "v.gz"), {"the": 4})


def test_a_missing_file_is_reported():
    with pytest.raises(errors.UsageError, match=r"nowhere\.txt: no such file"):
        word_vectors.read("nowhere.txt", {})
