"""Losses as a sum and a weight, so that a step of several batches, or processes, divides once by all its weight."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch.nn import functional

IGNORED = -1
ROWS = 512  # targets whose logits are held at once: of more they leave the cache, of fewer the products are too small
EVEN = 128  # rows that a last part is filled up to a multiple of: each number of rows has kernels of its own
MIN_PROBABILITY = 1e-30  # of a target, under which its logarithm is no longer exact


class Loss(NamedTuple):
    """The summed loss, what to divide it by, and the state to carry to the next batch of a stream."""

    sum: torch.Tensor
    weight: torch.Tensor
    carry: dict[str, torch.Tensor] | None = None


def cross_entropy(
    logits: torch.Tensor, targets: torch.Tensor, *, label_smoothing: float = 0.0, weights: torch.Tensor | None = None
) -> Loss:
    """Return the cross-entropy over classes, with label smoothing (Szegedy et al. 2016, section 7), in fp32.

    logits: (N, C); targets: (N,), `IGNORED` where there is none; weights: (C,), of each class.
    """
    logits = logits.float()
    total = functional.cross_entropy(
        logits, targets, weight=weights, ignore_index=IGNORED, label_smoothing=label_smoothing, reduction="sum"
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
    features: torch.Tensor,
    weight: torch.Tensor,
    bias: torch.Tensor,
    targets: torch.Tensor,
    *,
    label_smoothing: float = 0.0,
) -> Loss:
    """Return the cross-entropy of a linear layer over a large vocabulary, in fp32, as `cross_entropy` has it.

    The logits of `ROWS` targets are there at a time, and only of targets that count. features: (..., F); weight:
    (V, F); bias: (V,); targets: (...), `IGNORED` where there is none.
    """
    counted = targets != IGNORED
    rows, numbers = features[counted], targets[counted]  # (N, F), (N,)
    total = _apply(rows, weight, bias, numbers, label_smoothing, torch.is_grad_enabled())
    return Loss(total, counted.sum().float())


class _LinearCrossEntropy(torch.autograd.Function):
    """The sum over all rows; the gradients are computed on the way, so that no logits are needed again.

    With smoothing s the loss of a row is log Z - (1 - s) its target's logit - s the mean of all logits. The last term
    needs no logits: the mean is that of the weights' rows times the features.
    """

    @staticmethod
    def forward(
        ctx: Any,
        features: torch.Tensor,
        weight: torch.Tensor,
        bias: torch.Tensor,
        targets: torch.Tensor,
        label_smoothing: float,
        learning: bool,
    ) -> torch.Tensor:
        """Return the loss of features (N, F) and targets (N,), summed; learning: gradients will be asked for."""
        kind = _product_type(features)
        matrix, shift, mean = weight.to(kind), bias.to(kind), weight.mean(0)
        with torch.autocast(features.device.type, enabled=False):
            summed = features.float().sum(0)
            total = -label_smoothing * (summed @ mean + len(features) * bias.mean())
            gradients = _first_gradients(features, weight, targets, summed, label_smoothing) if learning else ()
            for start in range(0, len(features), ROWS):
                rows = slice(start, start + ROWS)
                wanted = targets[rows].unsqueeze(1)  # (R, 1), R of the N rows
                part = functional.pad(features[rows].to(kind), (0, 0, 0, -len(wanted) % EVEN))  # (R or more, F)
                logits = functional.linear(part, matrix, shift)
                whole = logits.softmax(1)  # (R or more, V)
                probabilities = whole[: len(wanted)]
                total += _without_mean(logits[: len(wanted)], probabilities, wanted, label_smoothing)
                if gradients:  # by the logits: the probabilities, minus 1 - s at the target, minus s / V everywhere
                    by_features, by_weight, by_bias = gradients
                    by_bias.add_(probabilities.sum(0, dtype=torch.float32))
                    at_target = probabilities.gather(1, wanted).float() - (1 - label_smoothing)
                    probabilities.scatter_(1, wanted, at_target.to(kind))
                    by_features[rows] = (whole @ matrix)[: len(wanted)] - label_smoothing * mean
                    by_weight.add_(whole.t() @ part)
        ctx.save_for_backward(*gradients)
        return total

    @staticmethod
    def backward(ctx: Any, factor: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        """Return the gradients by features, weight and bias."""
        return *(gradient * factor for gradient in ctx.saved_tensors), None, None, None


_apply: Callable[..., torch.Tensor] = _LinearCrossEntropy.apply


def _product_type(features: torch.Tensor) -> torch.dtype:
    """What matrix products compute in: the type of autocast, where it is on."""
    device = features.device.type
    return torch.get_autocast_dtype(device) if torch.is_autocast_enabled(device) else torch.float32


def _first_gradients(
    features: torch.Tensor, weight: torch.Tensor, targets: torch.Tensor, summed: torch.Tensor, label_smoothing: float
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """The gradients by features, weight and bias before any logit: what smoothing gives all classes, and the targets.

    summed: (F,), of all features. The features' own gradients are yet to be written.
    """
    uniform = label_smoothing / len(weight)
    by_weight = (-uniform * summed).to(weight.dtype).expand_as(weight).contiguous()
    counts = torch.bincount(targets, minlength=len(weight)).to(weight.dtype)
    return torch.empty_like(features), by_weight, -uniform * len(features) - (1 - label_smoothing) * counts


def _without_mean(
    logits: torch.Tensor, probabilities: torch.Tensor, wanted: torch.Tensor, label_smoothing: float
) -> torch.Tensor:
    """The summed loss of rows (R, V) but for the mean of their logits: log Z - (1 - s) the target's logit.

    log Z is the target's logit minus the logarithm of its probability, which costs less than a sum over all classes.
    """
    logit, probability = logits.gather(1, wanted).float(), probabilities.gather(1, wanted).float()  # (R, 1)
    log_z = logit - probability.log()
    rare = (probability < MIN_PROBABILITY).nonzero()[:, 0]
    log_z[rare] = logits[rare].float().logsumexp(1, keepdim=True)
    return (log_z - (1 - label_smoothing) * logit).sum()
