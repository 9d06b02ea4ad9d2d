"""Output: predictions, how they are written and read back, what they score, where they are wrong."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from seqnlp import errors
from seqnlp.metrics import base as metrics
from seqnlp.metrics import calibration, classification
from seqnlp.preprocess.corpora.examples import Example
from seqnlp.preprocess.text import labels
from seqnlp.tasks import outputs
from seqnlp.tasks.classify.codec import Codec
from seqnlp.tasks.classify.options import Config, Search


@dataclass(frozen=True)
class Prediction:
    """The labels chosen, every label's probability, best first, and what the attention looked at, word by word.

    parts: (P, C), what each part of the classifier says of the labels, in the order of the codec.
    """

    labels: tuple[str, ...]
    ranked: list[tuple[str, float]]
    attention: list[tuple[str, float]] | None = None
    warnings: tuple[str, ...] = ()
    multi_label: bool = False
    parts: np.ndarray = field(default_factory=lambda: np.zeros((0, 0)), compare=False, repr=False)

    def probability(self, label: str) -> float:
        """Return a label's probability, 0 for one that training never saw."""
        return dict(self.ranked).get(label, 0.0)


class Output(outputs.Output[Config, Search, Codec, Prediction]):
    """Labels, each with its probability where that is asked for."""

    column = "label"
    guess = "best"  # the likeliest label, where --min-score may withhold it
    warnings = {"cut": "of the texts had more words than --max-length: the rest was cut off"}

    def check(self, search: Search, form: str, config: Config | None = None) -> None:
        if search.otherwise is not None and not search.min_score:
            raise errors.UsageError("--otherwise has no effect without --min-score")
        if search.min_score and search.top > 1:
            raise errors.UsageError("--min-score has no effect on --top, which prints labels with their probabilities")
        if search.min_score and config is not None and config.multi_label:
            raise errors.UsageError("--min-score is for one label an item", "--threshold is for several")
        if search.want_accuracy is not None and config is not None and config.multi_label:
            raise errors.UsageError("--want-accuracy is for one label an item")

    def value(self, example: Example, prediction: Prediction, codec: Codec) -> dict[str, Any]:
        """Return label and score (or labels), and the whole distribution, best first."""
        scores = {label: round(probability, 4) for label, probability in prediction.ranked}
        if codec.multi_label:
            chosen: dict[str, Any] = {"labels": list(prediction.labels)}
        else:
            chosen = {"label": next(iter(prediction.labels), None), "score": round(prediction.ranked[0][1], 4)}
            if chosen["label"] != prediction.ranked[0][0]:
                chosen[self.guess] = prediction.ranked[0][0]
        attention = {} if prediction.attention is None else {"attention": prediction.attention}
        return {**chosen, "scores": scores, **attention}

    def write(self, example: Example, prediction: Prediction | None, form: str, search: Search, codec: Codec) -> str:
        """Return the labels as a line: joined by commas, or each with its probability, separated by tabs."""
        if prediction is None:
            return ""
        if search.top == 1 and not search.scores:
            return _joined(prediction.labels, prediction.multi_label)
        return "\t".join(f"{text}\t{probability:.4f}" for text, probability in _shown(prediction, search))

    def columns(self, given: Sequence[str] | None, search: Search) -> list[str]:
        """Return label and score, again with a number for each more of --top; before them the guess of --min-score."""
        return [self.guess] * (search.min_score > 0) + outputs.ranked_columns(self.column, search.top)

    def cells(self, example: Example, prediction: Prediction, search: Search, codec: Codec) -> dict[str, str]:
        """Return what stands in the columns; of several labels both are joined by commas."""
        best = f"{prediction.ranked[0][1]:.4f}"
        shown = [(label, f"{probability:.4f}") for label, probability in _shown(prediction, search)]
        if search.top == 1:
            scores = [score for _, score in shown] if prediction.multi_label and shown else [best]
            shown = [(_joined(prediction.labels, prediction.multi_label), ",".join(scores))]
        guess = {self.guess: prediction.ranked[0][0]} if search.min_score else {}
        return guess | outputs.ranked_cells(self.column, shown)

    def listed(self, items: Sequence[str], codec: Codec) -> str:
        return labels.joined(items) if codec.multi_label else ",".join(items)

    def warnings_of(self, prediction: Prediction) -> Sequence[str]:
        return prediction.warnings

    def parse(self, written: Any, config: Config) -> tuple[str, ...] | None:
        if isinstance(written, Mapping):
            if "labels" in written:
                return tuple(written["labels"])
            return () if written["label"] is None else (written["label"],)
        cells = written.split("\t")
        if config.multi_label:
            return tuple(name for cell in cells[::2] for name in labels.parted(cell))
        if name := labels.printed(cells[0]):
            return (name,)
        return None if len(cells) == 1 else ()

    def parse_cell(self, cell: str, config: Config) -> tuple[str, ...]:
        return self.parse(cell, config) or ()

    def score(
        self, corpus: Sequence[Example], predictions: Sequence[Prediction], codec: Codec, *, intervals: bool = True
    ) -> outputs.Result:
        """Return accuracy (F1 where items have several labels) and what stands beside it."""
        gold, predicted = [example.target for example in corpus], [prediction.labels for prediction in predictions]
        scores, details = classification.score(gold, predicted, multi_label=codec.multi_label, intervals=intervals)
        details |= _parts(gold, predictions, codec, scores)
        confidence, right = _answers(gold, predictions)
        details["calibration_error"] = round(calibration.expected_error(confidence, right), 4)
        details["calibration_error_by_chance"] = round(calibration.chance_error(confidence), 4)
        details["log_loss"] = round(calibration.log_loss(*_judged(gold, predictions)), 4)
        return outputs.Result(scores, details, codec.classes.unseen(name for names in gold for name in names))

    def wanted(
        self, corpus: Sequence[Example], predictions: Sequence[Prediction], codec: Codec, search: Search
    ) -> dict[str, Any]:
        """Return how many answers a least probability lets through, and how accurate they are, where that is asked."""
        if search.want_accuracy is None:
            return {}
        answers = _answers([example.target for example in corpus], predictions)
        return {"selective": calibration.coverage(*answers, search.want_accuracy)}

    def mistakes(
        self, corpus: Sequence[Example], predictions: Sequence[Prediction], codec: Codec
    ) -> list[dict[str, Any]]:
        """Return the wrong predictions, those with the least probability for the gold labels first."""
        wrong = [
            {
                "where": example.where,
                "gold": _joined(example.target, prediction.multi_label),
                "predicted": _joined(prediction.labels, prediction.multi_label),
                "gold_score": round(min((prediction.probability(label) for label in example.target), default=0.0), 4),
                "text": example.source,
            }
            for example, prediction in zip(corpus, predictions, strict=True)
            if set(example.target) != set(prediction.labels)
        ]
        return sorted(wrong, key=lambda mistake: mistake["gold_score"])


