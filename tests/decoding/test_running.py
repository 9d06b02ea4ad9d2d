"""Running: a sentence alone as in a batch, what is kept, and what is left as it was."""

import numpy as np
import pytest
import torch
from toys import Model, Toy, V, check, found, step

from seqnlp.decoding import beam, running, sampling, state

OPTIONS = {
    "beam": (beam.search, {"size": 3, "nbest": 2, "length_penalty": 1.0, "coverage_penalty": 0.2}),
    "pruned": (beam.search, {"size": 4, "prune_threshold": 1.0, "coverage_penalty": 0.2}),
    "rules": (beam.search, {"size": 2, "no_repeat_ngram_size": 2, "banned": [4]}),
    "greedy": (beam.search, {"size": 1}),
    "sample": (sampling.sample, {"samples": 3, "seed": 5}),
    "nucleus": (sampling.sample, {"filters": [sampling.TopP(0.7)], "temperature": 1.5}),
}


@pytest.mark.parametrize(("function", "options"), OPTIONS.values(), ids=OPTIONS)
def test_a_sentence_gives_alone_what_it_gives_in_a_batch(function, options):
    toy, max_length = Toy.of(13), [0, 1, 2, 3, 9, 4, 5, 12, 3, 3, 2, 7, 9]
    together = found(function, toy, max_length=max_length, **options)
    for sentence, expected in enumerate(together):
        own = {**options, "numbers": [sentence]} if function is sampling.sample else options
        (alone,) = found(function, toy.only(sentence), max_length=[max_length[sentence]], **own)
        check(alone, [(one.score, one.log_probability, one.coverage, one.tokens) for one in expected])


@pytest.mark.parametrize(("function", "options"), OPTIONS.values(), ids=OPTIONS)
def test_how_much_is_looked_at_at_a_time_changes_nothing(monkeypatch, function, options):
    toy = Toy.of(13)
    expected = found(function, toy, **options)
    monkeypatch.setattr(running, "MAX_CACHED", 4 * V)
    monkeypatch.setattr(running, "COMPACT_BELOW", 0.0)
    assert found(function, toy, **options) == expected
    monkeypatch.setattr(running, "COMPACT_BELOW", 1.0)
    assert found(function, toy, **options) == expected


def test_sentences_that_are_done_leave_the_batch():
    toy, sizes = Toy.of(40, end=1.0), []

    def watched(tokens, state):
        sizes.append((len(state["source.scores"]), len(tokens)))
        return step(tokens, state)

    found(beam.search, toy, step=watched, size=2, max_length=(torch.arange(40) // 4).tolist())
    assert sizes[0] == (40, 40)  # one hypothesis each at first
    assert [sentences for sentences, _ in sizes] == sorted((sentences for sentences, _ in sizes), reverse=True)
    assert sizes[-1][0] < 10
    assert all(rows < 2 * sentences + state.ROW_MULTIPLE for sentences, rows in sizes)


@pytest.mark.parametrize("function", [beam.search, sampling.sample])
def test_attention_is_that_of_each_token(function):
    toy = Toy.of(8)
    options = {"size": 3, "nbest": 2} if function is beam.search else {}
    results = found(function, toy, max_length=6, attention=True, **options)
    for sentence, ranked in enumerate(results):
        for one in ranked:
            contexts = Model(toy, sentence).walk(one.tokens)[: len(one.tokens)]
            np.testing.assert_array_equal(one.attention, toy.looks[sentence][contexts].numpy())
    assert any(one.tokens for ranked in results for one in ranked)
    assert found(function, toy, **options)[0][0].attention is None


def test_scores_of_bf16_are_normalised_in_fp32():
    toy = Toy.of(6)
    rounded = Toy(toy.scores.bfloat16(), toy.looks, toy.mask)
    exact = Toy(toy.scores.bfloat16().float(), toy.looks, toy.mask)
    assert found(beam.search, rounded, size=3) == found(beam.search, exact, size=3)


def test_the_state_and_the_scores_of_a_model_are_left_as_they_are():
    toy = Toy.of(5)
    before = toy.scores.clone()

    def constant(tokens, state):
        return toy.scores[0, :1].expand(len(tokens), -1), {**state, "context": state["context"] + 1}

    begun = toy.state()
    kept = {name: values.clone() for name, values in begun.items()}
    found(beam.search, toy, step=constant, state=begun, size=2, max_length=3, banned=[2])
    assert torch.equal(toy.scores, before)
    torch.testing.assert_close(begun, kept)


def test_no_sentences_no_results():
    assert found(beam.search, Toy.of(0)) == []
