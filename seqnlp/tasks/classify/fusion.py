"""Fusion: how much each part of a classifier counts, and a bias for each class, fitted to the dev part.

The parts' scores are added with weights, a product of experts (Hinton 2002, section 1). The weights are temperatures at
the same time, and with the biases this is vector scaling (Guo et al. 2017, section 4.2; Platt 1999 for the targets). On
SST-2 two parts are better than either from 50 rows of dev on; the biases are kept small, as if each had been seen to be
zero before: with 85 classes on 1,000 rows they take a third of the calibration error away. The weights in turn are
drawn to equal shares: fifty rows of dev often say that one part is worth nothing, and are wrong. Fitted to fifty rows
of SST-2, GermEval, Snips and arXiv, accuracy on new rows is 0.3 points higher for it on the mean; with all of dev it is
equal.

The likelihood leans on the part whose scores are log-probabilities already, the network, more than accuracy on new rows
bears out: on rows held out of four training parts the best share of the network is a tenth to two fifths, that of the
likelihood up to nine tenths. Half of its weight is better on the mean, and no less well calibrated.
"""

from __future__ import annotations

import numpy as np

LAST = 0.5  # of its weight by the likelihood is what the last part has
PENALTY = 3.0  # of the biases: the inverse of their variance beforehand
EQUAL = 10.0  # the same of the weights of several parts, each with scores of the deviation 1, around 1
ROUNDS = 200


def fit(parts: np.ndarray, targets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the weight of each part, (P,), none negative, and the bias of each class, (C,).

    The last part, the recurrent one, counts `LAST` of what the likelihood gives it; the scale of both and the biases
    then have the least loss again. Arguments as for `likeliest`.
    """
    weights, bias = likeliest(parts, targets)
    if not weights[:-1].any():
        return weights, bias
    weights[-1] *= LAST
    scale, bias = likeliest(np.tensordot(weights, parts, 1)[None], targets)
    return weights * scale, bias


def likeliest(parts: np.ndarray, targets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the weight of each part, (P,), none negative, and the bias of each class, (C,): those of the least loss.

    parts: (P, N, C), scores of the classes; targets: (N,), numbers of classes, or (N, C), whether a row has each, where
    every label is a question of its own. A part that does not help has weight 0; where none does, the last one stands
    alone.
    """
    from scipy import optimize

    size, _, classes = parts.shape
    scale = np.maximum(parts.std(axis=(1, 2)), 1e-9) if parts.size else np.ones(size)
    scaled, soft = parts / scale[:, None, None], _soft(targets, classes)
    bounds = [(0.0, None)] * size + [(None, None)] * classes
    begin = np.concatenate([np.ones(size), np.zeros(classes)])
    options = {"maxiter": ROUNDS, "ftol": 1e-10, "gtol": 1e-6}
    found = optimize.minimize(
        _loss, begin, (scaled, soft, targets.ndim == 2), jac=True, method="L-BFGS-B", bounds=bounds, options=options
    ).x
    weights, bias = found[:size] / scale, found[size:]
    if not weights.any():
        weights[-1] = 1.0
    return weights, bias


def _loss(point: np.ndarray, parts: np.ndarray, soft: np.ndarray, several: bool) -> tuple[float, np.ndarray]:
    """Return the negative log-likelihood at weights and biases, (P + C,), with the penalties; and its gradient."""
    weights, bias = np.split(point, [len(parts)])
    scores = np.tensordot(weights, parts, 1) + bias  # (N, C)
    if several:
        normalizer = np.logaddexp(0, scores)
        probabilities = np.exp(scores - normalizer)
    else:
        shifted = scores - scores.max(-1, keepdims=True)
        normalizer = np.log(np.exp(shifted).sum(-1, keepdims=True)) + scores - shifted
        probabilities, normalizer = np.exp(scores - normalizer), normalizer[:, :1]
    equal = EQUAL if len(parts) > 1 else 0.0
    penalty = PENALTY / 2 * (bias**2).sum() + equal / 2 * ((weights - 1) ** 2).sum()
    loss = normalizer.sum() - (soft * scores).sum() + penalty
    error = probabilities - soft
    by_weight = np.tensordot(parts, error, ((1, 2), (0, 1))) + equal * (weights - 1)
    return float(loss), np.concatenate([by_weight, error.sum(0) + PENALTY * bias])


def _soft(targets: np.ndarray, classes: int) -> np.ndarray:
    """Return what to aim at, (N, C), so that no finite weight goes beyond it."""
    doubt = 1 / (targets.size + 2)
    whole, other = (targets, 2) if targets.ndim == 2 else (np.eye(classes)[targets], classes)
    soft: np.ndarray = (1 - doubt) * whole + doubt / other
    return soft
