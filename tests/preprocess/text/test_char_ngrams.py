"""Hashed character n-grams against their definition, and the same in every process; affixes and shapes."""

import itertools
import json
import os
import subprocess
import sys
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqnlp.preprocess.text import char_ngrams

WORDS = ["a", "the", "Größe", "猫", "banana", "", "<s>", "😀"]


def by_hand(word, shortest, longest, buckets):
    """Bojanowski et al. 2017, section 3.2, letter by letter."""
    marked = "<" + word + ">"
    grams = set()
    for start in range(len(marked)):
        for end in range(start + 1, len(marked) + 1):
            if shortest <= end - start <= longest:
                grams.add(marked[start:end])
    return sorted(zlib.crc32(gram.encode()) % buckets for gram in grams or {marked})


@pytest.mark.parametrize(("shortest", "longest"), [(3, 6), (1, 2), (2, 2), (5, 7)])
@pytest.mark.parametrize("word", WORDS)
def test_n_grams_by_hand(word, shortest, longest):
    found = char_ngrams.CharNgrams(shortest, longest, 1009).of_word(word)
    assert sorted(found.tolist()) == by_hand(word, shortest, longest, 1009)


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=12), st.integers(1, 5), st.integers(0, 4))
def test_n_grams_of_any_word(word, shortest, more):
    found = char_ngrams.CharNgrams(shortest, shortest + more, 97).of_word(word)
    assert sorted(found.tolist()) == by_hand(word, shortest, shortest + more, 97)
    assert len(found)


def test_a_repeated_n_gram_counts_once():
    assert len(char_ngrams.CharNgrams(2, 2, 10**9).of_word("aaaa")) == 3  # <a aa a>


def test_batches_number_the_distinct_words():
    rows, grams, offsets = char_ngrams.CharNgrams(3, 4, 101).of_batch([["b", "a", "b"], ["a", "c"]])
    assert rows == [[0, 1, 0], [1, 2]]
    assert len(offsets) == 3
    assert offsets[0] == 0
    assert grams.dtype == np.int64


def test_batches_hold_each_distinct_word_s_n_grams():
    parts = char_ngrams.CharNgrams(3, 5, 101)
    _, grams, offsets = parts.of_batch([["banana", "cat"], ["", "cat", "dog"]])
    bounds = [*offsets.tolist(), len(grams)]
    found = [grams[a:b].tolist() for a, b in itertools.pairwise(bounds)]
    assert found == [parts.of_word(word).tolist() for word in ("banana", "cat", "", "dog")]


def test_a_batch_without_words_has_no_n_grams():
    rows, grams, offsets = char_ngrams.CharNgrams(3, 6, 101).of_batch([])
    assert (rows, grams.tolist(), offsets.tolist()) == ([], [], [0])


def test_every_process_gives_the_same_numbers_in_the_same_order():
    script = f"from seqnlp.preprocess.text import char_ngrams as s; p = s.CharNgrams(2, 5, 997)\nimport json\n\
print(json.dumps([p.of_word(w).tolist() for w in {WORDS!r}]))"
    outputs = [
        subprocess.run(
            [sys.executable, "-c", script], env={**os.environ, "PYTHONHASHSEED": seed}, stdout=-1, check=True
        ).stdout
        for seed in ("1", "2")
    ]
    here = [char_ngrams.CharNgrams(2, 5, 997).of_word(word).tolist() for word in WORDS]
    assert [json.loads(output) for output in outputs] == [here, here]


# what shows on the surface


def parts(word):
    """The features of a word by kind: beginnings, ends, shapes."""
    found = char_ngrams.affixes(word)
    return tuple([part[2:] for part in found if part[1] == mark] for mark in "<>:")


@pytest.mark.parametrize(
    ("word", "shape"),
    [
        ("Xavier", "Xxxxxx"),
        ("x-9", "x-9"),
        ("USA's", "XXX'x"),
        ("1.99€", "9.99€"),
        ("Äö猫", "Xxx"),
        ("٣", "9"),
        ("", ""),
    ],
)
def test_the_shape_of_a_word(word, shape):
    assert char_ngrams.shape_of(word) == shape


@given(st.text(max_size=9))
def test_a_shape_has_a_character_for_each(word):
    assert len(char_ngrams.shape_of(word)) == len(word)


def test_beginnings_and_ends_up_to_four_characters():
    begins, ends, _ = parts("London")
    assert begins == ["l", "lo", "lon", "lond"]
    assert ends == ["n", "on", "don", "ndon"]


@pytest.mark.parametrize(
    ("word", "begins"), [("", []), ("A", ["a"]), ("of", ["o", "of"]), ("猫だよ", ["猫", "猫だ", "猫だよ"])]
)
def test_a_short_word_has_fewer_affixes(word, begins):
    assert parts(word)[0] == begins
    assert len(parts(word)[1]) == len(begins)


@pytest.mark.parametrize(
    ("word", "shapes"), [("McDonald", ["XxXxxxxx", "XxXx"]), ("2024-05", ["9999-99", "9-9"]), ("a", ["x", "x"])]
)
def test_the_shape_stands_there_in_full_and_without_repetitions(word, shapes):
    assert parts(word)[2] == shapes


def test_a_beginning_is_no_end_and_no_shape():
    assert len(set(char_ngrams.affixes("x"))) == 4  # the beginning x, the end x, two shapes x


@given(st.lists(st.text(max_size=6)), st.integers(1, 50))
def test_hashed_features_are_buckets_of_the_distinct_ones(words, buckets):
    hashed = char_ngrams.Hashed(char_ngrams.affixes, buckets)
    flat, offsets = hashed.flat(words)
    bounds = [*offsets.tolist(), len(flat)]
    for word, (a, b) in zip(words, itertools.pairwise(bounds), strict=False):
        distinct = {part.encode("utf-8", "surrogatepass") for part in char_ngrams.affixes(word)}
        assert sorted(flat[a:b].tolist()) == sorted(zlib.crc32(part) % buckets for part in distinct)


def test_hashed_features_are_any_that_are_given():
    hashed = char_ngrams.Hashed(lambda word: word.split("-"), 10**9)
    assert hashed.of_word("b-a-b").tolist() == [zlib.crc32(part) % 10**9 for part in (b"a", b"b")]


@given(st.lists(st.lists(st.sampled_from(["a", "b", "", "ab"]))))
def test_distinct_words_are_numbered_as_they_come(sentences):
    rows, words = char_ngrams.distinct(sentences)
    assert [[words[number] for number in row] for row in rows] == sentences
    assert len(set(words)) == len(words)
    assert list(dict.fromkeys(itertools.chain(*rows))) == list(range(len(words)))
