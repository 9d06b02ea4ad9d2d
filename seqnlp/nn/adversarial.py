"""Adversarial training: a network also learns from embeddings that were moved to where its loss is greater.

After Miyato et al. 2017, section 3, with a measure of its own. There the embeddings are normalised first, so that they
cannot outgrow a perturbation of fixed length; here its length is a share of the length of the row's own embeddings.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch

from seqnlp.nn import loss, recurrent


def trained(
    features: torch.Tensor,
    lengths: torch.Tensor,
    size: float,
    compute: Callable[[torch.Tensor], loss.Loss],
    parameters: Sequence[torch.Tensor],
) -> loss.Loss:
    """Return the loss of features (B, S, D), plus that of their perturbed form (equation 5).

    lengths: (B,); size: see `perturbation`; compute: from features to a loss, by these parameters. Its gradients are
    needed for the perturbation, and so computed at once rather than twice.
    """
    clean = compute(features)
    inputs = [features, *parameters]
    with torch.autocast(features.device.type, enabled=False):
        gradients = torch.autograd.grad(clean.sum, inputs, allow_unused=True)
    assert gradients[0] is not None
    other = compute(features + perturbation(features, gradients[0], lengths, size))
    return loss.Loss(_known(clean.sum.detach(), gradients, *inputs) + other.sum, clean.weight + other.weight)


@torch.no_grad()
def perturbation(features: torch.Tensor, gradient: torch.Tensor, lengths: torch.Tensor, size: float) -> torch.Tensor:
    """Return how far features (B, S, D) move, each row along its gradient (B, S, D).

    size: the length of a row's movement, 1 for that of the vector of one of its steps (root of the mean square).
    """
    mask = recurrent.step_mask(lengths, features.size(1)).unsqueeze(2)
    length = ((features.float() * mask).square().sum((1, 2)) / lengths).sqrt()[:, None, None]
    norm = torch.linalg.vector_norm(gradient.float(), dim=(1, 2), keepdim=True)
    moved: torch.Tensor = size * length * gradient / norm.clamp(min=1e-12)
    return moved.to(features.dtype)


class _Known(torch.autograd.Function):
    """A value whose gradients are known."""

    @staticmethod
    def forward(
        ctx: Any, value: torch.Tensor, gradients: Sequence[torch.Tensor | None], *inputs: torch.Tensor
    ) -> torch.Tensor:
        """Return the value; gradients: by each of the inputs."""
        ctx.gradients = gradients
        return value.clone()

    @staticmethod
    def backward(ctx: Any, factor: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        """Return the gradients."""
        return None, None, *(None if gradient is None else gradient * factor for gradient in ctx.gradients)


_known: Callable[..., torch.Tensor] = _Known.apply
