"""Thresholds: from which probability on a label is given, where items may have several, fitted to the dev part."""

from __future__ import annotations

import numpy as np

FEW = 10  # rows of dev with a label, or fewer: it has the threshold of all


def fit(probabilities: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """Return the threshold of each label, (C,): the one with the greatest F1 (SCut; Yang 2001, section 2.3).

    probabilities, targets: (N, C), the latter whether a row has each label. A label that few rows have gets the
    threshold that is the best for all labels together: its own would follow from chance.
    """
    common = _best(probabilities.ravel(), targets.ravel())
    columns = zip(probabilities.T, targets.T, strict=True)
    return np.array([_best(column, own) if own.sum() > FEW else common for column, own in columns], np.float32)


def _best(probabilities: np.ndarray, targets: np.ndarray) -> float:
    """Return a threshold of the greatest F1, half-way to the next lower probability; 0.5 where there is nothing."""
    if not targets.any():
        return 0.5
    order = np.argsort(-probabilities, kind="stable")
    ranked, right = probabilities[order], np.cumsum(targets[order])
    scores = 2 * right / (np.arange(1, len(order) + 1) + right[-1])
    below = np.append(ranked[1:], 0.0)
    scores[ranked == below] = -1  # no threshold parts the two
    place = int(scores.argmax())
    return float(ranked[place] + below[place]) / 2
