"""Pictures of what a model looked at; matplotlib comes with the extra `plot`."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from seqnlp import errors, textio

CELL = 0.32  # inches


def check() -> None:
    """Raise `UsageError` where matplotlib is not installed."""
    try:
        import matplotlib  # noqa: F401
    except ImportError:
        raise errors.UsageError("pictures need matplotlib", "pip install 'seqnlp[plot]'") from None


def attention(path: Path, parts: Sequence[np.ndarray], source: Sequence[str], target: Sequence[str]) -> None:
    """Write a heat map as PNG: a column for each piece of the source, a row for each of the target.

    parts: the weights (T, S) of each part of the source, one after the other.
    """
    from matplotlib import figure

    weights = np.zeros((len(target), len(source)))
    row = column = 0
    for part in parts:
        weights[row : row + part.shape[0], column : column + part.shape[1]] = part
        row, column = row + part.shape[0], column + part.shape[1]
    sheet = figure.Figure(figsize=(2 + CELL * len(source), 1.5 + CELL * len(target)))
    axes = sheet.add_subplot()
    axes.imshow(weights, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    axes.set_xticks(range(len(source)), list(map(_plain, source)), rotation=90)
    axes.set_yticks(range(len(target)), list(map(_plain, target)))
    axes.xaxis.tick_top()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the font lacks letters of many languages: they are drawn as boxes
        with textio.atomic(path, "wb") as file:
            sheet.savefig(file, format="png", bbox_inches="tight")


def _plain(piece: str) -> str:
    """A piece as it is, not as mathematics."""
    return piece.replace("$", r"\$")
