"""Packing: what a plan of batches saves, beside random batches of the same rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from seqnlp.preprocess.batching import buckets, padding

BARS = 20  # of a histogram, at the most


def random(lengths: np.ndarray, limits: buckets.Limits, *, seed: int) -> Iterator[padding.Batch]:
    """Yield batches of rows in random order, as loops without buckets make them: what a plan is compared with."""
    order = np.random.default_rng(seed).permutation(len(lengths))
    start, width = 0, np.ones(lengths.shape[1], dtype=np.int64)
    for end, row in enumerate(order):
        wider = np.maximum(width, lengths[row])
        if end > start and end + 1 - start > limits.rows(int(wider.max())):
            yield order[start:end], tuple(map(int, width))
            start, wider = end, np.maximum(lengths[row], 1)
        width = wider
    if len(order):
        yield order[start:], tuple(map(int, width))


def report(lengths: np.ndarray, plan: buckets.Plan) -> dict[str, Any]:
    """Return what a plan gives: batches, shares of padding in percent beside random batches', lengths."""
    own = buckets.shuffled(lengths, plan, seed=1, epoch=0)
    others = random(lengths, plan.limits, seed=1)
    return {
        "rows": len(lengths),
        "batches": len(own),
        "buckets": len(plan.edges),
        "max_tokens": plan.limits.max_tokens,
        "batch_size": plan.limits.batch_size,
        "padding": round(100 * padding.padding_fraction(lengths, own), 2),
        "padding_random": round(100 * padding.padding_fraction(lengths, others), 2),
        "lengths": histogram(buckets.longest(lengths).tolist()),
    }


def histogram(lengths: Sequence[int]) -> list[tuple[int, int, int]]:
    """Return (shortest, longest, number of rows) for ranges of length, equally wide, at most `BARS` of them."""
    longest = max(lengths, default=0)
    wide = -(-longest // BARS) or 1
    counts = [0] * -(-longest // wide)
    for length in lengths:
        counts[(length - 1) // wide] += 1
    return [(number * wide + 1, (number + 1) * wide, count) for number, count in enumerate(counts)]
