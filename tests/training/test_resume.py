"""A run that was stopped and resumed is the run that was not, bit for bit."""

import itertools
from dataclasses import replace

import pytest
import torch
import toy

from seqnlp import errors
from seqnlp.training import checkpoint


@pytest.mark.parametrize("ema", [0.0, 0.9])
@pytest.mark.parametrize("step", [1, 5, 6, 11, 23])
def test_a_run_that_was_stopped_is_the_run_that_was_not(tmp_path, step, ema):
    options = replace(toy.OPTIONS, ema_decay=ema)
    whole = toy.trained(tmp_path / "whole", options)
    toy.stopped(tmp_path / "cut", step, options)
    resumed = toy.trained(tmp_path / "cut", options, network=toy.Toy(seed=99))
    toy.equal(toy.weights(resumed), toy.weights(whole))
    toy.equal(resumed.best, whole.best)
    assert resumed.progress.best_step == whole.progress.best_step


def test_a_run_may_be_stopped_often(tmp_path):
    options = replace(toy.OPTIONS, schedule="plateau", ema_decay=0.9)
    for step in (2, 3, 9, 17):
        toy.stopped(tmp_path / "cut", step, options)
    cut, whole = (toy.trained(tmp_path / name, options) for name in ("cut", "whole"))
    toy.equal(toy.weights(cut), toy.weights(whole))


def test_accumulation_is_resumed_too(tmp_path):
    options = replace(toy.OPTIONS, grad_accumulation=4)
    toy.stopped(tmp_path / "cut", 3, options)
    cut, whole = (toy.trained(tmp_path / name, options) for name in ("cut", "whole"))
    toy.equal(toy.weights(cut), toy.weights(whole))


def test_stopping_tells_the_step_and_how_to_go_on(tmp_path):
    _, error = toy.stopped(tmp_path, 7, signum=2)
    assert str(error) == "stopped after 7 steps; the same command goes on from here"
    assert error.code == 130


def test_going_on_is_told(tmp_path):
    toy.stopped(tmp_path, 7)
    events = []
    toy.make_trainer(tmp_path, watch=lambda what, progress: events.append((what, progress.step)))
    assert events == [("resume", 7)]


def test_history_goes_on_where_it_stopped(tmp_path):
    toy.stopped(tmp_path, 12)
    rows = toy.trained(tmp_path).progress.history
    assert [row["step"] for row in rows] == [5, 10, 15, 20, 24]


def test_a_run_at_its_end_has_nothing_to_do(tmp_path):
    first = toy.trained(tmp_path)
    again = toy.trained(tmp_path, network=toy.Toy(seed=99))
    toy.equal(toy.weights(again), toy.weights(first))
    assert again.progress.history == first.progress.history


def test_time_goes_on_counting(tmp_path):
    made, _ = toy.stopped(tmp_path, 7)
    assert toy.trained(tmp_path).progress.seconds > made.progress.seconds


@pytest.mark.parametrize("accumulate", [1, 4])
@pytest.mark.parametrize("kind", [toy.Toy, toy.Remembering])
def test_stopping_after_any_step_changes_nothing(tmp_path, kind, accumulate):
    options = replace(toy.OPTIONS, epochs=2, grad_accumulation=accumulate)
    whole = toy.trained(tmp_path / "whole", options, network=kind())
    for step in range(1, whole.progress.step):
        folder = tmp_path / str(step)
        toy.stopped(folder, step, options, network=kind())
        resumed = toy.trained(folder, options, network=kind(seed=99))
        toy.equal(toy.weights(resumed), toy.weights(whole))
        toy.equal(resumed.best, whole.best)


@pytest.mark.parametrize("kind", [toy.Toy, toy.Remembering])
def test_being_killed_after_any_step_changes_nothing(tmp_path, kind):
    """Nothing is saved at the end: the run goes on from its last checkpoint, of an evaluation some steps before."""
    options = replace(toy.OPTIONS, epochs=2)
    whole = toy.trained(tmp_path / "whole", options, network=kind())
    for last in range(1, whole.progress.step):

        def kill(what, progress, last=last):
            if what == "step" and progress.step == last:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            toy.trained(tmp_path / str(last), options, network=kind(), watch=kill)
        resumed = toy.trained(tmp_path / str(last), options, network=kind())
        toy.equal(toy.weights(resumed), toy.weights(whole))


@pytest.mark.parametrize("given_up", [0, 2, 4])
@pytest.mark.parametrize("ema", [0.0, 0.9])
def test_an_evaluation_that_is_given_up_is_made_when_the_run_goes_on(tmp_path, given_up, ema):
    options = replace(toy.OPTIONS, ema_decay=ema)
    whole = toy.trained(tmp_path / "whole", options)
    evaluate, asked = toy.accuracy(toy.Data()), [0]

    def stopped(network):
        if len(made.progress.history) == given_up:
            asked[0] = 2
            raise errors.Stopped(2, "in the middle of it")
        return evaluate(network)

    made = toy.make_trainer(tmp_path / "cut", options, evaluate=stopped, stop=lambda: asked[0])
    with pytest.raises(errors.Stopped, match="the same command goes on from here"):
        made.run()
    assert made.progress.step == [5, 10, 15, 20, 24][given_up]
    resumed = toy.trained(tmp_path / "cut", options, network=toy.Toy(seed=99))
    toy.equal(toy.weights(resumed), toy.weights(whole))
    toy.equal(resumed.best, whole.best)
    assert [{**row, "seconds": 0} for row in resumed.progress.history] == [
        {**row, "seconds": 0} for row in whole.progress.history
    ]


# what is carried from batch to batch


@pytest.mark.parametrize("accumulate", [1, 4])
def test_a_batch_begins_with_what_the_one_before_carried_and_an_epoch_with_nothing(tmp_path, accumulate):
    made = toy.trained(
        tmp_path, replace(toy.OPTIONS, epochs=2, grad_accumulation=accumulate), network=toy.Remembering()
    )
    for number, (before, after) in enumerate(itertools.pairwise([(None, None), *made.network.calls])):
        if number % 6 == 0:  # batches of an epoch
            assert after[0] is None
        else:
            assert torch.equal(after[0], before[1])
            assert not after[0].requires_grad


def test_what_is_carried_is_in_the_checkpoint(tmp_path):
    made, _ = toy.stopped(tmp_path, 7, network=toy.Remembering())
    groups, _ = checkpoint.load(checkpoint.newest(tmp_path / "checkpoint"))
    toy.equal(groups["carry"], made.steps.carry)


def test_a_network_without_a_state_carries_and_stores_nothing(tmp_path):
    made, _ = toy.stopped(tmp_path, 7)
    groups, _ = checkpoint.load(checkpoint.newest(tmp_path / "checkpoint"))
    assert made.steps.carry is None and "carry" not in groups
