"""The encoder: both paths of every cell equal each other; padding and the rest of the batch never matter."""

import copy
import warnings

import pytest
import torch
from torch import nn

from seqnlp.nn import cells, kernels, recurrent, self_attention

LENGTHS = [[7, 3, 5], [7, 7, 7], [1, 7, 2], [4, 1, 3]]
SHAPES = [(layers, both) for layers in (1, 2, 3) for both in (False, True)]
KERNEL_CELLS = [cell for cell, layer in cells.CELLS.items() if issubclass(layer, kernels.KernelLayer)]
PATHS = [*((cell, "padded") for cell in cells.CELLS), *((cell, "packed") for cell in KERNEL_CELLS)]

each_cell = pytest.mark.parametrize("cell", cells.CELLS)
each_kernel_cell = pytest.mark.parametrize("cell", KERNEL_CELLS)
each_path = pytest.mark.parametrize(("cell", "path"), PATHS)


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
    """The encoder's result by one of its paths; the packed one is that of a GPU, and of a torch without the kernel."""
    with monkeypatch.context() as patch:
        if path == "packed":
            patch.setattr(type(network.layers[0]), "kernel", None)
        return network(inputs, torch.tensor(lengths), state)


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


@each_kernel_cell
@pytest.mark.parametrize("lengths", LENGTHS)
@pytest.mark.parametrize(("layers", "both"), [(1, False), (2, True)])
def test_both_paths_give_the_same_gradients(monkeypatch, layers, both, lengths, cell):
    found = []
    for path in ("padded", "packed"):
        network, inputs = encoder(layers, both, cell=cell).train(), features(lengths).requires_grad_()
        outputs, state = through(path, network, monkeypatch, inputs, lengths)
        (outputs.sin().sum() + state["hidden"].cos().sum()).backward()
        found.append([inputs.grad, *(parameter.grad for parameter in network.parameters())])
    torch.testing.assert_close(found[0], found[1], atol=1e-5, rtol=1e-5)


@each_path
def test_what_stands_in_the_padding_never_leaks(monkeypatch, path, cell):
    network, lengths = encoder(2, True, cell=cell), [7, 3, 5, 1]
    clean, dirty = features(lengths), features(lengths)
    past = ~recurrent.step_mask(torch.tensor(lengths), 7)
    dirty[past] = torch.randn(int(past.sum()), 3) * 1e6
    (outputs, state), (others, other) = (
        through(path, network, monkeypatch, inputs, lengths) for inputs in (clean, dirty)
    )
    assert torch.equal(outputs, others)
    assert torch.equal(state["hidden"], other["hidden"])


@each_cell
def test_no_gradient_comes_from_the_padding(cell):
    lengths = [7, 3, 5, 1]
    inputs = features(lengths).requires_grad_()
    outputs, state = encoder(2, True, cell=cell).train()(inputs, torch.tensor(lengths))
    (outputs.sum() + state["hidden"].sum()).backward()
    mask = recurrent.step_mask(torch.tensor(lengths), 7)
    assert not inputs.grad[~mask].any()
    assert inputs.grad[mask].all()


@each_path
def test_outputs_are_zero_past_each_length(monkeypatch, path, cell):
    outputs, _ = through(path, encoder(2, True, cell=cell), monkeypatch, features([7, 3, 1]), [7, 3, 1])
    assert not outputs[1, 3:].any()
    assert not outputs[2, 1:].any()


@each_cell
def test_more_padding_changes_nothing(cell):
    network, lengths = encoder(2, True, cell=cell), torch.tensor([5, 3])
    narrow = features([5, 3], steps=5)
    wide = torch.cat([narrow, torch.zeros(2, 6, 3)], dim=1)
    (outputs, state), (others, other) = network(narrow, lengths), network(wide, lengths)
    torch.testing.assert_close(outputs, others[:, :5])
    torch.testing.assert_close(state["hidden"], other["hidden"])


@each_cell
def test_a_row_alone_gives_what_it_gives_in_a_batch(cell):
    network, lengths = encoder(2, True, cell=cell), [7, 3, 5]
    inputs = features(lengths)
    together, _ = network(inputs, torch.tensor(lengths))
    for row, length in enumerate(lengths):
        alone, _ = network(inputs[row : row + 1, :length], torch.tensor([length]))
        torch.testing.assert_close(alone[0], together[row, :length], atol=1e-6, rtol=0)


@each_path
@pytest.mark.parametrize("layers", [1, 3])
def test_two_halves_with_the_carried_state_are_the_whole(monkeypatch, layers, path, cell):
    network = encoder(layers, bidirectional=False, cell=cell)
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


def test_step_mask():
    assert recurrent.step_mask(torch.tensor([3, 1]), 4).tolist() == [[True] * 3 + [False], [True] + [False] * 3]


def test_dropout_stands_between_layers_and_only_in_training():
    network = encoder(2, True, dropout=0.5)
    inputs, lengths = features([7, 3]), torch.tensor([7, 3])
    still = [network(inputs, lengths)[0] for _ in range(2)]
    moving = [network.train()(inputs, lengths)[0] for _ in range(2)]
    assert torch.equal(*still)
    assert not torch.equal(*moving)


