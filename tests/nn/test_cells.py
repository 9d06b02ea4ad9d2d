"""The cells: each one equals a reference in NumPy from its equations, forward and gradient; a step is a run of one."""

import numpy as np
import pytest
import torch
from torch import nn

from seqnlp.nn import cells, clockwork, decoder, kernels, linear_recurrence, recurrent
from seqnlp.nn import layer as layers_base

INPUTS, HIDDEN, STEPS = 3, 5, 7
LENGTHS = [[7, 3, 5], [7, 7, 7], [1, 7, 2], [4, 1, 3]]
SHAPES = [(layers, both) for layers in (1, 2, 3) for both in (False, True)]

KERNELS = [name for name, made in cells.CELLS.items() if issubclass(made, kernels.KernelLayer)]
QUICK = [("padded", cell) for cell in ("lstm", "gru", "rnn")]
WAYS = [("padded", cell) for cell in cells.CELLS] + [("packed", cell) for cell in KERNELS]

each_cell = pytest.mark.parametrize("cell", cells.CELLS)
each_way = pytest.mark.parametrize(("path", "cell"), WAYS)
few_or_slow = pytest.mark.parametrize(
    ("path", "cell", "layers", "both"),
    [
        pytest.param(*way, *shape, marks=[] if way in QUICK or shape in [(1, False), (2, True)] else pytest.mark.slow)
        for way in WAYS
        for shape in SHAPES
    ],
)  # every shape of the cells with fast paths of their own, and a few of the others


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


# The reference: one step of each cell from its equations. `w` holds a direction's weights, those of torch's own layers
# as a tuple (W, U, b, c) of each gate; `t` counts the steps from 0. It returns the output and the state.


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def gates(w, count):
    """The weights of each gate of torch's own layers."""
    names = ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0")
    return list(zip(*(np.split(w[name], count) for name in names), strict=True))


def lstm_step(x, state, w, t):
    """Hochreiter & Schmidhuber 1997 with the forget gates of Gers et al. 2000."""
    h, c = state
    i, f, g, o = (W @ x + U @ h + b + d for W, U, b, d in gates(w, 4))
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    h = sigmoid(o) * np.tanh(c)
    return h, (h, c)


def rnn_step(x, state, w, t):
    """Elman 1990."""
    ((W, U, b, d),) = gates(w, 1)
    h = np.tanh(W @ x + U @ state[0] + b + d)
    return h, (h,)


def relu_rnn_step(x, state, w, t):
    """Le et al. 2015."""
    ((W, U, b, d),) = gates(w, 1)
    h = np.maximum(0, W @ x + U @ state[0] + b + d)
    return h, (h,)


def gru_step(x, state, w, t):
    """Cho et al. 2014, the reset gate after the product."""
    (h,) = state
    (Wr, Ur, br, dr), (Wz, Uz, bz, dz), (Wn, Un, bn, dn) = gates(w, 3)
    r, z = sigmoid(Wr @ x + Ur @ h + br + dr), sigmoid(Wz @ x + Uz @ h + bz + dz)
    n = np.tanh(Wn @ x + bn + r * (Un @ h + dn))
    h = (1 - z) * n + z * h
    return h, (h,)


def clockwork_step(x, state, w, t):
    """Koutnik et al. 2014: a group is new where its period divides the step; it reads itself and slower ones."""
    (h,) = state
    groups = np.array_split(np.arange(HIDDEN), 4) if HIDDEN % 4 == 0 else [[0, 1], [2], [3], [4]]
    new = h.copy()
    for number, (group, period) in enumerate(zip(groups, (1, 2, 4, 8), strict=True)):
        if t % period == 0:
            slower = np.concatenate(groups[number:]).astype(int)
            for unit in group:
                total = w["weight_ih"][unit] @ x + w["weight_hh"][unit, slower] @ h[slower] + w["bias"][unit]
                new[unit] = np.tanh(total)
    return new, (new,)


