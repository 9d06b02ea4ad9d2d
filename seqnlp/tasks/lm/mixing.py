"""Mixing: the log-probabilities of a network and of n-grams to one, by weights that are fitted to dev."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from seqnlp.preprocess.text import kneser_ney

HALVINGS = 30
PRIOR = 20.0  # tokens, as if seen before, that want equal weights; of each kind of context, the weight of all


@dataclass(frozen=True)
class Parts:
    """How each part foresees tokens, (N,) natural logarithms, and the kinds of their contexts, (N,)."""

    network: np.ndarray
    ngrams: np.ndarray
    kinds: np.ndarray

    def split(self, ends: np.ndarray) -> list[Parts]:
        """Return the parts of lines that end before these places."""
        columns = (np.split(column, ends) for column in (self.network, self.ngrams, self.kinds))
        return [Parts(*line) for line in zip(*columns, strict=True)]


def average(several: Sequence[Parts]) -> Parts:
    """Return the parts of several models, their probabilities averaged."""
    network, ngrams = (np.stack([getattr(one, name) for one in several]) for name in ("network", "ngrams"))
    return Parts(mean(network), mean(ngrams), several[0].kinds)


def together(lines: Sequence[Parts]) -> Parts:
    """Return the parts of all lines, one after the other."""
    names = ("network", "ngrams", "kinds")
    return Parts(*(np.concatenate([getattr(line, name) for line in lines]) for name in names))


def parts(ngrams: kneser_ney.NGrams, text: np.ndarray, before: np.ndarray, network: np.ndarray) -> Parts:
    """Return the parts of the tokens of a text (N + 1,) but the first; network: its log-probabilities, (N,).

    before: (N,), how many tokens before each may be looked at.
    """
    probabilities, kinds = ngrams.probabilities(text, before)
    return Parts(network, np.log(probabilities), kinds)


def mean(logs: np.ndarray) -> np.ndarray:
    """Return the logarithm of the mean of probabilities, (N,), by the logarithms of several models', (M, N)."""
    found: np.ndarray = np.logaddexp.reduce(logs, axis=0) - np.log(len(logs))
    return found


def mixed(found: Parts, weights: np.ndarray) -> np.ndarray:
    """Return the log-probabilities of the mixture, (N,); weights: (K,), the n-grams' for each kind of context."""
    own = weights[found.kinds]
    with np.errstate(divide="ignore"):  # of weights that are 0 or 1
        logs: np.ndarray = np.logaddexp(np.log1p(-own) + found.network, np.log(own) + found.ngrams)
    return logs


def fit(found: Parts, kinds: int) -> np.ndarray:
    """Return the weight of the n-grams for each kind of context, (K,): the likeliest on dev.

    A kind that is rare there has about the weight of all.
    """
    overall = _likeliest(found, np.zeros_like(found.kinds), np.full(1, 0.5))
    return _likeliest(found, found.kinds, np.repeat(overall, kinds))


def _likeliest(found: Parts, kinds: np.ndarray, usual: np.ndarray) -> np.ndarray:
    """The weights (K,) at which the likelihood has no slope: it falls with the weight, so that halving finds them.

    usual: those without any tokens. So none is 0 or 1.
    """
    ratio = np.exp(np.clip(found.network - found.ngrams, -50, 50))
    low, high = np.zeros(len(usual)), np.ones(len(usual))
    for _ in range(HALVINGS):
        weights = (low + high) / 2
        own = weights[kinds]
        pull = np.bincount(kinds, (1 - ratio) / (own + (1 - own) * ratio), len(usual))
        slope = pull + PRIOR * (usual / weights - (1 - usual) / (1 - weights))
        low, high = np.where(slope > 0, weights, low), np.where(slope > 0, high, weights)
    return (low + high) / 2
