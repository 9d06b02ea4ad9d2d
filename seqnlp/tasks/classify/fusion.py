"""Fusion: how much each part of a classifier counts, fitted to the dev part; a product of experts.

The parts' scores are added with weights, which are temperatures at the same time (Hinton 2002, section 1; Platt 1999
for the targets). There is no other parameter, so that few rows will do: on SST-2 two parts are better than either from
50 rows of dev on; deciding by cross-validation which parts count takes 200 for the same.
"""

from __future__ import annotations

import numpy as np

ROUNDS = 50


def fit(parts: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """Return the weight of each part, (P,): those with the least negative log-likelihood, none negative.

    parts: (P, N, C), scores of the classes; targets: (N,), numbers of classes, or (N, C), whether a row has each. A
    part that does not help has weight 0; where none does, the last one stands alone.
    """
    if targets.ndim == 2:  # every label is a question of its own: yes or no
        parts = np.stack([np.zeros_like(parts), parts], axis=-1).reshape(len(parts), -1, 2)
        targets = targets.reshape(-1).astype(np.int64)
    soft, weights, chosen = _soft(targets, parts.shape[2]), np.zeros(len(parts)), np.arange(len(parts))
    while len(chosen):
        found = _minimum(parts[chosen], soft)
        if (found > 0).all():
            weights[chosen] = found
            return weights
        chosen = np.delete(chosen, found.argmin())
    weights[-1] = 1.0
    return weights


def _minimum(parts: np.ndarray, soft: np.ndarray) -> np.ndarray:
    """Return the weights with the least loss, by Newton's method; the loss is convex in them."""
    weights = np.zeros(len(parts))
    loss = _loss(weights, parts, soft)
    for _ in range(ROUNDS):
        probabilities = np.exp(_log_softmax(np.tensordot(weights, parts, 1)))  # (N, C)
        means = (parts * probabilities).sum(-1)  # (P, N)
        gradient = (means - (parts * soft).sum(-1)).sum(-1)
        centred = parts - means[:, :, None]
        curvature = np.einsum("pnc,qnc,nc->pq", centred, centred, probabilities, optimize=True)
        step = np.linalg.lstsq(curvature + 1e-9 * np.eye(len(weights)), gradient, rcond=None)[0]
        size = 1.0
        while (after := _loss(weights - size * step, parts, soft)) > loss and size > 1e-4:
            size /= 2
        if after >= loss - 1e-9 * abs(loss):
            return weights
        weights, loss = weights - size * step, after
    return weights


def _soft(targets: np.ndarray, classes: int) -> np.ndarray:
    """Return distributions to aim at that no finite weight goes beyond, (N, C)."""
    doubt = 1 / (len(targets) + 2)
    soft: np.ndarray = (1 - doubt) * np.eye(classes)[targets] + doubt / classes
    return soft


def _loss(weights: np.ndarray, parts: np.ndarray, soft: np.ndarray) -> float:
    return -float((soft * _log_softmax(np.tensordot(weights, parts, 1))).sum())


def _log_softmax(scores: np.ndarray) -> np.ndarray:
    shifted = scores - scores.max(-1, keepdims=True)
    logs: np.ndarray = shifted - np.log(np.exp(shifted).sum(-1, keepdims=True))
    return logs
