"""Output: what is suspicious about translations, what they score, where they are wrong."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

from seqnlp.metrics import base as metrics
from seqnlp.metrics import rouge, translation
from seqnlp.preprocess.corpora.examples import Example
from seqnlp.tasks import outputs
from seqnlp.tasks.seq2seq import output as seq2seq
from seqnlp.tasks.seq2seq.prediction import Prediction
from seqnlp.tasks.translate.codec import Codec
from seqnlp.tasks.translate.options import Config, Search

log = logging.getLogger(__name__)

UNUSUAL, COVERED, FEW = 2.0, 0.5, 5  # factor of length, share of the source, subwords: beyond these it is suspicious
TER_WORDS = 1000  # of a sentence from which on TER would take minutes


class Output(seq2seq.Output[Config, Search, Codec]):
    """Translations, each with its score where that is asked for."""

    column = "translation"
    warnings = {"cut": "inputs were longer than --max-source-length: cut, translated in parts, and joined"}

    def quality(self, example: Example, prediction: Prediction, codec: Codec) -> dict[str, Any]:
        """Return what is suspicious."""
        found = {
            "length_ratio": prediction.ratio,
            "coverage": prediction.coverage,
            "flags": _flags(prediction, codec),
        }
        return {"quality": found}

    def score(
        self, corpus: Sequence[Example], predictions: Sequence[Prediction], codec: Codec, *, intervals: bool = True
    ) -> outputs.Result:
        """Return BLEU, chrF, TER, ROUGE and exact matches; without intervals, as in training, only the first two."""
        found, gold = [prediction.best.text for prediction in predictions], [example.target for example in corpus]
        others = list(zip(*(example.others for example in corpus), strict=True))
        names = ("bleu", "chrf", "ter") if intervals and not _endless(found, gold) else ("bleu", "chrf")
        tokenize = codec.scored_tokenize or codec.bleu_tokenize
        scores = translation.score(
            found, gold, others=others, tokenize=tokenize, lowercase=codec.lowercase, names=names, intervals=intervals
        )
        if not intervals:
            return outputs.Result(scores, {})
        exact = metrics.from_means({"exact_match": [_equal(*pair, codec) for pair in zip(found, corpus, strict=True)]})
        return outputs.Result([*scores, *rouge.score(found, gold, others=others), *exact], {})

    def mistakes(
        self, corpus: Sequence[Example], predictions: Sequence[Prediction], codec: Codec
    ) -> list[dict[str, Any]]:
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


def _flags(prediction: Prediction, codec: Codec) -> list[str]:
    """What makes a translation suspicious: its length, or a source that was hardly looked at."""
    usual = prediction.ratio / codec.ratio
    found = {"short": usual < 1 / UNUSUAL, "long": usual > UNUSUAL, "uncovered": prediction.coverage < COVERED}
    return [name for name, holds in found.items() if holds and len(prediction.source) > FEW]


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
