"""Scripts: which one a text is written in, as Unicode's blocks have it."""

from __future__ import annotations

import bisect
import collections
import functools

# The first character of a range, and the script of its letters; "" for what belongs to none, or is rare.
_RANGES = (
    ("\u0000", "Latin"),
    ("\u0370", "Greek"),
    ("\u0400", "Cyrillic"),
    ("\u0530", "Armenian"),
    ("\u0590", "Hebrew"),
    ("\u0600", "Arabic"),
    ("\u0780", ""),
    ("\u0900", "Devanagari"),
    ("\u0980", "Bengali"),
    ("\u0a00", ""),
    ("\u0b80", "Tamil"),
    ("\u0c00", ""),
    ("\u0e00", "Thai"),
    ("\u0e80", ""),
    ("\u10a0", "Georgian"),
    ("\u1100", "Hangul"),
    ("\u1200", "Ethiopic"),
    ("\u1400", ""),
    ("\u1e00", "Latin"),
    ("\u1f00", "Greek"),
    ("\u2000", ""),
    ("\u3040", "Kana"),
    ("\u3100", ""),
    ("\u3400", "Han"),
    ("\ua000", ""),
    ("\uac00", "Hangul"),
    ("\ud7b0", ""),
    ("\uf900", "Han"),
    ("\ufb00", "Latin"),
    ("\ufb10", ""),
)
_STARTS = [start for start, _ in _RANGES]


@functools.lru_cache(1 << 16)
def of_letter(letter: str) -> str:
    """Return the script of a letter, "" where it has none that is known."""
    return _RANGES[bisect.bisect_right(_STARTS, letter) - 1][1] if letter.isalpha() else ""


def of_text(text: str) -> str:
    """Return the script of most letters of a text, "" where there are none; Japanese, which mixes, counts as Kana."""
    if text.isascii():
        return "Latin" if any(map(str.isalpha, text)) else ""
    counts = collections.Counter[str]()
    for letter, number in collections.Counter(text).items():
        counts[of_letter(letter)] += number
    del counts[""]
    if counts["Kana"] and counts["Kana"] + counts["Han"] > sum(counts.values()) / 2:
        return "Kana"
    return counts.most_common(1)[0][0] if counts else ""
