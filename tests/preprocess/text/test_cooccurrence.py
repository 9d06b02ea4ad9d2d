"""Word vectors of a corpus's own text: against dense arithmetic, and what they may depend on."""

import numpy as np
import pytest

from seqnlp.preprocess.text import cooccurrence

WORDS = 23
GENERATOR = np.random.default_rng(1)
TEXTS = [GENERATOR.integers(3, WORDS, size=length).tolist() for length in (9, 1, 14, 0, 30, 7, 40)]


def information():
    """Positive pointwise mutual information of the texts, by the book."""
    counts = np.zeros((WORDS, WORDS))
    for text in TEXTS:
        for i, word in enumerate(text):
            for j, other in enumerate(text):
                if 0 < abs(i - j) <= cooccurrence.WINDOW:
                    counts[word, other] += 1 / abs(i - j)
    counts = counts[3:, 3:]
    smoothed = counts.sum(0) ** cooccurrence.SMOOTHING
    with np.errstate(divide="ignore"):
        return np.maximum(np.log(counts / np.outer(counts.sum(1), smoothed / smoothed.sum())), 0)


def test_vectors_factorise_the_information():
    known, found = cooccurrence.vectors(TEXTS, WORDS, 5)
    left, values, _ = np.linalg.svd(information())
    expected = left[:, :5] * np.sqrt(values[:5])
    expected -= expected.mean(0)
    np.testing.assert_array_equal(known, np.arange(3, WORDS))
    np.testing.assert_allclose(found @ found.T, expected @ expected.T / expected.var(), atol=1e-3)


def test_vectors_have_mean_zero_and_unit_deviation():
    _, found = cooccurrence.vectors(TEXTS, WORDS, 5)
    assert found.std() == pytest.approx(1)
    np.testing.assert_allclose(found.mean(0), 0, atol=1e-6)


def test_neither_the_order_of_texts_nor_how_they_are_parted_matters(monkeypatch):
    known, expected = cooccurrence.vectors(TEXTS, WORDS, 5)
    monkeypatch.setattr(cooccurrence, "CHUNK", 2)
    again, found = cooccurrence.vectors(TEXTS[::-1], WORDS, 5)
    np.testing.assert_array_equal(again, known)
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("texts", [[], [[]], [[3], [4]], [[3, 4, 5]]])
def test_too_few_words_have_no_vectors(texts):
    known, found = cooccurrence.vectors(texts, WORDS, 5)
    assert known.shape == (0,) and found.shape == (0, 5)
