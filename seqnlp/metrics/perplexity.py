"""Perplexity and bits: how well a text was foreseen, by the probability that a model gave to each of its lines.

A line's end is foreseen too, and counts as a character, a byte and a word. Words are what stands between blanks, so
that models of words, subwords and characters are measured by the same yardstick.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from seqnlp import errors
from seqnlp.metrics import base, bootstrap


class Counts(NamedTuple):
    """What there is in a line, its end included: characters, bytes in UTF-8, words between blanks."""

    characters: int
    bytes: int
    words: int

    @classmethod
    def of(cls, text: str) -> Counts:
        """Return those of a line without its end."""
        return cls(len(text) + 1, len(text.encode("utf-8", "surrogatepass")) + 1, len(text.split()) + 1)


NATS, CHARACTERS, BYTES, WORDS = range(4)  # the columns of a line's counts


def _bits(column: int) -> Callable[[np.ndarray], np.ndarray]:
    def value(sums: np.ndarray) -> np.ndarray:
        bits: np.ndarray = sums[..., NATS] / sums[..., column] / np.log(2)
        return bits

    return value


def _perplexity(sums: np.ndarray) -> np.ndarray:
    """The inverse of the geometric mean of the words' probabilities; at most the greatest number there is."""
    with np.errstate(over="ignore"):
        value: np.ndarray = np.nan_to_num(np.exp(sums[..., NATS] / sums[..., WORDS]))
    return value


VALUES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "perplexity": _perplexity,
    "bits_per_character": _bits(CHARACTERS),
    "bits_per_byte": _bits(BYTES),
}


def score(
    texts: Sequence[str],
    logs: Sequence[float],
    *details: str,
    names: Sequence[str] = tuple(VALUES),
    intervals: bool = True,
) -> list[base.Score]:
    """Return the scores of texts by the natural logarithms of their probabilities, one a line.

    details: of the signature, such as what an unknown word is; intervals: by resampling lines.
    """
    rows = [(-log, *Counts.of(text)) for text, log in zip(texts, logs, strict=True)]
    counts = bootstrap.Counts.of(np.array(rows, dtype=np.float64).reshape(-1, 4))
    values = {name: VALUES[name] for name in names}
    return base.from_counts(values, counts, "ends:yes", *details, intervals=intervals)


def measure(
    names: Sequence[str], gold: Sequence[str], predicted: Sequence[float], *, log_base: str = "e"
) -> tuple[list[base.Score], dict[str, Any]]:
    """Return the named scores of texts by the logarithms of their probabilities, and what was counted."""
    if not gold:
        raise errors.DataError("nothing to score: no items")
    factor = 1.0 if log_base == "e" else math.log(float(log_base))
    predicted = [factor * log for log in predicted]
    counted = np.array([Counts.of(text) for text in gold]).sum(0).tolist()
    details = {"nats": -sum(predicted), **dict(zip(Counts._fields, counted, strict=True)), "lines": len(gold)}
    return score(gold, predicted, names=names), details
