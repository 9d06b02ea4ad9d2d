"""Losses as a sum and a weight, so that a step of several batches, or processes, divides once by all its weight."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch.nn import functional

IGNORED = -1


class Loss(NamedTuple):
    """The summed loss, what to divide it by, and the state to carry to the next batch of a stream."""

    sum: torch.Tensor
    weight: torch.Tensor
    carry: dict[str, torch.Tensor] | None = None


def cross_entropy(
    logits: torch.Tensor, targets: torch.Tensor, *, smoothing: float = 0.0, weights: torch.Tensor | None = None
) -> Loss:
    """Return the cross-entropy over classes, with label smoothing (Szegedy et al. 2016, section 7), in fp32.

    logits: (N, C); targets: (N,), `IGNORED` where there is none; weights: (C,), of each class.
    """
    logits = logits.float()
    total = functional.cross_entropy(
        logits, targets, weight=weights, ignore_index=IGNORED, label_smoothing=smoothing, reduction="sum"
    )
    counted = targets != IGNORED
    weight = counted.sum() if weights is None else weights[targets.clamp(min=0)].mul(counted).sum()
    return Loss(total, weight.to(logits.dtype))


def binary_cross_entropy(logits: torch.Tensor, targets: torch.Tensor, *, weights: torch.Tensor | None = None) -> Loss:
    """Return the cross-entropy of independent labels, summed over them, a row counting 1, in fp32.

    logits, targets: (B, C); weights: (C,), of each label where it is present.
    """
    total = functional.binary_cross_entropy_with_logits(
        logits.float(), targets.float(), pos_weight=weights, reduction="sum"
    )
    return Loss(total, torch.tensor(float(len(logits)), device=logits.device))
