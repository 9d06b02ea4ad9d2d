"""The recurrent encoder: stacked layers of one cell over a batch of sequences."""

from __future__ import annotations

from typing import cast

import torch
from torch import nn

from seqnlp.nn import cells, self_attention
from seqnlp.nn import dropout as dropouts

State = dict[str, torch.Tensor]  # the parts of a cell's state by name, each (B, layers, ...), and "memory" (B, M, D)


class Connection(nn.Module):
    """How a layer's outputs go on: what it read is added (He et al. 2016), the sum normalised (Ba et al. 2016).

    residual: add, where both are of one size; layer_norm: normalise. Without either the outputs go on as they are.
    """

    def __init__(self, inputs: int, outputs: int, *, residual: bool = False, layer_norm: bool = False) -> None:
        super().__init__()
        self.residual = residual and inputs == outputs
        self.norm = nn.LayerNorm(outputs) if layer_norm else None

    def forward(self, inputs: torch.Tensor, outputs: torch.Tensor) -> torch.Tensor:
        """Return features of the outputs' shape (B, S, D)."""
        total = inputs + outputs if self.residual else outputs
        return total if self.norm is None else self.norm(total)


class Encoder(nn.Module):
    """Stacked recurrent layers, in both directions (Schuster & Paliwal 1997) or one, locked dropout between them.

    cell: one of `cells.CELLS`; residual, layer_norm: see `Connection`; heads: of a layer of self-attention on top,
    causal where the layers run forward only; 0 for none.
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
        residual: bool = False,
        layer_norm: bool = False,
        heads: int = 0,
        init: str = "orthogonal",
    ) -> None:
        super().__init__()
        self.outputs = hidden_size * (2 if bidirectional else 1)
        self.dropout = dropouts.LockedDropout(dropout)
        sizes = [inputs, *[self.outputs] * (layers - 1)]
        self.layers = nn.ModuleList(
            cells.layer(cell, size, hidden_size, bidirectional=bidirectional, init=init) for size in sizes
        )
        self.connections = nn.ModuleList(
            Connection(size, self.outputs, residual=residual, layer_norm=layer_norm) for size in sizes
        )
        self.attention = self_attention.SelfAttention(self.outputs, heads, causal=not bidirectional) if heads else None

    def forward(
        self, features: torch.Tensor, lengths: torch.Tensor, state: State | None = None
    ) -> tuple[torch.Tensor, State]:
        """Return outputs (B, S, directions x H), zero past each length, and the state to go on from.

        features: (B, S, D); lengths: (B,), each from 1 to S; state: what the call before returned. The state has
        "hidden" always and its other parts only where every row is S long: padding may have changed those of others.
        """
        mask = step_mask(lengths, features.size(1))
        outputs, ends = features, []
        for number, (module, connection) in enumerate(zip(self.layers, self.connections, strict=True)):
            begin = None if state is None else {n: part[:, number] for n, part in state.items() if n != "memory"}
            layer, read = cast(cells.Layer, module), outputs
            outputs, end = layer.run(self.dropout(read) if number else read, lengths, begin)
            outputs = connection(read, outputs) * mask.unsqueeze(2)
            ends.append(end)
        end = {name: torch.stack([end[name] for end in ends], dim=1) for name in ends[0]}
        return self._attend(outputs, mask, state, end)

    def _attend(
        self, outputs: torch.Tensor, mask: torch.Tensor, state: State | None, end: State
    ) -> tuple[torch.Tensor, State]:
        """The outputs after self-attention, where there is one, and the state with its memory."""
        if self.attention is None:
            return outputs, end
        outputs, memory = self.attention(outputs, mask, None if state is None else state.get("memory"))
        if bool(mask.all()):
            end = {**end, "memory": memory}
        return outputs * mask.unsqueeze(2), end


def step_mask(lengths: torch.Tensor, steps: int) -> torch.Tensor:
    """Return (B, S), true where a step lies inside its sequence."""
    return torch.arange(steps, device=lengths.device) < lengths.unsqueeze(1)
