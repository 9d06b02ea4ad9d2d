"""Evaluation in training: of all or some examples, given up when asked; what it says of a model that knows nothing."""

import types
from typing import ClassVar

import numpy as np
import pytest

from seqnlp import errors
from seqnlp.metrics import base as metrics
from seqnlp.preprocess.corpora.examples import Example
from seqnlp.workflows import evaluate


class Task:
    """As much of a task as an evaluation needs; a prediction is an answer as it is."""

    Search = staticmethod(lambda: "full")
    answers = "labels"
    criterion = None
    warnings: ClassVar[dict[str, str]] = {}
    warnings_of = staticmethod(lambda prediction: ())

    def __init__(self, quick=None):
        self.quick, self.output, self.details = quick, self, {}

    def quick_search(self):
        return self.quick

    def calibrate(self, network, codec, corpus, predictions):
        return predictions

    def value(self, example, prediction, codec):
        return prediction

    def parse(self, written, config):
        return written

    def score(self, corpus, predictions, codec, *, intervals=True):
        gold = [example.target for example in corpus]
        right = [float(one == other) for one, other in zip(gold, predictions, strict=True)]
        return metrics.from_means({"accuracy": right}, intervals=intervals), self.details, None


class Rows:
    """Rows that are their own numbers."""

    def __init__(self, size):
        self.lengths = np.ones((size, 1), dtype=np.int64)

    def columns(self, rows):
        return {"number": rows.tolist()}


class Model:
    """Answers what it is told to; `searches` are those that were asked for."""

    config, codec = None, types.SimpleNamespace(labels={})

    def __init__(self, answers, quick=None):
        self.answers, self.task, self.searches = answers, Task(quick), []

    def run_corpus(self, rows, search, limits, watch):
        self.searches.append(search)
        found = []
        for number in range(len(rows.lengths)):
            found += [self.answers[i] for i in rows.columns(np.array([number]))["number"]]
            watch((number + 1) / len(rows.lengths))
        return found


def evaluator(answers, targets=None, quick=None):
    targets = targets or [("a",), ("b",)] * (len(answers) // 2)
    corpus = [Example(f"x{i}", target, None, "dev", i) for i, target in enumerate(targets, 1)]
    return evaluate.Evaluator(Model(answers, quick), corpus, Rows(len(corpus)))


@pytest.mark.parametrize(
    ("answers", "targets", "note"),
    [
        ([("a",)] * 4, None, "the model answers 'a' everywhere"),
        ([("O", "O"), ("O",)], [("O", "x"), ("O",)], "the model answers 'O' everywhere"),
        ([()] * 4, None, "the model answers nothing anywhere"),
        ([("a",), ("b",), ("a",), ("a",)], None, None),
        ([("a",)] * 4, [("a",)] * 4, None),  # as it is wanted
    ],
)
def test_a_model_that_answers_everything_alike_is_told_of_once_and_in_the_end(caplog, answers, targets, note):
    caplog.set_level("INFO", "seqnlp")
    made = evaluator(answers, targets)
    for _ in range(3):
        made.evaluation(None)
    assert caplog.messages == [note] * bool(note)
    made.scores(latest=True)
    assert caplog.messages[1:] == [f"{note}: it has not learnt enough to be of use"] * bool(note)


def test_what_the_last_evaluation_predicted_is_scored_without_predicting_again():
    made = evaluator([("a",), ("b",)] * 2)
    assert made.evaluation(None).value == made.scores(latest=True)[0][0].value == 100
    assert len(made.model.searches) == 1
    made.scores()
    assert len(made.model.searches) == 2


def test_a_detail_may_pick_the_weights_by_what_is_more_than_chance():
    made = evaluator([("a",), ("b",)] * 2)
    made.model.task.criterion = "loss"
    found = []
    for loss in (0.384, 0.376, 0.391, 0.374):
        made.model.task.details = {"loss": loss}
        found.append(made.evaluation(None))
    assert [one.value for one in found] == [0.38, 0.38, 0.39, 0.37]
    assert found[0].scores == {"accuracy": 100, "loss": 0.38}
    assert [one.better_than(0.38) for one in found] == [False, False, False, True]


@pytest.mark.parametrize(("size", "some"), [(4, 4), (evaluate.QUICK * 3, evaluate.QUICK)])
def test_where_time_is_short_some_examples_are_looked_at_by_the_quick_search(size, some):
    made = evaluator([("a",), ("b",)] * (size // 2), quick="quick")
    quick = made.quick()
    assert quick.evaluation(None).value == 100
    assert len(quick.corpus) == len(quick.latest) == some
    assert quick.corpus[0] == made.corpus[0] and quick.corpus[-1] == made.corpus[-1]
    assert made.model.searches == ["quick"]
    assert made.times(quick) == evaluate.QUICK_SEARCH * size / some and made.times(made) == 1


@pytest.mark.parametrize(("seconds", "some"), [(1.0, evaluate.SAMPLE), (20.0, 64), (1000.0, 500)])
def test_an_evaluation_that_has_to_be_short_looks_at_fewer_examples(monkeypatch, seconds, some):
    made = evaluator([("a",), ("b",)] * 700, quick="quick").quick()
    now = iter([0.0, 10.0])
    monkeypatch.setattr(evaluate.time, "monotonic", lambda: next(now))
    made.fit_into(seconds)
    monkeypatch.undo()
    assert made.evaluation(None).value == 100
    assert len(made.corpus) == len(made.latest) == some
    assert set(made.model.searches) == {"quick"}


def test_where_no_search_is_quicker_all_examples_are_looked_at():
    made = evaluator([("a",), ("b",)] * 2)
    assert made.quick() is made
    made.fit_into(0.0)
    assert len(made.corpus) == 4 and not made.model.searches


def test_an_evaluation_is_given_up_when_that_is_asked_for():
    made = evaluator([("a",), ("b",)] * 2)
    made.stop = lambda: 15
    with pytest.raises(errors.Stopped) as error:
        made.evaluation(None)
    assert error.value.code == 143
    assert made.latest is None