@pytest.mark.parametrize("both", [False, True])
def test_a_connection_adds_what_a_layer_reads_and_normalises_the_sum(both):
    network = encoder(3, both, residual=True, layer_norm=True)
    inputs, lengths = features([7, 3]), torch.tensor([7, 3])
    expected = inputs
    for layer, connection in zip(network.layers, network.connections, strict=True):
        outputs, _ = layer.run(expected, lengths)
        total = outputs if expected.size(2) == 3 else outputs + expected  # the first reads features of another size
        centred = total - total.mean(2, keepdim=True)
        expected = centred / (centred.square().mean(2, keepdim=True) + 1e-5).sqrt()
        expected = expected * connection.norm.weight + connection.norm.bias
    outputs, _ = network(inputs, lengths)
    torch.testing.assert_close(outputs[0], expected[0], atol=1e-5, rtol=0)
    torch.testing.assert_close(outputs[1, :3], expected[1, :3], atol=1e-5, rtol=0)
    assert not outputs[1, 3:].any()


def test_without_them_a_network_has_no_weights_for_connections_and_attention():
    names = {name for name, _ in encoder(2).named_parameters()}
    assert not [name for name in names if not name.startswith("layers.")]


@pytest.mark.parametrize("options", [{}, {"residual": True}, {"layer_norm": True}], ids=str)
def test_with_self_attention_two_halves_are_the_whole(monkeypatch, options):
    monkeypatch.setattr(self_attention, "WINDOW", 4)
    network = encoder(2, False, heads=5, **options)
    inputs = features([7, 7, 7])
    whole, end = network(inputs, torch.tensor([7, 7, 7]))
    first, state = network(inputs[:, :3], torch.tensor([3, 3, 3]))
    second, last = network(inputs[:, 3:], torch.tensor([4, 4, 4]), state)
    torch.testing.assert_close(torch.cat([first, second], dim=1), whole, atol=1e-5, rtol=0)
    torch.testing.assert_close(last, end, atol=1e-5, rtol=0)
    assert end["memory"].shape == (3, 3, 5)


@pytest.mark.parametrize("both", [False, True])
def test_with_self_attention_a_row_alone_gives_what_it_gives_in_a_batch(both):
    network, lengths = encoder(1, both, heads=5), [7, 3, 5]
    inputs = features(lengths)
    together, state = network(inputs, torch.tensor(lengths))
    assert "memory" not in state
    for row, length in enumerate(lengths):
        alone, _ = network(inputs[row : row + 1, :length], torch.tensor([length]))
        torch.testing.assert_close(alone[0], together[row, :length], atol=1e-6, rtol=0)


def test_one_layer_has_no_dropout():
    network = encoder(1, True, dropout=0.5).train()
    inputs, lengths = features([7, 3]), torch.tensor([7, 3])
    assert torch.equal(network(inputs, lengths)[0], network(inputs, lengths)[0])


@each_kernel_cell
@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("learning", [False, True])
def test_the_kernel_keeps_what_gradients_need_wherever_they_are_computed(monkeypatch, cell, training, learning):
    network, kept = encoder(1, False, cell=cell).train(training), []
    kind, kernel = type(network.layers[0]), network.layers[0].kernel

    def watched(*arguments):
        kept.append(arguments[6])  # cuDNN refuses gradients without it
        return kernel(*arguments)

    monkeypatch.setattr(kind, "kernel", staticmethod(watched))
    with torch.set_grad_enabled(learning):
        network(features([7, 7, 7]), torch.tensor([7, 7, 7]))
    assert kept == [learning]


def test_only_the_warning_about_scattered_weights_is_silenced():
    with kernels._scattered():
        warnings.warn("RNN module weights are not part of single contiguous chunk of memory. And so on", stacklevel=1)
        with pytest.raises(UserWarning, match="another"):
            warnings.warn("another", stacklevel=1)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@each_kernel_cell
@pytest.mark.parametrize("training", [False, True])
def test_a_gpu_computes_gradients_in_evaluation_and_with_dropped_out_weights(cell, training):
    network, inputs = (
        copy.deepcopy(encoder(2, False, cell=cell, weight_dropout=0.5).cuda()).train(training),
        features([7, 7, 7]),
    )
    outputs, _ = network(inputs.cuda(), torch.tensor([7, 7, 7]).cuda())
    outputs.sin().sum().backward()
    assert all(parameter.grad.any() for parameter in network.parameters())


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize("lengths", LENGTHS)
@pytest.mark.parametrize(("layers", "both"), SHAPES)
def test_a_gpu_gives_what_the_cpu_gives(layers, both, lengths):
    network, inputs = encoder(layers, both), features(lengths)
    outputs, state = network(inputs, torch.tensor(lengths))
    others, other = network.cuda()(inputs.cuda(), torch.tensor(lengths).cuda())
    torch.testing.assert_close(others.cpu(), outputs, atol=1e-3, rtol=0)
    torch.testing.assert_close({name: part.cpu() for name, part in other.items()}, state, atol=1e-3, rtol=0)
