"""Schedules: the share of the peak learning rate at a step: it rises in the warm-up, then follows one of a table."""

from __future__ import annotations

import math
from collections.abc import Callable

# From the share of the steps after the warm-up that are done (0 after the warm-up, just under 1 at the last step), and
# the scale that evaluations have brought about, to the share of the peak.
SCHEDULES: dict[str, Callable[[float, float], float]] = {
    "linear": lambda done, scale: 1 - done,
    "cosine": lambda done, scale: (1 + math.cos(math.pi * done)) / 2,  # Loshchilov & Hutter 2017, section 3
    "step": lambda done, scale: 0.1 ** int(done * 3),
    "plateau": lambda done, scale: scale,
    "constant": lambda done, scale: 1.0,
}
HALVING = ("plateau",)  # the schedules under which an evaluation that is no better halves the scale


def rate(name: str, step: int, *, total: int | None, warmup: int, max_steps: int, scale: float = 1.0) -> float:
    """Return the learning rate of a step, counted from 1, as a share of the peak, above 0 and at most 1.

    total: steps of the run, None while they are not known; warmup: steps over which the rate rises, a fifth of the run
    at the most: a short run is not all warm-up. max_steps: what bounds the run while its total is not known.
    """
    warmup = min(warmup, (total or max_steps) // 5)
    if step <= warmup or total is None:
        return min(1.0, step / max(warmup, 1))
    return SCHEDULES[name]((step - warmup) / max(total + 1 - warmup, 1), scale)
