"""The one list of metrics: what each takes, which scores it gives and on what scale, and the module that computes it.

A new metric is a module of this package with a function `measure`, and a line here.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from seqnlp.options import option

# Of each item: a set of labels, a list of tags, a text, the natural logarithm of a text's probability, a number.
Inputs = Literal["labels", "tags", "texts", "likelihoods", "numbers"]
ITEMS: dict[Inputs, str] = {
    "labels": "texts",
    "tags": "sentences",
    "texts": "segments",
    "likelihoods": "lines",
    "numbers": "forecasts",
}  # as people call them


@dataclass(frozen=True)
class Scale:
    """What the values of a score mean: their unit, which way is better, and what bounds them."""

    unit: str
    higher_is_better: bool = True
    low: float = 0.0
    high: float = math.inf


PERCENT = Scale("%", high=100.0)
PERPLEXITY = Scale("", higher_is_better=False, low=1.0)
BITS = Scale("bits", higher_is_better=False)
ERROR_RATE = Scale("%", higher_is_better=False)  # more may be wrong than there is
ERROR = Scale("", higher_is_better=False)
SYMMETRIC = Scale("%", higher_is_better=False, high=200.0)

TOKENIZERS = ("13a", "zh", "char", "intl", "ja-mecab", "none")


@dataclass(frozen=True)
class Options:
    """How to score; each metric names the options that it takes."""

    multi_label: bool = option(False, "Any number of labels a line, separated by commas", group="Run", main=True)
    tokenize: str = option("13a", "How sacrebleu splits text into words", choices=TOKENIZERS, group="Run", main=True)
    lowercase: bool = option(False, "Ignore case, as ter and rouge always do", group="Run", main=True)
    log_base: str = option(
        "e", "Base of the logarithms that are given", choices=("e", "2", "10"), group="Run", main=True
    )
    history: str | None = option(
        None, "File of the values before those of REFERENCE", group="Run", main=True, metavar="FILE"
    )
    season: int = option(1, "Steps of a season in the history", low=1, group="Run", main=True)
    stem: bool = option(False, "Reduce English words to their stems", group="Run", main=True)


@dataclass(frozen=True)
class Metric:
    """A metric by which files can be scored.

    module: the one of this package whose `measure` computes it; scores: what it gives; options: those of `Options`
    that it takes; scale: of its scores.
    """

    inputs: Inputs
    module: str
    scores: tuple[str, ...]
    options: tuple[str, ...] = ()
    scale: Scale = PERCENT


_CLASSES = Metric(
    "labels", "classification", ("accuracy", "exact_match", "f1", "precision", "recall"), ("multi_label",)
)
TAGS_AS_CLASSES = Metric("tags", "tag_classes", ("accuracy", "f1", "precision", "recall"))  # the same, of tags
_ROUGE = ("lowercase", "stem")
_LOGS = ("log_base",)

METRICS = {
    "accuracy": _CLASSES,
    "f1": _CLASSES,
    "precision": _CLASSES,
    "recall": _CLASSES,
    "spans": Metric("tags", "spans", ("f1", "precision", "recall", "accuracy")),
    "bleu": Metric("texts", "translation", ("bleu",), ("tokenize", "lowercase")),
    "chrf": Metric("texts", "translation", ("chrf",), ("lowercase",)),
    "ter": Metric("texts", "translation", ("ter",), ("lowercase",), ERROR_RATE),
    "rouge": Metric("texts", "rouge", ("rouge1", "rouge2", "rougeL", "rougeLsum"), _ROUGE),
    "rouge1": Metric("texts", "rouge", ("rouge1",), _ROUGE),
    "rouge2": Metric("texts", "rouge", ("rouge2",), _ROUGE),
    "rougeL": Metric("texts", "rouge", ("rougeL",), _ROUGE),
    "rougeLsum": Metric("texts", "rouge", ("rougeLsum",), _ROUGE),
    "perplexity": Metric("likelihoods", "perplexity", ("perplexity",), _LOGS, PERPLEXITY),
    "bits_per_character": Metric("likelihoods", "perplexity", ("bits_per_character",), _LOGS, BITS),
    "bits_per_byte": Metric("likelihoods", "perplexity", ("bits_per_byte",), _LOGS, BITS),
    "mae": Metric("numbers", "forecasting", ("mae",), scale=ERROR),
    "rmse": Metric("numbers", "forecasting", ("rmse",), scale=ERROR),
    "smape": Metric("numbers", "forecasting", ("smape",), scale=SYMMETRIC),
    "mase": Metric("numbers", "forecasting", ("mase",), ("history", "season"), ERROR),
}

SCALES = {score: metric.scale for metric in METRICS.values() for score in metric.scores}
