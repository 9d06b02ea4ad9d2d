"""The codec: a series to its values, behind what training has seen of it, and where the forecasts begin."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from seqnlp import errors
from seqnlp.io import atomic, jsonl
from seqnlp.metrics import forecasting
from seqnlp.preprocess.corpora import even, times
from seqnlp.preprocess.corpora.examples import Example
from seqnlp.tasks import base
from seqnlp.tasks.forecast import covariates, stored
from seqnlp.tasks.forecast.covariates import Future, Static
from seqnlp.tasks.forecast.options import Config

ABOUT, KNOWN = "series.json", "series.safetensors"
KEPT = 5000  # values of a series that are remembered, a window at least


@dataclass(frozen=True)
class Remembered:
    """The end of a series of the training part: what a forecast goes on from.

    scale: the naive error of all its values, which MASE divides by; length: how many they were.
    """

    series: even.Series
    scale: float
    length: int


@dataclass(frozen=True)
class Codec(base.Codec):
    """The series of the training part by id, and how further columns become features."""

    horizon: int
    window: int
    season: int
    axis: times.Axis | None
    known: Mapping[str, Remembered]
    future: Future
    static: Static
    folds: int | None = None

    def encode(self, example: Example, *, fitted: bool = False) -> base.Row:
        """Return a row: values, how many of them are history, features of the steps and of the series."""
        own = even.Series.from_dict(example.source)
        known = self.known.get(own.id)
        if example.target:
            whole, split = replace(own, values=np.concatenate([own.values, example.target])), len(own.values)
        elif fitted:
            whole, split = own, len(own.values)
        else:
            whole, split = self._placed(own, known, example)
        scale = (
            known.scale if known and not example.target else forecasting.naive_error(whole.values[:split], self.season)
        )
        if example.target is None:
            self.future.check_ahead(whole, self.horizon, example.where)
        return {
            "values": whole.values,
            "split": split,
            "scale": scale,
            "future": self.future.features(whole, example.where),
            "static": self.static.features(whole.static),
            "lengths": [len(whole.values)],
        }

    def _placed(self, own: even.Series, known: Remembered | None, example: Example) -> tuple[even.Series, int]:
        """A series behind what is remembered of it, and where that ends; one that is new begins with its history."""
        before = None if known is None else self._before(own, known, example)
        if known is None or before is None:
            return own, min(self.window, len(own.values))
        tail = known.series
        overlap = len(tail.values) - before  # of the own values lie in what is remembered, or before it
        kept = max(before, 0)
        values = np.concatenate([tail.values[:kept], own.values])
        future = [np.concatenate([old[:kept], new]) for old, new in zip(tail.future, own.future, strict=True)]
        start = tail.start if before > 0 else own.start
        return replace(own, values=values, start=start, future=future, static=own.static or tail.static), max(
            before, 0
        ) + overlap

    def _before(self, own: even.Series, known: Remembered, example: Example) -> int | None:
        """How many of the remembered values stand before the first own one; None where they are not to be joined."""
        tail = known.series
        if own.axis is None or self.axis is None:
            if example.target is None:  # a history by itself
                return None
            same = len(own.values) == known.length and np.array_equal(own.values[-len(tail.values) :], tail.values)
            return len(tail.values) - (len(own.values) if same else 0)
        if (own.axis.unit, own.axis.step) != (self.axis.unit, self.axis.step) and len(own.values) > 1:
            what = f"{example.where}: its steps are of another frequency than the model's"
            raise errors.DataError(what, "--frequency says what a step is")
        before = (own.start - tail.start) // self.axis.step
        if before <= len(tail.values):
            return before
        if len(own.values) > self.window:
            return None
        what = f"{example.where}: begins at {own.time(0)}, {before - len(tail.values)} steps after what the model knows"
        raise errors.DataError(f"{what}: {tail.time(len(tail.values) - 1)}", "give the rows between too, in order")

    def features(self) -> dict[str, Any]:
        """Return the Arrow types of a row."""
        import pyarrow

        return {
            "values": pyarrow.list_(pyarrow.float64()),
            "split": pyarrow.int64(),
            "scale": pyarrow.float64(),
            "future": pyarrow.list_(pyarrow.float32()),
            "static": pyarrow.list_(pyarrow.float32()),
            "lengths": pyarrow.list_(pyarrow.int64()),
        }

    def series(self) -> list[even.Series]:
        """Return the series that are remembered, in the order of the training part."""
        return [one.series for one in self.known.values()]

    def save(self, folder: Path) -> list[str]:
        """Write what is known of the series, and their values; return the files' names."""
        import safetensors.numpy

        every = self.series()
        about = {
            "horizon": self.horizon,
            "window": self.window,
            "season": self.season,
            "axis": None if self.axis is None else asdict(self.axis),
            "column": every[0].column if every else "id",
            "ids": [one.id for one in every],
            "static": [list(one.static) for one in every],
            "columns": {"future": self.future.to_list(), "static": self.static.to_list()},
        }
        arrays = {
            "values": _flat(one.values for one in every),
            "future": _flat(column for one in every for column in one.future),
            "lengths": np.array([[len(one.values), *map(len, one.future)] for one in every], np.int64),
            "starts": np.array([one.start for one in every], np.int64),
            "scales": np.array([one.scale for one in self.known.values()], np.float64),
            "totals": np.array([one.length for one in self.known.values()], np.int64),
        }
        jsonl.write_json(folder / ABOUT, about)
        with atomic.atomic(folder / KNOWN, "wb") as file:
            file.write(safetensors.numpy.save(arrays))
        return [ABOUT, KNOWN]

    @classmethod
    def load(cls, folder: Path, config: Config) -> Codec:
        """Return the codec of a model folder."""
        import safetensors.numpy

        about, arrays = jsonl.read_json(folder / ABOUT), safetensors.numpy.load_file(folder / KNOWN)
        stored.check(about, arrays, config)
        axis = None if about["axis"] is None else times.Axis(**about["axis"])
        lengths = arrays["lengths"]
        values = np.split(arrays["values"], np.cumsum(lengths[:, 0])[:-1])
        future = np.split(arrays["future"], np.cumsum(lengths[:, 1:].reshape(-1))[:-1])
        width, known = lengths.shape[1] - 1, {}
        for number, (name, static) in enumerate(zip(about["ids"], about["static"], strict=True)):
            columns = list(future[number * width : (number + 1) * width])
            one = even.Series(
                name, values[number], int(arrays["starts"][number]), axis, columns, static, about["column"]
            )
            known[name] = Remembered(one, float(arrays["scales"][number]), int(arrays["totals"][number]))
        columns = about["columns"]
        made = covariates.Future.of_list(columns["future"]), covariates.Static.of_list(columns["static"])
        return cls(about["horizon"], about["window"], about["season"], axis, known, *made)


def _flat(parts: Iterable[np.ndarray]) -> np.ndarray:
    arrays = [np.asarray(part, np.float64) for part in parts]
    return np.concatenate(arrays) if arrays else np.zeros(0)
