"""Pictures of forecasts; matplotlib comes with the extra `plot`."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from seqnlp import errors
from seqnlp.io import atomic
from seqnlp.preprocess.corpora import even
from seqnlp.preprocess.corpora.examples import Example
from seqnlp.tasks.forecast.prediction import Prediction

KINDS = ("png", "svg", "pdf")
MOST = 6  # series in a picture


def check(path: str | None) -> None:
    """Raise `UsageError` where a picture cannot be drawn there."""
    if path is None:
        return
    if _kind(path) not in KINDS:
        raise errors.UsageError(f"--plot {path}: is named like no picture", f"its name ends in .{', .'.join(KINDS)}")
    atomic.check_writable(path)
    try:
        import matplotlib  # noqa: F401
    except ImportError:
        raise errors.UsageError("pictures need matplotlib", "pip install 'seqnlp[plot]'") from None


def _kind(path: str) -> str:
    return os.path.splitext(path)[1].lower().removeprefix(".")


@contextlib.contextmanager
def drawing(path: str | None) -> Iterator[Callable[[Example, Prediction], None]]:
    """Give what takes series in, the first of which are drawn when all have come."""
    taken: list[tuple[Example, Prediction]] = []

    def take(example: Example, prediction: Prediction) -> None:
        if path is not None and len(taken) < MOST:
            taken.append((example, prediction))

    yield take
    if path is not None and taken:
        _draw(path, taken)


def _draw(path: str, taken: list[tuple[Example, Prediction]]) -> None:
    from matplotlib import figure

    sheet = figure.Figure(figsize=(9, 0.8 + 2.2 * len(taken)), layout="constrained")
    for axes, (example, one) in zip(sheet.subplots(len(taken), squeeze=False)[:, 0], taken, strict=True):
        _series(axes, one)
        _times(axes, even.Series.from_dict(example.source), one)
        axes.set_title(example.source["id"] or example.file, fontsize=9)
    sheet.axes[0].legend(fontsize=8, loc="upper left")
    with atomic.atomic(path, "wb") as file:
        sheet.savefig(file, format=_kind(path))


def _series(axes: Any, one: Prediction) -> None:
    """History, what came, the forecasts from every origin one after the other, and their intervals."""
    history, horizon = one.history, one.values.shape[1]
    axes.plot(np.arange(-len(history), 0), history, color="0.3", linewidth=1, label="history")
    steps = (one.origins[:, None] - one.origins[0] + np.arange(horizon)).reshape(-1)
    known = ~np.isnan(one.gold.reshape(-1))
    if known.any():
        axes.plot(steps[known], one.gold.reshape(-1)[known], color="black", linewidth=1, label="test")
        steps = np.where(known, steps, np.nan)
    axes.plot(steps, one.values.reshape(-1), color="C0", linewidth=1.5, label="forecast")
    for level, (low, high) in sorted(one.bounds.items(), reverse=True):
        axes.fill_between(
            steps, low.reshape(-1), high.reshape(-1), color="C0", alpha=0.2, label=f"{level}%", linewidth=0
        )


def _times(axes: Any, own: even.Series, one: Prediction) -> None:
    """The times of the steps below them, where the series has times; own: ends with the last value that is known."""
    if own.axis is None:
        return
    known = np.flatnonzero(~np.isnan(one.gold[-1]))
    behind = one.origins[-1] - one.origins[0] + (known[-1] + 1 if len(known) else 0)  # values behind the first origin
    axes.locator_params(axis="x", integer=True)
    axes.xaxis.set_major_formatter(lambda step, _: own.time(len(own.values) - int(behind) + round(step)))
