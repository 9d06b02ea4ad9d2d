"""The language model's network: dropout of weights reaches the raw ones, penalties, reading backward."""

import pytest
import torch

from seqnlp.nn import loss
from seqnlp.tasks.lm import network
from seqnlp.tasks.lm.options import Config

PLAIN = dict(dropout=0.0, embedding_dropout=0.0, weight_dropout=0.0, activation_penalty=0.0, change_penalty=0.0)


def made(**options):
    torch.manual_seed(0)
    return network.LanguageModel(Config(embedding_size=7, hidden_size=5, **{**PLAIN, **options}), 11).train()


def batch(steps=6, seed=1):
    text = torch.randint(3, 11, (3, steps + 1), generator=torch.Generator().manual_seed(seed))
    return network.Batch(text[:, :-1], text[:, 1:], torch.full((3,), steps))


@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn", "clockwork"])
def test_the_gradient_reaches_the_raw_weights_that_were_left_in(cell):
    one = made(weight_dropout=0.5, cell=cell)
    one(batch()).sum.backward()
    for name, parameter in one.named_parameters():
        if "weight_hh" in name:
            missing = (parameter.grad == 0).float().mean()
            assert 0.2 < missing < 0.9, name  # about half is out; a clockwork reads a part only
            assert parameter.is_leaf


def test_weights_are_dropped_anew_for_each_chunk_and_never_in_evaluation():
    one = made(weight_dropout=0.5, layers=1)
    layer = one.encoder.layers[0]
    inputs = torch.ones(1, 9, 7)
    (first, _), (second, _) = layer.run(inputs), layer.run(inputs)
    assert not torch.allclose(first[:, -1], second[:, -1])
    one.eval()
    assert torch.equal(layer.run(inputs)[0], layer.run(inputs)[0])


def test_the_loss_is_the_mean_cross_entropy_of_the_targets():
    one, chunk = made().eval(), batch()
    outputs, _ = one.outputs(one.encoder, chunk.inputs, chunk.lengths, None)
    logs = one.scores(outputs.flatten(0, 1)).gather(1, chunk.targets.flatten().unsqueeze(1))
    found = one(chunk)
    torch.testing.assert_close(found.sum, -logs.sum())
    assert found.weight == chunk.targets.numel()


def test_penalties_are_means_of_squares_of_outputs_and_of_their_change():
    chunk = batch()
    plain, both = made()(chunk), made(activation_penalty=2.0, change_penalty=3.0)(chunk)
    one = made()
    outputs, _ = one.outputs(one.encoder, chunk.inputs, chunk.lengths, None)
    extra = 2 * outputs.square().mean() + 3 * (outputs[:, 1:] - outputs[:, :-1]).square().mean()
    torch.testing.assert_close(both.sum, plain.sum + extra * plain.weight)


def test_two_chunks_with_the_carried_state_are_one():
    one, whole = made().eval(), batch(steps=8)
    first, second = (
        network.Batch(whole.inputs[:, part], whole.targets[:, part], torch.full((3,), 4))
        for part in (slice(0, 4), slice(4, 8))
    )
    begin = one(first)
    torch.testing.assert_close(begin.sum + one(second, begin.carry).sum, one(whole).sum)


def test_a_model_of_both_directions_foresees_what_came_before_too():
    one, chunk = made(direction="both").eval(), batch()
    forward, back = one(chunk).sum, torch.zeros(())
    alone = made(direction="both").eval()
    alone.encoder.load_state_dict(one.backward_encoder.state_dict())
    text = torch.cat([chunk.inputs, chunk.targets[:, -1:]], dim=1).flip(1)
    alone.backward_encoder = None
    back = alone(network.Batch(text[:, :-1], text[:, 1:], chunk.lengths)).sum
    one.backward_encoder = None
    torch.testing.assert_close(forward, one(chunk).sum + back)


def test_what_lies_past_the_end_of_a_stream_counts_for_nothing():
    one, chunk = made(direction="both").eval(), batch()
    targets = chunk.targets.clone()
    targets[1, 3:] = loss.IGNORED
    short = network.Batch(chunk.inputs, targets, chunk.lengths)
    assert one(short).weight == 18 - 3
    assert torch.isfinite(one(short).sum)
