"""Toy models for the searches, and every sentence that they can say."""

import itertools
import math
from dataclasses import dataclass

import pytest
import torch

from seqnlp.decoding import constraints, ranking

V, S, START, END = 5, 3, 0, 1
CONTEXTS = 97  # what a toy model remembers of the tokens before


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


def allowed(sentences, *, max_length=4, min_length=None, prefix=None, no_repeat_ngram_size=0, banned=(), rules=()):
    """The constraints of some sentences, all of them or each its own."""
    rules = [*rules, constraints.BannedTokens(banned)]
    if prefix is not None:
        rules.append(constraints.ForcedPrefix(prefix))
    if min_length is not None:
        rules.append(constraints.MinLength(tensor(min_length, sentences)))
    if no_repeat_ngram_size:
        rules.append(constraints.NoRepeatNgram(no_repeat_ngram_size))
    return constraints.Constraints(START, END, tensor(max_length, sentences), rules)


LIMITS = ("max_length", "min_length", "prefix", "no_repeat_ngram_size", "banned", "rules")


def found(function, toy, *, step=step, state=None, length_penalty=0.0, coverage_penalty=0.0, **options):
    """What a search finds, its constraints and penalties given by name."""
    limits = {name: options.pop(name) for name in LIMITS if name in options}
    if length_penalty or coverage_penalty:
        options["ranking"] = ranking.Ranking(length_penalty, coverage_penalty)
    return function(step, state or toy.state(), allowed(len(toy), **limits), **options)


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
        coverage = sum(math.log(max(min(weight, 1.0), ranking.MIN_COVERAGE)) for weight in seen) if beta else 0.0
        return log / ((5 + len(tokens) + 1) / 6) ** alpha + beta * coverage, log, coverage


def repeats(tokens, n):
    """Whether the last n-gram was there before."""
    grams = [tuple(tokens[i : i + n]) for i in range(len(tokens) - n + 1)]
    return bool(grams) and grams[-1] in grams[:-1]


def legal(tokens, min_length, max_length, prefix, no_repeat_ngram_size, banned):
    """Whether a sentence is as the rules want it; the prefix may be what it likes."""
    max_length, begin = max(max_length, len(prefix)), len(prefix)
    if tuple(tokens[:begin]) != tuple(prefix) or not min(min_length, max_length) <= len(tokens) <= max_length:
        return False
    heads = (tokens[: n + 1] for n in range(begin, len(tokens)))
    return not any(
        head[-1] in {*banned, END} or (no_repeat_ngram_size and repeats(head, no_repeat_ngram_size)) for head in heads
    )


def every(
    toy, sentence, *, alpha=0.0, beta=0.0, min_length=0, max_length=4, prefix=(), no_repeat_ngram_size=0, banned=()
):
    """Every legal sentence with its score, best first."""
    model = Model(toy, sentence)
    sentences = itertools.chain(
        *(itertools.product(range(V), repeat=n) for n in range(max(max_length, len(prefix)) + 1))
    )
    kept = (
        tokens for tokens in sentences if legal(tokens, min_length, max_length, prefix, no_repeat_ngram_size, banned)
    )
    return sorted(((*model.finish(tokens, alpha, beta), list(tokens)) for tokens in kept), reverse=True)


def check(ranked, expected):
    assert [one.tokens for one in ranked] == [tokens for *_, tokens in expected]
    for one, (score, log, coverage, _) in zip(ranked, expected, strict=True):
        assert one.score == pytest.approx(score, abs=1e-4)
        assert one.log_probability == pytest.approx(log, abs=1e-4)
        assert one.coverage == pytest.approx(coverage, abs=1e-4)
