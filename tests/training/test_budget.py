"""A time budget is used up and held: start-up, steps, evaluations and the final scoring, on a machine of any speed."""

import types
from dataclasses import replace

import pytest
import toy

from seqnlp import errors
from seqnlp.training import budget, checkpoint, trainer

SPENT = 7.0  # seconds before the training begins


class Clock:
    """A clock that moves only when something is done."""

    def __init__(self, monkeypatch):
        self.now = 1000.0
        monkeypatch.setattr(trainer, "time", types.SimpleNamespace(monotonic=lambda: self.now))

    def slow(self, seconds, function):
        def run(*arguments):
            self.now += seconds(self.now) if callable(seconds) else seconds
            return function(*arguments)

        return run


def budgeted(folder, monkeypatch, step=0.1, evaluation=1.0, final=1.0, usual=0, **changes):
    clock, data = Clock(monkeypatch), toy.Data()
    evaluate = clock.slow(evaluation, toy.accuracy(data))
    monkeypatch.setattr(data, "load", clock.slow(step, data.load))
    options = replace(toy.OPTIONS, **{"epochs": None, "time_budget": 60.0, "eval_every": None, **changes})
    rest = {"fit": lambda seconds: final, "usual_epochs": usual, "begin": clock.now - SPENT}
    return clock, toy.make_trainer(folder, options, data=data, evaluate=evaluate, **rest)


def spent(clock, made, evaluation=1.0, final=1.0):
    """How long the run has taken, the final scoring included."""
    return clock.now - 1000.0 + SPENT + evaluation * (final if made.has_full_scoring else budget.SCORED)


@pytest.mark.parametrize(
    ("seconds", "step", "evaluation", "final", "eval_every"),
    [
        (60.0, 0.2, 1.0, 1.0, None),
        (60.0, 0.2, 1.0, 1.0, 50),
        (60.0, 0.1, 0.2, 6.0, None),
        (60.0, 3.0, 2.0, 6.0, None),
        (60.0, 0.5, 5.0, 6.0, None),  # the final scoring of everything takes too long
        (600.0, 2.0, 10.0, 6.0, None),
        (600.0, lambda now: 2.0 if now < 1200 else 6.0, 5.0, 1.0, None),  # the machine becomes slower
        (600.0, lambda now: 6.0 if now < 1200 else 2.0, 5.0, 1.0, None),  # or faster
    ],
)
def test_a_time_budget_is_used_up_and_held(tmp_path, monkeypatch, seconds, step, evaluation, final, eval_every):
    changes = {"time_budget": seconds, "eval_every": eval_every}
    clock, made = budgeted(tmp_path, monkeypatch, step, evaluation, final, **changes)
    progress = made.run()
    assert progress.step == progress.total == progress.history[-1]["step"]
    assert 0.9 * seconds <= spent(clock, made, evaluation, final) <= seconds


def test_the_learning_rate_falls_to_its_end_with_the_budget(tmp_path, monkeypatch):
    _, made = budgeted(tmp_path, monkeypatch)
    rates = [row["learning_rate"] for row in made.run().history]
    assert rates[-1] == 0
    assert rates[1:] == sorted(rates[1:], reverse=True)


def test_evaluations_take_a_tenth_of_the_time_unless_they_are_asked_for(tmp_path, monkeypatch):
    _, made = budgeted(tmp_path / "few", monkeypatch, step=0.1)
    progress = made.run()
    assert 1 < progress.evaluating_seconds <= 0.1 * 60 + 1  # the last one has to be
    _, made = budgeted(tmp_path / "many", monkeypatch, step=0.1, eval_every=50)
    progress = made.run()
    assert {row["step"] for row in progress.history} >= set(range(50, progress.total, 50))


def test_a_resumed_run_has_the_time_that_was_left(tmp_path, monkeypatch):
    clock, made = budgeted(tmp_path, monkeypatch)
    made.stop = lambda: 15 if made.progress.step >= 100 else 0
    with pytest.raises(errors.Stopped):
        made.run()
    _, state = checkpoint.load(checkpoint.newest(tmp_path / "checkpoint"))
    before = state["seconds"]
    assert SPENT < before == clock.now - 1000 + SPENT
    clock, again = budgeted(tmp_path, monkeypatch, step=2.0)  # the machine is slower now
    assert again.run().step > 100
    assert 0.9 * 60 <= before + spent(clock, again) <= 60


def test_a_budget_that_is_over_already_still_gives_a_model(tmp_path, monkeypatch):
    _, made = budgeted(tmp_path, monkeypatch, time_budget=1.0)
    progress = made.run()
    assert 1 <= progress.step == progress.total <= budget.PROBE
    assert made.best


def test_epochs_bound_a_time_budget(tmp_path, monkeypatch):
    _, made = budgeted(tmp_path, monkeypatch, epochs=2)
    assert made.run().step == 12


@pytest.mark.parametrize(("usual", "warned"), [(0, False), (100, False), (10_000, True)])
def test_a_budget_too_small_to_learn_is_told_before_the_training_goes_on(tmp_path, monkeypatch, caplog, usual, warned):
    _, made = budgeted(tmp_path, monkeypatch, usual=usual)
    made.stop = lambda: 15 if made.progress.total is not None else 0
    with pytest.raises(errors.Stopped):
        made.run()
    assert made.progress.step <= budget.PROBE
    assert ["epochs would take" in record.message for record in caplog.records] == [True] * warned


def test_a_budget_s_run_learns(tmp_path, monkeypatch):
    _, made = budgeted(tmp_path, monkeypatch, step=0.2)
    progress = made.run()
    assert progress.step == progress.total > budget.PROBE
    assert progress.best > 90


@pytest.mark.parametrize(
    ("step", "spent", "max_steps", "expected"),
    [(19, 1.0, 99, False), (20, 1.0, 99, True), (1, 9.0, 99, False), (2, 10.1, 99, True), (5, 1.0, 5, True)],
)
def test_measuring_ends_after_some_steps_or_a_quarter_of_the_budget(step, spent, max_steps, expected):
    assert budget.Budget(40.0, 1.0).is_measured(step, spent, max_steps) is expected


@pytest.mark.parametrize(
    ("recent", "spent", "evaluation", "between", "asked_for", "expected"),
    [
        ([1.0], 50.0, 0.0, 5, False, 46),
        ([1.0, 3.0], 50.0, 0.0, 5, False, 23),
        # Half of the time is for evaluations, ten seconds for those at the end.
        ([1.0], 28.0, 5.0, 5, True, 29),
        ([1.0], 28.0, 5.0, 5, False, 52),
        ([1.0], 99.0, 0.0, 5, False, 0),
    ],
)
def test_how_many_steps_fit_by_hand(recent, spent, evaluation, between, asked_for, expected):
    plan = budget.Budget(100.0, 1.0)
    plan.recent.extend(recent)
    assert plan.steps(spent, evaluation, between, asked_for=asked_for) == expected
