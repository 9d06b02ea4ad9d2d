"""Mixing: the log-probabilities of a network and of n-grams to one, by weights that are fitted to dev."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from seqnlp.preprocess.text import kneser_ney

ROUNDS = 100
PRIOR = 20.0  # tokens of each kind of context, as if seen before, that want the weight of all


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


def mixed(found: Parts, weights: np.ndarray) -> np.ndarray:
    """Return the log-probabilities of the mixture, (N,); weights: (K,), the n-grams' for each kind of context."""
    own = weights[found.kinds]
    with np.errstate(divide="ignore"):  # nothing is left of a part with the weight 0
        logs: np.ndarray = np.logaddexp(np.log1p(-own) + found.network, np.log(own) + found.ngrams)
    return logs


def fit(found: Parts, kinds: int) -> np.ndarray:
    """Return the weight of the n-grams for each kind of context, (K,), by expectation maximisation on dev.

    A kind that is rare there has about the weight of all (Jelinek & Mercer 1980; Dempster et al. 1977, section 4.3).
    """
    everything = np.zeros_like(found.kinds)
    overall = _likeliest(found, everything, np.full(1, 0.5), 0.0)
    return _likeliest(found, found.kinds, np.full(kinds, overall[0]), PRIOR)


def _likeliest(found: Parts, kinds: np.ndarray, weights: np.ndarray, prior: float) -> np.ndarray:
    ratio = np.exp(np.clip(found.network - found.ngrams, -50, 50))
    total, first = np.bincount(kinds, minlength=len(weights)) + prior, weights
    for _ in range(ROUNDS):
        own = weights[kinds]
        weights = (np.bincount(kinds, own / (own + (1 - own) * ratio), len(first)) + prior * first) / np.maximum(
            total, 1
        )
    return weights
