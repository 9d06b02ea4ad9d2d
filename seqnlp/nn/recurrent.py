"""The recurrent encoder: stacked layers of one cell over a batch of sequences."""

from __future__ import annotations

from typing import cast

import torch
from torch import nn

from seqnlp.nn import cells
from seqnlp.nn import dropout as dropouts

State = dict[str, torch.Tensor]  # the parts of a cell's state by name, each (B, layers, directions x H)


class Encoder(nn.Module):
    """Stacked recurrent layers, in both directions (Schuster & Paliwal 1997) or one, locked dropout between them.

    cell: one of `cells.CELLS`.
    """

    def __init__(
        self,
        inputs: int,
        hidden_size: int,
        *,
        cell: str = "lstm",
        layers: int = 1,
        bidirectional: bool = True,
        dropout: float = 0.0,
        init: str = "orthogonal",
    ) -> None:
        super().__init__()
        self.outputs = hidden_size * (2 if bidirectional else 1)
        self.dropout = dropouts.LockedDropout(dropout)
        sizes = [inputs, *[self.outputs] * (layers - 1)]
        self.layers = nn.ModuleList(
            cells.layer(cell, size, hidden_size, bidirectional=bidirectional, init=init) for size in sizes
        )

    def forward(
        self, features: torch.Tensor, lengths: torch.Tensor, state: State | None = None
    ) -> tuple[torch.Tensor, State]:
        """Return outputs (B, S, directions x H), zero past each length, and the state to go on from.

        features: (B, S, D); lengths: (B,), each from 1 to S; state: what the call before returned. The state has
        "hidden" always and its other parts only where every row is S long: padding may have changed those of others.
        """
        mask = step_mask(lengths, features.size(1)).unsqueeze(2)
        outputs, ends = features, []
        for number, module in enumerate(self.layers):
            begin = None if state is None else {name: part[:, number] for name, part in state.items()}
            layer = cast(cells.Layer, module)
            outputs, end = layer.run(self.dropout(outputs) if number else outputs, lengths, begin)
            outputs = outputs * mask
            ends.append(end)
        return outputs, {name: torch.stack([end[name] for end in ends], dim=1) for name in ends[0]}


def step_mask(lengths: torch.Tensor, steps: int) -> torch.Tensor:
    """Return (B, S), true where a step lies inside its sequence."""
    return torch.arange(steps, device=lengths.device) < lengths.unsqueeze(1)
