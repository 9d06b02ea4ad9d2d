"""Output: predictions, how they are written and read back, what they score, where they are wrong."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from seqnlp import errors
from seqnlp.io import jsonl
from seqnlp.metrics import base as metrics
from seqnlp.metrics import rouge, translation
from seqnlp.preprocess.corpora.examples import Example
from seqnlp.tasks import base
from seqnlp.tasks.translate.codec import Codec
from seqnlp.tasks.translate.options import Search

if TYPE_CHECKING:
    from seqnlp.decoding import hypotheses

log = logging.getLogger(__name__)

TRANSLATION = "translation"  # the column with the answer
LOOKED_AT = 0.1  # attention in all from which on a subword of the source was looked at
UNUSUAL, COVERED, FEW = 2.0, 0.5, 5  # factor of length, share of the source, subwords: beyond these it is suspicious
TER_WORDS = 1000  # of a sentence from which on TER would take minutes


@dataclass(frozen=True)
class Translation:
    """One translation: its text and subwords, what it is ranked by, and where it looked, (T, S) for each part."""

    text: str
    score: float
    subwords: tuple[str, ...] = ()
    attention: tuple[np.ndarray, ...] = ()


@dataclass(frozen=True)
class Prediction:
    """The best translation and others, the subwords of the source, and what may be wrong with it."""

    best: Translation
    others: tuple[Translation, ...]
    source: tuple[str, ...]
    warnings: tuple[str, ...] = ()
    attention_weights: bool = False  # are asked for
    coverage: float = 1.0  # share of the source's subwords that were looked at
    ratio: float = 1.0  # subwords of the translation for each of the source


def prediction(
    parts: Sequence[Sequence[hypotheses.Hypothesis]], source: Sequence[Sequence[int]], codec: Codec, search: Search
) -> Prediction:
    """A prediction from the hypotheses for each part of its source; of several parts only the best are joined."""
    names = codec.source.names
    found = _translation([nbest[0] for nbest in parts], source, codec)
    looked = np.concatenate([weights.sum(0)[:-1] for weights in found.attention]) >= LOOKED_AT  # without the ends
    return Prediction(
        found,
        tuple(_translation([one], source, codec) for one in parts[0][1:]) if len(parts) == 1 else (),
        tuple(names[i] for part in source for i in part),
        ("cut",) if len(parts) > 1 else (),
        search.attention_weights,
        round(float(looked.mean()), 4) if len(looked) else 1.0,
        round(len(found.subwords) / max(len(looked), 1), 4),
    )


def _translation(parts: Sequence[hypotheses.Hypothesis], source: Sequence[Sequence[int]], codec: Codec) -> Translation:
    """One translation from a hypothesis for each part of the source."""
    names, glue = codec.target.names, " " if codec.bleu_tokenize == "13a" else ""
    texts = [codec.target.decode(one.tokens).replace("\n", " ").strip() for one in parts]
    return Translation(
        glue.join(filter(None, texts)),
        sum(one.score for one in parts),
        tuple(names[i] for one in parts for i in one.tokens),
        tuple(np.asarray(one.attention)[:, : len(part)] for one, part in zip(parts, source, strict=True)),
    )


def value(prediction: Prediction, codec: Codec) -> dict[str, Any]:
    """Return what jsonl holds under the task's name: text, score, n-best, what is suspicious, attention if asked."""
    best = prediction.best
    found = {
        "text": best.text,
        "score": round(best.score, 4),
        "nbest": [{"text": one.text, "score": round(one.score, 4)} for one in (best, *prediction.others)],
        "quality": {
            "length_ratio": prediction.ratio,
            "coverage": prediction.coverage,
            "flags": _flags(prediction, codec),
        },
    }
    if prediction.attention_weights:
        weights = [part.astype(np.float64).round(3).tolist() for part in best.attention]
        found["attention"] = {"source": prediction.source, "target": best.subwords, "weights": weights}
    return found


def _flags(prediction: Prediction, codec: Codec) -> list[str]:
    """What makes a translation suspicious: its length, or a source that was hardly looked at."""
    usual = prediction.ratio / codec.ratio
    found = {"short": usual < 1 / UNUSUAL, "long": usual > UNUSUAL, "uncovered": prediction.coverage < COVERED}
    return [name for name, holds in found.items() if holds and len(prediction.source) > FEW]


