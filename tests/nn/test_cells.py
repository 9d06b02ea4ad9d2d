"""The cells: each one equals a reference in NumPy from its equations, forward and gradient; a step is a run of one."""

import numpy as np
import pytest
import torch
from torch import nn

from seqnlp.nn import cells, decoder, recurrent

INPUTS, HIDDEN, STEPS = 3, 5, 7
LENGTHS = [[7, 3, 5], [7, 7, 7], [1, 7, 2], [4, 1, 3]]
SHAPES = [(layers, both) for layers in (1, 2, 3) for both in (False, True)]
KERNEL_CELLS = [cell for cell, layer in cells.CELLS.items() if issubclass(layer, cells.KernelLayer)]
PATHS = [*((cell, "padded") for cell in cells.CELLS), *((cell, "packed") for cell in KERNEL_CELLS)]

each_cell = pytest.mark.parametrize("cell", cells.CELLS)
each_kernel_cell = pytest.mark.parametrize("cell", KERNEL_CELLS)
each_path = pytest.mark.parametrize(("cell", "path"), PATHS)


def encoder(cell, layers=1, bidirectional=True, seed=0):
    """In float64, every weight drawn: biases are zero or one at first, and nothing could go wrong with them."""
    torch.manual_seed(seed)
    made = recurrent.Encoder(INPUTS, HIDDEN, cell=cell, layers=layers, bidirectional=bidirectional).double()
    for parameter in made.parameters():
        nn.init.normal_(parameter, std=0.4)
    return made


def forward_layer(cell, seed=0):
    return encoder(cell, 1, False, seed).layers[0]


