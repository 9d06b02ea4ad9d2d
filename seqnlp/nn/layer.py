"""A recurrent layer, in one direction or both: what every cell offers, and how two directions make a layer.

A layer reads sequences: `run` takes whole ones, `step` a single step. A cell says which parts its state has, and
whoever keeps a state goes by them. Sequences stay padded, and the backward direction runs over sequences that are
reversed by length: padding comes last in both directions and never leaks into a result.
"""

from __future__ import annotations

import abc
from typing import ClassVar

import torch
from torch import nn
from torch.nn import functional

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
    weight_dropout: float = 0.0

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

    def of_direction(self, direction: int) -> dict[str, str]:
        """Return the names of the parameters of a direction by those that they have in a forward layer."""
        marks = ("_l0_reverse", ".1") if direction else ("_l0", ".0")
        return {
            name.removesuffix(mark) + forward: name
            for name, _ in self.named_parameters()
            for mark, forward in zip(marks, ("_l0", ".0"), strict=True)
            if name.endswith(mark)
        }

    def dropped(self, weight: torch.Tensor) -> torch.Tensor:
        """Return a recurrent matrix, in training with entries left out for all steps (Wan et al. 2013; Merity 2018)."""
        return functional.dropout(weight, self.weight_dropout, self.training) if self.weight_dropout else weight

    def begin(self, features: torch.Tensor, state: State | None) -> State:
        """Return the state to begin with: the one given, or zeros."""
        if state is None:
            return dict.fromkeys(self.parts, features.new_zeros(len(features), self.directions * self.hidden_size))
        return {name: state[name] for name in self.parts}


def wide(product: torch.Tensor) -> torch.Tensor:
    """Return a product in fp32 at least: under autocast too, gates and sums over steps are computed in it."""
    return product.to(torch.promote_types(product.dtype, torch.float32))


def reverse(features: torch.Tensor, lengths: torch.Tensor | None) -> torch.Tensor:
    """Return (B, S, D) with the steps of each row in reverse order up to its length; padding stays where it is."""
    if lengths is None:
        return features.flip(1)
    steps = torch.arange(features.size(1), device=features.device)
    back = lengths.unsqueeze(1) - 1 - steps  # (B, S)
    order = torch.where(back >= 0, back, steps)
    begin = features.size(1) * torch.arange(len(features), device=features.device).unsqueeze(1)
    rows = features.flatten(0, 1).index_select(0, (begin + order).flatten())  # whole rows: gather takes twice as long
    return rows.view_as(features)
