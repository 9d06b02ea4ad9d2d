"""The encoder: both execution paths equal each other and the recurrence by hand; padding never matters."""

import pytest
import torch
from torch import nn

from seqnlp.nn import recurrent

LENGTHS = [[7, 3, 5], [7, 7, 7], [1, 7, 2], [4, 1, 3]]
SHAPES = [(layers, both) for layers in (1, 2, 3) for both in (False, True)]


def encoder(layers=1, bidirectional=True, inputs=3, hidden=5, seed=0, **options):
    torch.manual_seed(seed)
    made = recurrent.Encoder(inputs, hidden, layers=layers, bidirectional=bidirectional, **options).eval()
    for parameter in made.parameters():  # biases are zero or one at first: nothing could go wrong with them
        nn.init.normal_(parameter, std=0.4)
    return made


def features(lengths, steps=7, inputs=3, seed=1):
    return torch.randn(len(lengths), steps, inputs, generator=torch.Generator().manual_seed(seed))


def start(rows, size, seed=2):
    generator = torch.Generator().manual_seed(seed)
    return {name: torch.randn(rows, *size, generator=generator) for name in ("hidden", "cell")}


def through(path, network, monkeypatch, inputs, lengths, state=None):
    """The encoder's result by one of its execution paths."""
    with monkeypatch.context() as patch:
        patch.setattr(recurrent, "padded", getattr(recurrent, path))
        return network(inputs, torch.tensor(lengths), state)


