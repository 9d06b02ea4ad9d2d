"""The search: against every sentence there is, against a beam by hand, and alone as in a batch."""

import collections
import itertools
import math
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from seqnlp.decoding import beam, ensemble, hypotheses, ranking, sampling

V, S, START, END = 5, 3, 0, 1
CONTEXTS = 97  # what a toy model remembers of the tokens before
RULES = {"start": START, "end": END}


@dataclass
class Toy:
    """Random sentences' models: every history has its own scores and its own attention."""

    scores: torch.Tensor  # (B, CONTEXTS, V), not normalised
    looks: torch.Tensor  # (B, CONTEXTS, S)
    mask: torch.Tensor  # (B, S)

    @classmethod
    def of(cls, sentences, seed=0, vocabulary=V, sharpness=2.0, end=0.0):
        generator = torch.Generator().manual_seed(seed)
        scores = torch.randn(sentences, CONTEXTS, vocabulary, generator=generator) * sharpness
        scores[..., END] += end
        mask = torch.arange(S) < torch.arange(sentences).unsqueeze(1) % S + 1
        looks = torch.randn(sentences, CONTEXTS, S, generator=generator) * 2
        return cls(scores, looks.masked_fill(~mask.unsqueeze(1), -torch.inf).softmax(2), mask)

    def __len__(self):
        return len(self.scores)

    def state(self):
        coverage, context = torch.zeros(len(self), S), torch.zeros(len(self), dtype=torch.long)
        named = {"source.scores": self.scores, "source.looks": self.looks, "source.mask": self.mask}
        return {**named, "context": context, "coverage": coverage}

    def only(self, *sentences):
        """The models of some sentences."""
        return Toy(*(table[list(sentences)] for table in (self.scores, self.looks, self.mask)))


def follow(context, token):
    return (context * 7 + token + 1) % CONTEXTS


def step(tokens, state):
    context = follow(state["context"], tokens[:, 0])
    sentence = state["place"] // state["source.rows"].size(1)
    attention = state["source.looks"][sentence, context]
    return state["source.scores"][sentence, context], {
        **state,
        "context": context,
        "attention": attention,
        "coverage": state["coverage"] + attention,
    }


def tensor(value, sentences):
    return torch.full((sentences,), value) if isinstance(value, int) else torch.tensor(value)


def found(function, toy, *, most=4, **options):
    if "least" in options:
        options["least"] = tensor(options["least"], len(toy))
    return function(step, toy.state(), len(toy), most=tensor(most, len(toy)), **RULES, **options)


class Model:
    """One sentence of a toy model, in plain numbers."""

    def __init__(self, toy, sentence):
        self.logs = toy.scores[sentence].log_softmax(1).tolist()
        self.looks = toy.looks[sentence].tolist()
        self.length = int(toy.mask[sentence].sum())

    def walk(self, tokens):
        """The context at each token of a sentence and at its end."""
        context = follow(0, START)
        contexts = [context]
        for token in tokens:
            context = follow(context, token)
            contexts.append(context)
        return contexts

    def log(self, tokens):
        """The log-probability of the tokens, without the end."""
        return sum(self.logs[context][token] for context, token in zip(self.walk(tokens), tokens, strict=False))

    def finish(self, tokens, alpha=0.0, beta=0.0):
        """Score, log-probability and coverage of a whole sentence (Wu et al. 2016, section 7)."""
        contexts = self.walk(tokens)
        log = self.log(tokens) + self.logs[contexts[-1]][END]
        seen = [sum(self.looks[context][s] for context in contexts) for s in range(self.length)]
        coverage = sum(math.log(max(min(share, 1.0), hypotheses.LEAST_COVERAGE)) for share in seen) if beta else 0.0
        return log / ((5 + len(tokens) + 1) / 6) ** alpha + beta * coverage, log, coverage


def repeats(tokens, n):
    """Whether the last n-gram was there before."""
    grams = [tuple(tokens[i : i + n]) for i in range(len(tokens) - n + 1)]
    return bool(grams) and grams[-1] in grams[:-1]


