"""Refit: the run once more on all rows, those of dev too, for as many steps as dev has chosen.

Nothing is left to evaluate by, so that all that evaluations decide is as it was in the first run: how many steps, and
how the learning rate falls.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch
from torch import nn

from seqnlp.options import Training
from seqnlp.training import budget, data, schedules, trainer

FIRST = 0.45  # of a time budget is for the first run: the second takes as long at the most, on a machine as fast


def first(options: Training) -> Training:
    """Return the options of the first run, for which there is a part of the time."""
    seconds = options.time_budget
    return options if seconds is None else replace(options, time_budget=FIRST * seconds)


class Refit(trainer.Trainer):
    """The run of a trainer once more, on other data, up to the step whose weights were the best.

    `run` ends early where the time is up.
    """

    def __init__(
        self,
        before: trainer.Trainer,
        network: nn.Module,
        data: data.Batches,
        options: Training,
    ) -> None:
        """
        before: the trainer of the first run, at its end; options: of both runs.
        """
        found = before.progress
        self.rows = {row["step"]: row for row in found.history}
        super().__init__(
            network,
            data,
            _no_evaluation,
            replace(options, epochs=None, time_budget=None, patience=0),
            before.folder / f"refit-{found.best_step}-{found.total}",  # of which all that follows is a function
            device=before.device,
            watch=before.watch,
            stop=before.stop,
        )
        before.begin -= self.progress.seconds  # that this run took before it was stopped
        self.progress.total, self.horizon = found.best_step, found.total
        self.limit = None if options.time_budget is None else budget.MARGIN * options.time_budget
        self.before = before

    @property
    def is_complete(self) -> bool:
        """Return whether all steps were made."""
        return self.progress.step == self.progress.total

    def weights(self) -> dict[str, torch.Tensor]:
        """Return the weights to keep."""
        return self._kept()

    def _finished(self) -> bool:
        return super()._finished() or (self.limit is not None and self._end() > self.limit)

    def _end(self) -> float:
        """Return how many seconds after the start both runs end, at the earliest; before the first step: about."""
        first = self.before.progress
        steps = 0 if self.progress.step else first.best_step
        return self.before.seconds + steps * first.seconds / first.step

    def _is_due(self) -> bool:
        """Return whether the first run had an evaluation after the last step, of which nothing was made yet."""
        step, history = self.progress.step, self.progress.history
        return step in self.rows and not (history and history[-1]["step"] == step)

    def _evaluate(self) -> None:
        """Let happen to the schedule what happened in the first run."""
        row: dict[str, Any] = self.rows[self.progress.step]
        self.progress.history.append(row)
        if not row["best"] and self.options.schedule in schedules.HALVING:
            self.progress.scale /= 2


def _no_evaluation(network: nn.Module) -> Any:
    raise AssertionError("there is nothing to evaluate by")
