"""The recurrent encoder: stacked LSTMs over a batch of sequences, by the execution path that suits the device.

On a CPU the fused kernel takes padded input only, so the sequences stay padded and the backward direction runs over
sequences that we reverse by length: padding comes last in both directions and never leaks into a result. On CUDA cuDNN
takes a PackedSequence. Both give equal results.
"""

from __future__ import annotations

from typing import cast

import torch
from torch import nn
from torch.nn.utils import rnn

from seqnlp.nn import dropout as dropouts

State = dict[str, torch.Tensor]  # "hidden" and "cell", each (B, layers, directions x H)
Pair = tuple[torch.Tensor, torch.Tensor]  # hidden and cell of one layer, each (B, directions x H)


class Encoder(nn.Module):
    """Stacked LSTM layers, bidirectional or not, with locked dropout between them (Schuster & Paliwal 1997)."""

    def __init__(
        self,
        inputs: int,
        hidden: int,
        *,
        layers: int = 1,
        bidirectional: bool = True,
        dropout: float = 0.0,
        init: str = "orthogonal",
    ) -> None:
        super().__init__()
        self.outputs = hidden * (2 if bidirectional else 1)
        self.dropout = dropouts.LockedDropout(dropout)
        sizes = [inputs, *[self.outputs] * (layers - 1)]
        self.layers = nn.ModuleList(_layer(size, hidden, bidirectional, init) for size in sizes)

    def forward(
        self, features: torch.Tensor, lengths: torch.Tensor, state: State | None = None
    ) -> tuple[torch.Tensor, State]:
        """Return outputs (B, S, directions x H), zero past each length, and the state to go on from.

        features: (B, S, D); lengths: (B,), each from 1 to S; state: what the call before returned. The state has
        "hidden" always and "cell" only where every row is S long: padding would have changed the cells of the others.
        """
        run = packed if features.is_cuda else padded  # the one place that chooses
        mask = step_mask(lengths, features.size(1)).unsqueeze(2)
        begin = [None] * len(self.layers) if state is None else _pairs(state)
        outputs, ends = features, []
        for number, module in enumerate(self.layers):
            layer = cast(nn.LSTM, module)
            outputs, end = run(layer, self.dropout(outputs) if number else outputs, lengths, begin[number])
            outputs = outputs * mask
            ends.append(end)
        carried = {"hidden": torch.stack([hidden for hidden, _ in ends], dim=1)}
        if bool((lengths == features.size(1)).all()):
            carried["cell"] = torch.stack([cell for _, cell in ends], dim=1)
        return outputs, carried


def _pairs(state: State) -> list[Pair | None]:
    return list(zip(state["hidden"].unbind(1), state["cell"].unbind(1), strict=True))


def step_mask(lengths: torch.Tensor, steps: int) -> torch.Tensor:
    """Return (B, S), true where a step lies inside its sequence."""
    return torch.arange(steps, device=lengths.device) < lengths.unsqueeze(1)


def padded(
    layer: nn.LSTM, features: torch.Tensor, lengths: torch.Tensor, begin: Pair | None
) -> tuple[torch.Tensor, Pair]:
    """Return a layer's outputs and end over padded input: one fused call a direction."""
    directions = 2 if layer.bidirectional else 1
    hidden, cell = begin or (features.new_zeros(len(features), directions * layer.hidden_size),) * 2
    outputs, hiddens, cells = [], [], []
    for direction, (h, c) in enumerate(zip(hidden.chunk(directions, 1), cell.chunk(directions, 1), strict=True)):
        weights = cast(list[torch.Tensor], layer._flat_weights[4 * direction : 4 * direction + 4])
        steps = reverse(features, lengths) if direction else features
        start = (h.contiguous().unsqueeze(0), c.contiguous().unsqueeze(0))
        result, _, end = torch.lstm(steps, start, weights, True, 1, 0.0, layer.training, False, True)
        hiddens.append(result[torch.arange(len(result)), lengths - 1])  # (B, H): the step before padding begins
        cells.append(end[0])
        outputs.append(reverse(result, lengths) if direction else result)
    return torch.cat(outputs, dim=2), (torch.cat(hiddens, dim=1), torch.cat(cells, dim=1))


def packed(
    layer: nn.LSTM, features: torch.Tensor, lengths: torch.Tensor, begin: Pair | None
) -> tuple[torch.Tensor, Pair]:
    """Return a layer's outputs and end through a PackedSequence, as cuDNN takes it."""
    directions = 2 if layer.bidirectional else 1
    start = None if begin is None else tuple(torch.stack(part.chunk(directions, 1)) for part in begin)
    sequence = rnn.pack_padded_sequence(features, lengths.cpu(), batch_first=True, enforce_sorted=False)
    result, ends = layer(sequence, start)
    outputs, _ = rnn.pad_packed_sequence(result, batch_first=True, total_length=features.size(1))
    hidden, cell = (torch.cat(part.unbind(0), dim=1) for part in ends)
    return outputs, (hidden, cell)


def reverse(features: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
    """Return (B, S, D) with the steps of each row in reverse order up to its length; padding stays where it is."""
    steps = torch.arange(features.size(1), device=features.device)
    back = lengths.unsqueeze(1) - 1 - steps  # (B, S)
    order = torch.where(back >= 0, back, steps)
    return features.gather(1, order.unsqueeze(2).expand(-1, -1, features.size(2)))


def _layer(inputs: int, hidden: int, bidirectional: bool, init: str) -> nn.LSTM:
    layer = nn.LSTM(inputs, hidden, batch_first=True, bidirectional=bidirectional)
    initialise(layer, init)
    return layer


def initialise(layer: nn.LSTM, init: str) -> None:
    """Set a layer's weights: input matrices Xavier; recurrent ones orthogonal (Saxe et al. 2014) or Xavier.

    The forget gate's bias is 1 (Jozefowicz et al. 2015, section 2.2), every other bias 0.
    """
    recurrent = {"orthogonal": nn.init.orthogonal_, "xavier": nn.init.xavier_uniform_}[init]
    for name, weight in layer.named_parameters():
        if weight.dim() == 1:
            nn.init.zeros_(weight)
            if name.startswith("bias_ih"):
                weight.data[layer.hidden_size : 2 * layer.hidden_size] = 1.0
        else:
            for gate in weight.data.chunk(4):
                (recurrent if name.startswith("weight_hh") else nn.init.xavier_uniform_)(gate)