def legal(tokens, least, most, prefix, no_repeat, banned):
    """Whether a sentence is as the rules want it; the prefix may be what it likes."""
    most, begin = max(most, len(prefix)), len(prefix)
    if tuple(tokens[:begin]) != tuple(prefix) or not min(least, most) <= len(tokens) <= most:
        return False
    heads = (tokens[: n + 1] for n in range(begin, len(tokens)))
    return not any(head[-1] in {*banned, END} or (no_repeat and repeats(head, no_repeat)) for head in heads)


def every(toy, sentence, *, alpha=0.0, beta=0.0, least=0, most=4, prefix=(), no_repeat=0, banned=()):
    """Every legal sentence with its score, best first."""
    model = Model(toy, sentence)
    sentences = itertools.chain(*(itertools.product(range(V), repeat=n) for n in range(max(most, len(prefix)) + 1)))
    kept = (tokens for tokens in sentences if legal(tokens, least, most, prefix, no_repeat, banned))
    return sorted(((*model.finish(tokens, alpha, beta), list(tokens)) for tokens in kept), reverse=True)


def check(ranked, expected):
    assert [one.tokens for one in ranked] == [tokens for *_, tokens in expected]
    for one, (score, log, coverage, _) in zip(ranked, expected, strict=True):
        assert one.score == pytest.approx(score, abs=1e-4)
        assert one.log_probability == pytest.approx(log, abs=1e-4)
        assert one.coverage == pytest.approx(coverage, abs=1e-4)


ALL = {
    "plain": {},
    "length": {"alpha": 1.0},
    "shorter": {"alpha": -0.5},
    "coverage": {"beta": 0.7},
    "both": {"alpha": 0.6, "beta": 0.3},
    "least": {"least": 3, "alpha": 0.6},
    "banned": {"banned": (0, 3)},
    "unigrams": {"no_repeat": 1, "alpha": 1.0, "least": 2},
    "bigrams": {"no_repeat": 2, "alpha": 1.0, "least": 3},
    "prefix": {"prefix": (2, 4)},
    "repeating prefix": {"prefix": (3, 3), "no_repeat": 1, "banned": (3,), "alpha": 1.0},
    "prefix of all": {"prefix": (2, 4, 3, 2)},
    "prefix of more": {"prefix": (2, 4, 3), "most": 2},
    "nothing": {"most": 0},
}


@pytest.mark.parametrize("rules", ALL.values(), ids=ALL)
def test_a_beam_wide_enough_finds_the_best_of_all_sentences(rules):
    toy = Toy.of(7)
    options = {**rules, "length_penalty": rules.get("alpha", 0.0), "coverage_penalty": rules.get("beta", 0.0)}
    options = {name: value for name, value in options.items() if name not in ("alpha", "beta")}
    if "prefix" in options:
        options["prefix"] = [options["prefix"]] * 7
    results = found(beam.beam, toy, size=1000, nbest=9, **options)
    for sentence, ranked in enumerate(results):
        check(ranked, every(toy, sentence, **rules)[:9])


def test_each_sentence_has_its_own_rules():
    toy = Toy.of(4, end=-3.0)
    least, most, prefix = [0, 2, 3, 1], [1, 2, 4, 3], [None, [4], [], [2, 3]]
    results = found(beam.beam, toy, size=1000, nbest=3, least=least, most=most, prefix=prefix, no_repeat=2)
    for sentence, ranked in enumerate(results):
        own = {"least": least[sentence], "most": most[sentence], "prefix": prefix[sentence] or ()}
        check(ranked, every(toy, sentence, no_repeat=2, **own)[:3])