def mingru_step(x, state, w, t):
    """Feng et al. 2024, section 3.1."""
    z, new = np.split(w["weight_ih"] @ x + w["bias_ih"], 2)
    h = (1 - sigmoid(z)) * state[0] + sigmoid(z) * new
    return h, (h,)


def minlstm_step(x, state, w, t):
    """Feng et al. 2024, section 3.2."""
    f, i, new = np.split(w["weight_ih"] @ x + w["bias_ih"], 3)
    f, i = sigmoid(f), sigmoid(i)
    h = f / (f + i) * state[0] + i / (f + i) * new
    return h, (h,)


def ssru_step(x, state, w, t):
    """Kim et al. 2019, section 3.2."""
    gate, new = np.split(w["weight_ih"] @ x, 2)
    f = sigmoid(gate + w["bias_ih"])
    c = f * state[0] + (1 - f) * new
    return np.maximum(c, 0), (c,)


def rglru_step(x, state, w, t):
    """De et al. 2024, section 2.4, c = 8."""
    u = w["weight_ih"] @ x + w["bias_ih"]
    r, i = np.split(sigmoid(w["weight_gates"] @ u + w["bias_gates"]), 2)
    a = sigmoid(w["decay"]) ** (8 * r)
    h = a * state[0] + np.sqrt(1 - a**2) * i * u
    return h, (h,)


REFERENCE = {
    "lstm": lstm_step,
    "gru": gru_step,
    "rnn": rnn_step,
    "rnn-relu": relu_rnn_step,
    "clockwork": clockwork_step,
    "mingru": mingru_step,
    "minlstm": minlstm_step,
    "ssru": ssru_step,
    "rglru": rglru_step,
}


def weights_of(cell, weights, number, direction):
    """One direction's weights of a layer, by their names without the direction."""
    prefix, found = f"layers.{number}.", {}
    for name, array in weights.items():
        own = name.removeprefix(prefix)
        if name.startswith(prefix) and cell in KERNELS and own.endswith("_reverse") == bool(direction):
            found[own.removesuffix("_reverse")] = array
        elif name.startswith(prefix) and cell not in KERNELS and own.endswith(f".{direction}"):
            found[own.split(".")[0]] = array
    return found


def one_way(cell, weights, sequence, state):
    """One direction over one sequence (S, D): its outputs and its end."""
    outputs = []
    for t, x in enumerate(sequence):
        output, state = REFERENCE[cell](x, state, weights, t)
        outputs.append(output)
    return np.stack(outputs), state


def reference(cell, weights, layers, both, sequence, begin):
    """All layers over one sequence: outputs (S, directions x H) and each layer's end, (parts, directions x H)."""
    ends = []
    for number in range(layers):
        state = begin[number]  # (parts, directions x H)
        outputs, end = one_way(cell, weights_of(cell, weights, number, 0), sequence, tuple(state[:, :HIDDEN]))
        if both:
            own = weights_of(cell, weights, number, 1)
            back, other = one_way(cell, own, sequence[::-1], tuple(state[:, HIDDEN:]))
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
        return np.zeros((rows, layers, len(cells.CELLS[cell].parts), HIDDEN * (2 if both else 1)))
    return np.stack([part.numpy() for part in state.values()], axis=2)


@few_or_slow
@pytest.mark.parametrize("lengths", LENGTHS, ids=str)
@pytest.mark.parametrize("carried", [False, True])
def test_layers_of_a_cell_are_the_reference(monkeypatch, cell, path, layers, both, lengths, carried):
    network, inputs = encoder(cell, layers, both), features()
    state = start(cell, 3, layers, network.outputs) if carried else None
    outputs, end = through(path, network, monkeypatch, inputs, torch.tensor(lengths), state)
    begin, weights = beginning(cell, layers, both, state), arrays(network)
    parts = set(cells.CELLS[cell].parts) if set(lengths) == {STEPS} else {"hidden"}
    assert parts <= set(end) <= {*parts, "clock"}
    for row, length in enumerate(lengths):
        expected, ends = reference(cell, weights, layers, both, inputs[row, :length].numpy(), begin[row])
        np.testing.assert_allclose(outputs[row, :length].detach(), expected, rtol=0, atol=1e-12)
        assert not outputs[row, length:].any()
        for number, part in enumerate(part for part in cells.CELLS[cell].parts if part in end):
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


