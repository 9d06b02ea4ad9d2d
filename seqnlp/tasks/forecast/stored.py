"""What a model folder says of its series, checked before it is used: types, sizes, times that can be written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from seqnlp.preprocess.corpora import times
from seqnlp.tasks.forecast.options import Config

SAME = ("horizon", "window", "season")  # as in config.json
KINDS = {"lengths": np.int64, "starts": np.int64, "totals": np.int64}  # of arrays; all others are float64
NAMES = ("values", "future", "lengths", "starts", "scales", "totals")


def check(about: Mapping[str, Any], arrays: Mapping[str, np.ndarray], config: Config) -> None:
    """Raise `ValueError`, or what a value of another kind raises, unless the files and the config fit together."""
    if [about[name] for name in SAME] != [getattr(config, name) for name in SAME]:
        raise ValueError("the horizon, the window or the season is another one")
    ids, static, columns = about["ids"], about["static"], about["columns"]
    _check_texts([about["column"]], ids, *static)
    if len(set(ids)) < len(ids):
        raise ValueError("a series comes twice")
    for name, *numbers in columns["future"]:
        _check_column(name, numbers)
    for name, kinds, *numbers in columns["static"]:
        _check_column(name, numbers)
        _check_texts(kinds)
    _check_arrays(arrays, len(ids), 1 + len(columns["future"]))
    if about["axis"] is not None:
        _check_axis(times.Axis(**about["axis"]), arrays["starts"].tolist())


def _check_texts(*lists: Any) -> None:
    for values in lists:
        if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
            raise ValueError("a name is no text")


def _check_column(name: Any, numbers: Any) -> None:
    _check_texts([name])
    mean, deviation = map(float, numbers)
    if not (np.isfinite(mean) and np.isfinite(deviation) and deviation > 0):
        raise ValueError(f"the column {name!r} has no mean and deviation")


def _check_arrays(arrays: Mapping[str, np.ndarray], series: int, columns: int) -> None:
    for name in NAMES:
        if arrays[name].dtype != KINDS.get(name, np.float64):
            raise ValueError(f"{name} is {arrays[name].dtype}")
    lengths = arrays["lengths"]
    if lengths.shape != (series, columns) or any(arrays[name].shape != (series,) for name in NAMES[3:]):
        raise ValueError("the numbers of series differ")
    sums = {"values": sum(lengths[:, 0].tolist()), "future": sum(lengths[:, 1:].reshape(-1).tolist())}
    if not series or lengths.min() < 0 or any(arrays[name].shape != (size,) for name, size in sums.items()):
        raise ValueError("the numbers of values differ")
    if not (np.isfinite(arrays["values"]).all() and np.isfinite(arrays["future"]).all()):
        raise ValueError("a value is not finite")


def _check_axis(axis: times.Axis, starts: list[int]) -> None:
    _check_texts([axis.form, axis.sample, axis.unit])
    units = {"number", *(unit for unit, _, _ in times.UNITS.values())}
    if axis.unit not in units or axis.form not in times.FORMS or not times.FORMS[axis.form].fullmatch(axis.sample):
        raise ValueError("the times are of no known form")
    if type(axis.step) is not int or type(axis.offset) is not int or axis.step < 1:
        raise ValueError("a step is no whole number")
    for start in (min(starts), max(starts)):
        axis.text(start)
