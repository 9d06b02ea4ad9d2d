"""Losses as a sum and a weight, so that a step of several batches, or processes, divides once by all its weight."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch.nn import functional

IGNORED = -1
ROWS = 512  # targets whose logits are held at once: of more they leave the cache, of fewer the products are too small
EVEN = 128  # rows that a last part is filled up to a multiple of: each number of rows has kernels of its own
LEAST_SHARE = 1e-30  # of a target, under which the logarithm of its share is no longer exact


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


def linear_cross_entropy(
    features: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor, targets: torch.Tensor, *, smoothing: float = 0.0
) -> Loss:
    """Return the cross-entropy of a linear layer over a large vocabulary, in fp32, as `cross_entropy` has it.

    The logits of `ROWS` targets are there at a time, and only of targets that count. features: (..., F); weight:
    (V, F); bias: (V,); targets: (...), `IGNORED` where there is none.
    """
    counted = targets != IGNORED
    rows, numbers = features[counted], targets[counted]  # (N, F), (N,)
    total = _LinearCrossEntropy.apply(rows, weight, bias, numbers, smoothing, torch.is_grad_enabled())
    return Loss(total, counted.sum().float())


class _LinearCrossEntropy(torch.autograd.Function):
    """The sum over all rows; the gradients are computed on the way, so that no logits are needed again."""

    @staticmethod
    def forward(
        ctx: Any,
        features: torch.Tensor,
        weight: torch.Tensor,
        bias: torch.Tensor,
        targets: torch.Tensor,
        smoothing: float,
        learning: bool,
    ) -> torch.Tensor:
        kind = _product_type(features)
        matrix, shift, mean = weight.to(kind), bias.to(kind), weight.mean(0)
        with torch.autocast(features.device.type, enabled=False):
            summed = features.float().sum(0)
            total = -smoothing * (summed @ mean + len(features) * bias.mean())  # minus s times the mean of all logits
            gradients = _begun(features, weight, targets, summed, smoothing) if learning else ()
            for start in range(0, len(features), ROWS):
                wanted = targets[start : start + ROWS].unsqueeze(1)  # (N, 1)
                some = len(wanted)
                part = functional.pad(features[start : start + ROWS].to(kind), (0, 0, 0, -some % EVEN))
                logits = functional.linear(part, matrix, shift)
                shares = logits.softmax(1)
                total += _beside_the_mean(logits[:some], shares[:some], wanted, smoothing)
                if gradients:  # by the logits: the shares, minus 1 - s at the target, minus s / V everywhere
                    gradients[2].add_(shares[:some].sum(0, dtype=torch.float32))
                    at_target = shares[:some].gather(1, wanted).float() - (1 - smoothing)
                    shares[:some].scatter_(1, wanted, at_target.to(kind))
                    gradients[0][start : start + ROWS] = (shares @ matrix)[:some] - smoothing * mean
                    gradients[1].add_(shares.t() @ part)
        ctx.save_for_backward(*gradients)
        return total

    @staticmethod
    def backward(ctx: Any, factor: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        return *(gradient * factor for gradient in ctx.saved_tensors), None, None, None


def _product_type(features: torch.Tensor) -> torch.dtype:
    """What matrix products compute in: the type of autocast, where it is on."""
    device = features.device.type
    return torch.get_autocast_dtype(device) if torch.is_autocast_enabled(device) else torch.float32


def _begun(
    features: torch.Tensor, weight: torch.Tensor, targets: torch.Tensor, summed: torch.Tensor, smoothing: float
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """The gradients to be summed up: what smoothing gives all classes alike, and the targets the bias, is there."""
    share = smoothing / len(weight)
    uniform = (-share * summed).to(weight.dtype).expand_as(weight).contiguous()
    counts = torch.bincount(targets, minlength=len(weight)).to(weight.dtype)
    return torch.empty_like(features), uniform, -share * len(features) - (1 - smoothing) * counts


def _beside_the_mean(
    logits: torch.Tensor, shares: torch.Tensor, wanted: torch.Tensor, smoothing: float
) -> torch.Tensor:
    """The summed loss but for the mean of the logits: the logarithm of what the softmax divides by minus the target."""
    known, share = logits.gather(1, wanted).float(), shares.gather(1, wanted).float()  # (N, 1)
    norms = known - share.log()
    rows = (share < LEAST_SHARE).nonzero()[:, 0]
    norms[rows] = logits[rows].float().logsumexp(1, keepdim=True)
    return (norms - (1 - smoothing) * known).sum()
