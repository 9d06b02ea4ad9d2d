"""Evaluation, the same way in training and in `eval`: from a dev or test part to predictions to scores.

The rows are encoded with the codec of the training part, and predicted with `predict.Model.run_corpus`, which is what
`predict` uses too: the dev score of training, `eval` and `predict` cannot drift apart.
"""

from __future__ import annotations

import collections
import logging
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from torch import nn

from seqnlp import errors
from seqnlp.metrics import base as metrics
from seqnlp.metrics import registry
from seqnlp.preprocess.batching import buckets
from seqnlp.preprocess.corpora import arrow, examples, schema, seen
from seqnlp.preprocess.text import labels
from seqnlp.training import data, progress
from seqnlp.workflows import corpora, model_folder, predict

log = logging.getLogger(__name__)

TRAINED_ON = "%d of %d rows of %s were trained on by %s: scores on them are too good"
QUICK = 500  # examples that evaluations look at where time is short and a search takes long
SAMPLE = 32  # examples by which the time of an evaluation is told beforehand
CRITERION_DIGITS = 2  # less is chance: among evaluations that are alike the latest has learnt most
QUICK_SEARCH = 2.5  # times as long a full search takes


class Part:
    """Some of encoded rows."""

    def __init__(self, rows: data.Rows, numbers: np.ndarray) -> None:
        self.rows, self.numbers = rows, numbers
        self.lengths = rows.lengths[numbers]

    def columns(self, rows: np.ndarray) -> Mapping[str, list[Any]]:
        """Return the columns of the given rows."""
        return self.rows.columns(self.numbers[rows])


@dataclass
class Evaluator:
    """The dev or test part, encoded, and the way from a network to its scores.

    search: that of evaluations in training, None for the default; stop: whether to give up what is under way.
    """

    model: predict.Model
    corpus: Sequence[examples.Example]
    rows: data.Rows
    search: Any = None
    stop: Callable[[], int] = lambda: 0
    warned: bool = False
    noted: str | None = None  # what was said last about a model that has learnt nothing yet
    latest: list[Any] | None = None  # the predictions of the last evaluation in training

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

    def quick(self) -> Evaluator:
        """Return the evaluator for a run that is short of time: some examples by a quick search, if there is one."""
        search = self.model.task.quick_search()
        if search is None:
            return self
        return replace(self._some(QUICK), search=search)

    def _some(self, most: int) -> Evaluator:
        """Return the evaluator of so many examples at the most, from all over."""
        size = len(self.corpus)
        numbers = np.unique(np.linspace(0, size - 1, min(most, size)).astype(np.int64))
        return replace(self, corpus=[self.corpus[n] for n in numbers], rows=Part(self.rows, numbers))

    def fit_into(self, seconds: float) -> None:
        """Look at fewer examples from now on if a quick search through them would take longer; measures it."""
        if self.search is None or len(self.corpus) <= SAMPLE:
            return
        begin = time.monotonic()
        self._some(SAMPLE).predictions(self.search, buckets.Limits())
        most = max(SAMPLE, int(SAMPLE * seconds / (time.monotonic() - begin)))
        if most < len(self.corpus):
            log.info("evaluations look at %d dev examples: time is short", most)
            fewer = self._some(most)
            self.corpus, self.rows = fewer.corpus, fewer.rows

    def times(self, other: Evaluator) -> float:
        """Return how many times as long its scoring takes as another's evaluation of the same model, about."""
        searching = QUICK_SEARCH if self.search != other.search else 1.0
        return searching * len(self.corpus) / len(other.corpus)

    def predictions(self, search: Any, limits: buckets.Limits) -> list[Any]:
        """Return a prediction for each example; raises `Stopped` where that is asked for meanwhile."""
        return self.model.run_corpus(self.rows, search, limits, self._go_on)

    def _go_on(self, share: float = 1.0) -> None:
        if number := self.stop():
            raise errors.Stopped(number, "stopped in the scoring; the same command goes on from here")

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

    def scores(self, *, latest: bool = False) -> tuple[list[metrics.Score], dict[str, Any]]:
        """Return scores and details of the network as it is; latest: it is that of the last evaluation."""
        if not latest or self.latest is None:
            self._predict()
        if self.noted:
            log.warning("%s: it has not learnt enough to be of use", self.noted)
        found = self.score(self.latest or [])
        self._go_on()
        return found

    def evaluation(self, network: nn.Module) -> progress.Evaluation:
        """Return the scores as the training loop takes them; the network is the model's own, and calibrated here."""
        self._predict()
        task, codec = self.model.task, self.model.codec
        self.latest = list(task.calibrate(network, codec, self.corpus, self.latest or []))
        found, details = self.score(self.latest, intervals=False)
        values = {score.name: round(score.value, 4) for score in found}
        if task.criterion is None:
            return progress.Evaluation(found[0].value, values, found[0].higher_is_better)
        value = round(details[task.criterion], CRITERION_DIGITS)
        return progress.Evaluation(value, {**values, task.criterion: value}, higher_is_better=False)

    def _predict(self) -> None:
        """Predict for all examples, and say so where the answer to all of them is the same."""
        self.latest = None
        search = self.model.task.Search() if self.search is None else self.search
        self.latest = self.predictions(search, buckets.Limits())
        note = self._note(self.latest)
        if note and note != self.noted:
            log.info("%s", note)
        self.noted = note

    def _note(self, predictions: Sequence[Any]) -> str | None:
        """Return what there is to say of a model whose answers are all the same while those wanted are not."""
        if self.model.task.answers in ("likelihoods", "numbers"):  # there is nothing that it answers
            return None
        output, codec, config = self.model.task.output, self.model.codec, self.model.config
        pairs = zip(self.corpus, predictions, strict=True)
        answers = (output.parse(output.value(example, found, codec), config) for example, found in pairs)
        if len(_two(example.target for example in self.corpus)) < 2 or len(found := _two(answers)) > 1:
            return None
        return f"the model answers {found.pop()!r} everywhere" if found else "the model answers nothing anywhere"


def evaluate(
    model: predict.Model, folder: str, source: schema.Source, search: Any, limits: buckets.Limits
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return the result of a model on a test part, and its mistakes, worst first."""
    begin = time.monotonic()
    model.task.output.check(search, "jsonl", model.config)
    corpus = corpora.opened(model.task, model.source(source), model.config)
    model = replace(model, codec=model.task.configured(model.codec, search))
    evaluator = Evaluator.of(model, corpus, model.content["files"], folder)
    _look_whether_seen(evaluator, folder, corpus.title)
    predictions = evaluator.predictions(search, limits)
    scores, details = evaluator.score(predictions)
    details |= model.task.output.wanted(evaluator.corpus, predictions, model.codec, search)
    with model.task.output.side_outputs(search) as side_output:
        for pair in zip(evaluator.corpus, predictions, strict=True):
            side_output(*pair)
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


def _look_whether_seen(evaluator: Evaluator, folder: str, title: str) -> None:
    """Warn where rows were trained on: the model knows them again."""
    path = Path(folder) / model_folder.SEEN
    if evaluator.model.task.independent and path.is_file():
        known = int(np.isin(seen.inputs(evaluator.corpus), seen.Seen.load(path).train).sum())
        if known:
            log.warning(TRAINED_ON, known, len(evaluator.corpus), title, folder)


def _two(answers: Iterable[Any]) -> set[Any]:
    """Return the different labels, tags or texts among answers, as far as the second one."""
    items = (item for answer in answers for item in ([answer] if isinstance(answer, str) else answer or ()))
    different: set[Any] = set()
    for item in items:
        different.add(item)
        if len(different) == 2:
            break
    return different
