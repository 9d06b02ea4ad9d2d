"""Options of forecast: what makes the model, what shapes a result."""

from __future__ import annotations

import re
from dataclasses import dataclass

from seqnlp import errors
from seqnlp.options import option
from seqnlp.preprocess.corpora import even
from seqnlp.tasks.network_options import CELLS

LOSSES = ("quantile", "mae", "mse")
MOST = 1_000_000  # steps of a horizon, a window or a season


@dataclass(frozen=True)
class Config:
    """What makes the model."""

    horizon: int | None = option(
        None,
        "Steps that are forecast; by default a season, or 1 where there is none.",
        group="Text",
        low=1,
        high=MOST,
        main=True,
    )
    window: int | None = option(
        None, "Steps that a forecast looks at; by default some seasons.", group="Text", low=1, high=MOST, main=True
    )
    season: int | None = option(
        None, "Steps of a season, 1 for none; by default by the frequency.", group="Text", low=1, high=MOST, main=True
    )
    frequency: str | None = option(
        None,
        "What a step is: hour, day, weekday, week, month, quarter, year, 30 minutes; by default the commonest step.",
        group="Text",
        metavar="STEP",
    )
    gaps: str = option(
        "refuse",
        "What becomes of missing values: linear interpolates, last repeats the last one, ignore takes rows as they "
        "stand, one after the other.",
        choices=even.GAPS,
        group="Text",
    )
    future: str | None = option(
        None,
        "Columns of numbers, separated by commas, that are known for the horizon too.",
        group="Text",
        metavar="NAMES",
        main=True,
    )
    static: str | None = option(
        None, "Columns, separated by commas, that say what kind a series is.", group="Text", metavar="NAMES", main=True
    )
    model: str = option(
        "auto",
        "auto takes a baseline (last value, seasonal naive, Theta) where it does better on dev.",
        choices=("auto", "network"),
        main=True,
    )
    subtract: str | None = option(
        None,
        "What a forecast is a change of: the last value, or that of a season ago; by default the latter where there "
        "are seasons.",
        choices=("last", "seasonal"),
    )
    loss: str = option("quantile", "What is learnt: the median and an interval, or a point.", choices=LOSSES)
    relative_to: str = option(
        "level",
        "What an error is measured by when it is learnt from: the size of a window's values, or how much they change.",
        choices=("level", "deviation"),
    )
    cell: str = option("gru", "Cell of the recurrent layers.", choices=CELLS)
    hidden_size: int = option(128, "Size of the network's state.", low=1, main=True)
    layers: int = option(1, "Recurrent layers.", low=1, high=8)
    segment: int | None = option(
        None, "Values that are read at once, a step of the network; by default a season.", low=1, high=10_000
    )
    dropout: float = option(0.1, "Dropout of the network's last state.", low=0.0, high=0.95)


@dataclass(frozen=True)
class Search:
    """What shapes a result."""

    intervals: str = option(
        "80",
        "Percentages, separated by commas, of values that shall lie in the intervals; none.",
        metavar="LEVELS",
        group="Intervals",
        main=True,
    )
    folds: int | None = option(
        None,
        "Origins of forecasts in each series of TEST, the last ones, a horizon apart; by default all.",
        group="Scoring",
        low=1,
        main=True,
    )
    plot: str | None = option(
        None, "Draw history, forecast and intervals of the first series: .png, .svg or .pdf.", metavar="FILE",
        group="Pictures", main=True,
    )  # fmt: skip


def names(listed: str | None) -> tuple[str, ...]:
    """Return the names in a list with commas."""
    return tuple(part.strip() for part in (listed or "").split(",") if part.strip())


def levels(listed: str) -> tuple[int, ...]:
    """Return the levels of intervals, in percent; raises `UsageError` where one is none."""
    if listed.strip() in ("", "none"):
        return ()
    parts = [part.strip() for part in listed.split(",")]
    if not all(re.fullmatch(r"[1-9]\d?", part) for part in parts) or len(set(parts)) < len(parts):
        raise errors.UsageError(f"--intervals {listed}: not percentages from 1 to 99", "for example --intervals 80,95")
    return tuple(sorted(map(int, parts)))
