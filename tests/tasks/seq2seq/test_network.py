"""The network: its loss by hand and step by step, padding that makes no difference, what is shared."""

import dataclasses

import pytest
import torch
from torch.nn import functional

from seqnlp.nn import attention, cells, loss
from seqnlp.tasks.seq2seq import network as translator
from seqnlp.tasks.seq2seq import options

START, END = 2, 3
SOURCES = [[5, 6, 7, 8, END], [9, END], [4, 4, 6, END]]
TARGETS = [[7, 5], [6, 8, 9, 4, 10], []]
KINDS = [(kind, shared) for kind in attention.ATTENTIONS for shared in (True, False)]


def made(kind="general", shared=True, seed=1, **changes):
    torch.manual_seed(seed)
    settings = dict(
        embedding_size=3,
        hidden_size=5,
        layers=2,
        decoder_hidden_size=10 if kind == "dot" else 7,
        decoder_layers=3,
        attention=kind,
        dropout=0.4,
        label_smoothing=0.0,
    )
    config = options.Network(**{**settings, **changes})
    return translator.EncoderDecoder(
        config, source_vocabulary=11, target_vocabulary=11 if shared else 13, shared=shared
    ).eval()


def padded(rows, width, value=0):
    return torch.tensor([[*row, *[value] * (width - len(row))] for row in rows])


def batch_of(sources=SOURCES, targets=TARGETS, source_width=5, target_width=6):
    return translator.Batch(
        padded(sources, source_width),
        torch.tensor(list(map(len, sources))),
        padded([[START, *row] for row in targets], target_width),
        padded([[*row, END] for row in targets], target_width, loss.IGNORED),
    )


def log_probabilities(network, source, target):
    """Of each token of a target and its end, one step after the other."""
    state = network.begin(torch.tensor([source]), torch.tensor([len(source)]))
    logs = []
    for token, following in zip([START, *target], [*target, END], strict=True):
        scores, state = network.step(torch.tensor([[token]]), state)
        logs.append(scores.log_softmax(1)[0, following])
    return torch.stack(logs)


@pytest.mark.parametrize(("kind", "shared"), KINDS)
def test_the_loss_is_what_its_targets_cost_step_by_step(kind, shared):
    network = made(kind, shared)
    expected = -sum(log_probabilities(network, *pair).sum() for pair in zip(SOURCES, TARGETS, strict=True))
    found = network(batch_of())
    torch.testing.assert_close(found.sum, expected, atol=1e-4, rtol=1e-5)
    assert found.weight == sum(len(target) + 1 for target in TARGETS)


def test_padding_makes_no_difference():
    network = made()
    found, wider = network(batch_of()), network(batch_of(source_width=9, target_width=11))
    torch.testing.assert_close(wider.sum, found.sum)
    assert wider.weight == found.weight


def test_a_batch_costs_what_its_pairs_cost_alone():
    network = made()
    alone = [network(batch_of([source], [target])) for source, target in zip(SOURCES, TARGETS, strict=True)]
    found = network(batch_of())
    torch.testing.assert_close(found.sum, sum(one.sum for one in alone))
    assert found.weight == sum(one.weight for one in alone)


def test_smoothing_mixes_the_mean_over_the_vocabulary_in():
    network, batch = made(), batch_of()
    features, _ = network.decoder(batch.inputs, network.begin(batch.source, batch.lengths))
    logs = functional.linear(features, network.embedding.weight, network.decoder.bias).log_softmax(2)
    counted = batch.outputs != loss.IGNORED
    expected = 0.9 * network(batch).sum - 0.1 * logs.mean(2)[counted].sum()
    torch.testing.assert_close(made(label_smoothing=0.1)(batch).sum, expected)


def test_what_a_decoder_begins_with_depends_on_the_whole_source():
    network = made()
    found = [
        network.begin(torch.tensor([source]), torch.tensor([4]))["hidden.0"] for source in ([5, 6, 7, 3], [5, 6, 8, 3])
    ]
    assert not torch.allclose(*found)


def test_what_a_decoder_begins_with_comes_from_the_last_layer():
    network, source = made(), (torch.tensor([[5, 6, 3]]), torch.tensor([3]))
    before = network.begin(*source)["hidden.0"]
    torch.nn.init.normal_(network.encoder.layers[-1].weight_ih_l0)
    assert not torch.allclose(network.begin(*source)["hidden.0"], before)


def test_embeddings_and_memory_lose_whole_columns_in_training():
    network, seen = made(hidden_size=50, embedding_size=50).train(), []
    network.encoder.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0]))
    seen.append(network.begin(torch.tensor([[5, 6, 7, 3]]), torch.tensor([4]))["source.memory"])
    for features in seen:  # (1, S, D)
        zeros = features == 0
        assert 0.2 < zeros.float().mean() < 0.6
        assert torch.equal(zeros.any(1), zeros.all(1))


def names(network):
    return {name for name, _ in network.named_parameters()}


def test_a_shared_vocabulary_has_one_matrix_for_source_target_and_output():
    network = made()
    assert network.decoder.embedding is network.embedding
    assert network.decoder.output is network.embedding.weight
    assert [name for name, parameter in network.named_parameters() if 11 in parameter.shape] == [
        "embedding.weight",
        "decoder.bias",
    ]


def test_separate_vocabularies_have_a_matrix_each():
    network = made(shared=False)
    assert network.decoder.output is network.decoder.embedding.weight
    assert network.embedding.weight.shape == (11, 3) and network.decoder.output.shape == (13, 3)
    assert names(network) == names(made()) | {"decoder.own.weight"}


@pytest.mark.parametrize("shared", [True, False])
def test_saved_weights_bring_the_same_network_back(shared):
    network, other = made(shared=shared), made(shared=shared, seed=2)
    assert network(batch_of()).sum != other(batch_of()).sum
    other.load_state_dict(network.state_dict())
    assert network(batch_of()).sum == other(batch_of()).sum


@pytest.mark.parametrize(("kind", "shared"), KINDS)
def test_every_parameter_gets_a_gradient(kind, shared):
    network = made(kind, shared).train()
    network(batch_of()).sum.backward()
    assert [name for name, p in network.named_parameters() if p.grad is None or not p.grad.any()] == []


@pytest.mark.parametrize("cell", cells.CELLS)
def test_a_cell_is_that_of_encoder_and_decoder(cell):
    network = made(cell=cell)
    layers = [*network.encoder.layers, *network.decoder.layers]
    assert {type(layer) for layer in layers} == {cells.CELLS[cell]}
    network(batch_of()).sum.backward()
    assert [name for name, p in network.named_parameters() if p.grad is None or not p.grad.any()] == []


def test_dropout_is_for_training_only():
    network, batch = made(), batch_of()
    assert network(batch).sum == network(batch).sum
    network.train()
    assert network(batch).sum != network(batch).sum


def test_a_batch_goes_to_a_device_whole():
    found = batch_of().to(torch.device("meta"))
    assert {getattr(found, field.name).device.type for field in dataclasses.fields(found)} == {"meta"}
