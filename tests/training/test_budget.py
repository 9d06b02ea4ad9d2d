"""A time budget becomes a number of steps, which holds it and is final."""

import types
from dataclasses import replace

import pytest
import toy

from seqnlp import errors
from seqnlp.training import budget, checkpoint, trainer


class Clock:
    """A clock that moves only when something is done."""

    def __init__(self, monkeypatch):
        self.now = 1000.0
        monkeypatch.setattr(trainer, "time", types.SimpleNamespace(monotonic=lambda: self.now))

    def slow(self, seconds, function):
        def run(*arguments):
            self.now += seconds
            return function(*arguments)

        return run


def budgeted(folder, monkeypatch, step=0.1, evaluation=1.0, **changes):
    clock, data = Clock(monkeypatch), toy.Data()
    evaluate = clock.slow(evaluation, toy.accuracy(data))
    monkeypatch.setattr(data, "load", clock.slow(step, data.load))
    options = replace(toy.OPTIONS, **{"epochs": None, "time_budget": 60.0, "eval_every": 50, **changes})
    return clock, toy.make_trainer(folder, options, data=data, evaluate=evaluate, spent=7.0)


def test_a_time_budget_becomes_a_number_of_steps(tmp_path, monkeypatch):
    clock, made = budgeted(tmp_path, monkeypatch)
    begin = clock.now
    progress = made.run()
    assert progress.step == progress.total
    assert 0.85 * 60 < 7 + clock.now - begin <= 60


def test_the_number_of_steps_is_recorded_and_final(tmp_path, monkeypatch):
    _, made = budgeted(tmp_path, monkeypatch)
    made.stop = lambda: 15 if made.progress.step >= 100 else 0
    with pytest.raises(errors.Stopped):
        made.run()
    _, state = checkpoint.load(checkpoint.newest(tmp_path / "checkpoint"))
    assert state["total"] == made.progress.total > 100
    _, again = budgeted(tmp_path, monkeypatch, step=50.0)  # the machine is slower now
    assert again.run().step == state["total"]


def test_a_budget_that_is_over_already_still_gives_a_model(tmp_path, monkeypatch):
    _, made = budgeted(tmp_path, monkeypatch, time_budget=1.0)
    progress = made.run()
    assert 1 <= progress.step == progress.total <= budget.PROBE
    assert made.best


def test_a_budget_shorter_than_the_probe_is_held(tmp_path, monkeypatch):
    clock, made = budgeted(tmp_path, monkeypatch, step=2.0, time_budget=30.0)
    begin = clock.now
    made.run()
    assert 7 + clock.now - begin <= 30


def test_epochs_bound_a_time_budget(tmp_path, monkeypatch):
    _, made = budgeted(tmp_path, monkeypatch, epochs=2)
    assert made.run().step == 12


def test_time_before_a_stop_is_not_taken_for_the_time_of_a_step(tmp_path, monkeypatch):
    _, made = budgeted(tmp_path, monkeypatch)
    made.stop = lambda: 15 if made.progress.step >= budget.PROBE - 1 else 0
    with pytest.raises(errors.Stopped):
        made.run()
    _, again = budgeted(tmp_path, monkeypatch)
    assert again.run().total > 300


def test_a_budget_s_run_learns(tmp_path):
    options = replace(toy.OPTIONS, epochs=None, time_budget=1.0, eval_every=50)
    progress = toy.trained(tmp_path, options).progress
    assert progress.step == progress.total > budget.PROBE
    assert progress.best > 90


@pytest.mark.parametrize(
    ("step", "spent", "max_steps", "expected"),
    [(29, 1.0, 99, False), (30, 1.0, 99, True), (1, 9.0, 99, False), (2, 10.1, 99, True), (5, 1.0, 5, True)],
)
def test_measuring_ends_after_some_steps_or_a_quarter_of_the_budget(step, spent, max_steps, expected):
    assert budget.is_measured(step, spent, 40.0, max_steps) is expected


@pytest.mark.parametrize(
    ("times", "evaluation", "left", "expected"),
    [
        ([0, 9, 10, 11], 0.0, 10.0, 10),  # the first steps are slow, and do not count
        ([0, 9, 10, 11], 5.0, 10.0, 5),  # an evaluation every fifth step takes a second of each
        ([0, 2], 0.0, 10.0, 5),
        ([0, 2], 0.0, -1.0, 0),
        ([*range(0, 100, 10), *range(100, 121)], 0.0, 10.0, 10),
    ],
)
def test_how_many_steps_fit_by_hand(times, evaluation, left, expected):
    assert budget.steps(times, evaluation, 5, left) == expected
