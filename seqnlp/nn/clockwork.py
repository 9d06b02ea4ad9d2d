"""The clockwork RNN: groups of units that are updated at different periods."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

from seqnlp.nn.layer import Layer, State, wide

PERIODS = (1, 2, 4, 8)  # of the groups, in steps


class Clockwork(Layer):
    """A simple RNN whose groups wake at their periods and read slower groups only (Koutnik et al. 2014, section 3).

    The state has a "clock" too, (B, directions), the number of steps so far, which begins at 0 where none is given: at
    step 0 all groups wake.
    """

    def __init__(self, inputs: int, hidden_size: int, *, bidirectional: bool = False) -> None:
        super().__init__(inputs, hidden_size, bidirectional=bidirectional)
        directions = range(self.directions)
        self.weight_ih = nn.ParameterList(torch.empty(hidden_size, inputs) for _ in directions)
        self.weight_hh = nn.ParameterList(torch.empty(hidden_size, hidden_size) for _ in directions)
        self.bias = nn.ParameterList(torch.empty(hidden_size) for _ in directions)
        groups = torch.arange(hidden_size) * len(PERIODS) // hidden_size
        periods = torch.tensor(PERIODS)[groups]
        self.periods: torch.Tensor
        self.reads: torch.Tensor
        self.register_buffer("periods", periods, persistent=False)  # (H,)
        self.register_buffer("reads", periods.unsqueeze(1) <= periods, persistent=False)  # (H, H): who reads whom

    def begin(self, features: torch.Tensor, state: State | None) -> State:
        """Return the state to begin with; a clock that is missing begins at 0."""
        clock = torch.zeros(len(features), self.directions, dtype=torch.long, device=features.device)
        return {**super().begin(features, state), "clock": (state or {}).get("clock", clock)}

    def one_direction(
        self, features: torch.Tensor, lengths: torch.Tensor | None, begin: State, direction: int
    ) -> tuple[torch.Tensor, State]:
        """Return one direction's outputs and end, step by step."""
        products = functional.linear(features, self.weight_ih[direction])
        weight, hidden, steps = self._recurrent(direction), begin["hidden"], []
        for t, product in enumerate(products.unbind(1)):
            hidden = self._next(product, hidden, begin["clock"] + t, weight, direction)
            steps.append(hidden)
        outputs = torch.stack(steps, dim=1)
        if lengths is None:
            return outputs, {"hidden": hidden, "clock": begin["clock"] + len(steps)}
        end = outputs[torch.arange(len(outputs)), lengths - 1]
        return outputs, {"hidden": end, "clock": begin["clock"] + lengths.unsqueeze(1)}

    def step(self, inputs: torch.Tensor, state: State) -> tuple[torch.Tensor, State]:
        """Return the outputs, which are the hidden state, and the state."""
        state = self.begin(inputs, state)
        product = functional.linear(inputs, self.weight_ih[0])
        hidden = self._next(product, state["hidden"], state["clock"], self._recurrent(0), 0)
        return hidden, {"hidden": hidden, "clock": state["clock"] + 1}

    def _recurrent(self, direction: int) -> torch.Tensor:
        weight: torch.Tensor = self.weight_hh[direction] * self.reads
        return weight

    def _next(
        self, product: torch.Tensor, hidden: torch.Tensor, clock: torch.Tensor, weight: torch.Tensor, direction: int
    ) -> torch.Tensor:
        """The hidden state (B, H) after a step: new where a group is awake, as it was elsewhere."""
        total = product + functional.linear(hidden, weight)
        new = torch.tanh(wide(total) + self.bias[direction]).to(product.dtype)
        return torch.where(clock % self.periods == 0, new, hidden.to(product.dtype))