def by_hand(toy, sentence, size, nbest, most, alpha, beta, no_repeat, prune):
    """A beam without batches, bounds and back-pointers: to the end of the longest."""
    model = Model(toy, sentence)
    running, finished = [()], []
    for number in range(most + 1):
        ways = [(*tokens, token) for tokens in running for token in range(V) if token == END or number < most]
        ways = [way for way in ways if way[-1] == END or not (no_repeat and repeats(way, no_repeat))]
        ways = sorted(ways, key=model.log, reverse=True)[:size]
        finished += [(*model.finish(way[:-1], alpha, beta), list(way[:-1])) for way in ways if way[-1] == END]
        running = [way for way in ways if way[-1] != END]
        if prune and len(running) > nbest:
            least = model.log(running[nbest - 1]) - prune
            running = [way for way in running if model.log(way) >= least]
    return sorted(finished, reverse=True)[:nbest]


@given(
    st.floats(-1.0, 2.0),
    st.floats(0.0, 1.0),
    st.integers(1, 9),
    st.integers(0, 9),
    st.lists(st.floats(-9.0, 0.0), min_size=2),
)
def test_no_way_on_leads_above_the_bound(alpha, beta, least, more, logs):
    wu = ranking.Ranking(alpha, beta)
    begun = torch.tensor([logs])
    bound = wu.bound(begun, least, torch.tensor([least + more]))
    best = torch.stack([wu.score(begun, n, torch.zeros(())) for n in range(least, least + more + 1)]).amax(0)
    torch.testing.assert_close(bound, best)
    assert (wu.score(begun - 1, least, torch.tensor(-1.0)) <= bound).all()


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
def test_a_beam_is_the_beam_by_hand(seed, size, nbest, alpha, beta, no_repeat, most, sharpness, prune):
    toy = Toy.of(5, seed, sharpness=sharpness, end=0.5)
    options = {"length_penalty": alpha, "coverage_penalty": beta, "no_repeat": no_repeat, "prune": prune}
    results = found(beam.beam, toy, size=size, nbest=nbest, most=most, **options)
    for sentence, ranked in enumerate(results):
        check(ranked, by_hand(toy, sentence, size, nbest, most, alpha, beta, no_repeat, prune))


@given(st.integers(0, 10**6))
def test_greedy_takes_the_most_probable_token_each_time(seed):
    toy = Toy.of(3, seed)
    for sentence, (hypothesis,) in enumerate(found(beam.greedy, toy, most=6)):
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
    beams, greedy = found(beam.beam, toy, size=1, length_penalty=alpha, most=9), found(beam.greedy, toy, most=9)
    assert [one.tokens for (one,) in beams] == [one.tokens for (one,) in greedy]


OPTIONS = {
    "beam": (beam.beam, {"size": 3, "nbest": 2, "length_penalty": 1.0, "coverage_penalty": 0.2}),
    "pruned": (beam.beam, {"size": 4, "prune": 1.0, "coverage_penalty": 0.2}),
    "rules": (beam.beam, {"size": 2, "no_repeat": 2, "banned": [4]}),
    "greedy": (beam.greedy, {}),
    "sample": (sampling.sample, {"samples": 3, "seed": 5}),
    "nucleus": (sampling.sample, {"top_p": 0.7, "temperature": 1.5}),
}


@pytest.mark.parametrize(("function", "options"), OPTIONS.values(), ids=OPTIONS)
def test_a_sentence_gives_alone_what_it_gives_in_a_batch(function, options):
    toy, most = Toy.of(13), [0, 1, 2, 3, 9, 4, 5, 12, 3, 3, 2, 7, 9]
    together = found(function, toy, most=most, **options)
    for sentence, expected in enumerate(together):
        own = {**options, "numbers": [sentence]} if function is sampling.sample else options
        (alone,) = found(function, toy.only(sentence), most=[most[sentence]], **own)
        check(alone, [(one.score, one.log_probability, one.coverage, one.tokens) for one in expected])


@pytest.mark.parametrize(("function", "options"), OPTIONS.values(), ids=OPTIONS)
def test_how_much_is_looked_at_at_a_time_changes_nothing(monkeypatch, function, options):
    toy = Toy.of(13)
    expected = found(function, toy, **options)
    monkeypatch.setattr(hypotheses, "CACHED", 4 * V)
    monkeypatch.setattr(hypotheses, "FEWER", 0.0)
    assert found(function, toy, **options) == expected
    monkeypatch.setattr(hypotheses, "FEWER", 1.0)
    assert found(function, toy, **options) == expected


