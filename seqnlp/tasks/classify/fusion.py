"""Fusion: how much each part of a classifier counts, fitted to the dev part; a product of experts.

The parts' scores are added with weights, which are temperatures at the same time (Hinton 2002, section 1; Platt 1999
for the targets). There are no other parameters, so that few rows will do; a part counts only where it helps on rows
that the weights were not fitted to.
"""

from __future__ import annotations

import itertools

import numpy as np

FOLDS, ROUNDS = 5, 50


def fit(parts: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """Return the weight of each part, (P,), none negative: the least negative log-likelihood of all rows.

    parts: (P, N, C), scores of the classes; targets: (N,), numbers of classes, or (N, C), whether a row has each.
    Which parts count at all is decided by cross-validation; the last one alone, with weight 1, where nothing can be
    decided.
    """
    if targets.ndim == 2:  # every label is a question of its own: yes or no
        parts = np.stack([np.zeros_like(parts), parts], axis=-1).reshape(len(parts), -1, 2)
        targets = targets.reshape(-1).astype(np.int64)
    best: np.ndarray = np.eye(len(parts))[-1]
    if len(targets) < FOLDS:
        return best
    lowest = np.inf
    for size in range(1, len(parts) + 1):
        for chosen in map(list, itertools.combinations(range(len(parts)), size)):
            weights = _minimum(parts[chosen], targets, np.ones(size) / size)
            if (weights > 0).all() and (loss := _held_out(parts[chosen], targets, weights)) < lowest:
                lowest, best = loss, np.zeros(len(parts))
                best[chosen] = weights
    return best


def _held_out(parts: np.ndarray, targets: np.ndarray, start: np.ndarray) -> float:
    """Return the loss of rows under weights that are fitted to the others, summed over the folds."""
    fold = np.arange(len(targets)) % FOLDS
    pairs = ((fold != number, fold == number) for number in range(FOLDS))
    return sum(
        _loss(_minimum(parts[:, others], targets[others], start), parts[:, held], _soft(targets[held], parts.shape[2]))
        for others, held in pairs
    )


def _minimum(parts: np.ndarray, targets: np.ndarray, start: np.ndarray) -> np.ndarray:
    """Return the weights with the least loss, by Newton's method; the loss is convex in them."""
    soft, weights = _soft(targets, parts.shape[2]), start
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
