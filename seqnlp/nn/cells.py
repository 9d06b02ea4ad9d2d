"""The recurrent cells: one table from a cell's name to its layer, and the fast path of each cell and device.

A layer reads sequences in one direction or both: `run` takes whole sequences, `step` a single step. A cell says which
parts its state has, and whoever keeps a state goes by them; so a new cell is a class and a row in `CELLS`.

On a CPU the fused LSTM kernel takes padded input only, and the kernels of the other cells are no slower with it. So the
sequences stay padded, and the backward direction runs over sequences that we reverse by length: padding comes last in
both directions and never leaks into a result. On CUDA cuDNN takes a PackedSequence. A single step is computed by hand:
for a few rows the kernels for sequences take up to three times as long. All paths give equal results.
"""

from __future__ import annotations

import abc
from collections.abc import Callable
from typing import Any, ClassVar

import torch
from torch import nn
from torch.nn import functional
from torch.nn.utils import rnn

State = dict[str, torch.Tensor]  # the parts of a layer's state by name, each (B, directions x H)

RECURRENT_INIT = {"orthogonal": nn.init.orthogonal_, "xavier": nn.init.xavier_uniform_}


class Layer(nn.Module, abc.ABC):
    """One recurrent layer, in one direction or both: what every cell offers, and how two directions make a layer.

    A cell gives its `parts`, the names in its state, of which "hidden" (the outputs, or what they are computed from) is
    one, and defines `one_direction` and `step`.
    """

    parts: ClassVar[tuple[str, ...]] = ("hidden",)
    gates: ClassVar[int] = 1  # matrices of shape (H, ...) that are stacked in one parameter
    hidden_size: int
    bidirectional: bool

    def __init__(self, inputs: int, hidden_size: int, *, bidirectional: bool = False) -> None:
        super().__init__()
        self.hidden_size, self.bidirectional = hidden_size, bidirectional

    @property
    def directions(self) -> int:
        """How many directions the layer runs in: 1 or 2."""
        return 2 if self.bidirectional else 1

    def run(
        self, features: torch.Tensor, lengths: torch.Tensor | None = None, state: State | None = None
    ) -> tuple[torch.Tensor, State]:
        """Return outputs (B, S, directions x H) and the state after the last step of every row.

        features: (B, S, D); lengths: (B,), each from 1 to S, or nothing where every row is S long; state: where to
        begin, or nothing for zeros. Outputs past a length mean nothing. The state has "hidden" always and its other
        parts only where every row is S long: padding may have changed those of the others.
        """
        begin = {name: part.chunk(self.directions, 1) for name, part in self.begin(features, state).items()}
        outputs, ends = [], []
        for direction in range(self.directions):
            steps = reverse(features, lengths) if direction else features
            start = {name: chunks[direction] for name, chunks in begin.items()}
            result, end = self.one_direction(steps, lengths, start, direction)
            outputs.append(reverse(result, lengths) if direction else result)
            ends.append(end)
        if not self.bidirectional:
            return outputs[0], ends[0]
        return torch.cat(outputs, dim=2), {name: torch.cat([end[name] for end in ends], dim=1) for name in ends[0]}

    @abc.abstractmethod
    def one_direction(
        self, features: torch.Tensor, lengths: torch.Tensor | None, begin: State, direction: int
    ) -> tuple[torch.Tensor, State]:
        """Return one direction's outputs (B, S, H) and end over padded input, its first step first; see `run`.

        direction: 0 forward, 1 backward, whose features come reversed.
        """

    @abc.abstractmethod
    def step(self, inputs: torch.Tensor, state: State) -> tuple[torch.Tensor, State]:
        """Return the outputs (B, H) of a forward layer after one more step of inputs (B, D), and the state."""

    def initialise(self, init: str) -> None:
        """Set the weights: input matrices Xavier, recurrent ones orthogonal (Saxe et al. 2014) or Xavier, biases 0."""
        for name, weight in self.named_parameters():
            if weight.dim() == 1:
                nn.init.zeros_(weight)
            else:
                for gate in weight.data.chunk(self.gates):
                    (RECURRENT_INIT[init] if name.startswith("weight_hh") else nn.init.xavier_uniform_)(gate)

    def begin(self, features: torch.Tensor, state: State | None) -> State:
        """Return the state to begin with: the one given, or zeros."""
        if state is None:
            return dict.fromkeys(self.parts, features.new_zeros(len(features), self.directions * self.hidden_size))
        return {name: state[name] for name in self.parts}


