"""The training loop over a toy network: it learns, and a run that was stopped is the run that was not."""

import math
import os
import platform
import types
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from seqnlp import errors
from seqnlp.nn import loss
from seqnlp.options import Training
from seqnlp.preprocess.batching import buckets
from seqnlp.training import checkpoint, optimizer, trainer

ROWS, WORDS, CLASSES = 36, 11, 3
OPTIONS = Training(
    seed=5, epochs=4, batch_size=6, max_tokens=100, learning_rate=0.05, warmup_steps=2, precision="fp32", eval_every=5
)


class Batch(tuple):
    def to(self, device):
        return Batch(part.to(device) for part in self)


class Toy(nn.Module):
    """Looks up two words and says which class; with dropout, so that random numbers matter."""

    def __init__(self, seed=0, dropout=0.3):
        super().__init__()
        torch.manual_seed(seed)
        self.words = nn.EmbeddingBag(WORDS, 5, mode="mean", sparse=True)
        self.dropout = nn.Dropout(dropout)
        self.output = nn.Linear(5, CLASSES)

    def logits(self, words):
        return self.output(self.dropout(self.words(words)))

    def forward(self, batch):
        words, targets = batch
        return loss.cross_entropy(self.logits(words), targets)


class Data:
    """Rows whose class is that of their first word; `parts` cuts every batch into so many."""

    def __init__(self, size=6, parts=1):
        generator = np.random.default_rng(0)
        self.words = torch.from_numpy(generator.integers([0, WORDS // 2], [WORDS // 2, WORDS], (ROWS, 2)))
        self.targets = self.words[:, 0] % CLASSES
        self.size, self.parts = size, parts

    def epoch(self, number):
        order = np.random.default_rng((5, number)).permutation(ROWS).reshape(-1, self.size)
        return [part for batch in order for part in np.array_split(batch, self.parts)]

    def load(self, batch):
        return Batch((self.words[batch], self.targets[batch]))


def accuracy(data):
    def evaluate(network):
        with torch.inference_mode():
            right = (network.logits(data.words).argmax(1) == data.targets).float().mean()
        return trainer.Evaluation(100 * float(right), {"accuracy": 100 * float(right)})

    return evaluate


def make_trainer(folder, options=OPTIONS, *, network=None, data=None, **rest):
    data = data or Data()
    rest = {"evaluate": accuracy(data), "watch": lambda *_: None, "stop": lambda: 0, **rest}
    return trainer.Trainer(
        network or Toy(), data, options=options, folder=folder / "checkpoint", device=torch.device("cpu"), **rest
    )


def trained(folder, options=OPTIONS, **rest):
    made = make_trainer(folder, options, **rest)
    made.run()
    return made


def weights(made):
    return {name: parameter.detach() for name, parameter in made.network.named_parameters()}


def scripted(*values):
    """An evaluation that gives these values one after the other, then the last one."""
    left = list(values)

    def evaluate(network):
        value = left.pop(0) if len(left) > 1 else left[0]
        return trainer.Evaluation(value, {"accuracy": value})

    return evaluate


def equal(first, second):
    assert first.keys() == second.keys()
    for name in first:
        assert torch.equal(first[name], second[name]), name


# learning


def test_it_learns(tmp_path):
    assert trained(tmp_path, replace(OPTIONS, epochs=25)).progress.best > 95


def test_it_takes_all_its_steps(tmp_path):
    progress = trained(tmp_path).progress
    assert (progress.step, progress.total) == (24, 24)


def test_it_is_evaluated_when_due_and_at_the_end(tmp_path):
    rows = trained(tmp_path).progress.history
    assert [row["step"] for row in rows] == [5, 10, 15, 20, 24]
    assert rows[-1]["epoch"] == 4


def test_by_default_it_is_evaluated_once_an_epoch(tmp_path):
    rows = trained(tmp_path, replace(OPTIONS, eval_every=None)).progress.history
    assert [row["epoch"] for row in rows] == [1, 2, 3, 4]


def test_the_best_weights_are_kept(tmp_path):
    seen = []

    def evaluate(network):
        seen.append({name: parameter.detach().clone() for name, parameter in network.named_parameters()})
        return trainer.Evaluation([10.0, 30.0, 20.0, 25.0, 5.0][len(seen) - 1], {})

    made = trained(tmp_path, evaluate=evaluate)
    assert (made.progress.best, made.progress.best_step) == (30.0, 10)
    assert [row["best"] for row in made.progress.history] == [True, True, False, False, False]
    equal(made.best, seen[1])


def test_where_less_is_better_the_weights_of_the_lowest_value_are_kept(tmp_path):
    left = [30.0, 10.0, 20.0, 10.0, 12.0]

    def evaluate(network):
        return trainer.Evaluation(left.pop(0), {}, higher_is_better=False)

    made = trained(tmp_path, replace(OPTIONS, schedule="plateau"), evaluate=evaluate)
    assert (made.progress.best, made.progress.best_step) == (10.0, 20)  # of equals the later
    assert [row["best"] for row in made.progress.history] == [True, True, False, True, False]
    assert made.progress.scale == 0.25 and made.progress.stale == 3


def test_the_network_is_evaluated_without_dropout_and_trained_with_it(tmp_path):
    modes = []

    class Watched(Toy):
        def forward(self, batch):
            modes.append(self.training)
            return super().forward(batch)

    def evaluate(network):
        assert not network.training
        return trainer.Evaluation(0.0, {})

    trained(tmp_path, network=Watched(), evaluate=evaluate)
    assert len(modes) == 24
    assert all(modes)


def test_it_tells_what_happens(tmp_path):
    events = []
    trained(tmp_path, replace(OPTIONS, epochs=1), watch=lambda what, progress: events.append((what, progress.step)))
    assert events == [
        ("start", 0),
        *[("step", step) for step in (1, 2, 3, 4, 5)],
        ("evaluation", 5),
        ("step", 6),
        ("evaluation", 6),
    ]


def test_the_same_seed_gives_the_same_weights(tmp_path):
    equal(weights(trained(tmp_path / "1")), weights(trained(tmp_path / "2")))


def test_another_seed_gives_other_weights(tmp_path):
    one, other = (weights(trained(tmp_path / str(seed), replace(OPTIONS, seed=seed))) for seed in (1, 2))
    assert not torch.equal(one["output.weight"], other["output.weight"])


def test_every_step_draws_other_random_numbers_and_the_same_ones_in_every_run(tmp_path):
    drawn = []

    class Drawing(Toy):
        def forward(self, batch):
            drawn.append(float(torch.rand(1)))
            return super().forward(batch)

    for run in ("1", "2"):
        trained(tmp_path / run, network=Drawing())
    assert drawn[:24] == drawn[24:]
    assert len(set(drawn)) == 24


@pytest.mark.parametrize("parts", [2, 3])
def test_accumulated_parts_of_a_batch_make_the_step_of_the_whole(tmp_path, parts):
    whole = trained(tmp_path / "1", network=Toy(dropout=0))
    options = replace(OPTIONS, grad_accumulation=parts)
    cut = trained(tmp_path / "2", options, network=Toy(dropout=0), data=Data(parts=parts))
    assert cut.progress.step == whole.progress.step
    torch.testing.assert_close(weights(cut), weights(whole), atol=1e-6, rtol=0)


def test_uneven_parts_count_by_their_rows(tmp_path):
    whole = trained(tmp_path / "1", network=Toy(dropout=0))
    options = replace(OPTIONS, grad_accumulation=4)
    cut = trained(tmp_path / "2", options, network=Toy(dropout=0), data=Data(parts=4))  # 2, 2, 1 and 1 rows
    torch.testing.assert_close(weights(cut), weights(whole), atol=1e-6, rtol=0)


def test_the_last_step_of_an_epoch_may_have_fewer_batches(tmp_path):
    made = trained(tmp_path, replace(OPTIONS, grad_accumulation=4))  # of six batches
    assert (made.per_epoch, made.progress.step) == (2, 8)


# stopping and going on


def stopped(folder, step, options=OPTIONS, signum=15):
    made = make_trainer(folder, options)
    made.stop = lambda: signum if made.progress.step >= step else 0
    with pytest.raises(errors.Stopped) as error:
        made.run()
    return made, error.value


@pytest.mark.parametrize("ema", [0.0, 0.9])
@pytest.mark.parametrize("step", [1, 5, 6, 11, 23])
def test_a_run_that_was_stopped_is_the_run_that_was_not(tmp_path, step, ema):
    options = replace(OPTIONS, ema_decay=ema)
    whole = trained(tmp_path / "whole", options)
    stopped(tmp_path / "cut", step, options)
    resumed = trained(tmp_path / "cut", options, network=Toy(seed=99))
    equal(weights(resumed), weights(whole))
    equal(resumed.best, whole.best)
    assert resumed.progress.best_step == whole.progress.best_step


def test_a_run_may_be_stopped_often(tmp_path):
    options = replace(OPTIONS, schedule="plateau", ema_decay=0.9)
    for step in (2, 3, 9, 17):
        stopped(tmp_path / "cut", step, options)
    equal(weights(trained(tmp_path / "cut", options)), weights(trained(tmp_path / "whole", options)))


def test_accumulation_is_resumed_too(tmp_path):
    options = replace(OPTIONS, grad_accumulation=4)
    stopped(tmp_path / "cut", 3, options)
    equal(weights(trained(tmp_path / "cut", options)), weights(trained(tmp_path / "whole", options)))


def test_stopping_tells_the_step_and_how_to_go_on(tmp_path):
    _, error = stopped(tmp_path, 7, signum=2)
    assert str(error) == "stopped after 7 steps; the same command goes on from here"
    assert error.code == 130


def test_going_on_is_told(tmp_path):
    stopped(tmp_path, 7)
    events = []
    make_trainer(tmp_path, watch=lambda what, progress: events.append((what, progress.step)))
    assert events == [("resume", 7)]


def test_history_goes_on_where_it_stopped(tmp_path):
    stopped(tmp_path, 12)
    rows = trained(tmp_path).progress.history
    assert [row["step"] for row in rows] == [5, 10, 15, 20, 24]


def test_a_run_at_its_end_has_nothing_to_do(tmp_path):
    first = trained(tmp_path)
    again = trained(tmp_path, network=Toy(seed=99))
    equal(weights(again), weights(first))
    assert again.progress.history == first.progress.history


def test_time_goes_on_counting(tmp_path):
    made, _ = stopped(tmp_path, 7)
    assert trained(tmp_path).progress.seconds > made.progress.seconds


# the learning rate


@pytest.fixture
def rates(monkeypatch):
    """The learning rates of the steps."""
    found = []
    step = optimizer.Optimizer.step

    def spy(self, number, rate):
        found.append(rate)
        step(self, number, rate)

    monkeypatch.setattr(optimizer.Optimizer, "step", spy)
    return found


def scheduled(folder, schedule, **rest):
    options = replace(OPTIONS, schedule=schedule, warmup_steps=4, learning_rate=1e-3, **rest)
    trained(folder, options, evaluate=scripted(50.0, 40.0, 60.0, 55.0, 50.0))


@pytest.mark.parametrize("schedule", ["linear", "cosine", "step", "plateau", "constant"])
def test_the_rate_rises_in_the_warm_up(tmp_path, rates, schedule):
    scheduled(tmp_path, schedule)
    assert rates[:4] == pytest.approx([0.25e-3, 0.5e-3, 0.75e-3, 1e-3])


def test_linear_falls_in_equal_steps_to_just_above_zero(tmp_path, rates):
    scheduled(tmp_path, "linear")
    assert rates[4:] == pytest.approx([1e-3 * left / 21 for left in range(20, 0, -1)])


def test_cosine_falls_along_half_a_wave(tmp_path, rates):
    scheduled(tmp_path, "cosine")
    assert rates[4:] == pytest.approx([1e-3 * (1 + math.cos(math.pi * n / 21)) / 2 for n in range(1, 21)])


def test_step_falls_to_a_tenth_twice(tmp_path, rates):
    scheduled(tmp_path, "step")
    assert rates[4:] == pytest.approx([1e-3] * 6 + [1e-4] * 7 + [1e-5] * 7)


def test_plateau_halves_after_every_evaluation_that_is_no_better(tmp_path, rates):
    scheduled(tmp_path, "plateau")
    assert rates[4:] == pytest.approx([1e-3] * 6 + [0.5e-3] * 10 + [0.25e-3] * 4)


def test_constant_stays(tmp_path, rates):
    scheduled(tmp_path, "constant")
    assert set(rates[4:]) == {1e-3}


def test_a_short_run_is_not_all_warm_up(tmp_path, rates):
    trained(tmp_path, replace(OPTIONS, warmup_steps=1000, learning_rate=1e-3))
    assert rates[:5] == pytest.approx([0.25e-3, 0.5e-3, 0.75e-3, 1e-3, 1e-3 * 20 / 21])


def test_without_warm_up_the_first_step_is_at_the_peak(tmp_path, rates):
    trained(tmp_path, replace(OPTIONS, warmup_steps=0, schedule="constant", learning_rate=1e-3))
    assert set(rates) == {1e-3}


# early stopping


def test_patience_counts_evaluations_that_are_no_better(tmp_path):
    options = replace(OPTIONS, eval_every=2, patience=3)
    made = trained(tmp_path, options, evaluate=scripted(10.0, 30.0, 20.0, 30.0, 29.0, 99.0))
    assert made.progress.step == 10
    assert made.progress.best == 30.0


def test_patience_begins_anew_after_a_better_one(tmp_path):
    options = replace(OPTIONS, eval_every=2, patience=2)
    made = trained(tmp_path, options, evaluate=scripted(10.0, 5.0, 11.0, 5.0, 12.0, 5.0, 4.0, 99.0))
    assert made.progress.step == 14


def test_no_patience_goes_on_to_the_end(tmp_path):
    assert trained(tmp_path, evaluate=scripted(10.0, 5.0)).progress.step == 24


def test_a_run_that_patience_ended_is_at_its_end(tmp_path):
    options = replace(OPTIONS, eval_every=2, patience=1)
    trained(tmp_path, options, evaluate=scripted(10.0, 5.0))
    assert trained(tmp_path, options, evaluate=scripted(99.0)).progress.step == 4


# divergence


class Diverging(Toy):
    """Gives a loss that is no number at one step."""

    def __init__(self, step, value=math.nan):
        super().__init__()
        self.left, self.value = step, value

    def forward(self, batch):
        found = super().forward(batch)
        self.left -= 1
        return found if self.left else found._replace(sum=found.sum * self.value)


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_loss_that_is_no_number_ends_the_run_with_its_step(tmp_path, value):
    with pytest.raises(errors.SeqnlpError) as error:
        trained(tmp_path, network=Diverging(8, value))
    assert error.value.message == "the loss is no longer finite at step 8; the best weights (step 5) are kept"
    assert "a lower --learning-rate" in error.value.hint
    assert error.value.code == 1


def test_the_weights_before_the_divergence_are_kept(tmp_path):
    made = make_trainer(tmp_path, network=Diverging(8))
    with pytest.raises(errors.SeqnlpError):
        made.run()
    groups, state = checkpoint.load(checkpoint.newest(tmp_path / "checkpoint"))
    assert state["step"] == 5
    assert all(tensor.isfinite().all() for tensor in groups["best"].values())
    assert all(tensor.isfinite().all() for tensor in weights(made).values())


def test_a_divergence_before_the_first_evaluation(tmp_path):
    with pytest.raises(errors.SeqnlpError, match="no longer finite at step 2; nothing was learnt yet"):
        trained(tmp_path, network=Diverging(2))


# time


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
    clock, data = Clock(monkeypatch), Data()
    evaluate = clock.slow(evaluation, accuracy(data))
    monkeypatch.setattr(data, "load", clock.slow(step, data.load))
    options = replace(OPTIONS, **{"epochs": None, "time_budget": 60.0, "eval_every": 50, **changes})
    return clock, make_trainer(folder, options, data=data, evaluate=evaluate, spent=7.0)


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
    assert 1 <= progress.step == progress.total <= trainer.PROBE
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
    made.stop = lambda: 15 if made.progress.step >= trainer.PROBE - 1 else 0
    with pytest.raises(errors.Stopped):
        made.run()
    _, again = budgeted(tmp_path, monkeypatch)
    assert again.run().total > 300


def test_a_budget_s_run_learns(tmp_path):
    options = replace(OPTIONS, epochs=None, time_budget=1.0, eval_every=50)
    progress = trained(tmp_path, options).progress
    assert progress.step == progress.total > trainer.PROBE
    assert progress.best > 90


# options


def resolved(tokens=10**7, columns=1, **given):
    lengths = np.full((max(tokens // 10, 1), columns), 10)
    return trainer.resolved(replace(OPTIONS, **given), lengths, epochs=7, device=torch.device("cpu"))


@pytest.mark.parametrize(
    ("given", "chosen"),
    [({"epochs": None}, 7), ({"epochs": 3}, 3), ({"epochs": None, "time_budget": 9.0}, None)],
)
def test_the_task_s_epochs_count_where_nothing_is_said(given, chosen):
    assert resolved(**given).epochs == chosen


def test_little_data_is_gone_through_more_often():
    assert resolved(tokens=1000, epochs=None).epochs > resolved(tokens=5000, epochs=None).epochs > 7


def test_a_batch_grows_with_the_data_between_bounds():
    sizes = [resolved(tokens=tokens, max_tokens=None).max_tokens for tokens in (10, 10**4, 10**5, 5 * 10**5, 10**7)]
    assert sizes == sorted(sizes)
    assert sizes[0] == sizes[1] == buckets.SMALLEST
    assert sizes[-1] == buckets.LARGEST[1]


def test_of_a_pair_the_longer_side_counts():
    one, two = (resolved(tokens=10**4, columns=columns, epochs=None, max_tokens=None) for columns in (1, 2))
    assert one == two


def test_what_was_asked_for_is_not_changed():
    assert resolved(tokens=10, max_tokens=77).max_tokens == 77


def test_the_precision_is_resolved():
    assert resolved(precision="auto").precision in ("fp32", "bf16")


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc can be asked to")
def test_what_was_freed_between_what_is_held_goes_back_to_the_system():
    def resident():
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE")

    blocks = [bytearray(60_000) for _ in range(3000)]
    held = blocks[::50]
    before = resident()
    del blocks
    trainer.tidy()
    assert before - resident() > 100_000_000
    assert len(held) == 60
