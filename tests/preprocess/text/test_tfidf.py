"""TF-IDF features against scikit-learn's."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse
from sklearn.feature_extraction import text as sklearn

from seqnlp.preprocess.text import tfidf

TEXTS = ["a b a", "the cat", "b c the the", "猫 が いる", "ab abc abcd abcde", "", "Größe 😀 !", "the cat"]
UNLIMITED = {"features": 10**9, "values": 10**9}
WORDS = {"sublinear_tf": True, "lowercase": False}


def rows(texts):
    return [text.split() or [""] for text in texts]


def dense(matrix, features):
    """A matrix as an array, its columns in no order that means something."""
    shape = len(matrix.offsets) - 1, features
    return sparse.csr_matrix((matrix.values, matrix.features, matrix.offsets), shape).toarray()


def words_and_pairs(text):
    """Its words, the pairs next to each other, and those with a word between them."""
    words = text.split()
    near = map(" ".join, itertools.pairwise(words))
    far = map(" ... ".join, zip(words, words[2:], strict=False))
    return [*words, *near, *far]


def by_sklearn(texts, unseen):
    """The values of texts and of further ones by scikit-learn, words and characters side by side."""
    both = [
        sklearn.TfidfVectorizer(analyzer=words_and_pairs, **WORDS),
        sklearn.TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), **WORDS),
    ]
    parts = [(one.fit_transform(texts).toarray(), one.transform(unseen).toarray()) for one in both]
    return [np.concatenate(part, axis=1) for part in zip(*parts, strict=True)]


def same_columns(ours, theirs):
    """Whether two arrays have the same columns, in whatever order."""
    order = [np.lexsort(np.round(array, 4)[::-1]) for array in (ours, theirs)]
    np.testing.assert_allclose(ours[:, order[0]], theirs[:, order[1]], atol=1e-5)


def test_values_are_those_of_scikit_learn():
    texts = [text for text in TEXTS if text]
    unseen = ["a cat the", "unheard of", "the the the cats"]
    features, matrix = tfidf.fit(rows(texts), **UNLIMITED)
    ours = np.concatenate([dense(matrix, len(features)), dense(features.matrix(rows(unseen)), len(features))])
    same_columns(ours, np.concatenate(by_sklearn(texts, unseen)))


def test_texts_of_the_training_part_have_the_values_of_any_other():
    features, matrix = tfidf.fit(rows(TEXTS), **UNLIMITED)
    again = features.matrix(rows(TEXTS))
    for name in ("features", "values", "offsets"):
        np.testing.assert_array_equal(getattr(again, name), getattr(matrix, name))


@given(st.lists(st.lists(st.text("ab猫 ", max_size=5), min_size=1, max_size=4), min_size=1, max_size=5))
def test_a_text_does_not_depend_on_its_batch(texts):
    features, _ = tfidf.fit(rows(TEXTS), **UNLIMITED)
    together = dense(features.matrix(texts), len(features))
    for text, row in zip(texts, together, strict=True):
        np.testing.assert_array_equal(dense(features.matrix([text]), len(features))[0], row)


def test_only_the_most_frequent_features_are_kept_where_there_are_too_many():
    whole, _ = tfidf.fit(rows(TEXTS), **UNLIMITED)
    some, matrix = tfidf.fit(rows(TEXTS), features=5, values=10**9)
    assert len(some) == 5 and set(some.keys) <= set(whole.keys)
    assert some.idf.max() <= np.sort(whole.idf)[4]
    assert dense(matrix, 5).shape == (len(TEXTS), 5)


@pytest.mark.parametrize("values", [0, 1, 20, 10**9])
def test_no_more_texts_are_taken_than_there_is_room_for(values):
    _, matrix = tfidf.fit(rows(TEXTS), features=10**9, values=values)
    taken = len(matrix.offsets) - 1
    assert taken == len(TEXTS) or matrix.offsets[-1] > values >= matrix.offsets[-2]


def test_nothing_known_gives_nothing():
    nothing = tfidf.Features(np.zeros(0, np.uint32), np.zeros(0, np.float32))
    matrix = nothing.matrix(rows(TEXTS))
    assert len(matrix.values) == 0 and matrix.offsets.tolist() == [0] * (len(TEXTS) + 1)
