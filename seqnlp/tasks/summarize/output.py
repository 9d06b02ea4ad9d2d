"""Output: what summaries score, beside what needs no model, and where they are wrong."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from seqnlp.metrics import rouge, summaries
from seqnlp.preprocess.corpora.examples import Example
from seqnlp.tasks import outputs
from seqnlp.tasks.seq2seq import output as seq2seq
from seqnlp.tasks.seq2seq.prediction import Prediction
from seqnlp.tasks.summarize.codec import Codec
from seqnlp.tasks.summarize.options import Config, Search

WORST = ("rouge2", "rouge1")  # which mistakes are sorted by


class Output(seq2seq.Output[Config, Search, Codec]):
    """Summaries, each with its score where that is asked for."""

    column = "summary"
    warnings = {"cut": "documents were longer than --max-document-length: only their beginning was read"}

    def score(
        self, corpus: Sequence[Example], predictions: Sequence[Prediction], codec: Codec, *, intervals: bool = True
    ) -> outputs.Result:
        """Return ROUGE, beside it baselines and what the summaries are like; without intervals ROUGE alone."""
        found, gold = [prediction.best.text for prediction in predictions], [example.target for example in corpus]
        others = list(zip(*(example.others for example in corpus), strict=True))
        scores = rouge.score(found, gold, others=others, intervals=intervals)
        if not intervals:
            return outputs.Result(scores, {})
        documents = [example.source for example in corpus]
        known = summaries.baselines(documents, gold, others, codec.words)
        return outputs.Result(scores, {"baselines": known, "summaries": summaries.likeness(documents, gold, found)})

    def mistakes(
        self, corpus: Sequence[Example], predictions: Sequence[Prediction], codec: Codec
    ) -> list[dict[str, Any]]:
        """Return the summaries that are not the reference, those with the least ROUGE first."""
        wrong = [
            {
                "where": example.where,
                **_rouge(prediction.best.text, example),
                "gold": example.target,
                "predicted": prediction.best.text,
                "document": example.source,
            }
            for example, prediction in zip(corpus, predictions, strict=True)
            if prediction.best.text.strip() not in (text.strip() for text in (example.target, *example.others))
        ]
        return sorted(wrong, key=lambda mistake: [mistake[name] for name in WORST])


def _rouge(found: str, example: Example) -> dict[str, float]:
    others = [[text] for text in example.others]
    scores = rouge.score([found], [example.target], others=others, names=WORST, intervals=False)
    return {score.name: round(score.value, 2) for score in scores}
