"""Pretrained vectors: both text formats and the ways they are written, words found by their form, faults by line."""

import gzip

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
        data = content.encode()
        (tmp_path / name).write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
        return str(tmp_path / name)

    return write


def found(path, vocabulary, *normal):
    """The vectors by id, on the scale of the file."""
    ids, matrix = word_vectors.rows(path, vocabulary, *normal)
    return dict(zip(ids.tolist(), matrix, strict=True))


def scaled(*rows):
    matrix = np.array(rows, dtype=np.float32)
    return matrix / matrix.std()


@pytest.mark.parametrize("form", WRITTEN)
@pytest.mark.parametrize("name", ["v.txt", "v.vec.gz"])
def test_every_way_of_writing_gives_the_same(path, form, name):
    file = path(WRITTEN[form], name)
    assert word_vectors.size(file) == 3
    assert word_vectors.words(file) == list(NUMBERS)
    rows = found(file, {"the": 7, "of": 4, "Oslo": 5})
    np.testing.assert_allclose([rows[7], rows[4], rows[5]], scaled(*NUMBERS.values()), rtol=1e-6)


def test_words_of_the_vocabulary_are_found_and_scaled_to_a_unit_deviation(path):
    ids, matrix = word_vectors.rows(path(PLAIN), {"of": 9, "Oslo": 3, "unheard": 5})
    assert sorted(ids.tolist()) == [3, 9]
    assert ids.dtype == np.int64
    assert matrix.std() == pytest.approx(1)
    rows = dict(zip(ids.tolist(), matrix, strict=True))
    np.testing.assert_allclose(rows[9] / rows[9][0], np.array(NUMBERS["of"]) / 0.25, rtol=1e-5)


def test_a_vector_of_zeros_is_one(path):
    np.testing.assert_array_equal(found(path("the 0 0\n"), {"the": 5})[5], [0, 0])


def test_the_first_of_several_vectors_counts(path):
    assert found(path("a 1 -1\na 5 7\n"), {"a": 4})[4].tolist() == [1, -1]


def test_a_word_may_hold_blanks(path):
    file = path("the 1 -1\nNew York City 1 -1\n. . 1 -1\n")
    assert word_vectors.words(file) == ["the", "New York City", ". ."]
    assert list(found(file, {"New York City": 6})) == [6]


def test_a_number_may_be_a_word(path):
    assert word_vectors.words(path("2 2\n7 1 -1\n3 2 1\n")) == ["7", "3"]


def test_a_word_may_have_one_number(path):
    assert word_vectors.words(path("the 3\nof 0.25\n7 1\n")) == ["the", "of", "7"]


def test_words_are_found_as_they_are_normalised(path):
    file = path("Oslo 1 -1\nTHE 2 -2\nthe 3 -3\nThe 4 -4\n")
    assert word_vectors.words(file, str.lower) == ["oslo", "the", "the", "the"]
    rows = found(file, {"oslo": 4, "the": 5}, str.lower)
    np.testing.assert_allclose([rows[4], rows[5]], scaled([1, -1], [3, -3]), rtol=1e-6)


def test_vectors_of_another_language_are_reported(path):
    message = r"v\.txt: has no vector for any of the words; hint: is it of this language\?"
    with pytest.raises(errors.DataError, match=message):
        word_vectors.rows(path(PLAIN), {"le": 4})
    with pytest.raises(errors.DataError, match=message):
        word_vectors.words(path(PLAIN), known={"le"})
    assert word_vectors.words(path(PLAIN), known={"le", "of"}) == list(NUMBERS)


FAULTS = {
    "too few numbers": ("the 1 2\nof 1\n", 2, 2),
    "a word alone": ("the\n", 1, "its"),
    "no number": ("of 1 2\nthe 1 x\n", 2, 2),
    "not a number": ("the nan 1\n", 1, 2),
    "infinite": ("of 1 2\n\nthe 1 -inf\n", 3, 2),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_faulty_line_is_reported(path, name):
    content, number, size = FAULTS[name]
    with pytest.raises(errors.DataError, match=rf"v\.txt:{number}: not a word and {size} numbers"):
        word_vectors.rows(path(content), {"the": 4, "of": 5})


@pytest.mark.parametrize("content", ["", "\n \n", "400000 300\n"])
def test_a_file_without_vectors_is_reported(path, content):
    with pytest.raises(errors.DataError, match=r"v\.txt: no word vectors; hint: a word and its numbers on each line"):
        word_vectors.size(path(content))


def test_a_missing_file_is_reported():
    with pytest.raises(errors.UsageError, match=r"nowhere\.txt: no such file"):
        word_vectors.size("nowhere.txt")
