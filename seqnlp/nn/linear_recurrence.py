"""The cells h = a * h' + b whose a and b come from the input alone: no recurrent product, so all steps are one GEMM."""

from __future__ import annotations

import abc
from typing import ClassVar

import torch
from torch import nn
from torch.nn import functional

from seqnlp.nn import scan
from seqnlp.nn.layer import Layer, State, wide

FORGET_BIAS = 1.0  # of the gate that keeps the state, to begin with, as for LSTMs (Jozefowicz et al. 2015, section 2.2)
RATE = 8.0  # c of the RG-LRU: how far its gate moves the decay
DECAYS = (0.9, 0.999)  # of the RG-LRU's units to begin with, when the gate is open


class LinearRecurrence(Layer):
    """A layer of such a cell: `coefficients` says what a and b are, `output` what is given of the state."""

    kept: ClassVar[float] = 0.0  # sign of the bias in the first gate's matrix that keeps the state

    def __init__(self, inputs: int, hidden_size: int, *, bidirectional: bool = False) -> None:
        super().__init__(inputs, hidden_size, bidirectional=bidirectional)
        rows, directions = self.gates * hidden_size, range(self.directions)
        self.weight_ih = nn.ParameterList(torch.empty(rows, inputs) for _ in directions)
        self.bias_ih = nn.ParameterList(torch.empty(rows) for _ in directions)

    @abc.abstractmethod
    def coefficients(self, product: torch.Tensor, direction: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Return a and b, (..., H) each, of the input's product (..., gates x H), in fp32 at least."""

    def output(self, hidden: torch.Tensor) -> torch.Tensor:
        """Return what the layer gives of its state; the state itself, unless a cell says otherwise."""
        return hidden

    def one_direction(
        self, features: torch.Tensor, lengths: torch.Tensor | None, begin: State, direction: int
    ) -> tuple[torch.Tensor, State]:
        """Return one direction's outputs and end from one scan."""
        product = functional.linear(features, self.weight_ih[direction])
        a, b = self.coefficients(wide(product), direction)
        hidden = scan.scan(a, b, begin["hidden"])
        end = hidden[:, -1] if lengths is None else hidden[torch.arange(len(hidden)), lengths - 1]
        return self.output(hidden).to(product.dtype), {"hidden": end}

    def step(self, inputs: torch.Tensor, state: State) -> tuple[torch.Tensor, State]:
        """Return the outputs, and the state in fp32: it is a sum over all steps."""
        product = functional.linear(inputs, self.weight_ih[0])
        a, b = self.coefficients(wide(product), 0)
        hidden = a * state["hidden"] + b
        return self.output(hidden).to(product.dtype), {"hidden": hidden}

    def initialise(self, init: str) -> None:
        """Set the weights as any layer's; the first gate keeps more than half of the state at first."""
        super().initialise(init)
        for bias in self.bias_ih:
            bias.data[: self.hidden_size] = self.kept * FORGET_BIAS


class MinGru(LinearRecurrence):
    """The minimal gated recurrent unit (Feng et al. 2024, section 3.1): h = (1 - z) h' + z W x."""

    gates = 2  # update, new
    kept = -1.0  # the update gate keeps where it is small

    def coefficients(self, product: torch.Tensor, direction: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Return 1 - z, and z times the new state."""
        update, new = (product + self.bias_ih[direction]).chunk(2, -1)
        return torch.sigmoid(-update), torch.sigmoid(update) * new


class MinLstm(LinearRecurrence):
    """The minimal LSTM (Feng et al. 2024, section 3.2): h = f h' + i W x, its gates divided by their sum."""

    gates = 3  # forget, input, new
    kept = 1.0

    def coefficients(self, product: torch.Tensor, direction: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Return f / (f + i), and i / (f + i) times the new state; by logarithms, as both gates may vanish."""
        forget, entering, new = (product + self.bias_ih[direction]).chunk(3, -1)
        logit = functional.logsigmoid(forget) - functional.logsigmoid(entering)
        return torch.sigmoid(logit), torch.sigmoid(-logit) * new


class Ssru(LinearRecurrence):
    """The simpler simple recurrent unit (Kim et al. 2019, section 3.2): c = f c' + (1 - f) W x; it gives ReLU(c)."""

    gates = 2  # forget, new
    kept = 1.0

    def __init__(self, inputs: int, hidden_size: int, *, bidirectional: bool = False) -> None:
        super().__init__(inputs, hidden_size, bidirectional=bidirectional)
        self.bias_ih = nn.ParameterList(torch.empty(hidden_size) for _ in range(self.directions))  # of the gate alone

    def coefficients(self, product: torch.Tensor, direction: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Return f, and 1 - f times the new state."""
        forget, new = product.chunk(2, -1)
        forget = forget + self.bias_ih[direction]
        return torch.sigmoid(forget), torch.sigmoid(-forget) * new

    def output(self, hidden: torch.Tensor) -> torch.Tensor:
        """Return ReLU(c)."""
        return torch.relu(hidden)


class RgLru(LinearRecurrence):
    """The real-gated linear recurrent unit (De et al. 2024, section 2.4) over a linear layer's outputs u = W x + b.

    r and i are sigmoid gates of u; a = sigmoid(decay) ** (8 r), h = a h' + sqrt(1 - a^2) i u.
    """

    def __init__(self, inputs: int, hidden_size: int, *, bidirectional: bool = False) -> None:
        super().__init__(inputs, hidden_size, bidirectional=bidirectional)
        directions = range(self.directions)
        self.weight_gates = nn.ParameterList(torch.empty(2 * hidden_size, hidden_size) for _ in directions)
        self.bias_gates = nn.ParameterList(torch.empty(2 * hidden_size) for _ in directions)
        self.decay = nn.ParameterList(torch.empty(hidden_size) for _ in directions)

    def coefficients(self, product: torch.Tensor, direction: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Return a, and sqrt(1 - a^2) i u."""
        units = product + self.bias_ih[direction]
        gates = wide(functional.linear(units, self.weight_gates[direction])) + self.bias_gates[direction]
        recurrence, entering = torch.sigmoid(gates).chunk(2, -1)
        logarithm = RATE * recurrence * functional.logsigmoid(self.decay[direction])
        norm = -torch.expm1(2 * logarithm)  # 1 - a^2
        return logarithm.exp(), norm.clamp(min=1e-6).sqrt() * entering * units  # the root's slope at 0 is infinite

    def initialise(self, init: str) -> None:
        """Set the weights; with the gate open, the decays are spread evenly over `DECAYS`."""
        super().initialise(init)
        for gates in self.weight_gates:
            for gate in gates.data.chunk(2):
                nn.init.xavier_uniform_(gate)
        for decay in self.decay:
            decay.data = torch.logit(nn.init.uniform_(decay.data, *DECAYS) ** (1 / RATE))