def test_sentences_that_are_done_leave_the_batch():
    toy, sizes = Toy.of(40, end=1.0), []

    def watched(tokens, state):
        sizes.append((len(state["source.scores"]), len(tokens)))
        return step(tokens, state)

    beam.beam(watched, toy.state(), 40, size=2, most=torch.arange(40) // 4, **RULES)
    assert sizes[0] == (40, 40)  # one hypothesis each at first
    assert [sentences for sentences, _ in sizes] == sorted((sentences for sentences, _ in sizes), reverse=True)
    assert sizes[-1][0] < 10
    assert all(rows < 2 * sentences + hypotheses.ROUND for sentences, rows in sizes)


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

    ((one,),) = beam.beam(watched, toy.state(), 1, size=4, most=tensor(50, 1), **RULES)
    assert one.tokens == [2, 2]
    assert len(asked) == 3


def test_a_search_goes_on_while_the_longest_may_win_by_its_length():
    toy = planned(0.3, 0.135, 0.082, 0.3, 0.183)  # logs -2.0 to end, -2.5 to go on; divided by 1 and by 8/6
    ((one,),) = found(beam.beam, toy, size=2, most=2, length_penalty=1.0, banned=[0, 3, 4])
    assert one.tokens == [2, 2]


@given(st.integers(0, 10**6), st.integers(1, 6), st.integers(1, 3), st.sampled_from([1, 7, 99, 100, 101, 200, 250]))
def test_the_best_of_many_tokens(seed, size, width, vocabulary):
    generator = torch.Generator().manual_seed(seed)
    logs = torch.randn(3 * width, vocabulary, generator=generator).log_softmax(1)
    logs[torch.rand(logs.shape, generator=generator) < 0.2] = -torch.inf
    totals = -torch.rand(3, width, generator=generator) * 3
    rows = torch.randperm(3 * width, generator=generator).view(3, width)
    values, parents, tokens = beam._top(logs, rows, totals, size)
    sums = (logs[rows] + totals.unsqueeze(2)).flatten(1)
    expected = sums.topk(min(size, sums.size(1)), dim=1).values
    torch.testing.assert_close(values, expected)
    there = sums.gather(1, parents * vocabulary + tokens)
    torch.testing.assert_close(there.masked_fill(values == -torch.inf, -torch.inf), expected)


@pytest.mark.parametrize("function", [beam.beam, beam.greedy, sampling.sample])
def test_attention_is_that_of_each_token(function):
    toy = Toy.of(8)
    options = {"size": 3, "nbest": 2} if function is beam.beam else {}
    results = found(function, toy, most=6, attention=True, **options)
    for sentence, ranked in enumerate(results):
        for one in ranked:
            contexts = Model(toy, sentence).walk(one.tokens)[: len(one.tokens)]
            np.testing.assert_array_equal(one.attention, toy.looks[sentence][contexts].numpy())
    assert any(one.tokens for ranked in results for one in ranked)
    assert found(function, toy, **options)[0][0].attention is None


def shares(results):
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
        ({"top_k": 2}, lambda scores: scores.masked_fill(scores < scores.sort().values[-2], -torch.inf).softmax(0)),
        ({"top_p": 0.01}, lambda scores: (scores == scores.max()).float()),
        ({"banned": [2]}, lambda scores: scores.index_fill(0, torch.tensor([2]), -torch.inf).softmax(0)),
        ({"least": 1}, lambda scores: scores.index_fill(0, torch.tensor([END]), -torch.inf).softmax(0)),
    ],
    ids=["all", "temperature", "top k", "top p", "banned", "least"],
)
def test_samples_come_as_often_as_they_are_probable(options, distribution):
    toy = Toy.of(1, sharpness=1.0)
    results = found(sampling.sample, toy, most=1, samples=4000, **options)
    expected = distribution(first(toy))
    torch.testing.assert_close(shares(results), expected, atol=0.025, rtol=0)
    assert torch.equal(shares(results) > 0, expected > 0)