class KernelLayer(Layer, nn.RNNBase):
    """A layer of a cell that torch has kernels for; its parameters are those of torch's own module."""

    kernel: ClassVar[Callable[..., Any] | None]  # over padded input; None where this torch has none of that name

    def run(
        self, features: torch.Tensor, lengths: torch.Tensor | None = None, state: State | None = None
    ) -> tuple[torch.Tensor, State]:
        """Return what `Layer.run` does, through cuDNN on CUDA."""
        if features.is_cuda or self.kernel is None:
            return self._packed(features, lengths, state)
        return super().run(features, lengths, state)

    def one_direction(
        self, features: torch.Tensor, lengths: torch.Tensor | None, begin: State, direction: int
    ) -> tuple[torch.Tensor, State]:
        """Return one direction's outputs and end from one call of the kernel."""
        assert self.kernel is not None
        start = tuple(part.contiguous().unsqueeze(0) for part in begin.values())
        outputs, *ends = self.kernel(
            features, self._argument(start), self.all_weights[direction], True, 1, 0.0, self.training, False, True
        )
        end = {name: part[0] for name, part in zip(self.parts, ends, strict=True)}
        if lengths is None:
            return outputs, end
        end = self._known(end, lengths, features.size(1))
        return outputs, {**end, "hidden": outputs[torch.arange(len(outputs)), lengths - 1]}  # before padding begins

    def _packed(
        self, features: torch.Tensor, lengths: torch.Tensor | None, state: State | None
    ) -> tuple[torch.Tensor, State]:
        """What `run` returns by torch's own module over a PackedSequence, as cuDNN takes it."""
        begin = self.begin(features, state).values()
        start = self._argument(tuple(torch.stack(part.chunk(self.directions, 1)) for part in begin))
        if lengths is None:
            outputs, ends = self(features, start)
        else:
            lengths = lengths.cpu()
            packed = rnn.pack_padded_sequence(features, lengths, batch_first=True, enforce_sorted=False)
            result, ends = self(packed, start)
            outputs, _ = rnn.pad_packed_sequence(result, batch_first=True, total_length=features.size(1))
        ends = ends if isinstance(ends, tuple) else (ends,)
        end = {name: torch.cat(part.unbind(0), dim=1) for name, part in zip(self.parts, ends, strict=True)}
        return outputs, end if lengths is None else self._known(end, lengths, features.size(1))

    def _argument(self, state: tuple[torch.Tensor, ...]) -> Any:
        """A state as torch takes it: a tensor, or several in a tuple."""
        return state if len(self.parts) > 1 else state[0]

    def _known(self, end: State, lengths: torch.Tensor, steps: int) -> State:
        return end if bool((lengths == steps).all()) else {"hidden": end["hidden"]}

    def _products(self, inputs: torch.Tensor, hidden: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """The products of a step's input and of its hidden state, (B, gates x H) each, and the bias of their sum."""
        into, along, *biases = self.all_weights[0]
        return functional.linear(inputs, into), functional.linear(hidden, along), biases[0] + biases[1]


class Lstm(KernelLayer, nn.LSTM):
    """Long short-term memory (Hochreiter & Schmidhuber 1997) with forget gates (Gers et al. 2000, section 3)."""

    parts = ("hidden", "cell")
    gates = 4  # input, forget, new, output
    kernel = getattr(torch, "lstm", None)

    def __init__(self, inputs: int, hidden_size: int, *, bidirectional: bool = False) -> None:
        nn.LSTM.__init__(self, inputs, hidden_size, batch_first=True, bidirectional=bidirectional)

    def step(self, inputs: torch.Tensor, state: State) -> tuple[torch.Tensor, State]:
        """Return the outputs, which are the hidden state, and the state, its cell in fp32."""
        into, along, bias = self._products(inputs, state["hidden"])
        product = into + along  # (B, 4H)
        entering, forget, new, leaving = (_wide(product) + bias).chunk(4, 1)
        cell = torch.sigmoid(forget) * state["cell"] + torch.sigmoid(entering) * torch.tanh(new)
        hidden = (torch.sigmoid(leaving) * torch.tanh(cell)).to(product.dtype)
        return hidden, {"hidden": hidden, "cell": cell}

    def initialise(self, init: str) -> None:
        """Set the weights; the forget gate's bias is 1 (Jozefowicz et al. 2015, section 2.2)."""
        super().initialise(init)
        for name, weight in self.named_parameters():
            if name.startswith("bias_ih"):
                weight.data[self.hidden_size : 2 * self.hidden_size] = 1.0


class Rnn(KernelLayer, nn.RNN):
    """The simple recurrent network (Elman 1990): tanh(W x + U h + b)."""

    kernel = getattr(torch, "rnn_tanh", None)

    def __init__(self, inputs: int, hidden_size: int, *, bidirectional: bool = False) -> None:
        nn.RNN.__init__(self, inputs, hidden_size, batch_first=True, bidirectional=bidirectional)

    def step(self, inputs: torch.Tensor, state: State) -> tuple[torch.Tensor, State]:
        """Return the outputs, which are the hidden state, and the state."""
        into, along, bias = self._products(inputs, state["hidden"])
        product = into + along  # (B, H)
        hidden = torch.tanh(_wide(product) + bias).to(product.dtype)
        return hidden, {"hidden": hidden}


class Gru(KernelLayer, nn.GRU):
    """The gated recurrent unit (Cho et al. 2014, section 2.3), its reset gate applied after the recurrent product."""

    gates = 3  # reset, update, new
    kernel = getattr(torch, "gru", None)

    def __init__(self, inputs: int, hidden_size: int, *, bidirectional: bool = False) -> None:
        nn.GRU.__init__(self, inputs, hidden_size, batch_first=True, bidirectional=bidirectional)

    def step(self, inputs: torch.Tensor, state: State) -> tuple[torch.Tensor, State]:
        """Return the outputs, which are the hidden state, and the state, in fp32: it is a sum over all steps."""
        weights_in, weights_along, bias_in, bias_along = self.all_weights[0]
        product = functional.linear(inputs, weights_in)
        before = (_wide(product) + bias_in).chunk(3, 1)
        after = (_wide(functional.linear(state["hidden"], weights_along)) + bias_along).chunk(3, 1)
        reset, update = (torch.sigmoid(x + h) for x, h in zip(before[:2], after[:2], strict=True))
        new = torch.tanh(before[2] + reset * after[2])
        hidden = new + update * (state["hidden"] - new)
        return hidden.to(product.dtype), {"hidden": hidden}


def _wide(product: torch.Tensor) -> torch.Tensor:
    """A product in fp32 at least: gates, and what is summed over steps, are computed in it under autocast too."""
    return product.to(torch.promote_types(product.dtype, torch.float32))


CELLS: dict[str, type[Layer]] = {"lstm": Lstm, "rnn": Rnn, "gru": Gru}


def layer(cell: str, inputs: int, hidden_size: int, *, bidirectional: bool = False, init: str = "orthogonal") -> Layer:
    """Return a layer of a cell in `CELLS`, its weights set by `init`, "orthogonal" or "xavier"."""
    made = CELLS[cell](inputs, hidden_size, bidirectional=bidirectional)
    made.initialise(init)
    return made


def reverse(features: torch.Tensor, lengths: torch.Tensor | None) -> torch.Tensor:
    """Return (B, S, D) with the steps of each row in reverse order up to its length; padding stays where it is."""
    if lengths is None:
        return features.flip(1)
    steps = torch.arange(features.size(1), device=features.device)
    back = lengths.unsqueeze(1) - 1 - steps  # (B, S)
    order = torch.where(back >= 0, back, steps)
    return features.gather(1, order.unsqueeze(2).expand(-1, -1, features.size(2)))
