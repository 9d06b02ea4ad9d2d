"""Kinds of values: a time, a number, a count; and what help says of their bounds."""

from __future__ import annotations

import math
import re
from typing import Any

import click


class Duration(click.types.FloatParamType):
    """A time as 90s, 10m, 1.5h, or a number of seconds."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return seconds."""
        match = re.fullmatch(r"(\d+(?:\.\d+)?)([smh]?)", str(value))
        if match is None or float(match[1]) == 0:
            self.fail(f"{value!r} is not a time; hint: for example 90s, 10m, 1.5h", param, ctx)
        return float(match[1]) * {"": 1, "s": 1, "m": 60, "h": 3600}[match[2]]


class Count(click.IntRange):
    """A whole number."""

    name = "whole number"


class Number(click.FloatRange):
    """A finite number."""

    name = "number"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return the number, within the range."""
        number: float = super().convert(value, param, ctx)
        if not math.isfinite(number):
            self.fail(f"{value!r} is not a finite number", param, ctx)
        return number


def bounds(kind: click.ParamType[Any]) -> str | None:
    """Return the bounds of a range in words, None where there are none."""
    if not isinstance(kind, click.IntRange | click.FloatRange) or kind.min is kind.max is None:
        return None
    if kind.max is None:
        return f"{'above' if kind.min_open else 'at least'} {kind.min:g}"
    if kind.min is None:
        return f"{'below' if kind.max_open else 'at most'} {kind.max:g}"
    return f"{kind.min:g} to {'below ' if kind.max_open else ''}{kind.max:.10g}"