def test_the_nucleus_is_the_fewest_tokens_with_the_probability():
    toy = Toy.of(1)
    toy.scores[:] = torch.tensor([0.1, 0.15, 0.4, 0.05, 0.3]).log()
    expected = torch.tensor([0.0, 0.15, 0.4, 0.0, 0.3]) / 0.85
    results = found(sampling.sample, toy, most=1, samples=4000, top_p=0.75)
    torch.testing.assert_close(shares(results), expected, atol=0.025, rtol=0)
    assert shares(found(sampling.sample, toy, most=1, samples=500, top_p=0.69)).count_nonzero() == 2


def test_whole_samples_come_as_often_as_they_are_probable():
    toy = Toy.of(1, sharpness=1.0)
    (results,) = found(sampling.sample, toy, most=2, samples=5000)
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
        return [one.tokens for (one,) in found(sampling.sample, same, most=9, **options)]

    assert drawn() == drawn(seed=0, numbers=range(6))
    assert drawn(numbers=[5, 4, 3, 2, 1, 0]) == drawn()[::-1]
    assert len({tuple(tokens) for tokens in drawn()}) > 3
    assert drawn(seed=1) != drawn()


def test_an_ensemble_averages_the_probabilities():
    toys = [Toy.of(6, seed) for seed in (1, 2)]
    mean = Toy(
        torch.stack([toy.scores.softmax(2) for toy in toys]).mean(0).log(),
        torch.stack([toy.looks for toy in toys]).mean(0),
        toys[0].mask,
    )
    options = {"size": 3, "nbest": 2, "length_penalty": 0.6, "coverage_penalty": 0.3, "attention": True}
    options = {**options, "most": tensor(5, 6), **RULES}
    joint = ensemble.join([toy.state() for toy in toys])
    results = beam.beam(ensemble.ensemble([step, step]), joint, 6, **options)
    expected = beam.beam(step, mean.state(), 6, **options)
    for ranked, others in zip(results, expected, strict=True):
        check(ranked, [(one.score, one.log_probability, one.coverage, one.tokens) for one in others])
        for one, other in zip(ranked, others, strict=True):
            np.testing.assert_allclose(one.attention, other.attention, atol=1e-6)


def test_an_ensemble_of_one_is_that_one():
    toy = Toy.of(4)
    expected = found(beam.beam, toy, size=3)
    results = beam.beam(ensemble.ensemble([step]), ensemble.join([toy.state()]), 4, size=3, most=tensor(4, 4), **RULES)
    assert [one.tokens for (one,) in results] == [one.tokens for (one,) in expected]


def test_scores_of_bf16_are_normalised_in_fp32():
    toy = Toy.of(6)
    rounded = Toy(toy.scores.bfloat16(), toy.looks, toy.mask)
    exact = Toy(toy.scores.bfloat16().float(), toy.looks, toy.mask)
    assert found(beam.beam, rounded, size=3) == found(beam.beam, exact, size=3)


def test_the_state_and_the_scores_of_a_model_are_left_as_they_are():
    toy = Toy.of(5)
    before = toy.scores.clone()

    def constant(tokens, state):
        return toy.scores[0, :1].expand(len(tokens), -1), {**state, "context": state["context"] + 1}

    state = toy.state()
    kept = {name: values.clone() for name, values in state.items()}
    beam.beam(constant, state, 5, size=2, most=tensor(3, 5), banned=[2], **RULES)
    assert torch.equal(toy.scores, before)
    torch.testing.assert_close(state, kept)


def test_no_sentences_no_results():
    assert found(beam.beam, Toy.of(0)) == []


def test_fewer_hypotheses_where_there_are_no_more():
    (ranked,) = found(beam.beam, Toy.of(1), size=3, nbest=50, most=1)
    assert len(ranked) < 50
    assert len({tuple(one.tokens) for one in ranked}) == len(ranked)
