"""The training loop, one for all tasks: steps, evaluation, best weights, going on.

A step depends on nothing but the weights, the optimiser's moments, the state that is carried along a stream, and its
own number: batches are a pure function of (seed, epoch), and dropout is drawn from a generator seeded with (seed,
step). All of it is in every checkpoint. So a run that was stopped and resumed is the run that was not.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import nn

from seqnlp import errors
from seqnlp.metrics import base
from seqnlp.nn import loss
from seqnlp.options import LIMITS, Training
from seqnlp.training import budget, checkpoint, data, memory, optimizer, precision, randomness, schedules

UNLIMITED = 10**9
SAVE_EVERY = 600.0  # seconds, where evaluations are further apart

Carry = dict[str, torch.Tensor]  # a network's state at the end of a batch


@dataclass(frozen=True)
class Evaluation:
    """A dev score: the value that picks the weights, all values to report, and which way the value is better."""

    value: float
    scores: dict[str, float]
    higher_is_better: bool = True

    def better_than(self, best: float | None) -> bool:
        """Return whether the value is better than the best one so far, if there is one."""
        return best is None or base.better(self.value, best, higher_is_better=self.higher_is_better)


@dataclass
class Progress:
    """Where a run is; all of it goes into every checkpoint."""

    step: int = 0
    total: int | None = None  # steps of the whole run, once known
    best: float | None = None
    best_step: int = 0
    bad_evaluations: int = 0  # since the best one
    scale: float = 1.0  # of the learning rate under plateau
    seconds: float = 0.0
    history: list[dict[str, Any]] = field(default_factory=list)


class Stop(Protocol):
    """Whether to stop in good order: the number of the signal that asked for it, or 0."""

    def __call__(self) -> int: ...


class Trainer:
    """One run of training; `run` trains to the end, or saves a checkpoint and raises `Stopped` when asked to stop.

    The network takes a batch and what it carried out of the batch before (None at the start of an epoch, and where it
    carries nothing), and returns a `Loss`.
    """

    def __init__(
        self,
        network: nn.Module,
        data: data.Batches,
        evaluate: Callable[[nn.Module], Evaluation],
        options: Training,
        folder: Path,
        *,
        device: torch.device,
        watch: Callable[[str, Progress], None],
        stop: Stop,
        spent: float = 0.0,
    ) -> None:
        self.network, self.data, self.evaluate, self.options = network.to(device), data, evaluate, options
        self.folder, self.device, self.watch, self.stop = folder, device, watch, stop
        self.progress = Progress(seconds=spent)
        self.optimizer = optimizer.Optimizer(network, options)
        self.best: dict[str, torch.Tensor] = {}
        self.carry: Carry | None = None
        self.saved = time.monotonic()
        self.order: Sequence[Any] = data.epoch(0)
        self.per_epoch = math.ceil(len(self.order) / options.grad_accumulation)
        self.eval_every = options.eval_every or self.per_epoch
        self.max_steps = options.epochs * self.per_epoch if options.epochs else UNLIMITED
        self._resume()

    def run(self) -> Progress:
        """Train until the steps, the time or the patience are used up; `best` then holds the best weights."""
        progress = self.progress
        if progress.total is None and self.options.time_budget is None:
            progress.total = self.max_steps
        begin = time.monotonic() - progress.seconds
        times = [time.monotonic()]
        self.network.train()
        self.watch("start", progress)
        while not self._finished():
            self.step()
            progress.step += 1
            progress.seconds = time.monotonic() - begin
            if progress.total is None:
                self._measure(times)
            self.watch("step", progress)
            self._after_step(begin)
            if self.stop():
                self.save()
                raise errors.Stopped(
                    self.stop(), f"stopped after {progress.step} steps; the same command goes on from here"
                )
        return progress

    def _finished(self) -> bool:
        progress, patience = self.progress, self.options.patience
        return (progress.total is not None and progress.step >= progress.total) or bool(
            patience and progress.bad_evaluations >= patience
        )

    def _measure(self, times: list[float]) -> None:
        """Take the time of a step; once that is enough, turn the time budget into a number of steps."""
        progress, seconds = self.progress, self.options.time_budget or 0.0
        times.append(time.monotonic())
        if budget.is_measured(progress.step, progress.seconds, seconds, self.max_steps):
            self._evaluate()
            evaluation = time.monotonic() - times[-1]
            left = seconds * budget.MARGIN - (progress.seconds + 2 * evaluation)
            more = budget.steps(times, evaluation, self.eval_every, left)
            progress.total = min(progress.step + more, self.max_steps)
            self.save()  # the number is final from here on

    def _after_step(self, begin: float) -> None:
        """Evaluate and save where that is due; begin: when the run would have begun, had it never been stopped."""
        progress = self.progress
        if progress.step % memory.TIDY_EVERY == 0:
            memory.tidy()
        if progress.step % self.eval_every == 0 or progress.step == progress.total:
            if not progress.history or progress.history[-1]["step"] != progress.step:
                self._evaluate()
            progress.seconds = time.monotonic() - begin
            self.save()
        elif time.monotonic() - self.saved > SAVE_EVERY:
            self.save()

    def step(self) -> None:
        """One update of the weights, from one batch or several."""
        progress, options = self.progress, self.options
        epoch, place = divmod(progress.step, self.per_epoch)
        if place == 0:
            self.order, self.carry = self.data.epoch(epoch), None
        randomness.seed_step(options.seed, progress.step)
        weight = torch.zeros((), device=self.device)
        for batch in self.order[place * options.grad_accumulation : (place + 1) * options.grad_accumulation]:
            weight += self._backward(self.data.load(batch).to(self.device))
        if not math.isfinite(self.optimizer.scale(float(weight))):
            raise self._diverged()
        self.optimizer.step(progress.step, options.learning_rate * self._rate())

    def _backward(self, batch: Any) -> torch.Tensor:
        """Add up the gradients of a batch, keep what it carries to the next one, and return its weight.

        The state is detached: no gradient flows back into the batch before (truncated backpropagation through time).
        """
        with precision.autocast(self.device, self.options.precision):
            found: loss.Loss = self.network(batch, self.carry)
        torch.autograd.backward(found.sum)
        self.carry = None if found.carry is None else {name: state.detach() for name, state in found.carry.items()}
        return found.weight.detach()

    def _diverged(self) -> errors.SeqnlpError:
        kept = f"the best weights (step {self.progress.best_step}) are kept" if self.best else "nothing was learnt yet"
        return errors.SeqnlpError(
            f"the loss is no longer finite at step {self.progress.step + 1}; {kept}",
            "a lower --learning-rate, a smaller --max-grad-norm, or --precision fp32, in a new folder",
        )

    def _rate(self) -> float:
        """Return the learning rate of this step, as a share of the peak."""
        progress, options = self.progress, self.options
        return schedules.rate(
            options.schedule,
            progress.step + 1,
            total=progress.total,
            warmup=options.warmup_steps,
            max_steps=self.max_steps,
            scale=progress.scale,
        )

    def _evaluate(self) -> None:
        """Score the weights (their average, where there is one) on dev, and keep them if they are the best so far."""
        progress = self.progress
        self.optimizer.swap()
        self.network.eval()
        result = self.evaluate(self.network)
        self.network.train()
        self.optimizer.swap()
        better = result.better_than(progress.best)
        progress.bad_evaluations = 0 if better else progress.bad_evaluations + 1
        if better or result.value == progress.best:  # of equals the later, which has learnt more
            progress.best, progress.best_step = result.value, progress.step
            kept = {**self._buffers(), **self.optimizer.weights()}
            self.best = {name: tensor.clone() for name, tensor in kept.items()}
        elif self.options.schedule in schedules.HALVING:
            progress.scale /= 2
        progress.history.append(self._record(result))
        self.watch("evaluation", progress)

    def _buffers(self) -> dict[str, torch.Tensor]:
        """Return what a network keeps besides its weights."""
        kept = self.network.state_dict()
        return {name: buffer for name, buffer in self.network.named_buffers() if name in kept}

    def _record(self, result: Evaluation) -> dict[str, Any]:
        """Return the line of the history for an evaluation of the last step."""
        progress = self.progress
        return {
            "step": progress.step,
            "epoch": round(progress.step / self.per_epoch, 3),
            **result.scores,
            "best": progress.best_step == progress.step,
            "learning_rate": self.options.learning_rate * self._rate(),
            "seconds": round(progress.seconds, 1),
        }

    def save(self) -> None:
        """Write a checkpoint."""
        groups = {**self.optimizer.state(), "best": self.best}
        if self.carry is not None:
            groups["carry"] = {name: state.clone() for name, state in self.carry.items()}  # none a view of another
        checkpoint.save(self.folder, groups, {**asdict(self.progress), "options": asdict(self.options)})
        self.saved = time.monotonic()

    def _resume(self) -> None:
        """Go on from the newest checkpoint, if there is one."""
        path = checkpoint.newest(self.folder)
        if path is None:
            return
        groups, state = checkpoint.load(path)
        before = state.pop("options")
        self.progress = Progress(**state)
        if any(before[limit] != getattr(self.options, limit) for limit in LIMITS):  # the run is made longer
            self.progress.total, self.progress.bad_evaluations = None, 0
        self.optimizer.restore(groups)
        self.best, carry = self._placed(groups["best"]), groups.get("carry")
        self.carry = None if carry is None else self._placed(carry)
        self.order = self.data.epoch(self.progress.step // self.per_epoch)
        self.watch("resume", self.progress)

    def _placed(self, tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        return {name: tensor.to(self.device) for name, tensor in tensors.items()}
