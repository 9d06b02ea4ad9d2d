"""Ranking: how finished hypotheses of different lengths compare, and what those under way can come to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch

MIN_COVERAGE = 1e-6  # of a source step that was never looked at: its logarithm is to stay finite


def coverage(attention: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Return the sums over source steps of log min(attention so far, 1): (A, W) of (A, W, S) and a mask (A, S)."""
    logs = attention.clamp(MIN_COVERAGE, 1.0).log()
    return logs.masked_fill(~mask.unsqueeze(1), 0.0).sum(2)


def repetition(attention: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Return minus the attention so far above 1, summed over source steps, as `coverage` does.

    It is the summary-specific coverage penalty of Gehrmann et al. 2018, section 5: what was told once is not told
    again, and nothing has to be told.
    """
    return -(attention - 1).clamp(min=0).masked_fill(~mask.unsqueeze(1), 0.0).sum(2)


@dataclass(frozen=True)
class Ranking:
    """A score of log-probability, length and coverage (Wu et al. 2016, section 7)."""

    length_penalty: float = 0.0  # alpha
    coverage_penalty: float = 0.0  # beta, 0 or greater
    covered: Callable[[torch.Tensor, torch.Tensor], torch.Tensor] = coverage  # what it multiplies, 0 or less

    def score(self, logs: torch.Tensor, length: int, coverage: torch.Tensor) -> torch.Tensor:
        """Return the scores of hypotheses of one length, the end counted; coverage: the values of `coverage`."""
        divisor: float = ((5 + length) / 6) ** self.length_penalty
        return logs / divisor + self.coverage_penalty * coverage

    def bound(self, logs: torch.Tensor, min_length: int, max_length: torch.Tensor) -> torch.Tensor:
        """Return what the hypotheses (A, W) can reach at best if they end between two lengths, the greater (A,).

        Log-probabilities only fall, coverage adds nothing above 0, and the penalty of length is monotone.
        """
        longest = ((5 + max_length) / 6) ** self.length_penalty
        return logs / longest.clamp(min=((5 + min_length) / 6) ** self.length_penalty).unsqueeze(1)


BY_PROBABILITY = Ranking()  # alone
