"""Gradients: those of a step's batches added up, in parts where memory is not enough for a batch at once."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

import torch
from torch import nn

from seqnlp.nn import loss
from seqnlp.training import data, memory, precision

log = logging.getLogger(__name__)

Carry = dict[str, torch.Tensor]  # a network's state at the end of a batch


class Gradients:
    """The gradients of a network, and what it carries from batch to batch."""

    def __init__(self, network: nn.Module, data: data.Batches, device: torch.device, precision: str) -> None:
        self.network, self.data, self.device, self.precision = network, data, device, precision
        self.carry: Carry | None = None
        self.parted = False  # whether a batch was done in parts, which is said once

    def add(self, batches: Sequence[Any], step: int) -> tuple[float, float]:
        """Add the gradients of batches to those of the parameters; return their loss, summed, and its weight.

        The sum is the same in parts, but for dropout, which is drawn for each; step: its number, for the log.
        """
        carry = self.carry
        try:
            return self._added(batches)
        except (MemoryError, RuntimeError) as error:
            parts = memory.smaller(batches, self.data.halves) if memory.is_exhausted(error) else None
            if parts is None:
                raise
        # Only here, where nothing holds what the error has left.
        self.network.zero_grad(set_to_none=True)
        self.carry = carry
        memory.tidy()
        if not self.parted:
            self.parted = True
            log.warning("step %d: not enough memory for a batch: its parts are done one by one", step)
        return self.add(parts, step)

    def _added(self, batches: Sequence[Any]) -> tuple[float, float]:
        summed, weight = torch.zeros((2,), device=self.device).unbind()
        for batch in batches:
            found = self._backward(self.data.load(batch).to(self.device))
            summed += found.sum
            weight += found.weight
        return float(summed), float(weight)

    def _backward(self, batch: Any) -> loss.Loss:
        """Add up the gradients of a batch, keep what it carries to the next one, and return its loss.

        The state is detached: no gradient flows back into the batch before (truncated backpropagation through time).
        """
        with precision.autocast(self.device, self.precision):
            found: loss.Loss = self.network(batch, self.carry)
        torch.autograd.backward(found.sum)
        self.carry = None if found.carry is None else {name: state.detach() for name, state in found.carry.items()}
        return found._replace(sum=found.sum.detach(), weight=found.weight.detach())
