"""Naive Bayes evidence against its formula, a text at a time."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqnlp.preprocess.text import naive_bayes

TEXTS = [("a b a", 0), ("b c", 1), ("c d e", 1), ("a e", 0), ("f", 2), ("a b", 2)]
PAIRS = [(text.split(), label) for text, label in TEXTS]
UNKNOWN = -1


def n_grams(words, longest):
    return {tuple(words[i : i + n]) for n in range(1, longest + 1) for i in range(len(words) - n + 1)}


def by_hand(pairs, words, own, longest, classes=3):
    """The centred scores of one text before their scaling; `own` is the number of the text among the pairs."""
    known = set().union(*(n_grams(w, longest) for w, _ in pairs))
    others = [pair for number, pair in enumerate(pairs) if number != own]
    scores, kept = [], 0
    for c in range(classes):
        mine = [n_grams(w, longest) for w, label in others if label == c]
        total = sum(map(len, mine))
        score = math.log(len(mine) + 1)
        kept = 0
        for gram in n_grams(words, longest) & known:
            if any(gram in n_grams(w, longest) for w, _ in others):
                kept += 1
                score += math.log((sum(gram in grams for grams in mine) + 1) / (total + len(known)))
        scores.append(score)
    scores = np.array(scores) / math.sqrt(max(kept, 1))
    return scores - scores.mean()


def counted(pairs, classes, longest):
    """The counts of (words, number of the class) pairs."""
    counter = naive_bayes.Counter(longest, len(pairs))
    for words, label in pairs:
        counter.add(words, str(label))
    return counter.finish([str(label) for label in range(classes)])


def fitted(longest=2):
    return counted(PAIRS, 3, longest)


@pytest.mark.parametrize("longest", [1, 2, 3])
@pytest.mark.parametrize("text", ["a b", "c", "x y z", "e d c b a", "", "a x b f"])
def test_the_scores_of_a_new_text_by_hand(text, longest):
    made, words = fitted(longest), text.split()
    (found,) = made.scores([made.ids(words)], [UNKNOWN])
    np.testing.assert_allclose(found / made.scale, by_hand(PAIRS, words, None, longest), atol=1e-5)


@pytest.mark.parametrize("number", range(len(PAIRS)))
def test_a_training_text_is_scored_by_the_others(number):
    made, (words, label) = fitted(), PAIRS[number]
    (found,) = made.scores([made.ids(words)], [label])
    np.testing.assert_allclose(found / made.scale, by_hand(PAIRS, words, number, 2), atol=1e-5)


def test_training_scores_have_unit_size():
    made = fitted()
    scores = made.scores([made.ids(words) for words, _ in PAIRS], [label for _, label in PAIRS])
    assert scores.std() == pytest.approx(1, rel=1e-4)


@given(st.lists(st.lists(st.sampled_from("abcdefxyz"), max_size=7), min_size=1, max_size=6))
def test_a_text_s_scores_do_not_depend_on_its_batch(texts):
    made = fitted()
    rows = [made.ids(words) for words in texts]
    together = made.scores(rows, [UNKNOWN] * len(rows))
    assert together.shape == (len(texts), 3)
    for row, found in zip(rows, together, strict=True):
        np.testing.assert_array_equal(made.scores([row], [UNKNOWN])[0], found)


def test_only_the_most_frequent_n_grams_are_kept_where_there_are_too_many(monkeypatch):
    monkeypatch.setattr(naive_bayes, "MAX_CELLS", 3 * 2)
    made = fitted(1)
    assert made.counts.shape == (2, 3)
    assert len(made.ids(["a", "b"])) == 2


@pytest.mark.parametrize("chunk", [1, 2, 3, 5, 7, 18, 19, 20])  # all have 19 n-grams
@pytest.mark.parametrize("cells", [1 << 23, 3 * 4])
def test_the_counts_do_not_depend_on_the_chunks(monkeypatch, chunk, cells):
    monkeypatch.setattr(naive_bayes, "MAX_CELLS", cells)
    whole = fitted()
    monkeypatch.setattr(naive_bayes, "CHUNK", chunk)
    made = fitted()
    for name in ("keys", "counts", "texts", "scale"):
        one, other = getattr(made, name), getattr(whole, name)
        assert np.asarray(one).dtype == np.asarray(other).dtype
        np.testing.assert_array_equal(one, other)


def test_the_scale_is_measured_on_a_sample(monkeypatch):
    monkeypatch.setattr(naive_bayes, "SAMPLE", 2)
    made, some = fitted(), PAIRS[::3]
    scores = made.scores([made.ids(words) for words, _ in some], [label for _, label in some])
    assert scores.std() == pytest.approx(1, rel=1e-4)


def test_counts_come_back_from_their_file(tmp_path):
    made = fitted()
    made.save(tmp_path / "x.safetensors")
    loaded = naive_bayes.NaiveBayes.load(tmp_path / "x.safetensors", 2)
    rows = [made.ids(words) for words, _ in PAIRS]
    assert [loaded.ids(words) for words, _ in PAIRS] == rows
    np.testing.assert_array_equal(loaded.scores(rows, [UNKNOWN] * 6), made.scores(rows, [UNKNOWN] * 6))
