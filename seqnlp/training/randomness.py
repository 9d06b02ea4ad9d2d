"""Randomness: the one place that seeds torch's global generator, and what may be relied on.

Networks draw from that generator where they stand: first weights, dropout. It is seeded twice. `first_weights` seeds it
for as long as a network is built, and leaves it as it was. `seed_step` seeds it before every step of training, from the
seed of the run and the number of the step alone, so that no step depends on what was drawn before it: a run that was
stopped and resumed draws what the run that was not would have drawn. Everything else that is random (the order of
batches, sampling, the split of a dev part) has a generator of its own, made from a seed that is handed to it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import numpy as np
import torch


@contextlib.contextmanager
def first_weights(seed: int) -> Iterator[None]:
    """Seed what is drawn inside the context on the CPU, where networks are built; outside nothing changes."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        yield


def seed_step(seed: int, step: int) -> None:
    """Seed what is drawn in a step of training, on every device."""
    torch.manual_seed(int(np.random.SeedSequence((seed, step)).generate_state(1)[0]))


def draw_seed() -> int:
    """Return the seed of a generator for use outside torch in this step, between 0 and 2**31."""
    return int(torch.randint(2**31, (1,)))
