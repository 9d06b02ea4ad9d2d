"""Evaluation, the same way in training and in `eval`: from a dev or test part to predictions to scores.

The rows are encoded with the codec of the training part, and predicted with `predict.Model.run_corpus`, which is what
`predict` uses too: the dev score of training, `eval` and `predict` cannot drift apart.
"""

from __future__ import annotations

import collections
import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from torch import nn

from seqnlp import errors
from seqnlp.metrics import base as metrics
from seqnlp.metrics import registry
from seqnlp.preprocess.batching import buckets
from seqnlp.preprocess.corpora import arrow, examples, schema
from seqnlp.preprocess.text import labels
from seqnlp.training import data, trainer
from seqnlp.workflows import corpora, predict

log = logging.getLogger(__name__)


@dataclass
class Evaluator:
    """The dev or test part, encoded, and the way from a network to its scores."""

    model: predict.Model
    corpus: Sequence[examples.Example]
    rows: data.Rows
    warned: bool = False

    def __post_init__(self) -> None:
        """Raise `DataError` where there are labels, and none of them is one that the model knows."""
        codec, task = self.model.codec, self.model.task
        found = {label for example in self.corpus for label in codec.labels_of(example)} if codec.labels else set()
        if found and not found & codec.labels.keys():
            raise errors.DataError(
                f"{self.corpus[0].file}: none of its labels is the model's: {labels.shown(found)}",
                f"the model's are {labels.shown(codec.labels)}; is --{task.roles[-1]}-field right?",
            )

    @classmethod
    def of(cls, model: predict.Model, corpus: corpora.Corpus, files: Mapping[str, str], whose: str) -> Evaluator:
        """Return the evaluator over a corpus.

        files: the hashes of the codec's, and `whose` it is, for what is encoded already.

        Raises `DataError` if the corpus was encoded otherwise.
        """
        if isinstance(corpus, corpora.Text):
            return cls.over(model, corpus.examples, corpus.title)
        corpus.check_codec(files, model.config, whose)
        if corpus.fitted:  # its rows hold what only training wants
            return cls.over(model, corpus.examples, corpus.title)
        return cls(model, list(corpus.examples), corpus.rows())

    @classmethod
    def over(cls, model: predict.Model, part: examples.Examples, title: str) -> Evaluator:
        """Return the evaluator over examples; raises `DataError` with the files' title if there are none."""
        kept = list(part)
        if not kept:
            raise errors.DataError(f"{title}: no examples", "is this the right file?")
        return cls(model, kept, arrow.in_memory(map(model.codec.encode, kept), model.codec.features()))

    def predictions(self, search: Any, limits: buckets.Limits) -> list[Any]:
        """Return a prediction for each example."""
        return self.model.run_corpus(self.rows, search, limits)

    def score(
        self, predictions: Sequence[Any], *, intervals: bool = True
    ) -> tuple[list[metrics.Score], dict[str, Any]]:
        """Return scores and details of predictions; says once what those deserve, and of labels training never saw."""
        output = self.model.task.output
        scores, details, unseen = output.score(self.corpus, predictions, self.model.codec, intervals=intervals)
        if not self.warned:
            if unseen:
                log.warning("%d labels that training never saw: counted as wrong", unseen)
            for warning, number in collections.Counter(w for p in predictions for w in output.warnings_of(p)).items():
                log.warning("%d %s", number, output.warnings[warning])
            self.warned = True
        details = {**details, "items": registry.ITEMS[self.model.task.answers]}
        return scores, details if unseen is None else {**details, "unseen": unseen}

    def scores(self, *, intervals: bool = True) -> tuple[list[metrics.Score], dict[str, Any]]:
        """Return scores and details under default search."""
        return self.score(self.predictions(self.model.task.Search(), buckets.Limits()), intervals=intervals)

    def evaluation(self, network: nn.Module) -> trainer.Evaluation:
        """Return the scores as the training loop takes them; the network is the model's own, and calibrated here."""
        task, codec = self.model.task, self.model.codec
        predictions = self.predictions(task.Search(), buckets.Limits())
        found, _ = self.score(task.calibrate(network, codec, self.corpus, predictions), intervals=False)
        values = {score.name: round(score.value, 4) for score in found}
        return trainer.Evaluation(found[0].value, values, found[0].higher_is_better)


def evaluate(
    model: predict.Model, folder: str, source: schema.Source, search: Any, limits: buckets.Limits
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return the result of a model on a test part, and its mistakes, worst first."""
    begin = time.monotonic()
    model.task.output.check(search, "jsonl", model.config)
    corpus = corpora.opened(model.task, model.source(source), model.config)
    model = replace(model, codec=model.task.configured(model.codec, search))
    evaluator = Evaluator.of(model, corpus, model.content["files"], folder)
    predictions = evaluator.predictions(search, limits)
    scores, details = evaluator.score(predictions)
    result = {
        "task": model.task.name,
        "model": folder,
        "scores": [score.to_dict() for score in scores],
        "details": details,
        "seed": model.content["training"]["seed"],
        "seconds": round(time.monotonic() - begin, 1),
        "data": {**corpus.data, **schema.Source(source.references).hashes()},
    }
    return result, model.task.output.mistakes(evaluator.corpus, predictions, model.codec)
