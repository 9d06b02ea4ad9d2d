"""Constraints: a search against every sentence there is, each rule by itself, and a rule from outside."""

import itertools

import pytest
import torch
from toys import END, START, Toy, check, every, found, repeats

from seqnlp.decoding import beam, constraints, sampling

ALL = {
    "plain": {},
    "length": {"alpha": 1.0},
    "shorter": {"alpha": -0.5},
    "coverage": {"beta": 0.7},
    "both": {"alpha": 0.6, "beta": 0.3},
    "min_length": {"min_length": 3, "alpha": 0.6},
    "banned": {"banned": (0, 3)},
    "unigrams": {"no_repeat_ngram_size": 1, "alpha": 1.0, "min_length": 2},
    "bigrams": {"no_repeat_ngram_size": 2, "alpha": 1.0, "min_length": 3},
    "prefix": {"prefix": (2, 4)},
    "repeating prefix": {"prefix": (3, 3), "no_repeat_ngram_size": 1, "banned": (3,), "alpha": 1.0},
    "prefix of all": {"prefix": (2, 4, 3, 2)},
    "prefix of more": {"prefix": (2, 4, 3), "max_length": 2},
    "nothing": {"max_length": 0},
}


@pytest.mark.parametrize("rules", ALL.values(), ids=ALL)
def test_a_beam_wide_enough_finds_the_best_of_all_sentences(rules):
    toy = Toy.of(7)
    options = {**rules, "length_penalty": rules.get("alpha", 0.0), "coverage_penalty": rules.get("beta", 0.0)}
    options = {name: value for name, value in options.items() if name not in ("alpha", "beta")}
    if "prefix" in options:
        options["prefix"] = [options["prefix"]] * 7
    results = found(beam.search, toy, size=1000, nbest=9, **options)
    for sentence, ranked in enumerate(results):
        check(ranked, every(toy, sentence, **rules)[:9])


def test_each_sentence_has_its_own_rules():
    toy = Toy.of(4, end=-3.0)
    min_length, max_length, prefix = [0, 2, 3, 1], [1, 2, 4, 3], [[], [4], [], [2, 3]]
    results = found(
        beam.search,
        toy,
        size=1000,
        nbest=3,
        min_length=min_length,
        max_length=max_length,
        prefix=prefix,
        no_repeat_ngram_size=2,
    )
    for sentence, ranked in enumerate(results):
        own = {"min_length": min_length[sentence], "max_length": max_length[sentence], "prefix": prefix[sentence]}
        check(ranked, every(toy, sentence, no_repeat_ngram_size=2, **own)[:3])


class Alternate(constraints.Constraint):
    """A rule from outside: even and odd tokens take turns; the first and the end are free."""

    reads_tokens = True

    def forbid(self, logs, partial):
        if partial.length:
            equal = torch.arange(logs.size(1)) % 2 == partial.tokens[:, -1:] % 2
            logs.masked_fill_(equal & (torch.arange(logs.size(1)) != partial.end), -torch.inf)


class ThirdToken(constraints.Constraint):
    """A rule from outside that forces: after two tokens there is always the same third."""

    def __init__(self, token):
        self.token = token

    def force(self, partial):
        return torch.full_like(partial.sentences, self.token if partial.length == 2 else constraints.FREE)


def no_ngram_twice(tokens, size):
    return not any(repeats(tokens[: n + 1], size) for n in range(len(tokens)))


EACH = {
    "min length": (lambda: constraints.MinLength(torch.full((5,), 2)), lambda tokens: len(tokens) >= 2),
    "banned": (lambda: constraints.BannedTokens([0, 3]), lambda tokens: not {0, 3} & set(tokens)),
    "unigrams": (lambda: constraints.NoRepeatNgram(1), lambda tokens: no_ngram_twice(tokens, 1)),
    "bigrams": (lambda: constraints.NoRepeatNgram(2), lambda tokens: no_ngram_twice(tokens, 2)),
    "prefix": (lambda: constraints.ForcedPrefix([[2, 4]] * 5), lambda tokens: tokens[:2] == [2, 4]),
    "alternate": (Alternate, lambda tokens: all((a + b) % 2 for a, b in itertools.pairwise(tokens))),
    "forced": (lambda: ThirdToken(3), lambda tokens: len(tokens) < 2 or tokens[2:3] == [3]),
}


@pytest.mark.parametrize(("rule", "holds"), EACH.values(), ids=EACH)
def test_each_rule_by_itself_against_every_sentence(rule, holds):
    toy = Toy.of(5)
    results = found(beam.search, toy, size=1000, nbest=9, rules=[rule()])
    for sentence, ranked in enumerate(results):
        check(ranked, [one for one in every(toy, sentence) if holds(one[-1])][:9])


@pytest.mark.parametrize(("rule", "holds"), EACH.values(), ids=EACH)
def test_random_sentences_keep_each_rule(rule, holds):
    results = found(sampling.sample, Toy.of(5), samples=20, rules=[rule()])
    assert all(ranked and all(holds(one.tokens) for one in ranked) for ranked in results)


def test_of_two_rules_that_force_the_first_wins():
    for rules, third in (([ThirdToken(3), ThirdToken(4)], 3), ([ThirdToken(4), ThirdToken(3)], 4)):
        results = found(beam.search, Toy.of(5), rules=rules, min_length=3)
        assert {one.tokens[2] for ranked in results for one in ranked} == {third}


def test_a_forced_prefix_raises_the_maximum_length():
    rules = [constraints.ForcedPrefix([[2, 3, 4], [], [2]])]
    whole = constraints.Constraints(START, END, torch.tensor([1, 2, 3]), rules)
    assert len(whole) == 3
    assert whole.max_length.tolist() == [3, 2, 3]


@pytest.mark.parametrize(("rules", "read"), [([], False), ([Alternate()], True), ([ThirdToken(2)], False)])
def test_tokens_are_kept_only_if_a_rule_reads_them(rules, read):
    assert constraints.Constraints(START, END, torch.tensor([1]), rules).reads_tokens == read
