"""The beam: against a beam by hand, against greedy by hand, and when it ends."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from toys import END, Model, Toy, V, check, found, repeats, step

from seqnlp.decoding import beam


def by_hand(toy, sentence, size, nbest, max_length, alpha, beta, no_repeat_ngram_size, prune):
    """A beam without batches, bounds and back-pointers: to the end of the longest."""
    model = Model(toy, sentence)
    running, finished = [()], []
    for number in range(max_length + 1):
        ways = [(*tokens, token) for tokens in running for token in range(V) if token == END or number < max_length]
        ways = [
            way for way in ways if way[-1] == END or not (no_repeat_ngram_size and repeats(way, no_repeat_ngram_size))
        ]
        ways = sorted(ways, key=model.log, reverse=True)[:size]
        finished += [(*model.finish(way[:-1], alpha, beta), list(way[:-1])) for way in ways if way[-1] == END]
        running = [way for way in ways if way[-1] != END]
        if prune and len(running) > nbest:
            lowest = model.log(running[nbest - 1]) - prune
            running = [way for way in running if model.log(way) >= lowest]
    return sorted(finished, reverse=True)[:nbest]


@settings(max_examples=200)
@given(
    st.integers(0, 10**6),
    st.integers(1, 4),
    st.integers(1, 4),
    st.sampled_from([0.0, 0.6, 5.0, -0.5]),
    st.sampled_from([0.0, 0.4]),
    st.integers(0, 2),
    st.integers(0, 12),
    st.sampled_from([1.0, 5.0]),
    st.sampled_from([0.0, 0.0, 0.3, 2.0]),
)
def test_a_beam_is_the_beam_by_hand(seed, size, nbest, alpha, beta, no_repeat_ngram_size, max_length, sharpness, prune):
    toy = Toy.of(5, seed, sharpness=sharpness, end=0.5)
    options = {
        "length_penalty": alpha,
        "coverage_penalty": beta,
        "no_repeat_ngram_size": no_repeat_ngram_size,
        "prune_threshold": prune,
    }
    results = found(beam.search, toy, size=size, nbest=nbest, max_length=max_length, **options)
    for sentence, ranked in enumerate(results):
        check(ranked, by_hand(toy, sentence, size, nbest, max_length, alpha, beta, no_repeat_ngram_size, prune))


@given(st.integers(0, 10**6))
def test_greedy_takes_the_most_probable_token_each_time(seed):
    toy = Toy.of(3, seed)
    for sentence, (hypothesis,) in enumerate(found(beam.search, toy, size=1, max_length=6)):
        model, tokens = Model(toy, sentence), []
        while len(tokens) < 6:
            logs = model.logs[model.walk(tokens)[-1]]
            token = max(range(V), key=logs.__getitem__)
            if token == END:
                break
            tokens.append(token)
        assert hypothesis.tokens == tokens
        assert hypothesis.score == hypothesis.log_probability == pytest.approx(model.finish(tokens)[1], abs=1e-4)


@pytest.mark.parametrize("alpha", [0.0, 1.0])
def test_a_beam_of_one_is_greedy_whatever_the_penalty(alpha):
    toy = Toy.of(20)
    beams, greedy = (
        found(beam.search, toy, size=1, length_penalty=alpha, max_length=9),
        found(beam.search, toy, size=1, max_length=9),
    )
    assert [one.tokens for (one,) in beams] == [one.tokens for (one,) in greedy]


def planned(*probabilities):
    """A toy model that gives these probabilities at first, then sure of the token 2 and after it of the end."""
    toy = Toy.of(1)
    first, second, third = Model(toy, 0).walk([2, 2])
    toy.scores[0, first] = torch.tensor(probabilities).log()
    toy.scores[0, second] = torch.tensor([0.0, 0.0, 30.0, 0.0, 0.0])
    toy.scores[0, third] = torch.tensor([0.0, 30.0, 0.0, 0.0, 0.0])
    return toy


def test_a_search_ends_when_nothing_better_can_come():
    """A model that is sure to end after two tokens is not asked fifty times."""
    toy, asked = planned(0.05, 0.05, 0.8, 0.05, 0.05), []

    def watched(tokens, state):
        asked.append(tokens)
        return step(tokens, state)

    ((one,),) = found(beam.search, toy, step=watched, size=4, max_length=50)
    assert one.tokens == [2, 2]
    assert len(asked) == 3


def test_a_search_goes_on_while_the_longest_may_win_by_its_length():
    toy = planned(0.3, 0.135, 0.082, 0.3, 0.183)  # logs -2.0 to end, -2.5 to go on; divided by 1 and by 8/6
    ((one,),) = found(beam.search, toy, size=2, max_length=2, length_penalty=1.0, banned=[0, 3, 4])
    assert one.tokens == [2, 2]


@given(st.integers(0, 10**6), st.integers(1, 6), st.integers(1, 3), st.sampled_from([1, 7, 99, 100, 101, 200, 250]))
def test_the_best_of_many_tokens(seed, size, width, vocabulary):
    generator = torch.Generator().manual_seed(seed)
    logs = torch.randn(3 * width, vocabulary, generator=generator).log_softmax(1)
    logs[torch.rand(logs.shape, generator=generator) < 0.2] = -torch.inf
    totals = -torch.rand(3, width, generator=generator) * 3
    rows = torch.randperm(3 * width, generator=generator).view(3, width)
    values, parents, tokens = beam.top_sums(logs, rows, totals, size)
    sums = (logs[rows] + totals.unsqueeze(2)).flatten(1)
    expected = sums.topk(min(size, sums.size(1)), dim=1).values
    torch.testing.assert_close(values, expected)
    there = sums.gather(1, parents * vocabulary + tokens)
    torch.testing.assert_close(there.masked_fill(values == -torch.inf, -torch.inf), expected)


def test_fewer_hypotheses_where_there_are_no_more():
    (ranked,) = found(beam.search, Toy.of(1), size=3, nbest=50, max_length=1)
    assert len(ranked) < 50
    assert len({tuple(one.tokens) for one in ranked}) == len(ranked)
