"""Data: what training goes through: a policy that says which items meet, and the way from a batch to tensors."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from seqnlp import errors
from seqnlp.options import Training
from seqnlp.preprocess.batching import buckets, padding


class Rows(Protocol):
    """Encoded rows: `arrow.Rows` holds them in Arrow."""

    @property
    def lengths(self) -> np.ndarray:
        """Return the number of steps of each row, (N, 1), or (N, 2) for pairs."""

    def columns(self, rows: np.ndarray) -> Mapping[str, list[Any]]:
        """Return the columns of the given rows."""


class Policy(Protocol):
    """How items (rows, steps of a stream, windows) meet in batches: one of `preprocess.batching`."""

    @property
    def items(self) -> int:
        """Return the items of an epoch."""

    @property
    def batch(self) -> int:
        """Return the items of a batch, on average or at the most."""

    def epoch(self, number: int) -> Sequence[Any]:
        """Return the batches of an epoch, as cheap descriptions; their number is the same in every epoch."""

    def rows(self, batch: Any) -> int:
        """Return the number of rows in a batch."""

    def part(self, batch: Any, rows: slice) -> Any:
        """Return a batch of some of a batch's rows."""

    def summary(self) -> str:
        """Return how the items meet, in a few words."""


@dataclass(frozen=True)
class Batches:
    """A policy, and the way from one of its batches to tensors, with `.to(device)`."""

    policy: Policy
    load: Callable[[Any], Any]
    _last: dict[int, Sequence[Any]] = field(default_factory=dict, init=False, repr=False)

    def epoch(self, number: int) -> Sequence[Any]:
        """Return the batches of an epoch; those of the last one that was asked for are remembered."""
        if number not in self._last:
            self._last.clear()
            self._last[number] = self.policy.epoch(number)
        return self._last[number]

    def rows(self, batch: Any) -> int:
        """Return the number of rows in a batch."""
        return self.policy.rows(batch)

    def part(self, batch: Any, rows: slice) -> Any:
        """Return a batch of some of a batch's rows."""
        return self.policy.part(batch, rows)


def refuse_plan(plan: buckets.Plan | None, why: str) -> None:
    """Raise `UsageError` where rows are packed, for a policy that has another order: `why` says which."""
    if plan is not None:
        raise errors.UsageError(why, "train on what encode made, not pack")


def in_buckets(
    rows: Rows,
    training: Training,
    plan: buckets.Plan | None,
    collate: Callable[[Mapping[str, list[Any]], padding.Edge], Any],
) -> Batches:
    """Return rows in buckets by length, as tasks have them by default.

    plan: of a packed corpus, None for what suits the rows; collate: from columns and the lengths to pad to, to tensors.
    """
    if plan is None:
        assert training.max_tokens is not None
        plan = buckets.plan(rows.lengths, buckets.Limits(training.max_tokens, training.batch_size))

    def load(batch: padding.Batch) -> Any:
        numbers, widths = batch
        return collate(rows.columns(numbers), widths)

    return Batches(buckets.Buckets(rows.lengths, plan, training.seed), load)