def reference(layer, steps, hidden, cell, suffix=""):
    """One direction of an LSTM over one sequence, gate by gate (Hochreiter & Schmidhuber 1997; with forget gates)."""
    weights = {name: getattr(layer, f"{name}_l0{suffix}") for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")}
    outputs = []
    for step in steps:
        gates = weights["weight_ih"] @ step + weights["bias_ih"] + weights["weight_hh"] @ hidden + weights["bias_hh"]
        entering, forget, new, leaving = gates.chunk(4)
        cell = torch.sigmoid(forget) * cell + torch.sigmoid(entering) * torch.tanh(new)
        hidden = torch.sigmoid(leaving) * torch.tanh(cell)
        outputs.append(hidden)
    return torch.stack(outputs), hidden, cell


def reference_layer(layer, steps):
    """Both directions over one sequence: outputs (S, directions x H) and the last hidden state of each."""
    zero = torch.zeros(layer.hidden_size)
    outputs, hidden, _ = reference(layer, steps, zero, zero)
    if not layer.bidirectional:
        return outputs, hidden
    back, last, _ = reference(layer, steps.flip(0), zero, zero, "_reverse")
    return torch.cat([outputs, back.flip(0)], dim=1), torch.cat([hidden, last])


@pytest.mark.parametrize("lengths", LENGTHS)
@pytest.mark.parametrize(("layers", "both"), SHAPES)
def test_the_padded_path_equals_the_packed_one(monkeypatch, layers, both, lengths):
    network, inputs = encoder(layers, both), features(lengths)
    (outputs, state), (others, other) = (
        through(path, network, monkeypatch, inputs, lengths) for path in ("padded", "packed")
    )
    torch.testing.assert_close(outputs, others, atol=1e-5, rtol=0)
    assert state.keys() == other.keys()
    for name in state:
        torch.testing.assert_close(state[name], other[name], atol=1e-5, rtol=0)


@pytest.mark.parametrize(("layers", "both"), SHAPES)
def test_both_paths_start_from_a_carried_state(monkeypatch, layers, both):
    network, lengths = encoder(layers, both), [7, 7, 7]
    begin = start(3, (layers, network.outputs))
    results = [through(path, network, monkeypatch, features(lengths), lengths, begin) for path in ("padded", "packed")]
    torch.testing.assert_close(results[0], results[1], atol=1e-5, rtol=0)
    fresh, _ = network(features(lengths), torch.tensor(lengths))
    assert not torch.allclose(results[0][0], fresh, atol=1e-3)


@pytest.mark.parametrize("lengths", LENGTHS)
@pytest.mark.parametrize(("layers", "both"), [(1, False), (2, True)])
def test_both_paths_give_the_same_gradients(monkeypatch, layers, both, lengths):
    found = []
    for path in ("padded", "packed"):
        network, inputs = encoder(layers, both).train(), features(lengths).requires_grad_()
        outputs, state = through(path, network, monkeypatch, inputs, lengths)
        (outputs.sin().sum() + state["hidden"].cos().sum()).backward()
        found.append([inputs.grad, *(parameter.grad for parameter in network.parameters())])
    torch.testing.assert_close(found[0], found[1], atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("path", ["padded", "packed"])
@pytest.mark.parametrize(("layers", "both"), SHAPES)
def test_the_encoder_is_the_recurrence_by_hand(monkeypatch, path, layers, both):
    network, lengths = encoder(layers, both), [7, 3, 5, 1]
    inputs = features(lengths)
    outputs, state = through(path, network, monkeypatch, inputs, lengths)
    for row, length in enumerate(lengths):
        expected = inputs[row, :length]
        for number, layer in enumerate(network.layers):
            expected, hidden = reference_layer(layer, expected)
            torch.testing.assert_close(state["hidden"][row, number], hidden, atol=1e-5, rtol=0)
        torch.testing.assert_close(outputs[row, :length], expected, atol=1e-5, rtol=0)


@pytest.mark.parametrize("path", ["padded", "packed"])
def test_what_stands_in_the_padding_never_leaks(monkeypatch, path):
    network, lengths = encoder(2, True), [7, 3, 5, 1]
    clean, dirty = features(lengths), features(lengths)
    past = ~recurrent.step_mask(torch.tensor(lengths), 7)
    dirty[past] = torch.randn(int(past.sum()), 3) * 1e6
    (outputs, state), (others, other) = (
        through(path, network, monkeypatch, inputs, lengths) for inputs in (clean, dirty)
    )
    assert torch.equal(outputs, others)
    assert torch.equal(state["hidden"], other["hidden"])


def test_no_gradient_comes_from_the_padding():
    lengths = [7, 3, 5, 1]
    inputs = features(lengths).requires_grad_()
    outputs, state = encoder(2, True).train()(inputs, torch.tensor(lengths))
    (outputs.sum() + state["hidden"].sum()).backward()
    mask = recurrent.step_mask(torch.tensor(lengths), 7)
    assert not inputs.grad[~mask].any()
    assert inputs.grad[mask].all()


@pytest.mark.parametrize("path", ["padded", "packed"])
def test_outputs_are_zero_past_each_length(monkeypatch, path):
    outputs, _ = through(path, encoder(2, True), monkeypatch, features([7, 3, 1]), [7, 3, 1])
    assert not outputs[1, 3:].any()
    assert not outputs[2, 1:].any()


def test_more_padding_changes_nothing():
    network, lengths = encoder(2, True), torch.tensor([5, 3])
    narrow = features([5, 3], steps=5)
    wide = torch.cat([narrow, torch.zeros(2, 6, 3)], dim=1)
    (outputs, state), (others, other) = network(narrow, lengths), network(wide, lengths)
    torch.testing.assert_close(outputs, others[:, :5])
    torch.testing.assert_close(state["hidden"], other["hidden"])


def test_a_row_alone_gives_what_it_gives_in_a_batch():
    network, lengths = encoder(2, True), [7, 3, 5]
    inputs = features(lengths)
    together, _ = network(inputs, torch.tensor(lengths))
    for row, length in enumerate(lengths):
        alone, _ = network(inputs[row : row + 1, :length], torch.tensor([length]))
        torch.testing.assert_close(alone[0], together[row, :length], atol=1e-6, rtol=0)


@pytest.mark.parametrize("path", ["padded", "packed"])
@pytest.mark.parametrize("layers", [1, 3])
def test_two_halves_with_the_carried_state_are_the_whole(monkeypatch, layers, path):
    network = encoder(layers, bidirectional=False)
    inputs = features([7, 7, 7])
    whole, end = through(path, network, monkeypatch, inputs, [7, 7, 7])
    first, state = through(path, network, monkeypatch, inputs[:, :3], [3, 3, 3])
    second, last = through(path, network, monkeypatch, inputs[:, 3:], [4, 4, 4], state)
    torch.testing.assert_close(torch.cat([first, second], dim=1), whole, atol=1e-5, rtol=0)
    torch.testing.assert_close(last, end, atol=1e-5, rtol=0)


def test_rows_of_different_length_have_no_cells_to_go_on_from():
    _, state = encoder()(features([7, 3]), torch.tensor([7, 3]))
    assert set(state) == {"hidden"}


def test_the_state_is_batch_first():
    _, state = encoder(3, True)(features([7] * 4), torch.tensor([7] * 4))
    assert {name: tuple(part.shape) for name, part in state.items()} == {"hidden": (4, 3, 10), "cell": (4, 3, 10)}


def test_reverse_turns_each_row_up_to_its_length():
    steps = torch.arange(10).view(2, 5, 1)
    assert recurrent.reverse(steps, torch.tensor([5, 3])).squeeze(2).tolist() == [[4, 3, 2, 1, 0], [7, 6, 5, 8, 9]]


def test_reverse_twice_changes_nothing():
    inputs, lengths = features([7, 3, 1]), torch.tensor([7, 3, 1])
    assert torch.equal(recurrent.reverse(recurrent.reverse(inputs, lengths), lengths), inputs)


def test_step_mask():
    assert recurrent.step_mask(torch.tensor([3, 1]), 4).tolist() == [[True] * 3 + [False], [True] + [False] * 3]


@pytest.mark.parametrize("both", [False, True])
def test_recurrent_weights_are_orthogonal_in_every_gate(both):
    for layer in recurrent.Encoder(3, 5, layers=2, bidirectional=both).layers:
        for name, weight in layer.named_parameters():
            if name.startswith("weight_hh"):
                for gate in weight.chunk(4):
                    torch.testing.assert_close(gate @ gate.T, torch.eye(5), atol=1e-5, rtol=0)


@pytest.mark.parametrize("init", ["orthogonal", "xavier"])
def test_the_forget_gate_s_bias_is_one_and_every_other_zero(init):
    (layer,) = recurrent.Encoder(3, 5, init=init).layers
    for suffix in ("", "_reverse"):
        total = getattr(layer, f"bias_ih_l0{suffix}") + getattr(layer, f"bias_hh_l0{suffix}")
        assert total.tolist() == [0] * 5 + [1] * 5 + [0] * 10


def test_every_gate_s_input_matrix_has_the_range_of_xavier():
    (layer,) = recurrent.Encoder(31, 57).layers
    bound = (6 / (31 + 57)) ** 0.5
    for gate in layer.weight_ih_l0.chunk(4):
        assert 0.9 * bound < gate.abs().max() <= bound


def test_dropout_stands_between_layers_and_only_in_training():
    network = encoder(2, True, dropout=0.5)
    inputs, lengths = features([7, 3]), torch.tensor([7, 3])
    still = [network(inputs, lengths)[0] for _ in range(2)]
    moving = [network.train()(inputs, lengths)[0] for _ in range(2)]
    assert torch.equal(*still)
    assert not torch.equal(*moving)


def test_one_layer_has_no_dropout():
    network = encoder(1, True, dropout=0.5).train()
    inputs, lengths = features([7, 3]), torch.tensor([7, 3])
    assert torch.equal(network(inputs, lengths)[0], network(inputs, lengths)[0])


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize("lengths", LENGTHS)
@pytest.mark.parametrize(("layers", "both"), SHAPES)
def test_a_gpu_gives_what_the_cpu_gives(layers, both, lengths):
    network, inputs = encoder(layers, both), features(lengths)
    outputs, state = network(inputs, torch.tensor(lengths))
    others, other = network.cuda()(inputs.cuda(), torch.tensor(lengths).cuda())
    torch.testing.assert_close(others.cpu(), outputs, atol=1e-3, rtol=0)
    torch.testing.assert_close({name: part.cpu() for name, part in other.items()}, state, atol=1e-3, rtol=0)
