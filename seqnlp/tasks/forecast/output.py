"""Output: forecasts as rows of a table, as lines or as JSON; their errors, beside those of the baselines."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from seqnlp import errors
from seqnlp.metrics import forecasting
from seqnlp.preprocess.corpora import even
from seqnlp.preprocess.corpora.examples import Example
from seqnlp.tasks import outputs
from seqnlp.tasks.forecast import options, plot
from seqnlp.tasks.forecast.codec import Codec
from seqnlp.tasks.forecast.options import Config, Search
from seqnlp.tasks.forecast.prediction import Prediction

DIGITS = 7  # of a number that is written
NAMES = ("mase", "smape", "mae", "rmse")  # the first picks the weights


class Output(outputs.Output[Config, Search, Codec, Prediction]):
    """The values of each series, with their times and intervals."""

    formats = ("csv", "tsv", "jsonl", "text")
    usual_format = "csv"
    column = "value"

    def check(self, search: Search, form: str, config: Config | None = None) -> None:
        options.levels(search.intervals)
        plot.check(search.plot)

    def value(self, example: Example, prediction: Prediction, codec: Codec) -> dict[str, Any]:
        """Return times, values and the ends of the intervals."""
        own, (first, *_) = even.Series.from_dict(example.source), prediction.values
        times = [own.time(len(own.values) + step) for step in range(codec.horizon)]
        ends = {str(level): [_rounded(end[0]) for end in found] for level, found in prediction.bounds.items()}
        return {"time": times, "value": _rounded(first), "intervals": ends}

    def write(self, example: Example, prediction: Prediction | None, form: str, search: Search, codec: Codec) -> str:
        """Return the values of a series as a line."""
        return "" if prediction is None else " ".join(map(_written, _rounded(prediction.values[0])))

    def columns(self, given: Sequence[str] | None, search: Search) -> Sequence[str]:
        """Return the columns of the ends of the intervals; the level is in their names where there are several."""
        levels = options.levels(search.intervals)
        return [name + (f"_{level}" if len(levels) > 1 else "") for level in levels for name in ("lo", "hi")]

    def rows(self, example: Example, prediction: Prediction, search: Search, codec: Codec) -> list[dict[str, str]]:
        """Return a row for each step ahead: id, time, value and the ends of the intervals."""
        found, own = self.value(example, prediction, codec), even.Series.from_dict(example.source)
        ends = [[_written(number) for number in end] for pair in found["intervals"].values() for end in pair]
        names = self.columns(None, search)
        known = [{"id": own.id} if own.id else {}] * codec.horizon
        columns = zip(known, found["time"], found["value"], *ends, strict=True)
        return [
            {**key, "time": time, "value": _written(value), **dict(zip(names, rest, strict=True))}
            for key, time, value, *rest in columns
        ]

    def parse(self, written: Any, config: Config) -> tuple[float, ...] | None:
        """Return the values in what `write` or `value` gave."""
        values = written["value"] if isinstance(written, Mapping) else written.split()
        return tuple(map(float, values)) or None

    # Scoring

    def score(
        self, corpus: Sequence[Example], predictions: Sequence[Prediction], codec: Codec, *, intervals: bool = True
    ) -> outputs.Result:
        """Return MASE, sMAPE, MAE and RMSE of all values that were forecast; beside them the baselines'."""
        rows = np.concatenate([_sums(one, one.values) for one in predictions])
        if not len(rows):
            what = f"{corpus[0].file}: nothing to forecast: the model knows all of its values"
            raise errors.DataError(what, "rows that follow those of the training part are scored")
        origins = f"origins:{len(rows)}"
        details = [f"season:{codec.season}", f"horizon:{codec.horizon}", origins]
        scores = forecasting.score(rows, *details, names=NAMES, intervals=intervals)
        return outputs.Result(scores, _details(predictions) if intervals else {})

    def mistakes(
        self, corpus: Sequence[Example], predictions: Sequence[Prediction], codec: Codec
    ) -> list[dict[str, Any]]:
        """Return all series, those that were forecast worst first."""
        found = []
        for example, one in zip(corpus, predictions, strict=True):
            scores = _scores(_sums(one, one.values).sum(0))
            found.append(
                {"where": example.where, "series": example.source["id"], **scores, "origins": len(one.origins)}
            )
        return sorted(found, key=lambda row: -float(row.get("mase", row.get("mae", 0.0))))

    @contextlib.contextmanager
    def side_outputs(self, search: Search) -> Iterator[Callable[[Example, Prediction], None]]:
        """Give what draws the first series."""
        with plot.drawing(search.plot) as draw:
            yield draw


def _rounded(values: np.ndarray) -> list[float]:
    return [float(f"{value:.{DIGITS}g}") for value in values.tolist()]


def _written(value: float) -> str:
    return f"{value:.{DIGITS}g}" if abs(value) < 10**DIGITS else repr(value)


def _sums(one: Prediction, values: np.ndarray) -> np.ndarray:
    return forecasting.sums(one.gold, values, one.scale)


def _scores(sums: np.ndarray) -> dict[str, float]:
    """The scores of summed errors, as JSON has them."""
    names = NAMES if sums[forecasting.SCALED_VALUES] else NAMES[1:]
    return {name: round(float(forecasting.VALUES_OF[name](sums)), 6) for name in names}


def _details(predictions: Sequence[Prediction]) -> dict[str, Any]:
    """The method, the errors of all methods and of each step ahead, and what lies in the intervals."""
    first = predictions[0]
    methods = {
        name: _scores(np.sum([_sums(one, one.candidates[name][0]).sum(0) for one in predictions], axis=0))
        for name in first.candidates
    }
    horizon, steps = first.gold.shape[1], []
    for step in range(horizon):
        at = slice(step, step + 1)
        sums = [forecasting.sums(one.gold[:, at], one.values[:, at], one.scale).sum(0) for one in predictions]
        steps.append({"step": step + 1, **_scores(np.sum(sums, axis=0))})
    return {"method": first.method, "methods": methods, "steps": steps, "intervals": _coverage(predictions)}


def _coverage(predictions: Sequence[Prediction]) -> dict[str, Any]:
    """Of each level which share of the values lies in the intervals, in percent, and how wide they are."""
    found = {}
    for level in predictions[0].bounds:
        known = [~np.isnan(one.gold) for one in predictions]
        ends = [one.bounds[level] for one in predictions]
        held = [
            ((low <= one.gold) & (one.gold <= high))[there]
            for one, (low, high), there in zip(predictions, ends, known, strict=True)
        ]
        width = np.concatenate([(high - low)[there] for (low, high), there in zip(ends, known, strict=True)])
        found[str(level)] = {
            "coverage": round(100 * float(np.concatenate(held).mean()), 2),
            "width": round(float(width.mean()), 6),
        }
    return found
