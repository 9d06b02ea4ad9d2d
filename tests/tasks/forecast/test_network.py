"""The network sees the past alone, in units of the past alone; a planted future is not found."""

import dataclasses

import numpy as np
import pytest
import torch

from seqnlp.preprocess.corpora import arrow, even
from seqnlp.preprocess.corpora.examples import Example
from seqnlp.tasks.forecast import fitting, network, rolling
from seqnlp.tasks.forecast.options import Config
from seqnlp.tasks.forecast.task import TASK

CONFIG = Config(horizon=3, window=9, season=3, hidden_size=5, dropout=0.0)


def series(count=3, length=60, seed=1):
    draw = np.random.default_rng(seed)
    return [(f"s{n}", (np.cumsum(draw.normal(size=length)) + 50).tolist()) for n in range(count)]


def prepared(rows, held=12, config=CONFIG):
    """Codec, network and rows of series whose last values are held out."""
    parts = [
        Example(even.Series(name, values[:-held]).to_dict(), tuple(values[-held:]), None, "f.csv", 1)
        for name, values in rows
    ]
    config, codec = fitting.fit(parts, config, {})
    config = fitting.resolved(config)
    torch.manual_seed(1)
    encoded = arrow.in_memory([codec.encode(part) for part in parts], codec.features())
    return config, codec, TASK.build(config, codec).eval(), encoded


def plant(rows, last=12):
    """The same series with another future."""
    return [(name, [*values[:-last], *[1e6 * (n + 1) for n in range(last)]]) for name, values in rows]


def forecasts(codec, made, rows):
    with torch.no_grad():
        return rolling.predictions([made], codec, rows, [80], torch.device("cpu"), lambda share: None)


def test_the_first_forecasts_are_the_same_whatever_comes_after():
    plain, planted = (forecasts(*prepared(rows)[1:]) for rows in (series(), plant(series())))
    for one, other in zip(plain, planted, strict=True):
        assert one.scale == other.scale
        np.testing.assert_array_equal(one.history, other.history)
        for name, (values, spread) in one.candidates.items():
            np.testing.assert_array_equal(values[0], other.candidates[name][0][0], err_msg=name)
            np.testing.assert_array_equal(spread[0], other.candidates[name][1][0], err_msg=name)
            assert not (values[1:] == other.candidates[name][0][1:]).all() or name == "network"


def test_training_sees_nothing_that_is_held_out():
    batches = []
    for rows in (series(), plant(series())):
        config, codec, _, encoded = prepared(rows)
        data = TASK.batches(encoded, config, codec, TASK.training, None)
        batches.append([data.load(batch) for batch in data.epoch(0)])
    for one, other in zip(*batches, strict=True):
        for field in dataclasses.fields(one):
            torch.testing.assert_close(getattr(one, field.name), getattr(other, field.name), rtol=0, atol=0)


@pytest.mark.parametrize("subtract", ["last", "seasonal"])
def test_series_of_any_size_and_place_are_alike(subtract):
    """What comes out moves with a window: by 7 + 3 x, forecasts become 7 + 3 times what they were."""
    *_, made, _ = prepared(series(), config=dataclasses.replace(CONFIG, subtract=subtract))
    past = torch.randn(4, 9, dtype=torch.float64)
    empty = torch.zeros(4, 12, 0), torch.zeros(4, 0)
    with torch.no_grad():
        one, other = (made.forecast(network.Batch(part, past[:, :3], *empty)) for part in (past, 7 + 3 * past))
    torch.testing.assert_close(other, 7 + 3 * one, rtol=1e-5, atol=1e-5)


def test_a_constant_series_stays_as_it_is_and_teaches_nothing():
    *_, made, _ = prepared(series())
    past = torch.full((2, 9), 41.5, dtype=torch.float64)
    batch = network.Batch(past, past[:, :3] + 1, torch.zeros(2, 12, 0), torch.zeros(2, 0))
    with torch.no_grad():
        assert (made.forecast(batch) == 41.5).all()
        found = made(batch)
    assert found.sum == 0 and found.weight == 0


@pytest.mark.parametrize(("kind", "levels"), [("quantile", network.QUANTILES), ("mae", (0.5,)), ("mse", (None,))])
def test_the_losses_are_least_where_they_should_be(kind, levels):
    """Over many values: a constant forecast is best at their quantile, or at their mean."""
    torch.manual_seed(1)
    values, grid = torch.distributions.Exponential(1.0).sample((5000,)), torch.linspace(0, 4, 401)
    for place, level in enumerate(levels):
        rest = torch.zeros(401, 5000, len(levels))
        rest[:, :, place] = values - grid[:, None]
        best = grid[network._errors(rest, kind).mean(1).argmin()]
        assert abs(best - (values.mean() if level is None else values.quantile(level))) < 0.03


def test_a_short_history_is_filled_from_its_beginning():
    np.testing.assert_array_equal(rolling.window(np.array([4.0, 5.0]), 2, 5), [4, 4, 4, 4, 5])
    np.testing.assert_array_equal(rolling.window(np.arange(9.0), 7, 3), [4, 5, 6])


@pytest.mark.parametrize(
    ("split", "length", "folds", "expected"),
    [(5, 14, None, [5, 8, 11]), (5, 12, None, [5, 8, 11]), (5, 14, 1, [11]), (5, 5, None, []), (0, 4, None, [1])],
)
def test_origins(split, length, folds, expected):
    assert rolling.origins(split, length, 3, folds).tolist() == expected
