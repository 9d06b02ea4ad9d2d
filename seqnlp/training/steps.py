"""The steps of a run: the gradients of a batch or several, by one process or all together, and new weights.

A step depends on nothing but the weights, the optimiser's moments, the state that is carried along a stream, and its
own number: batches are a pure function of (seed, epoch), and dropout is drawn from a generator seeded with (seed,
step, batch in it).
"""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import nn

from seqnlp import errors
from seqnlp.nn import loss
from seqnlp.nn import rows as parts
from seqnlp.options import Training
from seqnlp.preprocess.corpora import arrow
from seqnlp.training import data, distributed, memory, optimizer, precision, randomness

log = logging.getLogger(__name__)

Carry = dict[str, torch.Tensor]  # a network's state at the end of a batch


class Steps:
    """The steps of a run.

    The network takes a batch and what it carried out of the batch before (None at the start of an epoch, and where it
    carries nothing), and returns a `Loss`. group: the processes that take the steps.
    """

    def __init__(
        self,
        network: nn.Module,
        data: data.Batches,
        options: Training,
        device: torch.device,
        group: distributed.Group | None = None,
    ) -> None:
        self.network, self.data, self.options, self.device = network.to(device), data, options, device
        self.group = group or distributed.Group()
        averaged = options if self.group.leads else replace(options, ema_decay=0.0)  # it alone evaluates
        self.optimizer = optimizer.Optimizer(network, averaged)
        self.carry: Carry | None = None
        self.in_pieces = False  # whether a batch was done in pieces, which is said once
        self.order: Sequence[Any] = data.epoch(0)
        self.per_epoch = math.ceil(len(self.order) / options.grad_accumulation)

    def begin(self, step: int) -> int:
        """Return the step to go on from, the leader's, in whose state all processes begin."""
        if self.group.size > 1:
            step = self.group.tell(step)
            groups = self.group.spread({**self.optimizer.state(), "carry": self.carry or {}})
            if not self.group.leads:
                self.optimizer.restore(groups)
            self.place(self.group.own(groups["carry"]))
        self.order = self.data.epoch(step // self.per_epoch)
        return step

    def place(self, carry: Mapping[str, torch.Tensor]) -> None:
        """Take what a run carries, nothing where it is empty."""
        self.carry = {name: tensor.to(self.device) for name, tensor in carry.items()} or None

    def lead(self, step: int, rate: float, share: float) -> tuple[float, float]:
        """Take a step with all processes, as `take` does."""
        self.group.order(distributed.STEP, step, rate, share)
        return self.take(step, rate, share)

    def follow(self) -> int:
        """Do what the leader orders to the end of the run; return the exit code that it ends with."""
        while (order := self.group.receive()).what != distributed.END:
            if order.what == distributed.CARRY:
                self.group.whole(self.carry)
            else:
                self.take(order.step, order.value, order.share)
        return int(order.value)

    def take(self, step: int, rate: float, share: float) -> tuple[float, float]:
        """Take a step at a learning rate; return the mean loss, and the norm of the gradients before clipping.

        Where that is not finite the weights stay what they were. share: of the steps that is done, which a network is
        told that has a `share`.
        """
        if hasattr(self.network, "share"):
            setattr(self.network, "share", share)  # noqa: B010 (a plain number, where modules declare modules)
        mean, norm = self._gradients(step)
        if math.isfinite(norm):
            self.optimizer.step(step, rate)
        if (step + 1) % memory.TIDY_EVERY == 0:
            memory.tidy()
            arrow.release()
        return mean, norm

    def _gradients(self, step: int) -> tuple[float, float]:
        options, optimizer = self.options, self.optimizer
        epoch, place = divmod(step, self.per_epoch)
        if place == 0:
            self.order, self.carry = self.data.epoch(epoch), None
        batches = self.order[place * options.grad_accumulation : (place + 1) * options.grad_accumulation]
        sums = self._sums(batches, step)
        total, weight = self.group.add_up(optimizer.dense, optimizer.sparse, sums).tolist()
        return total / max(weight, 1e-12), optimizer.scale(weight)

    def _sums(self, batches: Sequence[Any], step: int, pieces: int = 1) -> torch.Tensor:
        """Add up the gradients of batches, each in pieces, more of them where memory is not enough.

        Returns the loss and its weight (2,), which are the same for any number of pieces.
        """
        carry, parts_of = self.carry, [self.group.part(self.data.rows(batch)) for batch in batches]
        try:
            found = [
                self._in_pieces(batch, part.cut(pieces), step, number)
                for number, (batch, part) in enumerate(zip(batches, parts_of, strict=True))
                if part
            ]
            return torch.stack(found).sum(0) if found else torch.zeros(2, device=self.device)
        except (MemoryError, RuntimeError) as error:
            if not memory.is_exhausted(error) or pieces >= max(map(len, parts_of)):
                raise
        # Only here, where nothing holds what the error has left.
        self.carry = carry
        self.network.zero_grad(set_to_none=True)
        memory.tidy()
        if not self.in_pieces:
            self.in_pieces = True
            log.warning("step %d: not enough memory for a batch: its parts are done one by one", step + 1)
        return self._sums(batches, step, 2 * pieces)

    def _in_pieces(self, batch: Any, pieces: Sequence[parts.Part], step: int, number: int) -> torch.Tensor:
        """Add up the gradients of the pieces of a batch, its number in the step; return loss and weight, (2,)."""
        before, first, sums, carried = self.carry, pieces[0].begin, torch.zeros(2, device=self.device), []
        for piece in pieces:
            randomness.seed_batch(self.options.seed, step, number)
            rows = slice(piece.begin - first, piece.end - first)
            self.carry = {name: state[rows] for name, state in (before or {}).items()} or None
            found = self._backward(batch, piece)
            sums[0] += found.sum
            sums[1] += found.weight
            carried.append(self.carry or {})
        self.carry = {name: torch.cat([one[name] for one in carried]) for name in carried[0]} or None
        return sums

    def _backward(self, described: Any, part: parts.Part) -> loss.Loss:
        """Add up the gradients of a part of a batch, keep what it carries to the next one, and return its loss.

        The state is detached: no gradient flows back into the batch before (truncated backpropagation through time).
        """
        with parts.only(part):
            batch = self.data.load(self.data.part(described, part.rows)).to(self.device)
            with precision.autocast(self.device, self.options.precision):
                found: loss.Loss = self.network(batch, self.carry)
        torch.autograd.backward(found.sum)
        self.carry = None if found.carry is None else {name: state.detach() for name, state in found.carry.items()}
        if self.carry is not None and part.total < self.group.size:
            raise errors.UsageError(
                f"{part.total} streams of text for {self.group.size} processes", "a greater --batch-size"
            )
        return found._replace(sum=found.sum.detach(), weight=found.weight.detach())
