"""Output: how probable each line is, as a logarithm; and how well all of them were foreseen."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from seqnlp.io import jsonl
from seqnlp.metrics import perplexity
from seqnlp.preprocess.corpora.examples import Example
from seqnlp.tasks import outputs
from seqnlp.tasks.lm import mixing
from seqnlp.tasks.lm.codec import Codec
from seqnlp.tasks.lm.options import Config, Search

FIRST = {"word": "perplexity", "bpe": "perplexity", "char": "bits_per_character"}  # the score that picks the weights


@dataclass(frozen=True)
class Prediction:
    """How a line was foreseen: its tokens, the natural logarithm of each one's probability, and which are unknown.

    rank: among all lines, 1 the most probable; None where nobody asked for it. parts: what each part of the model says
    of the tokens, where it has several.
    """

    tokens: Sequence[str]
    logs: Sequence[float]
    unknown: Sequence[bool]
    rank: int | None = None
    parts: mixing.Parts | None = field(default=None, compare=False, repr=False)

    @property
    def total(self) -> float:
        """The logarithm of the line's probability, its end included."""
        return float(sum(self.logs))


class Output(outputs.Output[Config, Search, Codec, Prediction]):
    """The log-probability of a line; in jsonl of its tokens too."""

    column = "log_probability"

    def value(self, example: Example, prediction: Prediction, codec: Codec) -> dict[str, Any]:
        """Return the logarithm of the line's probability, and each token with its own."""
        parts = [[token, round(log, 4)] for token, log in zip(prediction.tokens, prediction.logs, strict=True)]
        rank = {} if prediction.rank is None else {"rank": prediction.rank}
        return {"log_probability": round(prediction.total, 6), **rank, "tokens": parts}

    def write(self, example: Example, prediction: Prediction | None, form: str, search: Search, codec: Codec) -> str:
        """Return the logarithm, the rank before it."""
        if prediction is None:
            return ""
        rank = "" if prediction.rank is None else f"{prediction.rank}\t"
        return f"{rank}{prediction.total:.6f}"

    def columns(self, given: Sequence[str] | None, search: Search) -> Sequence[str]:
        return ["rank", self.column] if search.rank else [self.column]

    def cells(self, example: Example, prediction: Prediction, search: Search, codec: Codec) -> Mapping[str, str]:
        return {"rank": str(prediction.rank), self.column: f"{prediction.total:.6f}"}

    def jointly(self, search: Search) -> Callable[[Sequence[Prediction | None]], list[Prediction | None]] | None:
        return ranked if search.rank else None

    def parse(self, written: Any, config: Config) -> float:
        """Return the logarithm in what `write` or `value` gave."""
        return float(written["log_probability"] if isinstance(written, Mapping) else written.split("\t")[-1])

    def score(
        self, corpus: Sequence[Example], predictions: Sequence[Prediction], codec: Codec, *, intervals: bool = True
    ) -> outputs.Result:
        """Return perplexity a word, bits a character and a byte; and what was counted."""
        texts, logs = [example.source for example in corpus], [prediction.total for prediction in predictions]
        first = FIRST[codec.level]
        names = [first, *(name for name in perplexity.VALUES if name != first)]
        counted = f"level:{codec.level}", f"unknown:{sum(sum(one.unknown) for one in predictions)}"
        scores = perplexity.score(texts, logs, *counted, names=names, intervals=intervals)
        return outputs.Result(scores, _details(texts, predictions, first) if intervals else {})

    def mistakes(
        self, corpus: Sequence[Example], predictions: Sequence[Prediction], codec: Codec
    ) -> list[dict[str, Any]]:
        """Return all lines, those that were foreseen worst by the token first."""
        rows = [
            {
                "where": example.where,
                "log_probability": round(prediction.total, 4),
                "a_token": round(prediction.total / len(prediction.logs), 4),
                "text": jsonl.without_surrogates(example.source),
            }
            for example, prediction in zip(corpus, predictions, strict=True)
        ]
        return sorted(rows, key=lambda row: float(str(row["a_token"])))


def ranked(predictions: Sequence[Prediction | None]) -> list[Prediction | None]:
    """Return the predictions with their ranks, in the order in which they came; equal ones share the better rank."""
    totals = [None if one is None else round(one.total, 6) for one in predictions]
    ranks: dict[float | None, int] = {}
    for rank, total in enumerate(sorted((t for t in totals if t is not None), reverse=True), 1):
        ranks.setdefault(total, rank)
    pairs = zip(predictions, totals, strict=True)
    return [None if one is None else replace(one, rank=ranks[total]) for one, total in pairs]


def _details(texts: Sequence[str], predictions: Sequence[Prediction], first: str) -> dict[str, Any]:
    """What was counted, in all; the perplexity a token, and of words without the unknown ones."""
    import numpy as np

    _, details = perplexity.measure([*perplexity.VALUES], texts, [prediction.total for prediction in predictions])
    logs = np.array([log for prediction in predictions for log in prediction.logs])
    unknown = np.array([flag for prediction in predictions for flag in prediction.unknown], dtype=bool)
    known = logs[~unknown]
    return {
        **details,
        "nats": round(details["nats"], 2),
        "tokens": len(logs),
        "unknown": int(unknown.sum()),
        "perplexity_of_tokens": round(float(np.exp(-logs.mean())), 3),
        "perplexity_of_known_tokens": round(float(np.exp(-known.mean())), 3) if len(known) else None,
        **_parts(texts, predictions, first),
    }


def _parts(texts: Sequence[str], predictions: Sequence[Prediction], first: str) -> dict[str, Any]:
    """What each part of the model would score alone beside both, where it has several."""
    if any(prediction.parts is None for prediction in predictions):
        return {}
    logs = {
        "ngrams": [float(one.parts.ngrams.sum()) for one in predictions if one.parts],
        "recurrent": [float(one.parts.network.sum()) for one in predictions if one.parts],
        "both": [prediction.total for prediction in predictions],
    }
    found = {name: perplexity.score(texts, total, names=[first], intervals=False) for name, total in logs.items()}
    return {"parts": {name: {first: round(scores[0].value, 4)} for name, scores in found.items()}}
