"""The cells that torch has kernels for, and the fast path of each device.

On a CPU the fused LSTM kernel takes padded input only, and the kernels of the other cells are no slower with it. On
CUDA cuDNN takes a PackedSequence. A single step is computed by hand: for a single row the kernel of the LSTM takes up
to twenty times as long. All paths give equal results.
"""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Callable, Iterator
from typing import Any, ClassVar

import torch
from torch import nn
from torch.nn import functional
from torch.nn.utils import rnn

from seqnlp.nn.layer import Layer, State, wide


@contextlib.contextmanager
def _scattered() -> Iterator[None]:
    """Let cuDNN be silent about weights that lie apart: dropped-out ones are new at every call, learners are copies."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "RNN module weights are not part of single contiguous chunk", UserWarning)
        yield


class KernelLayer(Layer, nn.RNNBase):
    """A layer of a cell that torch has kernels for; its parameters are those of torch's own module."""

    kernel: ClassVar[Callable[..., Any] | None]  # over padded input; None where this torch has none of that name

    def run(
        self, features: torch.Tensor, lengths: torch.Tensor | None = None, state: State | None = None
    ) -> tuple[torch.Tensor, State]:
        """Return what `Layer.run` does: through cuDNN on CUDA, a single step on a CPU by hand."""
        if features.size(1) == 1 and not (self.bidirectional or self.training or features.is_cuda):
            outputs, end = self.step(features[:, 0], self.begin(features, state))
            return outputs.unsqueeze(1), end
        dropping = self.training and self.weight_dropout  # torch's own module knows its whole weights only
        adapting = not self.training and torch.is_grad_enabled()  # and keeps nothing for gradients in evaluation
        if self.kernel is None or (features.is_cuda and not dropping and not adapting):
            return self._packed(features, lengths, state)
        return super().run(features, lengths, state)

    def one_direction(
        self, features: torch.Tensor, lengths: torch.Tensor | None, begin: State, direction: int
    ) -> tuple[torch.Tensor, State]:
        """Return one direction's outputs and end from one call of the kernel."""
        assert self.kernel is not None
        start = tuple(part.contiguous().unsqueeze(0) for part in begin.values())
        into, along, *biases = self.all_weights[direction]
        weights = [into, self.dropped(along), *biases]
        keeps = torch.is_grad_enabled()  # what the gradients need; nothing else tells training here from evaluation
        with _scattered() if features.is_cuda else contextlib.nullcontext():
            outputs, *ends = self.kernel(features, self._argument(start), weights, True, 1, 0.0, keeps, False, True)
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
        entering, forget, new, leaving = (wide(product) + bias).chunk(4, 1)
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
    rule: ClassVar[str] = "tanh"

    def __init__(self, inputs: int, hidden_size: int, *, bidirectional: bool = False) -> None:
        nn.RNN.__init__(
            self, inputs, hidden_size, batch_first=True, bidirectional=bidirectional, nonlinearity=self.rule
        )

    def step(self, inputs: torch.Tensor, state: State) -> tuple[torch.Tensor, State]:
        """Return the outputs, which are the hidden state, and the state."""
        into, along, bias = self._products(inputs, state["hidden"])
        product = into + along  # (B, H)
        hidden = getattr(torch, self.rule)(wide(product) + bias).to(product.dtype)
        return hidden, {"hidden": hidden}


class ReluRnn(Rnn):
    """The simple recurrent network with rectified units (Le et al. 2015): max(0, W x + U h + b)."""

    kernel = getattr(torch, "rnn_relu", None)
    rule = "relu"


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
        before = (wide(product) + bias_in).chunk(3, 1)
        after = (wide(functional.linear(state["hidden"], weights_along)) + bias_along).chunk(3, 1)
        reset, update = (torch.sigmoid(x + h) for x, h in zip(before[:2], after[:2], strict=True))
        new = torch.tanh(before[2] + reset * after[2])
        hidden = new + update * (state["hidden"] - new)
        return hidden.to(product.dtype), {"hidden": hidden}
