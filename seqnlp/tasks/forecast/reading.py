"""Reading: series as examples, and the end of each as the dev part."""

from __future__ import annotations

import array
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from seqnlp import errors
from seqnlp.preprocess.corpora import even, examples, formats, schema, series, times
from seqnlp.preprocess.corpora.examples import Example
from seqnlp.tasks.forecast import options
from seqnlp.tasks.forecast.options import Config

DEV, SHORT = 10, 500  # one in so many values is for dev, a horizon at least; two of a series that is shorter


def corpus(source: schema.Source, config: Config) -> Iterator[Example]:
    """Yield the series of a corpus; what is held out of each is nothing yet."""
    return (replace(example, target=()) for example in inputs(source, config))


def inputs(source: schema.Source, config: Config) -> Iterator[Example]:
    """Yield the series whose next values are to be forecast."""
    if config.frequency and not times.FREQUENCY.fullmatch(config.frequency):
        units = ", ".join(times.UNITS)
        raise errors.UsageError(f"--frequency {config.frequency}: not a step", f"one of {units}, or as 30 minutes")
    known = even.Known(config.frequency, config.gaps, options.names(config.future), options.names(config.static))
    for one, rows in series.read(source, known):
        if len(one.values) or any(map(len, one.future)):
            yield Example(one.to_dict(), None, rows.key, rows.file, rows.lines[0])


def history(record: formats.Record) -> Example:
    """Return the example of one input: a list of numbers, or a text with blanks or commas between them."""
    given = record.values[series.ROLES[0]]
    if isinstance(given, str):
        values = series.of_text(given, record.where)
    elif isinstance(given, Sequence) and not isinstance(given, bytes | bytearray):
        values = [series.number_of(value, record.where) for value in given]
    else:
        values = [series.number_of(given, record.where)]
    if any(value != value for value in values):
        raise errors.DataError(f"{record.where}: a value is missing", "fill it before")
    source = even.Series("", np.array(values)).to_dict() if values else ""
    return Example(source, None, given if isinstance(given, str) else {"value": given}, record.file, record.line)


def season_of(config: Config, axis: times.Axis | None) -> int:
    """Return the steps of a season, 1 for none."""
    return config.season or times.season(config.frequency or (axis.frequency if axis else None))


def horizon_of(config: Config, axis: times.Axis | None) -> int:
    """Return the steps that are forecast."""
    return config.horizon or season_of(config, axis)


def split(whole: examples.Examples, config: Config) -> tuple[examples.Examples, examples.Examples]:
    """Return train and dev: the last values of each series are held out: a tenth, or a fifth, in whole horizons.

    Train has the series that are too short for that too. Raises `DataError` where all are.
    """

    def parts() -> Iterator[Example]:
        return (_held_out(example, config) for example in whole)

    size = sum(bool(example.target) for example in parts())
    if not size:
        first = next(iter(whole))
        own = even.Series.from_dict(first.source)
        horizon = horizon_of(config, own.axis)
        what = f"{first.where}: {len(own.values)} values are too few to hold out a dev part of {horizon}"
        raise errors.DataError(what, "a smaller --horizon or --window, or --dev with the values that follow")
    return examples.Examples(parts, len(whole)), examples.Examples(lambda: filter(_is_dev, parts()), size)


def _is_dev(example: Example) -> bool:
    return bool(example.target)


def _held_out(example: Example, config: Config) -> Example:
    """The example with its last values as the target, none where too few would be left."""
    own = even.Series.from_dict(example.source)
    values, axis = own.values, own.axis
    horizon = horizon_of(config, axis)
    wanted = (2 if len(values) < SHORT else 1) * len(values) // DEV
    held = max(horizon, wanted // horizon * horizon)
    least = (config.window or max(season_of(config, axis), horizon)) + horizon
    if len(values) - held < least:
        return example
    kept = replace(own, values=values[:-held])
    return replace(example, source=kept.to_dict(), target=array.array("d", values[-held:].tobytes()))
