"""The training loop, one for all tasks: steps, evaluation, best weights, going on.

A step depends on nothing that is not in every checkpoint (`steps`). So a run that was stopped and resumed is the run
that was not.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import nn

from seqnlp import errors
from seqnlp.options import LIMITS, Training
from seqnlp.training import budget, checkpoint, data, distributed, schedules, steps
from seqnlp.training.progress import Evaluation, Progress

log = logging.getLogger(__name__)

UNLIMITED = 10**9
SAVE_EVERY = 600.0  # seconds, where evaluations are further apart


class Stop(Protocol):
    """Whether to stop in good order: the number of the signal that asked for it, or 0."""

    def __call__(self) -> int: ...


class Trainer:
    """One run of training; `run` trains to the end, or saves a checkpoint and raises `Stopped` when asked to stop."""

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
        begin: float | None = None,
        fit: Callable[[float], float] = lambda seconds: 1.0,
        usual_epochs: int = 0,
        group: distributed.Group | None = None,
    ) -> None:
        """
        begin: when the command was started, by `time.monotonic`; fit: makes evaluations so short, as far as that goes,
        and says how many times as long the final scoring takes; usual_epochs: those without a time budget; group: the
        processes that take the steps, this one alone by default.
        """
        self.network, self.evaluate, self.options = network, evaluate, options
        self.folder, self.device, self.watch, self.stop = folder, device, watch, stop
        self.begin = time.monotonic() if begin is None else begin  # or would have been, had it never been stopped
        self.progress = Progress()
        self.steps = steps.Steps(network, data, options, device, group)
        self.optimizer, self.per_epoch = self.steps.optimizer, self.steps.per_epoch
        self.best: dict[str, torch.Tensor] = {}
        self.saved = time.monotonic()
        self.eval_every = options.eval_every or self.per_epoch
        self.max_steps = options.epochs * self.per_epoch if options.epochs else UNLIMITED
        self.usual_steps = usual_epochs * self.per_epoch
        self.horizon: int | None = None  # the steps that the schedule is for, where they are not those of the run
        self.fit, self.budget = fit, None if options.time_budget is None else budget.Budget(options.time_budget)
        self._resume()
        self.steps.begin(self.progress.step)

    def run(self) -> Progress:
        """Train until the steps, the time or the patience are used up; `best` then holds the best weights."""
        with self.steps.group.led():
            return self._run(self.progress)

    def _run(self, progress: Progress) -> Progress:
        if progress.total is None and self.budget is None:
            progress.total = self.max_steps
        self.network.train()
        self.watch("start", progress)
        try:
            self._after_step()  # what a stopped run owes: it may have given up an evaluation
            while not self._finished():
                begin = time.monotonic()
                self.step()
                progress.step += 1
                progress.seconds = self.seconds
                if self.budget is not None:
                    self.budget.recent.append(time.monotonic() - begin)
                    self._plan(self.budget)
                self.watch("step", progress)
                self._after_step()
                if self.stop():
                    raise errors.Stopped(self.stop(), "")
        except errors.Stopped as error:
            self.save()
            message = f"stopped after {progress.step} steps; the same command goes on from here"
            raise errors.Stopped(self.stop(), message) from error
        return progress

    @property
    def seconds(self) -> float:
        """Return how long the run takes until now, times before stops included."""
        return time.monotonic() - self.begin

    @property
    def has_full_scoring(self) -> bool:
        """Return whether there is time for the final scoring of everything."""
        evaluation = self.progress.evaluation_seconds
        return self.budget is None or evaluation is None or self.budget.has_full_scoring(evaluation)

    def _finished(self) -> bool:
        progress, patience = self.progress, self.options.patience
        return (progress.total is not None and progress.step >= progress.total) or bool(
            patience and progress.bad_evaluations >= patience
        )

    def _plan(self, plan: budget.Budget) -> None:
        """Say how many steps the time budget is for, as far as it is known by now."""
        progress, first = self.progress, self.progress.total is None
        if plan.final is None:
            if not plan.is_measured(progress.step, progress.seconds, self.max_steps):
                return
            self._tell_whether_it_is_enough(plan, progress.step + plan.most_steps(progress.seconds))
            self.network.eval()
            plan.final = self.fit(plan.evaluation_limit(progress.seconds))
            self.network.train()
        if progress.evaluation_seconds is None:
            self._evaluate()
        if progress.seconds >= plan.next or progress.step == progress.total:
            assert progress.evaluation_seconds is not None
            asked = self.options.eval_every is not None
            more = plan.steps(progress.seconds, progress.evaluation_seconds, self.eval_every, asked_for=asked)
            progress.total = min(progress.step + more, self.max_steps)
            if first:
                self.save()
                self._tell_whether_it_is_enough(plan, progress.total)

    def _tell_whether_it_is_enough(self, plan: budget.Budget, total: int) -> None:
        """Warn, once, of a budget for a total of steps that are too few."""
        if not plan.warned and total < min(budget.FEW * self.usual_steps, self.max_steps):
            plan.warned = True
            log.warning(
                "the time budget is enough for about %d steps (%.1f epochs), too few to learn much: "
                "the usual %d epochs would take %d minutes; a longer --time-budget, or a smaller network, learns more",
                *(total, total / self.per_epoch, self.usual_steps // self.per_epoch),
                math.ceil(self.usual_steps * plan.step_seconds / 60),
            )

    def _is_due(self) -> bool:
        """Return whether an evaluation is due after the last step, and was not made yet."""
        progress = self.progress
        if not progress.step or (progress.history and progress.history[-1]["step"] == progress.step):
            return False
        if progress.step == progress.total:
            return True
        if progress.step % self.eval_every:
            return False
        if self.budget is None or self.options.eval_every is not None or progress.evaluation_seconds is None:
            return True
        return self.budget.may_evaluate(progress.evaluation_seconds, progress.evaluating_seconds, progress.seconds)

    def _after_step(self) -> None:
        """Evaluate and save where that is due."""
        if self._is_due():
            self._evaluate()
            self.save()
        elif time.monotonic() - self.saved > SAVE_EVERY:
            self.save()

    def step(self) -> None:
        """One update of the weights, from one batch or several."""
        progress, rate = self.progress, self.options.learning_rate * self._rate()
        mean, norm = self.steps.lead(progress.step, rate, progress.share)
        if not math.isfinite(norm):
            raise self._diverged()
        progress.count(mean, norm)

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
            total=self.horizon or progress.total,
            warmup=options.warmup_steps,
            max_steps=self.max_steps,
            scale=progress.scale,
        )

    def _evaluate(self) -> None:
        """Score the weights (their average, where there is one) on dev, and keep them if they are the best so far."""
        progress, begin = self.progress, time.monotonic()
        self.watch("evaluating", progress)
        self.optimizer.swap()
        self.network.eval()
        try:
            result = self.evaluate(self.network)
        finally:  # it may be given up
            self.network.train()
            self.optimizer.swap()
        better = result.better_than(progress.best)
        progress.bad_evaluations = 0 if better else progress.bad_evaluations + 1
        if better or result.value == progress.best:  # of equals the later, which has learnt more
            progress.best, progress.best_step = result.value, progress.step
            self.best = self._kept()
        elif self.options.schedule in schedules.HALVING:
            progress.scale /= 2
        progress.evaluated(self._record(result), time.monotonic() - begin)
        self.watch("evaluation", progress)
        progress.seconds = self.seconds

    def _kept(self) -> dict[str, torch.Tensor]:
        """Return a copy of the weights that count, and of what a network keeps besides its weights."""
        kept = self.network.state_dict()
        buffers = {name: buffer for name, buffer in self.network.named_buffers() if name in kept}
        return {name: tensor.clone() for name, tensor in {**buffers, **self.optimizer.weights()}.items()}

    def _record(self, result: Evaluation) -> dict[str, Any]:
        """Return the line of the history for an evaluation of the last step."""
        progress = self.progress
        return {
            "step": progress.step,
            "epoch": round(progress.step / self.per_epoch, 3),
            **result.scores,
            "best": progress.best_step == progress.step,
            "learning_rate": self.options.learning_rate * self._rate(),
        }

    def save(self) -> None:
        """Write a checkpoint."""
        groups = {**self.optimizer.state(), "best": self.best}
        if (carry := self.steps.group.whole(self.steps.carry)) is not None:
            groups["carry"] = {name: state.clone() for name, state in carry.items()}  # none a view of another
        checkpoint.save(self.folder, groups, {**asdict(self.progress), "options": asdict(self.options)})
        self.saved = time.monotonic()

    def _resume(self) -> None:
        """Go on from the newest checkpoint that is whole, if there is one."""
        self.folder.mkdir(parents=True, exist_ok=True)
        found = checkpoint.latest(self.folder)
        if found is None:
            return
        groups, state = found
        before = state.pop("options")
        self.progress = Progress(**state)
        self.begin -= self.progress.seconds
        if any(before[limit] != getattr(self.options, limit) for limit in LIMITS):  # the run is made longer
            self.progress.total, self.progress.bad_evaluations = None, 0
        self.optimizer.restore(groups)
        self.best = {name: tensor.to(self.device) for name, tensor in groups["best"].items()}
        self.steps.place(groups.get("carry", {}))
        self.watch("resume", self.progress)
