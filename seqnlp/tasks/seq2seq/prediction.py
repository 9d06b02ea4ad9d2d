"""Predictions: from the hypotheses of a search to answers, and how much of the source they cover."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from seqnlp.preprocess.text import tokenizer
from seqnlp.tasks.seq2seq.codec import Codec
from seqnlp.tasks.seq2seq.options import Search

if TYPE_CHECKING:
    from seqnlp.decoding import hypotheses

LOOKED_AT = 0.1  # attention in all from which on a subword of the source was looked at


@dataclass(frozen=True)
class Answer:
    """One answer: its text and subwords, what it is ranked by, and where it looked, (T, S) for each part."""

    text: str
    score: float
    subwords: tuple[str, ...] = ()
    attention: tuple[np.ndarray, ...] = ()


@dataclass(frozen=True)
class Prediction:
    """The best answer and others, the subwords of the source, and what may be wrong with it."""

    best: Answer
    others: tuple[Answer, ...]
    source: tuple[str, ...]
    warnings: tuple[str, ...] = ()
    attention_weights: bool = False  # are asked for
    coverage: float = 1.0  # share of the source's subwords that were looked at
    ratio: float = 1.0  # subwords of the answer for each of the source

    @property
    def every(self) -> tuple[Answer, ...]:
        """Return all answers, best first."""
        return (self.best, *self.others)


def of_hypotheses(
    parts: Sequence[Sequence[hypotheses.Hypothesis]],
    source: Sequence[Sequence[int]],
    codec: Codec,
    search: Search,
    unknown: Sequence[str] = (),
) -> Prediction:
    """Return a prediction from the hypotheses for each part of its source; of several parts the best are joined.

    unknown: the words of the source that have ids past the vocabulary.
    """
    names = _names(codec.source, unknown)
    found = _answer([nbest[0] for nbest in parts], source, codec, unknown)
    looked = np.concatenate([weights.sum(0)[:-1] for weights in found.attention]) >= LOOKED_AT  # without the ends
    return Prediction(
        found,
        tuple(_answer([one], source, codec, unknown) for one in parts[0][1:]) if len(parts) == 1 else (),
        tuple(names[i] for part in source for i in part),
        ("cut",) if len(parts) > 1 else (),
        search.attention_weights,
        round(float(looked.mean()), 4) if len(looked) else 1.0,
        round(len(found.subwords) / max(len(looked), 1), 4),
    )


def _answer(
    parts: Sequence[hypotheses.Hypothesis], source: Sequence[Sequence[int]], codec: Codec, unknown: Sequence[str]
) -> Answer:
    """One answer from a hypothesis for each part of the source."""
    names = _names(codec.target, unknown)
    texts = [codec.target.decode(one.tokens, unknown).replace("\n", " ").strip() for one in parts]
    return Answer(
        codec.glue.join(filter(None, texts)),
        sum(one.score for one in parts),
        tuple(names[i] for one in parts for i in one.tokens),
        tuple(np.asarray(one.attention)[:, : len(part)] for one, part in zip(parts, source, strict=True)),
    )


def _names(pieces: tokenizer.Tokenizer, unknown: Sequence[str]) -> list[str]:
    """The entries of a vocabulary as they are shown, and the words past its end."""
    return [*pieces.names, *(pieces.join([word]) for word in unknown)] if unknown else pieces.names
