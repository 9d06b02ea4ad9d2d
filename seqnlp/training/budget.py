"""Time budgets: how many steps fit into the time that is left, planned anew again and again while it is used up.

Start-up, evaluations and the final scoring count, and no machine is as fast all the time: a number of steps that was
settled once would not hold.
"""

from __future__ import annotations

import collections
import statistics

PROBE = 20  # steps before the first evaluation, which is measured too
RECENT = 30  # steps whose mean time counts
MARGIN = 0.96  # of a budget is planned for: writing the model takes time too
SHARE = 0.1  # of the time may go to evaluations that nobody asked for
LONGEST = 0.2  # of the budget may go to the final scoring: else it is of what evaluations look at
SCORED = 0.4  # of an evaluation's time for intervals, where its predictions need not be made again
PART = 0.25  # of the time that is left may go to one evaluation, where it can be made shorter
AGAIN = 0.1  # of the time that was left passes between two plans
FEW = 0.1  # of the steps that a run has by default: fewer are too few to learn much


class Budget:
    """A time budget in seconds; final: how many times as long as an evaluation the final scoring takes, if known."""

    def __init__(self, seconds: float, final: float | None = None) -> None:
        self.seconds, self.final = seconds, final
        self.recent: collections.deque[float] = collections.deque(maxlen=RECENT)  # seconds of each step
        self.next = 0.0  # when to plan anew
        self.warned = False  # that it is too small

    @property
    def step_seconds(self) -> float:
        """Return what a step takes now."""
        return statistics.fmean(self.recent)

    def is_measured(self, step: int, spent: float, max_steps: int) -> bool:
        """Return whether it is time for the first evaluation: after `PROBE` steps, or a quarter of the budget."""
        return step >= min(PROBE, max_steps) or (step >= 2 and spent > self.seconds / 4)

    def has_full_scoring(self, evaluation: float) -> bool:
        """Return whether there is time for the final scoring of everything; `evaluation` is what one takes."""
        return (self.final or 1.0) * evaluation <= LONGEST * self.seconds

    def left(self, spent: float) -> float:
        """Return the seconds that are left to plan for."""
        return max(0.0, self.seconds * MARGIN - spent)

    def evaluation_limit(self, spent: float) -> float:
        """Return the seconds that one evaluation should take at the most."""
        return min(SHARE * self.seconds, PART * self.left(spent))

    def most_steps(self, spent: float) -> int:
        """Return how many more steps would fit in if there were no evaluations."""
        return int(self.left(spent) / self.step_seconds)

    def may_evaluate(self, evaluation: float, evaluating: float, spent: float) -> bool:
        """Return whether one more evaluation, beside those until now, stays within their share of the time."""
        return evaluating + evaluation <= SHARE * (spent + evaluation)

    def steps(self, spent: float, evaluation: float, steps_between: int, *, asked_for: bool) -> int:
        """Return how many more steps fit in, with their evaluations, the last of which comes at the end.

        spent, evaluation: seconds until now, and of an evaluation; steps_between: steps from one to the next;
        asked_for: whether that is what somebody wants, whatever share of the time it takes.
        """
        final = (self.final or 1.0) if self.has_full_scoring(evaluation) else SCORED
        left = self.left(spent + evaluation * (1 + final))
        self.next = spent + AGAIN * left
        share = evaluation / (evaluation + steps_between * self.step_seconds)
        return int(left * (1 - (share if asked_for else min(share, SHARE))) / self.step_seconds)