@few_or_slow
@pytest.mark.parametrize("lengths", LENGTHS[:2], ids=str)
def test_gradients_are_those_of_the_reference(monkeypatch, cell, path, layers, both, lengths):
    """By every weight, the features and the first state, each in a random direction."""
    network, inputs = encoder(cell, layers, both), features().requires_grad_()
    state = {name: part.requires_grad_() for name, part in start(cell, 3, layers, network.outputs).items()}
    outputs, end = through(path, network, monkeypatch, inputs, torch.tensor(lengths), state)
    end = {name: part for name, part in end.items() if name in cells.CELLS[cell].parts}
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
    for weight in layer.parameters():
        weight.data /= 2  # without saturation errors would grow from step to step
    expected, _ = layer.run(inputs)
    state = layer.begin(inputs, None)
    with torch.autocast("cpu", torch.bfloat16):
        for number, x in enumerate(inputs.unbind(1)):
            output, state = layer.step(x, state)
            assert output.dtype == torch.bfloat16
            torch.testing.assert_close(output.float(), expected[:, number], rtol=0, atol=0.05)


@each_way
@pytest.mark.parametrize("both", [False, True])
def test_without_lengths_every_row_is_whole(monkeypatch, cell, path, both):
    layer, inputs = encoder(cell, 1, both).layers[0], features()
    if path == "packed":
        monkeypatch.setattr(type(layer), "kernel", None)
    outputs, end = layer.run(inputs)
    others, other = layer.run(inputs, torch.full((3,), STEPS))
    torch.testing.assert_close(outputs, others, rtol=0, atol=1e-12)
    torch.testing.assert_close(end, other, rtol=0, atol=1e-12)


@each_way
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


@pytest.mark.parametrize("cell", KERNELS)
@pytest.mark.parametrize("init", ["orthogonal", "xavier"])
def test_the_forget_gate_s_bias_is_one_and_every_other_zero(cell, init):
    layer = cells.layer(cell, 3, 5, bidirectional=True, init=init)
    for suffix in ("", "_reverse"):
        total = getattr(layer, f"bias_ih_l0{suffix}") + getattr(layer, f"bias_hh_l0{suffix}")
        assert total.tolist() == ([0] * 5 + [1] * 5 + [0] * 10 if cell == "lstm" else [0] * len(total))


@pytest.mark.parametrize("cell", ["mingru", "minlstm", "ssru"])
def test_a_linear_recurrence_keeps_more_than_half_of_its_state_at_first(cell):
    layer = cells.layer(cell, 3, 5, bidirectional=True)
    for direction, bias in enumerate(layer.bias_ih):
        a, b = layer.coefficients(torch.zeros(1, layer.gates * 5), direction)
        assert (a > 0.5).all()
        assert not b.any()
        assert bias.abs().tolist() == [1] * 5 + [0] * (len(bias) - 5)


def test_the_decays_of_an_rglru_are_spread_over_their_range():
    torch.manual_seed(0)
    decays = torch.sigmoid(cells.layer("rglru", 3, 999).decay[0]) ** linear_recurrence.RATE
    low, high = linear_recurrence.DECAYS
    assert low <= decays.min() < low + 0.01
    assert high - 0.01 < decays.max() <= high


@each_cell
def test_every_gate_s_input_matrix_has_the_range_of_xavier(cell):
    layer = cells.layer(cell, 31, 57)
    bound = (6 / (31 + 57)) ** 0.5
    (matrix,) = (weight for name, weight in layer.named_parameters() if name.startswith("weight_ih"))
    for gate in matrix.chunk(layer.gates):
        assert 0.9 * bound < gate.abs().max() <= bound