def features(rows=3, steps=STEPS, inputs=INPUTS, seed=1):
    return torch.randn(rows, steps, inputs, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def start(cell, rows, *sizes, seed=2):
    generator = torch.Generator().manual_seed(seed)
    return {
        part: torch.randn(rows, *sizes, generator=generator, dtype=torch.float64) for part in cells.CELLS[cell].parts
    }


def through(path, network, monkeypatch, *arguments):
    """The encoder's result by one of its paths; the packed one is that of a GPU, and of a torch without the kernel."""
    with monkeypatch.context() as patch:
        if path == "packed":
            patch.setattr(type(network.layers[0]), "kernel", None)
        return network(*arguments)


# The reference: one step of each cell from its equations; `w` holds each gate's parameters, in their order.


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def lstm_step(x, state, w):
    """Hochreiter & Schmidhuber 1997 with the forget gates of Gers et al. 2000."""
    h, c = state
    i, f, g, o = (W @ x + U @ h + b + d for W, U, b, d in w)
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    return sigmoid(o) * np.tanh(c), c


def rnn_step(x, state, w):
    """Elman 1990."""
    ((W, U, b, d),) = w
    return (np.tanh(W @ x + U @ state[0] + b + d),)


def gru_step(x, state, w):
    """Cho et al. 2014, the reset gate after the product."""
    (h,) = state
    (Wr, Ur, br, dr), (Wz, Uz, bz, dz), (Wn, Un, bn, dn) = w
    r, z = sigmoid(Wr @ x + Ur @ h + br + dr), sigmoid(Wz @ x + Uz @ h + bz + dz)
    n = np.tanh(Wn @ x + bn + r * (Un @ h + dn))
    return ((1 - z) * n + z * h,)


REFERENCE = {"lstm": (lstm_step, 4, 2), "rnn": (rnn_step, 1, 1), "gru": (gru_step, 3, 1)}  # step, gates, parts


def of_direction(name, direction):
    """Whether a parameter is one of a direction: torch marks the backward ones, lists of other cells number them."""
    mark = name.rpartition(".")[2]
    return mark == str(direction) if mark.isdigit() else name.endswith("_reverse") == bool(direction)


def one_way(cell, weights, prefix, direction, sequence, state):
    """One direction over one sequence (S, D): its outputs and its end."""
    step, gates, _ = REFERENCE[cell]
    names = [name for name in weights if name.startswith(prefix) and of_direction(name, direction)]
    split = [np.split(weights[name], gates) for name in names]
    outputs = []
    for x in sequence:
        state = step(x, state, list(zip(*split, strict=True)))
        outputs.append(state[0])
    return np.stack(outputs), state


def reference(cell, weights, layers, both, sequence, begin):
    """All layers over one sequence: outputs (S, directions x H) and each layer's end, (parts, directions x H)."""
    ends = []
    for number in range(layers):
        prefix, state = f"layers.{number}.", begin[number]  # (parts, directions x H)
        outputs, end = one_way(cell, weights, prefix, 0, sequence, tuple(state[:, :HIDDEN]))
        if both:
            back, other = one_way(cell, weights, prefix, 1, sequence[::-1], tuple(state[:, HIDDEN:]))
            outputs = np.concatenate([outputs, back[::-1]], axis=1)
            end = [np.concatenate(halves) for halves in zip(end, other, strict=True)]
        sequence = outputs
        ends.append(np.stack(end))
    return sequence, np.stack(ends)


def arrays(network):
    return {name: part.detach().numpy().copy() for name, part in network.named_parameters()}


def beginning(cell, layers, both, state, rows=3):
    """What each row begins with as the reference takes it, (rows, layers, parts, directions x H)."""
    if state is None:
        return np.zeros((rows, layers, REFERENCE[cell][2], HIDDEN * (2 if both else 1)))
    return np.stack([part.numpy() for part in state.values()], axis=2)


@each_path
@pytest.mark.parametrize("lengths", LENGTHS, ids=str)
@pytest.mark.parametrize(("layers", "both"), SHAPES)
@pytest.mark.parametrize("carried", [False, True])
def test_layers_of_a_cell_are_the_reference(monkeypatch, cell, path, layers, both, lengths, carried):
    network, inputs = encoder(cell, layers, both), features()
    state = start(cell, 3, layers, network.outputs) if carried else None
    outputs, end = through(path, network, monkeypatch, inputs, torch.tensor(lengths), state)
    begin, weights = beginning(cell, layers, both, state), arrays(network)
    assert set(end) == (set(cells.CELLS[cell].parts) if set(lengths) == {STEPS} else {"hidden"})
    for row, length in enumerate(lengths):
        expected, ends = reference(cell, weights, layers, both, inputs[row, :length].numpy(), begin[row])
        np.testing.assert_allclose(outputs[row, :length].detach(), expected, rtol=0, atol=1e-12)
        assert not outputs[row, length:].any()
        for number, part in enumerate(end):
            np.testing.assert_allclose(end[part][row].detach(), ends[:, number], rtol=0, atol=1e-12)


def slope(function, values, direction, size=1e-5):
    """The derivative of a function of an array in a direction, by differences on both sides."""
    kept = values.copy()
    results = []
    for sign in (1, -1):
        values[...] = kept + sign * size * direction
        results.append(function())
    values[...] = kept
    return (results[0] - results[1]) / (2 * size)


@each_path
@pytest.mark.parametrize("lengths", LENGTHS[:2], ids=str)
@pytest.mark.parametrize(("layers", "both"), SHAPES)
def test_gradients_are_those_of_the_reference(monkeypatch, cell, path, layers, both, lengths):
    """By every weight, the features and the first state, each in a random direction."""
    network, inputs = encoder(cell, layers, both), features().requires_grad_()
    state = {name: part.requires_grad_() for name, part in start(cell, 3, layers, network.outputs).items()}
    outputs, end = through(path, network, monkeypatch, inputs, torch.tensor(lengths), state)
    (outputs.sin().sum() + sum(part.cos().sum() for part in end.values())).backward()
    weights, sequences = arrays(network), inputs.detach().numpy().copy()
    parts = {name: part.detach().numpy().copy() for name, part in state.items()}

    def value():
        total, begin = 0.0, np.stack(list(parts.values()), axis=2)
        for row, length in enumerate(lengths):
            found, ends = reference(cell, weights, layers, both, sequences[row, :length], begin[row])
            total += np.sin(found).sum() + np.cos(ends[:, : len(end)]).sum()
        return total

    rng = np.random.default_rng(0)
    gradients = {name: part.grad for name, part in network.named_parameters()}
    gradients |= {name: part.grad for name, part in state.items()} | {"features": inputs.grad}
    for name, array in {**weights, **parts, "features": sequences}.items():
        direction = rng.standard_normal(array.shape)
        expected = slope(value, array, direction)
        assert expected == pytest.approx(float((gradients[name].numpy() * direction).sum()), rel=1e-6, abs=1e-7), name


@each_cell
def test_step_by_step_it_gives_what_it_gives_at_once(cell):
    layer, inputs, begin = forward_layer(cell), features().requires_grad_(), start(cell, 3, HIDDEN)
    whole, end = layer.run(inputs, None, begin)
    outputs, state = [], begin
    for x in inputs.unbind(1):
        output, state = layer.step(x, state)
        outputs.append(output)
    steps = torch.stack(outputs, dim=1)
    torch.testing.assert_close(steps, whole, rtol=0, atol=1e-12)
    torch.testing.assert_close(state, end, rtol=0, atol=1e-12)
    slopes = [torch.autograd.grad(part.sin().sum(), [inputs, *layer.parameters()]) for part in (steps, whole)]
    torch.testing.assert_close(*slopes, rtol=0, atol=1e-12)


@each_cell
def test_under_autocast_steps_are_nearly_those_of_fp32(cell):
    layer, inputs = forward_layer(cell).float(), features(steps=50).float()
    expected, _ = layer.run(inputs)
    state = {part: torch.zeros(3, HIDDEN) for part in layer.parts}
    with torch.autocast("cpu", torch.bfloat16):
        for number, x in enumerate(inputs.unbind(1)):
            output, state = layer.step(x, state)
            assert output.dtype == torch.bfloat16
            torch.testing.assert_close(output.float(), expected[:, number], rtol=0, atol=0.05)


@each_path
@pytest.mark.parametrize("both", [False, True])
def test_without_lengths_every_row_is_whole(monkeypatch, cell, path, both):
    layer, inputs = encoder(cell, 1, both).layers[0], features()
    if path == "packed":
        monkeypatch.setattr(type(layer), "kernel", None)
    outputs, end = layer.run(inputs)
    others, other = layer.run(inputs, torch.full((3,), STEPS))
    torch.testing.assert_close(outputs, others, rtol=0, atol=1e-12)
    torch.testing.assert_close(end, other, rtol=0, atol=1e-12)


@each_path
def test_a_state_without_one_of_its_parts_is_refused(monkeypatch, cell, path):
    with pytest.raises(KeyError):
        through(path, encoder(cell), monkeypatch, features(), torch.tensor([7, 7, 7]), {})


@each_cell
@pytest.mark.parametrize("both", [False, True])
def test_recurrent_weights_are_orthogonal_in_every_gate(cell, both):
    layer = cells.layer(cell, 3, 5, bidirectional=both)
    for name, weight in layer.named_parameters():
        if name.startswith("weight_hh"):
            for gate in weight.chunk(layer.gates):
                torch.testing.assert_close(gate @ gate.T, torch.eye(5), atol=1e-5, rtol=0)


@each_kernel_cell
@pytest.mark.parametrize("init", ["orthogonal", "xavier"])
def test_the_forget_gate_s_bias_is_one_and_every_other_zero(cell, init):
    layer = cells.layer(cell, 3, 5, bidirectional=True, init=init)
    for suffix in ("", "_reverse"):
        total = getattr(layer, f"bias_ih_l0{suffix}") + getattr(layer, f"bias_hh_l0{suffix}")
        assert total.tolist() == ([0] * 5 + [1] * 5 + [0] * 10 if cell == "lstm" else [0] * len(total))


@each_kernel_cell
def test_every_gate_s_input_matrix_has_the_range_of_xavier(cell):
    layer = cells.layer(cell, 31, 57)
    bound = (6 / (31 + 57)) ** 0.5
    for gate in layer.weight_ih_l0.chunk(layer.gates):
        assert 0.9 * bound < gate.abs().max() <= bound


@each_kernel_cell
def test_the_parameters_are_those_of_torch_s_own_module(cell):
    theirs = {"lstm": nn.LSTM, "rnn": nn.RNN, "gru": nn.GRU}[cell](3, 5, bidirectional=True)
    found = cells.layer(cell, 3, 5, bidirectional=True).state_dict()
    assert {name: part.shape for name, part in found.items()} == {
        name: part.shape for name, part in theirs.state_dict().items()
    }


def test_reverse_turns_each_row_up_to_its_length():
    steps = torch.arange(10).view(2, 5, 1)
    assert cells.reverse(steps, torch.tensor([5, 3])).squeeze(2).tolist() == [[4, 3, 2, 1, 0], [7, 6, 5, 8, 9]]
    assert cells.reverse(steps, None).squeeze(2).tolist() == [[4, 3, 2, 1, 0], [9, 8, 7, 6, 5]]


def test_reverse_twice_changes_nothing():
    inputs, lengths = features(), torch.tensor([7, 3, 1])
    assert torch.equal(cells.reverse(cells.reverse(inputs, lengths), lengths), inputs)


class Ticking(cells.Layer):
    """A cell that no kernel knows: a leaky sum that forgets at every third step, so its state has a clock too."""

    def __init__(self, inputs, hidden_size, *, bidirectional=False):
        super().__init__(inputs, hidden_size, bidirectional=bidirectional)
        names = ("weight_ih", "weight_ih_reverse")[: self.directions]
        self.weights = nn.ParameterDict({name: nn.Parameter(torch.empty(hidden_size, inputs)) for name in names})

    def begin(self, features, state):
        clock = {} if state is None else {"clock": state["clock"]} if "clock" in state else {}
        return {"clock": features.new_zeros(len(features), self.directions), **super().begin(features, state), **clock}

    def one_direction(self, features, lengths, begin, direction):
        weight, state, outputs, states = list(self.weights.values())[direction], begin, [], []
        for x in features.unbind(1):
            output, state = self._next(x, state, weight)
            outputs.append(output)
            states.append(state)
        last = torch.full((len(features),), features.size(1) - 1) if lengths is None else lengths - 1
        end = {name: torch.stack([s[name] for s in states])[last, torch.arange(len(last))] for name in state}
        return torch.stack(outputs, dim=1), end

    def step(self, inputs, state):
        return self._next(inputs, self.begin(inputs, state), next(iter(self.weights.values())))

    def _next(self, x, state, weight):
        keep = torch.where(state["clock"] % 3 == 2, 0.0, 0.5).to(x.dtype)
        hidden = keep * state["hidden"] + x @ weight.T
        return torch.tanh(hidden), {"hidden": hidden, "clock": state["clock"] + 1}


@pytest.fixture
def ticking(monkeypatch):
    monkeypatch.setitem(cells.CELLS, "ticking", Ticking)


@pytest.mark.usefixtures("ticking")
def test_a_new_row_of_the_table_is_all_that_an_encoder_needs():
    torch.manual_seed(0)
    network = recurrent.Encoder(3, 5, cell="ticking", layers=2, bidirectional=False)
    inputs = features().float()
    whole, end = network(inputs, torch.tensor([7, 7, 7]))
    first, state = network(inputs[:, :4], torch.tensor([4, 4, 4]))
    second, last = network(inputs[:, 4:], torch.tensor([3, 3, 3]), state)
    torch.testing.assert_close(torch.cat([first, second], dim=1), whole)
    torch.testing.assert_close(last, end)
    assert end["clock"].tolist() == [[[7], [7]]] * 3
    both = recurrent.Encoder(3, 5, cell="ticking", layers=2)
    together, _ = both(inputs, torch.tensor([7, 3, 5]))
    alone, _ = both(inputs[1:2, :3], torch.tensor([3]))
    torch.testing.assert_close(together[1:2, :3], alone)


@pytest.mark.usefixtures("ticking")
def test_a_new_row_of_the_table_is_all_that_a_decoder_and_a_search_need():
    torch.manual_seed(0)
    network = decoder.Decoder(decoder.Config(11, 3, 5, 7, cell="ticking")).eval()
    memory, lengths, summary = torch.randn(3, 7, 7), torch.tensor([7, 3, 1]), torch.randn(3, 7)
    begin, tokens = network.begin(memory, lengths, summary), torch.randint(11, (3, 6))
    whole, end = network(tokens, begin)
    state, steps = begin, []
    for step in range(6):
        found, state = network(tokens[:, step : step + 1], state)
        steps.append(found)
    torch.testing.assert_close(torch.cat(steps, dim=1), whole)
    torch.testing.assert_close(state, end)
    rows = torch.tensor([2, 0, 1])  # as a search takes the rows of the state that go on
    turned = {name: part[rows] for name, part in state.items()}
    (logits, _), (others, _) = network.step(tokens[rows, :1], turned), network.step(tokens[:, :1], state)
    torch.testing.assert_close(logits, others[rows])


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@each_cell
@pytest.mark.parametrize("lengths", LENGTHS, ids=str)
@pytest.mark.parametrize(("layers", "both"), SHAPES)
def test_a_gpu_gives_what_the_cpu_gives(cell, layers, both, lengths):
    network, inputs = encoder(cell, layers, both), features()
    outputs, state = network(inputs, torch.tensor(lengths))
    others, other = network.cuda()(inputs.cuda(), torch.tensor(lengths).cuda())
    torch.testing.assert_close(others.cpu(), outputs, atol=1e-6, rtol=0)
    torch.testing.assert_close({name: part.cpu() for name, part in other.items()}, state, atol=1e-6, rtol=0)
