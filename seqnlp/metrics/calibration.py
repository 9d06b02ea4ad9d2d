"""Calibration: whether probabilities are right, and how many answers are, if only the surest are given."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

BINS = 15
LEAST = 1e-9  # probability that is counted: what was thought impossible costs no more
COVERAGES = (100, 95, 90, 80, 70, 60, 50, 40, 30, 20, 10)  # in percent


def expected_error(confidence: np.ndarray, right: np.ndarray) -> float:
    """Return the expected calibration error in percent, over bins of equal mass (Nguyen & O'Connor 2015, section 3).

    confidence, right: (N,), the probability that each answer has, and whether it is right. Of answers with the same
    probability each counts as their mean, so that the order does not matter.
    """
    values, group = np.unique(confidence, return_inverse=True)
    means = np.bincount(group, right) / np.bincount(group)
    gaps = (values - means)[np.sort(group)]
    total = sum(abs(part.sum()) for part in np.array_split(gaps, BINS))
    return float(100 * total / len(gaps))


def chance_error(confidence: np.ndarray) -> float:
    """Return about the error in percent that as many answers would show by chance, if each probability held exactly.

    confidence: (N,), as for `expected_error`. In each bin the number of right answers is nearly normal, and so its
    distance from what is expected is the root of 2 / pi standard deviations on average.
    """
    held = np.clip(np.sort(confidence), 0, 1)
    variances = held * (1 - held)
    total = sum(np.sqrt(2 / np.pi * part.sum()) for part in np.array_split(variances, BINS))
    return float(100 * total / len(confidence))


def log_loss(probabilities: np.ndarray, right: np.ndarray) -> float:
    """Return the negative log-likelihood in nats an answer, a proper scoring rule (Good 1952).

    probabilities, right: (N,), the probability that each answer has, and whether it is right.
    """
    likelihoods = np.where(right > 0, probabilities, 1 - probabilities)
    return float(-np.log(np.maximum(likelihoods, LEAST)).mean()) if len(likelihoods) else 0.0


def coverage(confidence: np.ndarray, right: np.ndarray, wanted: float) -> dict[str, Any]:
    """Return how accurate the surest answers are (selective classification, El-Yaniv & Wiener 2010).

    `table`: for shares of the answers, the `min_score` that lets so many through, their `coverage` and `accuracy` in
    percent; `proposed`: the least `min_score` with the `wanted` accuracy, null where none has it.
    """
    values, inverse = np.unique(-confidence, return_inverse=True)  # the surest first; the same ones go together
    answered = np.cumsum(np.bincount(inverse))
    accuracy = 100 * np.cumsum(np.bincount(inverse, right)) / answered

    def row(place: int) -> dict[str, float]:
        below = -values[place + 1] if place + 1 < len(values) else 0.0
        return {
            "min_score": _between(below, -values[place]),
            "coverage": round(100 * float(answered[place]) / len(confidence), 4),
            "accuracy": round(float(accuracy[place]), 4),
        }

    places = np.searchsorted(answered, np.array(COVERAGES) / 100 * len(confidence) - 1e-9)
    enough = np.flatnonzero(accuracy >= wanted)
    proposed = row(int(enough[-1])) if len(enough) else {"min_score": None, "coverage": 0.0, "accuracy": None}
    table = [row(place) for place in dict.fromkeys(places.tolist())]
    return {"table": table, "proposed": {"wanted": wanted, **proposed}}


def _between(below: float, least: float) -> float:
    """Return a number with few digits that is above `below` and at most `least`, or else `least` itself."""
    return next(_rounded(below, least), float(least))


def _rounded(below: float, least: float) -> Iterator[float]:
    for digits in range(1, 9):
        found = round((float(below) + float(least)) / 2, digits)
        if below < found <= least:
            yield found
