"""N-grams against Kneser-Ney's formulas written out with dictionaries, token by token."""

import collections
import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqnlp.preprocess.text import kneser_ney

TEXTS = st.lists(st.integers(0, 4), min_size=2, max_size=60).map(np.array)
SIZE = 6  # of the vocabulary: one token never occurs


class Oracle:
    """Chen & Goodman 1998, section 4.1.6, without what occurs once and is longer than `WHOLE`."""

    def __init__(self, text, order):
        self.order = min(order, len(text))
        self.raw = {n: collections.Counter(grams(text, n)) for n in range(1, self.order + 1)}
        self.counts = {n: self.counted(n) for n in self.raw}
        self.taken = {n: discounts(counts.values()) for n, counts in self.counts.items()}

    def counted(self, length):
        if length == self.order:
            return self.raw[length]
        before = collections.defaultdict(set)
        for gram in self.raw[length + 1]:
            before[gram[1:]].add(gram[0])
        return {gram: len(before[gram]) or 1 for gram in self.raw[length]}

    def after(self, context):
        """The counts of what follows a context, and which of it is known."""
        length = len(context) + 1
        every = {gram: count for gram, count in self.counts.get(length, {}).items() if gram[:-1] == context}
        known = {gram for gram in every if length <= kneser_ney.WHOLE or self.raw[length][gram] > 1}
        return every, known, self.taken.get(length)

    def probability(self, token, context):
        """By the longest context, and what it leaves to shorter ones."""
        lower = self.probability(token, context[1:]) if context else 1 / SIZE
        every, known, taken = self.after(context)
        if not known:
            return lower
        shares = {gram: (every[gram] - taken[min(every[gram], 3)]) / sum(every.values()) for gram in known}
        return shares.get((*context, token), 0) + (1 - sum(shares.values())) * lower


def grams(text, length):
    return list(zip(*(text[place:].tolist() for place in range(length)), strict=False))


def discounts(counts):
    number = collections.Counter(counts)
    share = number[1] / (number[1] + 2 * number[2]) if number[1] else 0.5
    found = {}
    for count in (1, 2, 3):
        more = number[count + 1] / number[count] if number[count] else 0.5
        found[count] = min(max(count - (count + 1) * share * more, 0.1), count - 0.1)
    return found


@given(TEXTS, TEXTS, st.integers(1, 5))
def test_probabilities_are_those_of_the_formulas(text, other, order):
    ngrams, oracle = kneser_ney.fit(text, order, SIZE), Oracle(text, order)
    found, _ = ngrams.probabilities(other, np.arange(1, len(other)))
    expected = [
        oracle.probability(int(token), tuple(other[max(place - order + 1, 0) : place].tolist()))
        for place, token in enumerate(other)
        if place
    ]
    np.testing.assert_allclose(found, expected, rtol=1e-5)


@given(TEXTS, TEXTS, st.integers(1, 5))
def test_all_tokens_after_others_are_a_distribution_and_each_has_its_probability(text, other, order):
    ngrams = kneser_ney.fit(text, order, SIZE)
    found, kinds = ngrams.probabilities(other, np.arange(1, len(other)))
    for place in range(1, len(other)):
        every, kind = ngrams.distribution(other[:place].tolist())
        assert every.sum() == pytest.approx(1, abs=1e-5) and every.min() > 0
        assert every[other[place]] == pytest.approx(found[place - 1]) and kind == kinds[place - 1]
        assert 0 <= kind < kneser_ney.kinds(order)


def test_only_so_many_tokens_before_are_looked_at():
    text = np.array([0, 1, 2, 0, 1, 3, 0, 1, 2, 0, 1, 2])
    ngrams = kneser_ney.fit(text, 3, SIZE)
    lines = [text[:5], text[4:9]]  # read one after the other, each by itself
    joined, before = np.concatenate([lines[0], lines[1][1:]]), np.array([1, 2, 3, 4, 1, 2, 3, 4])
    alone = [ngrams.probabilities(line, np.arange(1, len(line)))[0] for line in lines]
    np.testing.assert_array_equal(ngrams.probabilities(joined, before)[0], np.concatenate(alone))
    assert not np.array_equal(ngrams.probabilities(joined, np.arange(1, 9))[0], np.concatenate(alone))


@pytest.mark.parametrize("piece", [1, 2, 7, 40])
def test_a_long_text_is_looked_up_in_pieces(monkeypatch, piece):
    text, other = (np.random.default_rng(seed).integers(0, 5, 41) for seed in (1, 2))
    ngrams, before = kneser_ney.fit(text, 4, SIZE), np.minimum(np.arange(1, 41), [*range(1, 21), *range(1, 21)])
    whole = ngrams.probabilities(other, before)
    monkeypatch.setattr(kneser_ney, "PIECE", piece)
    for found, expected in zip(ngrams.probabilities(other, before), whole, strict=True):
        np.testing.assert_array_equal(found, expected)


def test_longer_contexts_foresee_a_text_that_repeats():
    text = np.array(list(itertools.islice(itertools.cycle([0, 1, 2, 0, 2, 1, 1, 3]), 400)))
    losses = []
    for order in (1, 2, 3, 4):
        found, _ = kneser_ney.fit(text[:200], order, SIZE).probabilities(text[200:], np.arange(1, 200))
        losses.append(-np.log(found).mean())
    assert losses == sorted(losses, reverse=True) and losses[-1] < 0.1 < losses[0]


def test_of_long_ngrams_those_that_occur_once_are_left_out():
    text = np.random.default_rng(1).integers(0, 5, 300)
    distinct = {length: collections.Counter(grams(text, length)) for length in (1, 2, 3)}
    kept = sum(length <= kneser_ney.WHOLE or count > 1 for length in distinct for count in distinct[length].values())
    assert len(kneser_ney.fit(text, 3, SIZE).keys) == kept + 1  # and the empty one
