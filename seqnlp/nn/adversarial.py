"""Adversarial training: a network also learns from embeddings that were moved to where its loss is greater.

After Miyato et al. 2017, section 3, with a measure of its own. There the embeddings are normalised first, so that they
cannot outgrow a perturbation of fixed length; here its length is a share of the length of the embeddings.
"""

from __future__ import annotations

import torch

from seqnlp.nn import recurrent


def perturbed(features: torch.Tensor, loss: torch.Tensor, lengths: torch.Tensor, size: float) -> torch.Tensor:
    """Return features (B, S, D), each row moved along the gradient of a loss that was computed from it (equation 5).

    The gradient is a constant here; the graph of the loss is kept. lengths: (B,); size: how far a row moves as a whole,
    1 for the length of a vector of one step (root of the mean square).
    """
    (gradient,) = torch.autograd.grad(loss, features, retain_graph=True)
    mask = recurrent.step_mask(lengths, features.size(1)).unsqueeze(2)
    with torch.no_grad():
        length = ((features.float() * mask).square().sum() / lengths.sum()).sqrt()
        norm = torch.linalg.vector_norm(gradient.float(), dim=(1, 2), keepdim=True)
        step = size * length * gradient / norm.clamp(min=1e-12)
        moved: torch.Tensor = step.to(features.dtype)
    return features + moved
