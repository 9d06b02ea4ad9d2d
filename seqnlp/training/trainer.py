"""The training loop, one for all tasks: steps, schedule, averaging, evaluation, best weights, going on.

A step depends on nothing but the weights, the optimiser's moments and its own number: batches are a pure function of
(seed, epoch), and dropout is drawn from a generator seeded with (seed, step). So a run that was stopped and resumed is
the run that was not.
"""

from __future__ import annotations

import contextlib
import ctypes
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from torch import nn

from seqnlp import errors
from seqnlp.metrics import base
from seqnlp.options import Training
from seqnlp.preprocess.batching import buckets
from seqnlp.training import checkpoint, optimizer, precision

PROBE, SETTLE = 30, 10  # steps after which a time budget becomes a number of steps; the first ones are slower
MARGIN = 0.95  # of a time budget is planned for
UNLIMITED = 10**9
SAVE_EVERY = 600.0  # seconds, where evaluations are further apart
LEAST_STEPS = 1000  # of a run by default
TIDY_EVERY = 25  # steps


class Data(Protocol):
    """Batches in the order of an epoch, as cheap descriptions, and the way from one of them to tensors."""

    def epoch(self, number: int) -> Sequence[Any]:
        """Return the batches of an epoch; their number is the same in every epoch."""

    def load(self, batch: Any) -> Any:
        """Return a batch's tensors."""


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
    stale: int = 0  # evaluations since the best one
    scale: float = 1.0  # of the learning rate under plateau
    seconds: float = 0.0
    history: list[dict[str, Any]] = field(default_factory=list)


class Stop(Protocol):
    """Whether to stop in good order: the number of the signal that asked for it, or 0."""

    def __call__(self) -> int: ...


