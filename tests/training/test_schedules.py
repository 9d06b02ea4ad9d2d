"""The learning rate: it rises in the warm-up, then falls as the schedule says."""

import math
from dataclasses import replace

import pytest
import toy

from seqnlp import options
from seqnlp.training import optimizer, schedules


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
    options = replace(toy.OPTIONS, schedule=schedule, warmup_steps=4, learning_rate=1e-3, **rest)
    toy.trained(folder, options, evaluate=toy.scripted(50.0, 40.0, 60.0, 55.0, 50.0))


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
    toy.trained(tmp_path, replace(toy.OPTIONS, warmup_steps=1000, learning_rate=1e-3))
    assert rates[:5] == pytest.approx([0.25e-3, 0.5e-3, 0.75e-3, 1e-3, 1e-3 * 20 / 21])


def test_without_warm_up_the_first_step_is_at_the_peak(tmp_path, rates):
    toy.trained(tmp_path, replace(toy.OPTIONS, warmup_steps=0, schedule="constant", learning_rate=1e-3))
    assert set(rates) == {1e-3}


def test_the_option_offers_the_table_s_schedules():
    assert set(options.SCHEDULES) == set(schedules.SCHEDULES)


@pytest.mark.parametrize("name", schedules.SCHEDULES)
@pytest.mark.parametrize("total", [1, 3, 7, 50, None])
@pytest.mark.parametrize("warmup", [0, 1, 5, 1000])
def test_every_rate_is_above_zero_and_at_most_the_peak(name, total, warmup):
    for step in range(1, (total or 20) + 1):
        assert 0 < schedules.rate(name, step, total=total, warmup=warmup, max_steps=60, scale=0.5) <= 1


def test_while_the_total_is_not_known_the_rate_stays_at_the_peak_after_the_warm_up():
    rates = [schedules.rate("linear", step, total=None, warmup=2, max_steps=100) for step in (1, 2, 3, 50)]
    assert rates == [0.5, 1, 1, 1]
