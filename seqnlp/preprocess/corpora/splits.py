"""Splits: a dev part out of a training part, the same one for the same seed."""

from __future__ import annotations

import collections
from collections.abc import Callable, Hashable, Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from seqnlp import errors
from seqnlp.preprocess.corpora.examples import Example, Examples

if TYPE_CHECKING:
    from seqnlp.preprocess.corpora import seen

ALONE = "no row can be split off for dev: nothing would be left to learn its target from"
NOTHING = "no row is left for dev: the model to start from was trained on all of them"
DEV_FRACTION, MAX_DEV_SIZE = 0.1, 2000

Stratum = Callable[[Example], Hashable]


def split(
    corpus: Examples, seed: int, *, stratum: Stratum | None = None, before: seen.Seen | None = None
) -> tuple[Examples, Examples]:
    """Return train and dev: a random tenth for dev, at most 2,000; with strata, a tenth of each as nearly as can be.

    before: what the model to start from has seen. What it was trained on stays in train, what chose its weights in dev,
    and a tenth of the new rows comes to them. Raises `DataError` where there is no dev part.
    """
    candidates = np.arange(len(corpus))
    kept: np.ndarray = candidates[:0]
    if before is not None:
        from seqnlp.preprocess.corpora import seen as rows

        inputs = rows.inputs(corpus)
        candidates, kept = np.flatnonzero(before.new(inputs)), np.flatnonzero(np.isin(inputs, before.dev))
    strata = [stratum(example) for example in corpus] if stratum else None
    chosen = {*_drawn(candidates, seed, strata).tolist(), *kept.tolist()}
    if not chosen and len(corpus):
        raise errors.DataError(ALONE if before is None else NOTHING, "--dev names a part")
    return _parts(corpus, np.array([number in chosen for number in range(len(corpus))], bool))


def _drawn(candidates: np.ndarray, seed: int, strata: Sequence[Hashable] | None) -> np.ndarray:
    """Return which rows are drawn; a row that is the only one of its stratum is none of them.

    With strata every tenth is taken of the rows in the order of these, shuffled within each (systematic sampling).
    """
    draw, total = np.random.default_rng(seed), len(candidates)
    size = min(max(1, int(total * DEV_FRACTION)), MAX_DEV_SIZE) if total > 1 else 0
    if strata is None:
        return draw.choice(candidates, size, replace=False)
    counts = collections.Counter(strata)
    numbers = {name: number for number, name in enumerate(counts)}
    shuffled = draw.permutation(candidates)
    several = np.array([row for row in shuffled.tolist() if counts[strata[row]] > 1], np.int64)
    order = several[np.argsort([numbers[strata[row]] for row in several.tolist()], kind="stable")]
    places = (np.arange(size) + draw.random()) * len(order) / max(size, 1)
    return order[places.astype(np.int64)] if len(order) else order


def taken(corpus: Examples, kept: np.ndarray) -> Examples:
    """Return the examples that are kept, (N,) truths, as they stand."""
    return _parts(corpus, kept)[1]


def _parts(corpus: Examples, chosen: np.ndarray) -> tuple[Examples, Examples]:
    """Return the examples that are not chosen, and those that are, as they stand."""

    def part(dev: bool) -> Iterator[Example]:
        return (example for example, mine in zip(corpus, chosen.data, strict=True) if mine is dev)

    size = int(chosen.sum())
    return Examples(lambda: part(False), len(corpus) - size), Examples(lambda: part(True), size)
