"""Dropout: most of it keeps one mask for all steps of a sequence, which regularises recurrence better and costs little.

What belongs to a row is drawn by `rows`, so that a batch which is computed in parts has the masks of the whole one.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

from seqnlp.nn import rows


def kept(like: torch.Tensor, shape: Sequence[int], probability: float) -> torch.Tensor:
    """Return a mask (B, ...) of this shape, zero with this probability and one else, of the type of a tensor."""
    number, *rest = shape
    return rows.drawn(lambda total: like.new_empty(total, *rest).bernoulli_(1 - probability), number)


class Dropout(nn.Module):
    """Dropout of single entries (Srivastava et al. 2014)."""

    scale_up = True  # what is kept, so that sums stay as they are

    def __init__(self, probability: float) -> None:
        super().__init__()
        self.probability = probability

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Return features (B, ...) with some of them zeroed, the rest scaled up."""
        if not self.training or self.probability == 0:
            return features
        mask = kept(features, self.mask_shape(features), self.probability)
        return features * (mask.div_(1 - self.probability) if self.scale_up else mask)

    def mask_shape(self, features: torch.Tensor) -> Sequence[int]:
        """Return the shape of a mask for features (B, ...), 1 where one entry is for all."""
        return features.shape


class LockedDropout(Dropout):
    """Dropout with one mask a sequence (variational dropout: Gal & Ghahramani 2016, section 4)."""

    def mask_shape(self, features: torch.Tensor) -> Sequence[int]:
        """Return (B, 1, D) for features (B, S, D)."""
        return len(features), 1, features.size(2)


class WordDropout(Dropout):
    """Whole words zeroed now and then, so that no single one decides (Iyyer et al. 2015, section 2.3).

    The others are not scaled: a missing word is what a model may meet.
    """

    scale_up = False

    def mask_shape(self, features: torch.Tensor) -> Sequence[int]:
        """Return (B, S, 1) for features (B, S, D)."""
        return *features.shape[:2], 1


class EmbeddingDropout(nn.Module):
    """Words left out of a whole batch, all of their occurrences (Gal & Ghahramani 2016, section 4.2)."""

    def __init__(self, probability: float) -> None:
        super().__init__()
        self.probability = probability

    def forward(self, vectors: torch.Tensor, words: torch.Tensor, vocabulary: int) -> torch.Tensor:
        """Return vectors (B, S, D) of words (B, S) with those of some words zeroed, the rest scaled up."""
        if not self.training or self.probability == 0:
            return vectors
        mask = vectors.new_empty(vocabulary).bernoulli_(1 - self.probability).div_(1 - self.probability)
        return vectors * mask[words].unsqueeze(2)