@pytest.mark.parametrize("cell", KERNELS)
def test_the_parameters_are_those_of_torch_s_own_module(cell):
    theirs = {"lstm": nn.LSTM, "gru": nn.GRU}.get(cell, nn.RNN)(3, 5, bidirectional=True)
    found = cells.layer(cell, 3, 5, bidirectional=True).state_dict()
    assert {name: part.shape for name, part in found.items()} == {
        name: part.shape for name, part in theirs.state_dict().items()
    }


def published():
    """The draws of the published example, in its order: x, a, Waa, Wax, Wya, ba, by; x of one step or of four."""
    for shape in ((3, 10), (3, 10, 4)):
        np.random.seed(1)
        sizes = (shape, (5, 10), (5, 5), (5, 3), (2, 5), (5, 1), (2, 1))
        yield [torch.from_numpy(np.random.randn(*size)) for size in sizes]


def test_the_plain_rnn_gives_the_published_figures_of_one_step_and_of_four():
    """Those of the exercise "Building your recurrent neural network step by step" (Ng et al. 2018)."""
    for x, a, along, into, out, bias, out_bias in published():
        layer = cells.layer("rnn", 3, 5).double()
        with torch.no_grad():
            for name, value in {"weight_hh": along, "weight_ih": into, "bias_ih": bias[:, 0]}.items():
                getattr(layer, f"{name}_l0").copy_(value)
            layer.bias_hh_l0.zero_()
        steps = x.unsqueeze(2) if x.dim() == 2 else x
        outputs, _ = layer.run(steps.permute(1, 2, 0), None, {"hidden": a.T.contiguous()})  # (10, steps, 5)
        y = torch.softmax(outputs @ out.T + out_bias[:, 0], dim=2)  # (10, steps, 2)
        found = (outputs[:, 0, 4], y[:, 0, 1]) if x.dim() == 2 else (outputs[1, :, 4], y[3, :, 1])
        for ours, theirs in zip(found, PUBLISHED[x.dim()], strict=True):
            np.testing.assert_allclose(ours.detach(), theirs, rtol=0, atol=5e-9)


PUBLISHED = {
    2: (
        [0.59584544, 0.18141802, 0.61311866, 0.99808218, 0.85016201]
        + [0.99980978, -0.18887155, 0.99815551, 0.6531151, 0.82872037],
        [0.9888161, 0.01682021, 0.21140899, 0.36817467, 0.98988387]
        + [0.88945212, 0.36920224, 0.9966312, 0.9982559, 0.17746526],
    ),
    3: (
        [-0.99999375, 0.77911235, -0.99861469, -0.99833267],
        [0.79560373, 0.86224861, 0.11118257, 0.81515947],
    ),
}


def test_the_groups_of_a_clockwork_are_of_nearly_one_size_and_read_slower_ones_only():
    layer = clockwork.Clockwork(3, 8)
    assert layer.periods.tolist() == [1, 1, 2, 2, 4, 4, 8, 8]
    assert layer.reads.tolist() == [[fast <= slow for slow in layer.periods] for fast in layer.periods]


def test_reverse_turns_each_row_up_to_its_length():
    steps = torch.arange(10).view(2, 5, 1)
    assert layers_base.reverse(steps, torch.tensor([5, 3])).squeeze(2).tolist() == [[4, 3, 2, 1, 0], [7, 6, 5, 8, 9]]
    assert layers_base.reverse(steps, None).squeeze(2).tolist() == [[4, 3, 2, 1, 0], [9, 8, 7, 6, 5]]


def test_reverse_twice_changes_nothing():
    inputs, lengths = features(), torch.tensor([7, 3, 1])
    assert torch.equal(layers_base.reverse(layers_base.reverse(inputs, lengths), lengths), inputs)


class Ticking(layers_base.Layer):
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
    end["attention"] = end["attention"][:, -1:]  # that of the last step
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
