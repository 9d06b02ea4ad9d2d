"""Covariates: further columns as features: of each step those that are known ahead, of a series what holds for it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from seqnlp import errors
from seqnlp.preprocess.corpora import even, series

MAX_KINDS = 1000  # different values of a static column


@dataclass(frozen=True)
class Future:
    """The columns that are known ahead: name, mean and deviation of each in the training part."""

    columns: Sequence[tuple[str, float, float]] = ()

    @classmethod
    def fit(cls, names: Sequence[str], sums: np.ndarray) -> Future:
        """Return what standardises columns; sums: (F, 3), of each the number of values, their sum, that of squares."""
        number = np.maximum(sums[:, 0], 1)
        means = sums[:, 1] / number
        deviations = np.sqrt(np.maximum(sums[:, 2] / number - means**2, 0))
        rows = zip(names, means.tolist(), np.where(deviations > 0, deviations, 1.0).tolist(), strict=True)
        return cls(tuple(rows))

    def features(self, one: even.Series, where: str) -> list[float]:
        """Return the columns of a series, standardised, step by step: as many steps as all are known for."""
        if not self.columns:
            return []
        if len(one.future) != len(self.columns):
            names = ", ".join(name for name, _, _ in self.columns)
            raise errors.DataError(
                f"{where}: the model needs the columns {names}", "they are known ahead: see --future"
            )
        steps = min(map(len, one.future))
        rows = [(part[:steps] - mean) / std for part, (_, mean, std) in zip(one.future, self.columns, strict=True)]
        return np.stack(rows, axis=1).reshape(-1).tolist()

    def check_ahead(self, one: even.Series, horizon: int, where: str) -> None:
        """Raise `DataError` where a column is not known for all steps that are to be forecast."""
        for (name, _, _), values in zip(self.columns, one.future, strict=False):
            ahead = len(values) - len(one.values)
            if ahead < horizon:
                which = f"series {one.id!r}: " if one.id else ""
                what = f"{where}: {which}{name} is known for {max(ahead, 0)} of the {horizon} steps to forecast"
                raise errors.DataError(what, "rows with a time and no value say it, in FILE or in the training part")

    def to_list(self) -> list[list[Any]]:
        """Return what `of_list` reads."""
        return [list(column) for column in self.columns]

    @classmethod
    def of_list(cls, content: Iterable[Sequence[Any]]) -> Future:
        """Return the columns that `to_list` gave."""
        return cls(tuple((str(name), float(mean), float(deviation)) for name, mean, deviation in content))


@dataclass(frozen=True)
class Static:
    """The columns that hold for a whole series: name and values of each, of which one more stands for all others.

    A column of numbers has no values but its mean and deviation.
    """

    columns: Sequence[tuple[str, Sequence[str], float, float]] = ()

    @classmethod
    def fit(cls, names: Sequence[str], rows: Sequence[Sequence[str]]) -> Static:
        """Return what makes features of columns, from the rows of all series."""
        return cls(tuple(_column(name, [row[place] for row in rows]) for place, name in enumerate(names)))

    @property
    def size(self) -> int:
        """Return how many features a series has."""
        return sum(len(kinds) or 1 for _, kinds, _, _ in self.columns)

    def features(self, values: Sequence[str]) -> list[float]:
        """Return the features of a series: zeros for what training never saw, or where nothing is given."""
        found: list[float] = []
        for place, (_, kinds, mean, deviation) in enumerate(self.columns):
            value = values[place] if place < len(values) else ""
            if kinds:
                found += [float(kind == value) for kind in kinds]
            else:
                found.append((_number(value, mean) - mean) / deviation)
        return found

    def to_list(self) -> list[list[Any]]:
        """Return what `of_list` reads."""
        return [[name, list(kinds), mean, deviation] for name, kinds, mean, deviation in self.columns]

    @classmethod
    def of_list(cls, content: Iterable[Sequence[Any]]) -> Static:
        """Return the columns that `to_list` gave."""
        return cls(tuple((str(name), tuple(kinds), float(mean), float(std)) for name, kinds, mean, std in content))


def _column(name: str, values: Sequence[str]) -> tuple[str, Sequence[str], float, float]:
    try:
        numbers = np.array(values, dtype=np.float64)
        if not (np.abs(numbers) <= series.LARGEST).all():
            raise ValueError
        return name, (), float(numbers.mean()), float(numbers.std()) or 1.0
    except ValueError:
        kinds = tuple(dict.fromkeys(values))
        if len(kinds) > MAX_KINDS:
            hint = "a static column says what kind a series is"
            raise errors.DataError(f"the column {name!r} has {len(kinds)} different values", hint) from None
        return name, kinds, 0.0, 1.0


def _number(value: str, default: float) -> float:
    try:
        number = float(value)
    except ValueError:
        return default
    return number if abs(number) <= series.LARGEST else default
