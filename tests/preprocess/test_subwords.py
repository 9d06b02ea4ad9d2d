"""Hashed character n-grams against their definition, and the same in every process."""

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

from seqnlp.preprocess import subwords

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
    found = subwords.Subwords(shortest, longest, 1009).of_word(word)
    assert sorted(found.tolist()) == by_hand(word, shortest, longest, 1009)


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=12), st.integers(1, 5), st.integers(0, 4))
def test_n_grams_of_any_word(word, shortest, more):
    found = subwords.Subwords(shortest, shortest + more, 97).of_word(word)
    assert sorted(found.tolist()) == by_hand(word, shortest, shortest + more, 97)
    assert len(found)


def test_a_repeated_n_gram_counts_once():
    assert len(subwords.Subwords(2, 2, 10**9).of_word("aaaa")) == 3  # <a aa a>


def test_batches_number_the_distinct_words():
    rows, grams, offsets = subwords.Subwords(3, 4, 101).of_batch([["b", "a", "b"], ["a", "c"]])
    assert rows == [[0, 1, 0], [1, 2]]
    assert len(offsets) == 3
    assert offsets[0] == 0
    assert grams.dtype == np.int64


def test_batches_hold_each_distinct_word_s_n_grams():
    parts = subwords.Subwords(3, 5, 101)
    _, grams, offsets = parts.of_batch([["banana", "cat"], ["", "cat", "dog"]])
    bounds = [*offsets.tolist(), len(grams)]
    found = [grams[a:b].tolist() for a, b in itertools.pairwise(bounds)]
    assert found == [parts.of_word(word).tolist() for word in ("banana", "cat", "", "dog")]


def test_a_batch_without_words_has_no_n_grams():
    rows, grams, offsets = subwords.Subwords(3, 6, 101).of_batch([])
    assert (rows, grams.tolist(), offsets.tolist()) == ([], [], [0])


def test_every_process_gives_the_same_numbers_in_the_same_order():
    script = f"from seqnlp.preprocess import subwords as s; p = s.Subwords(2, 5, 997)\nimport json\n\
print(json.dumps([p.of_word(w).tolist() for w in {WORDS!r}]))"
    outputs = [
        subprocess.run(
            [sys.executable, "-c", script], env={**os.environ, "PYTHONHASHSEED": seed}, stdout=-1, check=True
        ).stdout
        for seed in ("1", "2")
    ]
    here = [subwords.Subwords(2, 5, 997).of_word(word).tolist() for word in WORDS]
    assert [json.loads(output) for output in outputs] == [here, here]
