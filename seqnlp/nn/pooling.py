"""Pooling: from the steps of a sequence to one vector."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import nn

from seqnlp.nn import recurrent


class Steps(NamedTuple):
    """What there is to pool."""

    outputs: torch.Tensor  # (B, S, D), zero past the lengths
    lengths: torch.Tensor  # (B,)
    mask: torch.Tensor  # (B, S), true inside the lengths
    hidden: torch.Tensor  # (B, D), after the last step of each direction
    weights: torch.Tensor | None  # (B, S), where there is attention


def _max(steps: Steps) -> torch.Tensor:
    return steps.outputs.masked_fill(~steps.mask.unsqueeze(2), -torch.inf).amax(1)


def _attention(steps: Steps) -> torch.Tensor:
    assert steps.weights is not None
    return (steps.weights.unsqueeze(2).to(steps.outputs.dtype) * steps.outputs).sum(1)


POOLINGS: dict[str, Callable[[Steps], torch.Tensor]] = {
    "last": lambda steps: steps.hidden,
    "mean": lambda steps: steps.outputs.sum(1) / steps.lengths.unsqueeze(1),
    "max": _max,
    "attention": _attention,
}


class Pooling(nn.Module):
    """One vector a row, of one or several of `POOLINGS` side by side ("mean+max").

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
        weights = self._weights(outputs, mask) if "attention" in self.kinds else None
        steps = Steps(outputs, lengths, mask, hidden, weights)
        return torch.cat([POOLINGS[kind](steps) for kind in self.kinds], dim=1), weights

    def _weights(self, outputs: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """How much each step counts, (B, S), in fp32."""
        energy: torch.Tensor = self.query(torch.tanh(self.project(outputs))).squeeze(2).float()  # (B, S)
        return energy.masked_fill(~mask, -torch.inf).softmax(1)
