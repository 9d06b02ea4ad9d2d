"""Pooling: from the steps of a sequence to one vector."""

from __future__ import annotations

import torch
from torch import nn

from seqnlp.nn import recurrent

KINDS = ("last", "mean", "max", "attention")


class Pooling(nn.Module):
    """One vector a row, of one or several kinds side by side ("mean+max").

    last: the outputs of either direction's last step; mean, max: over the steps; attention: the mean weighted by a
    learnt query (Yang et al. 2016, equations 5 to 7).
    """

    def __init__(self, inputs: int, kinds: str) -> None:
        super().__init__()
        self.kinds = kinds.split("+")
        self.outputs = inputs * len(self.kinds)
        if "attention" in self.kinds:
            self.project = nn.Linear(inputs, inputs)
            self.query = nn.Linear(inputs, 1, bias=False)

    def forward(
        self, outputs: torch.Tensor, lengths: torch.Tensor, hidden: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        """Return (B, kinds x D) and, where there is attention, its weights (B, S).

        outputs: (B, S, D), zero past the lengths; hidden: (B, D), the state after the last step of each direction.
        """
        mask = recurrent.step_mask(lengths, outputs.size(1))
        weights = None
        pooled = []
        for kind in self.kinds:
            if kind == "last":
                pooled.append(hidden)
            elif kind == "mean":
                pooled.append(outputs.sum(1) / lengths.unsqueeze(1))
            elif kind == "max":
                pooled.append(outputs.masked_fill(~mask.unsqueeze(2), -torch.inf).amax(1))
            else:
                energy = self.query(torch.tanh(self.project(outputs))).squeeze(2).float()  # (B, S)
                weights = energy.masked_fill(~mask, -torch.inf).softmax(1)
                pooled.append((weights.unsqueeze(2).to(outputs.dtype) * outputs).sum(1))
        return torch.cat(pooled, dim=1), weights
