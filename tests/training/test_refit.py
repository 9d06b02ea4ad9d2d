"""Refit: a run once more, up to the step whose weights were the best, with what dev had decided."""

import dataclasses
import time

import pytest
import torch
import toy

from seqnlp import errors
from seqnlp.training import refit

KINDS = {
    "average": dataclasses.replace(toy.OPTIONS, ema_decay=0.9),
    "halving": dataclasses.replace(toy.OPTIONS, schedule="plateau", patience=2),
}


@pytest.fixture(params=KINDS)
def first(request, tmp_path):
    """A run whose best weights are those of its third evaluation."""
    return toy.trained(tmp_path, KINDS[request.param], evaluate=toy.scripted(3.0, 2.0, 5.0, 1.0))


def again(first, data=None, **changes):
    return refit.Refit(first, toy.Toy(), data or toy.Data(), dataclasses.replace(first.options, **changes))


def test_on_the_same_rows_it_comes_to_the_same_weights(first):
    made = again(first)
    made.run()
    assert made.is_complete and made.progress.step == first.progress.best_step == 15
    toy.equal(made.weights(), first.best)


def test_other_rows_give_other_weights(first):
    data = toy.Data()
    data.targets = (data.targets + 1) % toy.CLASSES
    made = again(first, data)
    made.run()
    assert not torch.equal(made.weights()["output.bias"], first.best["output.bias"])


@pytest.mark.parametrize("steps", [(1,), (5, 7, 14)], ids=str)
def test_stopped_it_goes_on_to_the_same_weights(first, steps):
    for step in steps:
        made = again(first)
        made.stop = lambda made=made, step=step: 15 * (made.progress.step >= step)
        with pytest.raises(errors.Stopped):
            made.run()
    made = again(first)
    assert made.progress.step == steps[-1]
    made.run()
    toy.equal(made.weights(), first.best)


def test_killed_it_goes_on_from_where_evaluations_had_been(first):
    made = again(first)
    made.watch = lambda what, progress: 1 // (13 - progress.step)
    with pytest.raises(ZeroDivisionError):
        made.run()
    made = again(first)
    assert made.progress.step == 10
    made.run()
    toy.equal(made.weights(), first.best)


def test_a_checkpoint_of_another_plan_is_not_gone_on_with(first):
    made = again(first)
    made.stop = lambda: 15 * (made.progress.step >= 7)
    with pytest.raises(errors.Stopped):
        made.run()
    first.progress.total += 1
    assert again(first).progress.step == 0


def test_the_time_of_both_runs_counts(first):
    first.begin = time.monotonic() - 100
    made = again(first)
    made.stop = lambda: 15 * (made.progress.step >= 7)
    with pytest.raises(errors.Stopped):
        made.run()
    made.progress.seconds = 50
    made.save()
    again(first)
    assert 150 <= first.seconds < 160


def test_it_does_not_begin_where_the_time_budget_is_too_small_for_it(first):
    first.begin, first.progress.seconds = time.monotonic() - 40, 40
    for budget, complete in ((60, False), (600, True)):
        made = again(first, time_budget=float(budget))
        made.run()
        assert made.is_complete == complete and (made.progress.step > 0) == complete


def test_it_ends_when_the_time_is_up(first):
    first.begin, first.progress.seconds = time.monotonic() - 40, 1e-9
    made = again(first, time_budget=60.0)

    def late(what, progress):
        first.begin -= 30 * (progress.step == 7)

    made.watch = late
    made.run()
    assert made.progress.step == 7 and not made.is_complete


def test_the_first_run_has_less_than_half_of_the_time():
    assert refit.first(toy.OPTIONS) == toy.OPTIONS
    assert refit.first(dataclasses.replace(toy.OPTIONS, time_budget=100.0)).time_budget == pytest.approx(45)
