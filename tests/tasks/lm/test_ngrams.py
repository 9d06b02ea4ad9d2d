"""N-grams beside the network: in prediction, in generation, of several models, where a model goes on from another."""

import numpy as np
import pytest
import torch

from seqnlp.nn import growth
from seqnlp.preprocess.corpora import arrow, examples
from seqnlp.preprocess.corpora.examples import Example
from seqnlp.tasks import registry
from seqnlp.tasks.lm import generation
from seqnlp.tasks.lm.options import Config, Generation, Search

LM = registry.get("lm")
LINES = ["the cat sees the dog", "a dog", "the bird sees a cat", "the dog"]
CPU = torch.device("cpu")


def rows(codec, lines):
    return arrow.in_memory([codec.encode(Example(line, line, line, "x", 1)) for line in lines], codec.features())


def made(ngrams, seed=0, lines=LINES):
    """A model with n-grams that count as chance wants it; all models have the vocabulary of `LINES`."""
    found = [Example(line, line, line, "x", 1) for line in LINES]
    config = Config(level="char", embedding_size=7, hidden_size=5, ngrams=ngrams)
    config, codec = LM.fit(examples.Examples(lambda: iter(found), len(found)), config, {})
    config = LM.resolve(config, codec)
    torch.manual_seed(seed)
    one = LM.build(config, codec).eval()
    LM.fit_network(one, config, codec, rows(codec, lines), LM.training)
    if one.mixture is not None:
        one.mixture.weight.uniform_(0.2, 0.8)
    return one, codec, config


@torch.inference_mode()
def foreseen(networks, codec, text, **search):
    """The predictions of lines, read on from one to the next unless each stands by itself."""
    encoded = rows(codec, text)
    found = LM.predict_corpus(networks, codec, encoded, Search(**search), CPU, lambda share: None)
    if found is None:
        columns = encoded.columns(np.arange(len(text)))
        batch = LM.collate(columns, (max(map(len, columns["ids"])),), codec)
        found = LM.predict(networks, codec, batch, columns, Search())
    return found


@pytest.mark.parametrize("orders", [(3, 3), (2, 4), (4, 2), (0, 3), (3, 0), (0, 0), (1, 8, 3)], ids=str)
@pytest.mark.parametrize("lines", [True, False], ids=["lines", "text"])
def test_of_several_models_the_mean_probability_counts(orders, lines):
    models = [made(order, seed=seed, lines=LINES[seed:])[0] for seed, order in enumerate(orders)]
    codec = made(3)[1]
    together = foreseen(models, codec, LINES, lines=lines)
    alone = [foreseen([one], codec, LINES, lines=lines) for one in models]
    for one, *others in zip(together, *alone, strict=True):
        mean = np.log(np.mean([np.exp(other.logs) for other in others], axis=0))
        np.testing.assert_allclose(one.logs, mean, atol=1e-5)
        assert (one.parts is None) == (0 in orders)


@pytest.mark.parametrize("orders", [(3,), (3, 0, 2)], ids=str)
def test_each_token_is_drawn_from_what_prediction_foresees(monkeypatch, orders):
    models, (_, codec, _), drawn = [made(order, seed)[0] for seed, order in enumerate(orders)], made(3), []

    def take(scores, uniform):
        drawn.append(scores[0, 0])
        return torch.tensor([[7]])

    monkeypatch.setattr(generation.sampling, "drawn", take)
    list(generation._tokens(models, codec, Generation(max_tokens=4), CPU, 0))
    (expected,) = foreseen(models, codec, [codec.text([7, 7, 7, 7])])
    np.testing.assert_allclose([float(scores[7]) for scores in drawn], expected.logs[:4], atol=1e-4)
    assert all(0.5 < float(scores.exp().sum()) < 1 for scores in drawn)  # special tokens have the rest


@pytest.mark.parametrize(("new", "kept"), [(LINES[1:2], True), (LINES * 2, False)], ids=["less", "more"])
def test_a_model_that_goes_on_keeps_the_ngrams_of_the_larger_text(new, kept):
    first, codec, config = made(3)
    network = LM.build(config, codec)
    growth.put(network, first.state_dict())
    LM.fit_network(network, config, codec, rows(codec, new), LM.training)
    alone = LM.build(config, codec)
    LM.fit_network(alone, config, codec, rows(codec, new), LM.training)
    assert torch.equal(network.mixture.share, first.mixture.share if kept else alone.mixture.share)


HOSTILE = {
    "share": [float("nan"), -0.1, 1.5, float("inf")],
    "backoff": [float("nan"), -3.0, 0.0, 1e30],
    "weight": [float("nan"), -1.0, 2.0],
}


@pytest.mark.parametrize(("name", "value"), [(name, value) for name in HOSTILE for value in HOSTILE[name]])
def test_what_is_no_probability_is_refused(name, value):
    one, codec, config = made(3)
    weights = one.state_dict()
    weights[f"mixture.{name}"][2] = value
    with pytest.raises(ValueError, match=f"mixture.{name} is no probability"):
        LM.build(config, codec).load_state_dict(weights)


@pytest.mark.parametrize("order", [slice(None, None, -1), 0], ids=["reversed", "same"])
def test_keys_that_are_not_sorted_are_refused(order):
    one, codec, config = made(3)
    keys = one.mixture.keys.numpy()
    weights = {**one.state_dict(), "mixture.keys": torch.from_numpy(keys[order] + np.zeros_like(keys))}
    with pytest.raises(ValueError, match=r"mixture\.keys are not sorted"):
        LM.build(config, codec).load_state_dict(weights)
