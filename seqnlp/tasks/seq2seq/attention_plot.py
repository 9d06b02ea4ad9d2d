"""Pictures of what a model looked at; matplotlib comes with the extra `plot`."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from seqnlp import errors
from seqnlp.io import atomic
from seqnlp.tasks.seq2seq.prediction import Prediction

CELL, MAX_PIECES = 0.32, 300  # inches; pieces that are shown


def folder(name: str) -> Path:
    """Return the folder for pictures, made; raises `UsageError` where it cannot be, or matplotlib is not installed."""
    check()
    try:
        Path(name).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise errors.UsageError(f"{name}: cannot be created ({error.strerror})", "give a folder for pictures") from None
    return Path(name)


def of_prediction(folder: Path, line: int, prediction: Prediction) -> None:
    """Draw what an output looked at, in a file named by the line of its source."""
    best = prediction.best
    attention(folder / f"{line:06d}.png", best.attention, prediction.source, best.subwords)


def check() -> None:
    """Raise `UsageError` where matplotlib is not installed."""
    try:
        import matplotlib  # noqa: F401
    except ImportError:
        raise errors.UsageError("pictures need matplotlib", "pip install 'seqnlp[plot]'") from None


def attention(path: Path, parts: Sequence[np.ndarray], source: Sequence[str], target: Sequence[str]) -> None:
    """Write a heat map as PNG: a column for each piece of the source, a row for each of the target, at most 300.

    parts: the weights (T, S) of each part of the source, one after the other.
    """
    from matplotlib import figure

    source, target = source[:MAX_PIECES], target[:MAX_PIECES]
    weights = _joined(parts, max(len(target), 1), len(source))
    sheet = figure.Figure(figsize=(2 + CELL * len(source), 1.5 + CELL * len(target)))
    axes = sheet.add_subplot()
    axes.imshow(weights, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    axes.set_xticks(range(len(source)), list(map(_plain, source)), rotation=90)
    axes.set_yticks(range(len(target)), list(map(_plain, target)))
    axes.xaxis.tick_top()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the font lacks letters of many languages: they are drawn as boxes
        with atomic.atomic(path, "wb") as file:
            sheet.savefig(file, format="png", bbox_inches="tight")


def _joined(parts: Sequence[np.ndarray], rows: int, columns: int) -> np.ndarray:
    """The weights of the parts, each below and to the right of the one before, as far as there are rows and columns."""
    whole = np.zeros((rows, columns))
    row = column = 0
    for part in parts:
        place = whole[row : row + part.shape[0], column : column + part.shape[1]]
        place[:] = part[: place.shape[0], : place.shape[1]]
        row, column = row + part.shape[0], column + part.shape[1]
    return whole


def _plain(piece: str) -> str:
    """A piece as it is, not as mathematics."""
    return piece.replace("$", r"\$")
