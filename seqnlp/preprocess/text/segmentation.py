"""Segmentation: a text that is too long becomes parts that fit, cut at the ends of its sentences where possible."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

Sizes = Callable[[Sequence[str]], Sequence[int]]

CLOSING = r"""["'”’»)\]」』）】]"""  # may stand between a full stop and the end of the sentence
PLACES = (
    re.compile(rf"(?:(?<=[.!?…])|(?<=[.!?…]{CLOSING}))(?=\s)|(?<=[。！？])(?!{CLOSING})|(?<=[。！？]{CLOSING})"),
    re.compile(r"(?<=\S)(?=\s)"),
    re.compile(""),
)  # where a text may be cut, best first: after a sentence, before a blank, anywhere


def parts(text: str, sizes: Sizes, limit: int) -> Iterator[str]:
    """Yield the parts of a text, which put together are that text: each as many sentences as come to at most `limit`.

    A sentence that is too long is cut at its blanks, a word that is too long anywhere, but no character is cut. sizes:
    of several texts; those of a part's pieces are added up. Blanks around a part count for nothing.
    """
    return _parts(text, sizes, limit, PLACES)


def _parts(text: str, sizes: Sizes, limit: int, places: Sequence[re.Pattern[str]]) -> Iterator[str]:
    """Yield the parts, cut at the first kind of places, and where that is not enough at the others."""
    units = [unit for unit in places[0].split(text) if unit]
    filled = [unit if unit.strip() else "" for unit in units]
    gathered, held = "", 0
    for unit, alone, inside in zip(units, sizes([unit.strip() for unit in filled]), sizes(filled), strict=True):
        if held and held + inside > limit:
            yield gathered
            gathered, held = "", 0
        size = inside if held else alone
        if size > limit and len(places) > 1:
            yield from _parts(gathered + unit, sizes, limit, places[1:])
            gathered = ""
        else:
            gathered, held = gathered + unit, held + size
    if gathered:
        yield gathered