class Trainer:
    """One run of training; `run` trains to the end, or saves a checkpoint and raises `Stopped` when asked to stop."""

    def __init__(
        self,
        network: nn.Module,
        data: Data,
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
        self.saved = time.monotonic()
        self.order: Sequence[Any] = data.epoch(0)
        self.per_epoch = math.ceil(len(self.order) / options.grad_accumulation)
        self.eval_every = options.eval_every or self.per_epoch
        self._resume()

    def run(self) -> Progress:
        """Train until the steps, the time or the patience are used up; `best` then holds the best weights."""
        progress, options = self.progress, self.options
        if progress.total is None and options.time_budget is None:
            progress.total = self._most_steps()
        clock = time.monotonic() - progress.seconds
        probe = [time.monotonic()]
        self.network.train()
        self.watch("start", progress)
        while not self._finished():
            self.step()
            progress.step += 1
            progress.seconds = time.monotonic() - clock
            if progress.total is None:
                probe.append(time.monotonic())
                if progress.step >= min(PROBE, self._most_steps()) or self._probed_enough():
                    progress.total = self._steps_for_budget(probe)
                    self.save()  # the number is final from here on
            self.watch("step", progress)
            if progress.step % TIDY_EVERY == 0:
                tidy()
            if self._evaluation_due():
                if not progress.history or progress.history[-1]["step"] != progress.step:
                    self._evaluate()
                progress.seconds = time.monotonic() - clock
                self.save()
            elif time.monotonic() - self.saved > SAVE_EVERY:
                self.save()
            if self.stop():
                self.save()
                raise errors.Stopped(
                    self.stop(), f"stopped after {progress.step} steps; the same command goes on from here"
                )
        return progress

    def _finished(self) -> bool:
        progress, patience = self.progress, self.options.patience
        return (progress.total is not None and progress.step >= progress.total) or bool(
            patience and progress.stale >= patience
        )

    def _probed_enough(self) -> bool:
        """Return whether measuring has taken a quarter of the time budget."""
        return self.progress.step >= 2 and self.progress.seconds > (self.options.time_budget or 0) / 4

    def _most_steps(self) -> int:
        return self.options.epochs * self.per_epoch if self.options.epochs else UNLIMITED

    def _steps_for_budget(self, times: list[float]) -> int:
        """Return how many steps fit the time budget: from measured steps, and a measured evaluation."""
        begin = time.monotonic()
        self._evaluate()
        evaluation = time.monotonic() - begin
        settle = min(SETTLE, len(times) - 2)
        step = (times[-1] - times[settle]) / (len(times) - 1 - settle)
        left = (self.options.time_budget or 0) * MARGIN - (self.progress.seconds + 2 * evaluation)
        more = int(max(left, 0) / (step + evaluation / self.eval_every))
        return min(self.progress.step + more, self._most_steps())

    def step(self) -> None:
        """One update of the weights, from one batch or several."""
        progress, options = self.progress, self.options
        epoch, place = divmod(progress.step, self.per_epoch)
        if place == 0 or not self.order:
            self.order = self.data.epoch(epoch)
        torch.manual_seed(int(np.random.SeedSequence((options.seed, progress.step)).generate_state(1)[0]))
        weight = torch.zeros((), device=self.device)
        for batch in self.order[place * options.grad_accumulation : (place + 1) * options.grad_accumulation]:
            with precision.autocast(self.device, options.precision):
                loss = self.network(self.data.load(batch).to(self.device))
            loss.sum.backward()
            weight += loss.weight.detach()
        if not math.isfinite(self.optimizer.scale(float(weight))):
            raise self._diverged()
        self.optimizer.step(progress.step, options.learning_rate * self._rate())

    def _diverged(self) -> errors.SeqnlpError:
        kept = f"the best weights (step {self.progress.best_step}) are kept" if self.best else "nothing was learnt yet"
        return errors.SeqnlpError(
            f"the loss is no longer finite at step {self.progress.step + 1}; {kept}",
            "a lower --learning-rate, a smaller --max-grad-norm, or --precision fp32, in a new folder",
        )

    def _rate(self) -> float:
        """Return the learning rate of this step, as a share of the peak."""
        step, total = self.progress.step + 1, self.progress.total
        warmup = min(self.options.warmup_steps, (total or self._most_steps()) // 5)  # a short run is not all warm-up
        if step <= warmup or total is None:
            return min(1.0, step / max(warmup, 1))
        share = (step - warmup) / max(total + 1 - warmup, 1)  # 0 after the warm-up, just under 1 at the last step
        falls = {
            "linear": 1 - share,
            "cosine": (1 + math.cos(math.pi * share)) / 2,
            "step": 0.1 ** int(share * 3),
            "plateau": self.progress.scale,
            "constant": 1.0,
        }
        return falls[self.options.schedule]

    def _evaluation_due(self) -> bool:
        return self.progress.step % self.eval_every == 0 or self.progress.step == self.progress.total

    def _evaluate(self) -> None:
        """Score the weights (their average, where there is one) on dev, and keep them if they are the best so far."""
        progress = self.progress
        self.optimizer.swap()
        self.network.eval()
        result = self.evaluate(self.network)
        self.network.train()
        self.optimizer.swap()
        better = result.better_than(progress.best)
        progress.stale = 0 if better else progress.stale + 1
        if better or result.value == progress.best:  # of equals the later, which has learnt more
            progress.best, progress.best_step = result.value, progress.step
            self.best = {name: tensor.clone() for name, tensor in self.optimizer.weights().items()}
        elif self.options.schedule == "plateau":
            progress.scale /= 2
        progress.history.append(
            {
                "step": progress.step,
                "epoch": round(progress.step / self.per_epoch, 3),
                **result.scores,
                "best": progress.best_step == progress.step,
                "learning_rate": self.options.learning_rate * self._rate(),
                "seconds": round(progress.seconds, 1),
            }
        )
        self.watch("evaluation", progress)

    def save(self) -> None:
        """Write a checkpoint."""
        groups = {**self.optimizer.state(), "best": self.best}
        checkpoint.save(self.folder, groups, {**asdict(self.progress), "options": asdict(self.options)})
        self.saved = time.monotonic()

    def _resume(self) -> None:
        """Go on from the newest checkpoint, if there is one."""
        path = checkpoint.newest(self.folder)
        if path is None:
            return
        groups, state = checkpoint.load(path)
        state.pop("options")
        self.progress = Progress(**state)
        self.optimizer.restore(groups)
        self.best = {name: tensor.to(self.device) for name, tensor in groups["best"].items()}
        self.order = self.data.epoch(self.progress.step // self.per_epoch)
        self.watch("resume", self.progress)


def tidy() -> None:
    """Give freed memory back to the system.

    The C library keeps it, and tensors of another shape seldom fit into it: in some hundred steps, each with a shape of
    its own, a process grows to three times what it holds. Does nothing where there is no glibc.
    """
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL("libc.so.6").malloc_trim(0)


def resolved(options: Training, lengths: np.ndarray, *, epochs: int, device: torch.device) -> Training:
    """Return the options with what was left open filled in.

    lengths: (N, 1) or (N, 2), of the training rows, by which a batch is sized; epochs: the task's default, more where
    the rows are so few that they would be few steps; device: for the precision.
    """
    tokens = int(buckets.longest(lengths).sum())
    budget = options.max_tokens or buckets.budget(lengths)
    batch = min(options.batch_size, max(1, budget * len(lengths) // tokens))  # rows
    enough = max(epochs, math.ceil(LEAST_STEPS * batch * options.grad_accumulation / len(lengths)))
    chosen = options.epochs or (None if options.time_budget else enough)
    return replace(options, epochs=chosen, max_tokens=budget, precision=precision.resolve(options.precision, device))
