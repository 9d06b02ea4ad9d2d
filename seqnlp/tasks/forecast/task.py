"""The task forecast: the values that follow those of a series."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from seqnlp import options
from seqnlp.checks import base as checking
from seqnlp.preprocess.batching import buckets, padding, stream, windows
from seqnlp.preprocess.corpora import even, examples, formats, schema, seen, series
from seqnlp.preprocess.corpora.examples import Example
from seqnlp.tasks import base
from seqnlp.tasks.forecast import fitting, reading
from seqnlp.tasks.forecast import options as options_of_forecast
from seqnlp.tasks.forecast.codec import Codec
from seqnlp.tasks.forecast.options import Config, Search
from seqnlp.tasks.forecast.output import Output
from seqnlp.tasks.forecast.prediction import Prediction
from seqnlp.training import data

if TYPE_CHECKING:
    import torch
    from torch import nn

    from seqnlp.preprocess.corpora import arrow
    from seqnlp.tasks.forecast import network as forecaster


STEPS = 20  # of an epoch at least: an evaluation takes longer than the step of a short series


class Forecast(base.Task[Config, Search, Codec, Prediction]):
    """Forecast series."""

    name = "forecast"
    roles = series.ROLES
    answers = "numbers"
    training = options.Training(learning_rate=3e-3, ema_decay=0.99)
    min_epochs = 5
    preview_columns = ("values",)
    independent = False
    pipeline_tag = "time-series-forecasting"
    ending = "csv"
    output = Output()
    remembers = True

    @property
    def input_roles(self) -> tuple[str, ...]:
        return self.roles

    def labelled(self, record: formats.Record, config: Config) -> Example:
        return replace(reading.history(record), target=())

    def example(self, record: formats.Record, search: Search) -> Example:
        return reading.history(record)

    def read(self, source: schema.Source, config: Config) -> Iterator[Example]:
        """Yield the series of a corpus, each of whose rows has one value."""
        return reading.corpus(source, config)

    def read_inputs(self, source: schema.Source, config: Config, search: Search) -> Iterable[Example]:
        return reading.inputs(source, config)

    def remembered(self, codec: Codec) -> Iterable[Example]:
        """Yield the series of the training part, to forecast what follows them."""
        for number, one in enumerate(codec.series(), 1):
            yield Example(one.to_dict(), None, {one.column: one.id} if one.id else {}, "the training part", number)

    def split(
        self, corpus: examples.Examples, config: Config, seed: int, before: seen.Seen | None = None
    ) -> tuple[examples.Examples, examples.Examples]:
        return reading.split(corpus, config)

    def recognises(self, corpus: Sequence[Example]) -> bool:
        return all(len(even.Series.from_dict(example.source).values) >= fitting.LEAST for example in corpus)

    def checks(self, config: Config) -> list[checking.Check]:
        """Return nothing: what is wrong with series is told when they are read."""
        return []

    def fit(self, corpus: examples.Examples, config: Config, given: Mapping[str, Any]) -> tuple[Config, Codec]:
        return fitting.fit(corpus, config, given)

    def resolve(self, config: Config, codec: Codec) -> Config:
        return fitting.resolved(config)

    def configured(self, codec: Codec, search: Search) -> Codec:
        return replace(codec, folds=search.folds)

    def batches(
        self,
        rows: arrow.Rows,
        config: Config,
        codec: Codec,
        training: options.Training,
        plan: buckets.Plan | None,
    ) -> data.Batches:
        """Return windows of all series, none of which sees what is held out."""
        data.refuse_plan(plan, "series are read in windows")
        lengths = rows.lengths[:, 0]
        splits = np.concatenate([chunk.to_numpy() for chunk in rows.table.column("split").chunks])
        spans, _ = windows.spans(lengths, splits, codec.window)
        policy = windows.Windows(spans, codec.window, codec.horizon, training.batch_size, training.seed)
        passes = -(-STEPS * training.batch_size // policy.items)
        return data.Batches(replace(policy, passes=max(passes, 1)), _Loader(policy, rows, lengths, codec))

    def collate(self, columns: base.Columns, widths: padding.Edge, codec: Codec) -> forecaster.Batch:
        """Return the last windows of series."""
        from seqnlp.tasks.forecast import rolling

        rows = [dict(zip(columns, cells, strict=True)) for cells in zip(*columns.values(), strict=True)]
        return rolling.batch_of([(row, len(row["values"])) for row in rows], codec)

    def build(self, config: Config, codec: Codec) -> nn.Module:
        from seqnlp.tasks.forecast import network as forecaster

        return forecaster.Forecaster(config, len(codec.future.columns), codec.static.size)

    def predict(
        self,
        networks: Sequence[nn.Module],
        codec: Codec,
        batch: forecaster.Batch,
        columns: base.Columns,
        search: Search,
    ) -> list[Prediction]:
        from seqnlp.tasks.forecast import rolling

        rows = [dict(zip(columns, cells, strict=True)) for cells in zip(*columns.values(), strict=True)]
        levels = options_of_forecast.levels(search.intervals)
        return rolling.at_the_end(cast("list[forecaster.Forecaster]", networks), codec, batch, rows, levels)

    def predict_corpus(
        self,
        networks: Sequence[nn.Module],
        codec: Codec,
        rows: data.Rows,
        search: Search,
        device: torch.device,
        watch: Callable[[float], None],
    ) -> list[Prediction] | None:
        """Return the forecasts from rolling origins."""
        from seqnlp.tasks.forecast import rolling

        levels = options_of_forecast.levels(search.intervals)
        return rolling.predictions(cast("list[forecaster.Forecaster]", networks), codec, rows, levels, device, watch)

    def calibrate(
        self, network: nn.Module, codec: Codec, corpus: Sequence[Example], predictions: Sequence[Prediction]
    ) -> Sequence[Prediction]:
        """Choose the network or a baseline, and fit the intervals."""
        import torch

        from seqnlp.tasks.forecast import baselines, prediction

        made = cast("forecaster.Forecaster", network)
        method, table = prediction.calibrated(predictions, made, auto=made.config.model == "auto")
        made.method.fill_(baselines.METHODS.index(method))
        made.errors.copy_(torch.from_numpy(table))
        levels = options_of_forecast.levels(Search().intervals)
        return [prediction.chosen(one, method, made.errors.double().cpu().numpy(), levels) for one in predictions]


class _Loader:
    """The way from a batch of windows to tensors."""

    def __init__(self, policy: windows.Windows, rows: arrow.Rows, lengths: np.ndarray, codec: Codec) -> None:
        self.policy, self.codec, self.begins = policy, codec, np.cumsum(lengths) - lengths
        self.values = stream.Concatenation(rows.parts("values"))
        self.width = len(codec.future.columns)
        self.future = stream.Concatenation(rows.parts("future"))
        steps = np.array([len(cells) for part in rows.table.column("future").chunks for cells in part], np.int64)
        self.starts = np.cumsum(steps) - steps
        self.static = np.concatenate([*rows.parts("static"), np.zeros(0, np.float32)]).reshape(len(lengths), -1)

    def __call__(self, numbers: np.ndarray) -> forecaster.Batch:
        import torch

        from seqnlp.tasks.forecast import network as forecaster

        batch = self.policy.windows(numbers)
        size, steps = self.codec.window, self.codec.window + self.codec.horizon
        found = batch.read(self.values, self.begins, steps)
        places = (self.starts[batch.series] + batch.starts * self.width)[:, None] + np.arange(steps * self.width)
        future = self.future.take(places).reshape(len(found), steps, self.width).astype(np.float32)
        arrays = found[:, :size], found[:, size:], future, self.static[batch.series]
        return forecaster.Batch(*(torch.from_numpy(np.ascontiguousarray(array)) for array in arrays))


TASK = Forecast()
