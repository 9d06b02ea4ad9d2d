"""Sampling: as often as it is probable, and the same draws for the same sentence."""

import collections
import math

import pytest
import torch
from toys import END, START, Model, Toy, V, follow, found

from seqnlp.decoding import sampling


def frequencies(results):
    """How often each first token came; the end is END."""
    counts = collections.Counter(one.tokens[0] if one.tokens else END for ranked in results for one in ranked)
    return torch.tensor([counts[token] for token in range(V)]) / sum(counts.values())


def first(toy):
    """The scores of a first token."""
    return toy.scores[0, follow(0, START)]


@pytest.mark.parametrize(
    ("options", "distribution"),
    [
        ({}, lambda scores: scores.softmax(0)),
        ({"temperature": 2.5}, lambda scores: (scores / 2.5).softmax(0)),
        (
            {"filters": [sampling.TopK(2)]},
            lambda scores: scores.masked_fill(scores < scores.sort().values[-2], -torch.inf).softmax(0),
        ),
        ({"filters": [sampling.TopP(0.01)]}, lambda scores: (scores == scores.max()).float()),
        ({"banned": [2]}, lambda scores: scores.index_fill(0, torch.tensor([2]), -torch.inf).softmax(0)),
        ({"min_length": 1}, lambda scores: scores.index_fill(0, torch.tensor([END]), -torch.inf).softmax(0)),
    ],
    ids=["all", "temperature", "top k", "top p", "banned", "min_length"],
)
def test_samples_come_as_often_as_they_are_probable(options, distribution):
    toy = Toy.of(1, sharpness=1.0)
    results = found(sampling.sample, toy, max_length=1, samples=4000, **options)
    expected = distribution(first(toy))
    torch.testing.assert_close(frequencies(results), expected, atol=0.025, rtol=0)
    assert torch.equal(frequencies(results) > 0, expected > 0)


def test_the_nucleus_is_the_fewest_tokens_with_the_probability():
    toy = Toy.of(1)
    toy.scores[:] = torch.tensor([0.1, 0.15, 0.4, 0.05, 0.3]).log()
    expected = torch.tensor([0.0, 0.15, 0.4, 0.0, 0.3]) / 0.85
    results = found(sampling.sample, toy, max_length=1, samples=4000, filters=[sampling.TopP(0.75)])
    torch.testing.assert_close(frequencies(results), expected, atol=0.025, rtol=0)
    assert (
        frequencies(
            found(sampling.sample, toy, max_length=1, samples=500, filters=[sampling.TopP(0.69)])
        ).count_nonzero()
        == 2
    )


def test_whole_samples_come_as_often_as_they_are_probable():
    toy = Toy.of(1, sharpness=1.0)
    (results,) = found(sampling.sample, toy, max_length=2, samples=5000)
    counts = collections.Counter(tuple(one.tokens) for one in results)
    for one in results:
        model = Model(toy, 0)
        assert one.log_probability == pytest.approx(model.finish(one.tokens)[1], abs=1e-4)
    for tokens, count in counts.items():
        probability = math.exp(
            model.log(tokens) + (0 if len(tokens) == 2 else model.finish(tokens)[1] - model.log(tokens))
        )
        assert count / 5000 == pytest.approx(probability, abs=0.025)
    assert sum(counts.values()) == 5000


def test_draws_depend_on_the_seed_and_the_sentence_s_number():
    toy = Toy.of(1, sharpness=0.1, end=-2.0)
    same = Toy(*(table.expand(6, *table.shape[1:]) for table in (toy.scores, toy.looks, toy.mask)))

    def drawn(**options):
        return [one.tokens for (one,) in found(sampling.sample, same, max_length=9, **options)]

    assert drawn() == drawn(seed=0, numbers=range(6))
    assert drawn(numbers=[5, 4, 3, 2, 1, 0]) == drawn()[::-1]
    assert len({tuple(tokens) for tokens in drawn()}) > 3
    assert drawn(seed=1) != drawn()
