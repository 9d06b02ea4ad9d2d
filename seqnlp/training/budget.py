"""Time budgets: a number of seconds becomes a number of steps once, from measured times, and is final from then on."""

from __future__ import annotations

from collections.abc import Sequence

PROBE, SETTLE = 30, 10  # steps that are measured; the first of them are slower, and left out
MARGIN = 0.95  # of a budget is planned for


def is_measured(step: int, spent: float, budget: float, max_steps: int) -> bool:
    """Return whether enough steps are measured: `PROBE` of them, or a quarter of the budget is used up."""
    return step >= min(PROBE, max_steps) or (step >= 2 and spent > budget / 4)


def steps(times: Sequence[float], evaluation: float, eval_every: int, left: float) -> int:
    """Return how many steps, with their evaluations, fit into the seconds that are left.

    times: when measuring began, and when each step ended; evaluation: seconds that one takes.
    """
    settle = min(SETTLE, len(times) - 2)
    step = (times[-1] - times[settle]) / (len(times) - 1 - settle)
    return int(max(left, 0) / (step + evaluation / eval_every))
