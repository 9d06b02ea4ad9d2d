"""Fitting: what is remembered of each series, and what the corpus says of horizon, window and season."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from seqnlp import errors
from seqnlp.metrics import forecasting
from seqnlp.preprocess.corpora import even, examples, times
from seqnlp.tasks.forecast import options, reading
from seqnlp.tasks.forecast.codec import KEPT, Codec, Remembered
from seqnlp.tasks.forecast.covariates import Future, Static
from seqnlp.tasks.forecast.options import Config

log = logging.getLogger(__name__)

DAYS = 7  # days that a window of hours or minutes has by default
LEAST = 10  # steps of a window


def fit(corpus: examples.Examples, config: Config, given: Mapping[str, Any]) -> tuple[Config, Codec]:
    """Return the config and the codec; see `Task.fit`.

    What is held out is remembered too, since a forecast goes on from it; nothing is fitted to it.
    """
    names = options.names(config.future)
    sums, lengths, axis = np.zeros((len(names), 3)), [], None
    ends: list[Remembered] = []
    first = None
    for example in corpus:
        own = even.Series.from_dict(example.source)
        if first is None:
            first, axis = example, own.axis
        lengths.append(len(own.values))
        for place, column in enumerate(own.future):
            part = column[: len(own.values)]
            sums[place] += [len(part), part.sum(), (part**2).sum()]
        held = example.target or ()
        end = _end(own, held, max(KEPT, config.window or 0))
        ends.append(Remembered(end, _scale(own, held, config), len(own.values) + len(held)))
    if first is None:
        raise errors.DataError("the training part is empty: no series")
    known = {one.series.id: one for one in ends}
    if "codec" in given:
        return config, replace(given["codec"], known=known)
    config = _resolved(config, axis, lengths)
    assert config.horizon and config.window and config.season
    _check(config, lengths, first.where)
    static = Static.fit(options.names(config.static), [one.series.static for one in ends])
    made = Codec(config.horizon, config.window, config.season, axis, known, Future.fit(names, sums), static)
    return config, made


def _end(own: even.Series, held: Sequence[float], kept: int) -> even.Series:
    """What is remembered of a series: its last values, and the further columns as far ahead as they are known."""
    values = np.concatenate([own.values, held])
    left = max(len(values) - kept, 0)
    future = [column[left:] for column in own.future]
    return replace(own, values=values[left:], start=own.tick(left) if own.axis else 0, future=future)


def _scale(own: even.Series, held: Sequence[float], config: Config) -> float:
    return forecasting.naive_error(np.concatenate([own.values, held]), reading.season_of(config, own.axis))


def _resolved(config: Config, axis: times.Axis | None, lengths: list[int]) -> Config:
    """The config with horizon, window, season and frequency."""
    season, horizon = reading.season_of(config, axis), reading.horizon_of(config, axis)
    room = max((int(np.median(lengths)) - horizon) // 2, 1)
    window = config.window or min(_usual_window(season, horizon, axis), room)
    if not config.window and window > season:
        window -= window % season
    frequency = config.frequency or (axis.frequency if axis else None)
    return replace(config, horizon=horizon, window=window, season=season, frequency=frequency)


def resolved(config: Config) -> Config:
    """Return a fitted config with what is subtracted, and the segments; raises `UsageError` where they do not fit."""
    window, season = config.window or 1, config.season or 1
    subtract = config.subtract or ("seasonal" if 1 < season <= window else "last")
    segment = config.segment or (season if 1 < season <= window and window % season == 0 else 1)
    if window % segment:
        raise errors.UsageError(f"--segment {segment} does not divide --window {window}")
    if subtract == "seasonal" and season > window:
        raise errors.UsageError(f"--subtract seasonal needs a --window of a season, {season}, at least")
    return replace(config, subtract=subtract, segment=segment)


def _usual_window(season: int, horizon: int, axis: times.Axis | None) -> int:
    """Return a week where a season is a day, else three seasons; two horizons at least."""
    unit = (axis.frequency or "").split(" ")[-1] if axis else ""
    seasons = DAYS if unit in times.LARGER else 3
    return max(seasons * season, 2 * horizon, LEAST)


def _check(config: Config, lengths: list[int], where: str) -> None:
    """Say how many series are too short to be learnt from; raises `DataError` where all are."""
    assert config.window and config.horizon
    least = config.window + config.horizon
    short = sum(length < least for length in lengths)
    if short == len(lengths):
        what = f"{where}: no series has the values of a window, {config.window}, and a horizon, {config.horizon}"
        raise errors.DataError(f"{what}: the longest has {max(lengths)}", "a smaller --window or --horizon")
    if short:
        log.warning(
            "%d of %d series are shorter than a window and a horizon, %d values: not learnt from",
            short,
            len(lengths),
            least,
        )
