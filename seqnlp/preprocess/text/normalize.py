"""Normalisation as named steps; they are saved inside tokenizer.json, so that predict does what train did."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tokenizers import Regex, normalizers

from seqnlp import errors

STEPS: dict[str, Callable[[], normalizers.Normalizer]] = {
    "nfc": normalizers.NFC,
    "nfkc": normalizers.NFKC,
    "lower": normalizers.Lowercase,
    "accents": lambda: normalizers.Sequence([normalizers.NFD(), normalizers.StripAccents(), normalizers.NFC()]),
    "digits": lambda: normalizers.Replace(Regex(r"\p{Nd}"), "0"),
    "space": lambda: normalizers.Sequence([normalizers.Replace(Regex(r"\s+"), " "), normalizers.Strip()]),
}


def steps(names: str | Sequence[str]) -> tuple[str, ...]:
    """Return the steps of a comma-separated list, checked; "none" and the empty string are no steps.

    Raises `UsageError` for a step that does not exist.
    """
    chosen = tuple(n.strip() for n in (names.split(",") if isinstance(names, str) else names) if n.strip())
    if chosen == ("none",):
        return ()
    for step in chosen:
        if step not in STEPS:
            raise errors.UsageError(f"no normalisation step {step!r}", f"the steps are {', '.join(STEPS)}, or none")
    return chosen


def build(names: str | Sequence[str]) -> normalizers.Normalizer:
    """Return the normaliser that takes the named steps one after the other."""
    return normalizers.Sequence([STEPS[step]() for step in steps(names)])