def write(prediction: Prediction | None, search: Search) -> str:
    """Return the translation as a line; with --score-reference the score of the one that was given."""
    if prediction is None:
        return ""
    return f"{prediction.best.score:.6f}" if search.score_reference else prediction.best.text


def check(search: Search, output: str) -> None:
    """Raise `UsageError` where options exclude each other, or have no place in an output format."""
    if search.attention_weights and output != "jsonl":
        raise errors.UsageError(f"--attention-weights has no place in {output}", "--to jsonl")
    if search.score_reference and search.nbest > 1:
        raise errors.UsageError("--nbest has no effect with --score-reference")


def ranked(prediction: Prediction) -> list[tuple[str, float]]:
    """Return the translations with their scores."""
    return [(one.text, one.score) for one in (prediction.best, *prediction.others)]


def columns(search: Search) -> list[str]:
    """Return the columns of csv and tsv: translation and score, again with a number for each more of --nbest."""
    numbers = ["", *(f"_{number}" for number in range(2, search.nbest + 1))]
    return [name + number for number in numbers for name in (TRANSLATION, "score")]


def cells(prediction: Prediction, search: Search) -> dict[str, str]:
    """Return what stands in the columns."""
    pairs = ((text, f"{score:.4f}") for text, score in ranked(prediction))
    return dict(zip(columns(search), (cell for pair in pairs for cell in pair), strict=False))


def parse(written: Any) -> str:
    """Return the text in what `write` or `value` gave."""
    text = written["text"] if isinstance(written, Mapping) else written
    if not isinstance(text, str):
        raise ValueError(text)
    return jsonl.without_surrogates(text)


def score(
    corpus: Sequence[Example], predictions: Sequence[Prediction], codec: Codec, *, intervals: bool
) -> base.Result:
    """Return BLEU, chrF, TER, ROUGE and exact matches; without intervals, as in training, only the first two."""
    found, gold = [prediction.best.text for prediction in predictions], [example.target for example in corpus]
    others = list(zip(*(example.others for example in corpus), strict=True))
    names = ("bleu", "chrf", "ter") if intervals and not _endless(found, gold) else ("bleu", "chrf")
    tokenize = codec.scored_tokenize or codec.bleu_tokenize
    scores = translation.score(
        found, gold, others=others, tokenize=tokenize, lowercase=codec.lowercase, names=names, intervals=intervals
    )
    if not intervals:
        return scores, {}
    exact = metrics.from_means({"exact_match": [_equal(*pair, codec) for pair in zip(found, corpus, strict=True)]})
    return [*scores, *rouge.score(found, gold, others=others), *exact], {}


def _endless(found: Sequence[str], gold: Sequence[str]) -> bool:
    """Whether a sentence is too long for TER, which is then left out."""
    longest = max(min(one.count(" "), other.count(" ")) + 1 for one, other in zip(found, gold, strict=True))
    if longest > TER_WORDS:
        log.warning("a sentence and its translation have %d words or more: TER would take too long", longest)
    return longest > TER_WORDS


def _equal(found: str, example: Example, codec: Codec) -> bool:
    """Whether a translation is a reference, or one of several."""
    every = [text.strip() for text in (found, example.target, *example.others)]
    found, *references = [text.lower() for text in every] if codec.lowercase else every
    return found in references


def _sentence(found: str, example: Example, tokenize: str) -> float:
    return translation.sentence(found, example.target, *example.others, tokenize=tokenize)


def mistakes(corpus: Sequence[Example], predictions: Sequence[Prediction], codec: Codec) -> list[dict[str, Any]]:
    """Return the translations that are not the reference, those with the least sentence BLEU first."""
    tokenize = codec.scored_tokenize or codec.bleu_tokenize
    wrong = [
        {
            "where": example.where,
            "bleu": round(_sentence(prediction.best.text, example, tokenize), 2),
            "gold": example.target,
            "predicted": prediction.best.text,
            "source": example.source,
        }
        for example, prediction in zip(corpus, predictions, strict=True)
        if not _equal(prediction.best.text, example, codec)
    ]
    return sorted(wrong, key=lambda mistake: float(str(mistake["bleu"])))
