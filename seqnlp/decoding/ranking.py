"""Ranking: how finished hypotheses of different lengths compare."""

from __future__ import annotations

from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class Ranking:
    """How finished hypotheses of different lengths compare (Wu et al. 2016, section 7)."""

    length_penalty: float = 0.0  # alpha
    coverage_penalty: float = 0.0  # beta, 0 or greater

    def score(self, logs: torch.Tensor, length: int, coverage: torch.Tensor) -> torch.Tensor:
        """Return the scores of hypotheses of one length, the end counted."""
        return logs / ((5 + length) / 6) ** self.length_penalty + self.coverage_penalty * coverage

    def bound(self, logs: torch.Tensor, least: int, most: torch.Tensor) -> torch.Tensor:
        """Return what the hypotheses (A, W) can reach at best, if they end between two lengths, `most` (A,).

        Log-probabilities only fall, coverage adds nothing above 0, and the penalty of length is monotone.
        """
        furthest = ((5 + most) / 6) ** self.length_penalty
        return logs / furthest.clamp(min=((5 + least) / 6) ** self.length_penalty).unsqueeze(1)
