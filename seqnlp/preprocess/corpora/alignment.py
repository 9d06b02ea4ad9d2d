"""Alignment: where two files that belong together line by line come apart."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np


def shifted(left: Iterable[str], right: Iterable[str]) -> int | None:
    """Return the line from which on two files do not seem to belong together any more, None if there is none.

    Lengths of lines that belong together go along with each other (Gale & Church 1993). So where lines are missing from
    the shorter file, those after them go along with later ones of the longer.
    """
    sizes = (np.log1p([len(line) for line in side]) for side in (left, right))
    short, long = sorted(sizes, key=len)
    if not len(short):
        return None
    missing = len(long) - len(short)
    offsets = {*range(1, min(missing, NEAR) + 1), missing}
    return min(filter(None, (_turn(long, short, offset) for offset in offsets)), default=None)


def _turn(long: np.ndarray, short: np.ndarray, offset: int) -> int | None:
    """Return the line from which on `short` goes along with what is `offset` lines further on in `long`.

    Of each line we know how far the ratio of lengths is from the usual one, as it stands and moved. The place is where
    it is best to go over to the moved ones; it must save more than chance would at the best of so many places.
    """
    usual = np.median(long[: len(short)] - short)
    still, moved = (np.abs(long[begin : begin + len(short)] - short - usual) for begin in (0, offset))
    sums = np.concatenate([[0.0], np.cumsum(still - moved)])
    place = int(sums.argmin())
    saved = (sums[-1] - sums[place]) / max(np.minimum(still, moved).mean(), MIN_NOISE)
    return place + 1 if saved > SURE + 2 * math.log(len(short)) else None


NEAR = 5  # lines that may be missing one after the other, or all that are
SURE, MIN_NOISE = 4.0, 0.05  # in units of what lines that belong together differ by, in logarithms; its minimum
