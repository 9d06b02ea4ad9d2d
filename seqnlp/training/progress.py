"""Progress: where a run is, what it has measured since its last evaluation, and what an evaluation gives."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from seqnlp.metrics import base


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
    loss_sum: float = 0.0  # of the steps since the last evaluation, as are the two that follow
    norm_sum: float = 0.0
    counted: int = 0
    evaluation_seconds: float | None = None  # of the last evaluation
    evaluating_seconds: float = 0.0  # of all evaluations
    history: list[dict[str, Any]] = field(default_factory=list)

    def count(self, loss: float, norm: float) -> None:
        """Take the loss of a step, and the norm of its gradient before clipping."""
        self.loss_sum, self.norm_sum, self.counted = self.loss_sum + loss, self.norm_sum + norm, self.counted + 1

    @property
    def loss(self) -> float:
        """Return the mean loss of the steps since the last evaluation."""
        return self.loss_sum / max(self.counted, 1)

    @property
    def gradient_norm(self) -> float:
        """Return the mean norm of the gradients since the last evaluation."""
        return self.norm_sum / max(self.counted, 1)

    @property
    def share(self) -> float:
        """Return the share of the steps that is done, 0 as long as their number is not known."""
        return self.step / self.total if self.total else 0.0

    def evaluated(self, scores: dict[str, Any], seconds: float) -> None:
        """Put a line into the history, with what was measured since the one before, which begins anew.

        seconds: that the evaluation took.
        """
        measured = {"loss": round(self.loss, 4), "gradient_norm": round(self.gradient_norm, 4)}
        self.history.append({**scores, **measured, "seconds": round(self.seconds, 1)})
        self.loss_sum, self.norm_sum, self.counted = 0.0, 0.0, 0
        self.evaluation_seconds, self.evaluating_seconds = seconds, self.evaluating_seconds + seconds
