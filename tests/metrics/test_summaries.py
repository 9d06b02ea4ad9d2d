"""Summaries beside their documents: the first words, what is copied, what is new, what comes twice; by hand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqnlp.metrics import rouge, summaries

DOCUMENT = "The cat, it is said, sat on Žižek's mat. A dog ran."


@pytest.mark.parametrize(
    ("number", "expected"),
    [(0, ""), (1, "The"), (3, "The cat, it"), (8, "The cat, it is said, sat on Žižek"), (99, DOCUMENT[:-1])],
)
def test_the_first_words_of_a_document(number, expected):
    assert summaries.lead(DOCUMENT, number) == expected


@given(st.text("ab ,.\n中文é"), st.integers(0, 9))
def test_the_first_words_are_so_many(text, number):
    assert summaries.words(summaries.lead(text, number)) == summaries.words(text)[:number]


def test_baselines_by_hand():
    found = summaries.baselines([DOCUMENT, "a b c"], ["a dog ran", "c"], [], 1.8)
    names = ["first 2 words", "first words, as many as the reference has", "whole document"]
    assert list(found) == names
    texts = [["The cat,", "a b"], ["The cat, it", "a"], [DOCUMENT, "a b c"]]
    for name, said in zip(names, texts, strict=True):
        scores = rouge.score(said, ["a dog ran", "c"])
        assert found[name] == {score.name: pytest.approx(score.value, abs=1e-4) for score in scores}


def test_long_documents_are_no_baseline_as_a_whole():
    found = summaries.baselines(["word " * 250, "word"], ["word", "word"], [["word", "words"]], 3.0)
    assert list(found) == ["first 3 words", "first words, as many as the reference has"]


def test_what_summaries_are_like_by_hand():
    documents = ["one two three four", "a b c a b c"]
    found = summaries.likeness(documents, ["two three", "a b c"], ["Two three five", "a b c a b c d"])
    assert found == {
        "copied": 80.0,  # 8 of 10 words
        "new_ngrams": {"1": 20.0, "2": 25.0, "3": pytest.approx(33.33)},  # 2 of 10, 2 of 8, 2 of 6
        "length_ratio": 2.0,
        "repeats": 50.0,
    }


def test_empty_summaries_copy_nothing_and_repeat_nothing():
    found = summaries.likeness(["one"], ["two"], [""])
    assert found == {"copied": 100.0, "new_ngrams": {"1": 0.0, "2": 0.0, "3": 0.0}, "length_ratio": 0.0, "repeats": 0.0}
