"""A text read as one: streams side by side give what a single one gives, and what comes later is never known before."""

import numpy as np
import pytest
import torch

from seqnlp.nn import loss
from seqnlp.preprocess.text import tokenizer
from seqnlp.tasks.lm import network, stream
from seqnlp.tasks.lm.options import Config, Search

CPU = torch.device("cpu")


def made(seed=0, **options):
    torch.manual_seed(seed)
    config = Config(embedding_size=7, hidden_size=5, **options)
    one = network.LanguageModel(config, 11).eval()
    for parameter in one.parameters():
        torch.nn.init.normal_(parameter, std=0.4)
    return one


def drawn(size, seed=1):
    return np.random.default_rng(seed).integers(3, 11, size)


def at_once(one, ids):
    """The log-probabilities by one run over all of the text."""
    text = torch.tensor([[tokenizer.END, *ids]])
    outputs, _ = one.outputs(one.encoder, text[:, :-1], torch.tensor([len(ids)]), None)
    return one.scores(outputs[0]).gather(1, text[0, 1:].unsqueeze(1))[:, 0].detach().numpy()


@pytest.mark.parametrize("size", [1, 2, 63, 64, 65, 500])
@pytest.mark.parametrize("options", [{}, {"cell": "gru", "self_attention": 1}], ids=str)
def test_one_stream_is_the_text_from_its_beginning(size, options):
    one, ids = made(**options), drawn(size)
    with torch.inference_mode():
        found = stream.log_probabilities(one, ids, CPU)
    np.testing.assert_allclose(found, at_once(one, ids), atol=1e-5)


def test_streams_side_by_side_give_nearly_what_one_gives(monkeypatch):
    one, ids = made(), drawn(500)
    monkeypatch.setattr(stream, "STREAM", 50)
    with torch.inference_mode():
        found = stream.log_probabilities(one, ids, CPU)
    np.testing.assert_allclose(found, at_once(one, ids), atol=1e-3)  # the state is warm when a stream's own part begins


def test_without_a_warm_up_it_would_not():
    one, ids = made(), drawn(500)
    cold = np.concatenate([at_once(one, part) for part in np.split(ids, 10)])
    assert np.abs(cold - at_once(one, ids)).max() > 1e-2


def test_probabilities_of_all_tokens_sum_to_one():
    one, ids = made(), drawn(5)
    with torch.inference_mode():
        every = [stream.log_probabilities(one, np.append(ids, last), CPU)[-1] for last in range(11)]
    assert np.exp(every).sum() == pytest.approx(1)


@pytest.mark.parametrize("steps", [1, 7, 20])
def test_adapting_never_looks_ahead(steps):
    one, ids = made(), drawn(90)
    search = Search(adapt=True, adapt_rate=0.5, adapt_steps=steps)
    changed = ids.copy()
    changed[50:] = drawn(40, seed=9)
    with torch.inference_mode():
        found, other = (stream.adapted(one, text, CPU, search) for text in (ids, changed))
    np.testing.assert_array_equal(found[:50], other[:50])
    assert np.abs(found[50:] - other[50:]).max() > 1e-3


def test_adapting_scores_the_first_part_as_it_is_learns_and_leaves_the_network_alone():
    one, ids = made(), np.tile(drawn(5), 40)
    before = {name: parameter.clone() for name, parameter in one.named_parameters()}
    with torch.inference_mode():
        plain = stream.log_probabilities(one, ids, CPU)
        found = stream.adapted(one, ids, CPU, Search(adapt=True, adapt_rate=0.5))
    np.testing.assert_allclose(found[:20], plain[:20], atol=1e-5)
    assert found[-50:].mean() > plain[-50:].mean() + 0.1  # the text repeats itself
    assert all(torch.equal(before[name], parameter) for name, parameter in one.named_parameters())


def test_adapting_under_autocast_is_nearly_that_of_fp32():
    one, ids, search = made(), np.tile(drawn(5), 20), Search(adapt=True, adapt_rate=0.5)
    with torch.inference_mode():
        found = stream.adapted(one, ids, CPU, search)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            np.testing.assert_allclose(stream.adapted(one, ids, CPU, search), found, atol=0.1)


def test_at_rate_zero_nothing_is_learnt():
    one, ids = made(), drawn(90)
    with torch.inference_mode():
        plain = stream.log_probabilities(one, ids, CPU)
        found = stream.adapted(one, ids, CPU, Search(adapt=True, adapt_rate=0.0))
    np.testing.assert_allclose(found, plain, atol=1e-5)


def test_lines_in_parts_are_lines_as_a_whole(monkeypatch):
    one, lines = made(), [drawn(size, seed=size) for size in (9, 4, 1)]
    monkeypatch.setattr(network, "STEPS", 3)
    monkeypatch.setattr(network, "TOKENS", 9)
    inputs, targets = torch.zeros(3, 9, dtype=torch.long), torch.full((3, 9), loss.IGNORED)
    for row, ids in enumerate(lines):
        inputs[row, : len(ids)] = torch.tensor([tokenizer.END, *ids[:-1]])
        targets[row, : len(ids)] = torch.tensor(ids)
    batch = network.Batch(inputs, targets, torch.full((3,), 9))
    with torch.inference_mode():
        found = network.of_lines(one, batch).numpy()
    for row, ids in enumerate(lines):
        np.testing.assert_allclose(found[row, : len(ids)], at_once(one, ids), atol=1e-5)
        assert not found[row, len(ids) :].any()