def _answers(gold: Sequence[tuple[str, ...]], predictions: Sequence[Prediction]) -> tuple[np.ndarray, np.ndarray]:
    """Return the probabilities of answers, and which are right: of the best labels, or of all of several.

    Whether a search lets them through makes no difference.
    """
    shown = [one.ranked if one.multi_label else one.ranked[:1] for one in predictions]
    answers = [(share, label in names) for names, row in zip(gold, shown, strict=True) for label, share in row]
    confidence, right = zip(*answers, strict=True)
    return np.array(confidence), np.array(right, np.float64)


def _judged(gold: Sequence[tuple[str, ...]], predictions: Sequence[Prediction]) -> tuple[np.ndarray, np.ndarray]:
    """Return the probabilities of the gold labels, or of all of several, and which are right, unseen ones aside."""
    pairs = [
        (share, label in names)
        for names, row in zip(gold, predictions, strict=True)
        for label, share in row.ranked
        if row.multi_label or label in names
    ]
    shares, right = zip(*pairs, strict=True) if pairs else ((), ())
    return np.array(shares), np.array(right, np.float64)


def _joined(names: Sequence[str], multi_label: bool) -> str:
    """One label as it is; commas part several."""
    return names[0] if len(names) == 1 and not multi_label else labels.joined(names)


def _shown(prediction: Prediction, search: Search) -> list[tuple[str, float]]:
    """The labels as they are printed with their probabilities; an item without a label has that of the best."""
    found = [(label, prediction.probability(label)) for label in prediction.labels]
    if search.top > 1:
        found = prediction.ranked[: search.top]
    elif search.min_score:
        found = [(label, prediction.ranked[0][1]) for label in prediction.labels or ("",)]
    return [(_joined([label], prediction.multi_label), probability) for label, probability in found]


PARTS = ("wide", "recurrent")  # of a classifier that has both


def _parts(
    gold: Sequence[tuple[str, ...]], predictions: Sequence[Prediction], codec: Codec, both: Sequence[metrics.Score]
) -> dict[str, Any]:
    """Return what each part of a classifier would score alone beside the scores of both, where it has several."""
    if any(len(prediction.parts) < len(PARTS) for prediction in predictions):
        return {}
    names, found = np.array(codec.classes.names, dtype=object), {"both": both}
    for name, rows in zip(PARTS, np.stack([prediction.parts for prediction in predictions], axis=1), strict=True):
        chosen = rows > 0 if codec.multi_label else rows == rows.max(1, keepdims=True)
        alone = [tuple(names[row]) if codec.multi_label else (names[row][0],) for row in chosen]
        found[name], _ = classification.score(gold, alone, multi_label=codec.multi_label, intervals=False)
    shown = {name: {one.name: round(one.value, 4) for one in found[name][:2]} for name in (*PARTS, "both")}
    return {"parts": shown}
