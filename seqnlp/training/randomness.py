"""Randomness: the one place that seeds torch's global generator, and what may be relied on.

Networks draw from that generator where they stand: first weights, dropout. It is seeded twice. `first_weights` seeds it
for as long as a network is built, and leaves it as it was. `seed_batch` seeds it before every batch of training, from
the seed of the run, the number of the step, and that of the batch in it alone, so that none depends on what was drawn
before it: a run that was stopped and resumed draws what the run that was not would have drawn, and so does each part of
a batch, which takes its own rows of it (`nn.rows`). Everything else that is random (the order of
batches, sampling, the split of a dev part) has a generator of its own, made from a seed that is handed to it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import numpy as np
import torch

from seqnlp.nn import rows as parts


@contextlib.contextmanager
def first_weights(seed: int) -> Iterator[None]:
    """Seed what is drawn inside the context on the CPU, where networks are built; outside nothing changes."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        yield


def seed_batch(seed: int, step: int, number: int) -> None:
    """Seed what is drawn for a batch, of this number in its step, or for a part of one, on every device."""
    torch.manual_seed(int(np.random.SeedSequence((seed, step, number)).generate_state(1)[0]))


def draw_seeds(rows: int) -> list[int]:
    """Return a seed for each row of this batch, of generators for use outside torch, between 0 and 2**31."""
    found: list[int] = parts.drawn(lambda total: torch.randint(2**31, (total,)), rows).tolist()
    return found
