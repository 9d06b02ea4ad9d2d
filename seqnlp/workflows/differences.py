"""What tells two runs from each other, in the words of the command line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from seqnlp import errors

SHOWN = 3  # in an error
LONGER = ("--epochs", "--time-budget")  # what may be raised
OVERWRITE = "--overwrite starts over; or give another folder"
WORDS = {
    "train": "other training data",
    "dev": "another dev part",
    "init_from": "another model to begin with",
    "pretrained": "another model in --pretrained",
    "settings": "other contents of a file that an option names",
}
SETTINGS = ("read", "training", "config")  # by name; all else is compared as a whole


def refusal(folder: Path, before: Mapping[str, Any], now: Mapping[str, Any]) -> errors.UsageError | None:
    """Return why a run has no place in a folder with one before it, None where it is the same.

    before, now: what makes a model: task, settings, data.
    """
    if before["task"] != now["task"]:
        return errors.UsageError(f"{folder}: holds a model of {before['task']}, not of {now['task']}", OVERWRITE)
    found = list(_between(before, now))
    if not found:
        return None
    more = f"; {len(found) - SHOWN} more" if len(found) > SHOWN else ""
    message = f"{folder}: holds another run ({'; '.join(found[:SHOWN])}{more})"
    if all(name.split()[0] in LONGER for name in found):
        return errors.UsageError(message, f"a run may be made longer only; {OVERWRITE}")
    if before.get("train") == now.get("train"):
        return errors.UsageError(message, OVERWRITE)
    return errors.UsageError(message, f"--init-from {folder} and another folder go on from it; {OVERWRITE}")


def _between(before: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    """Yield each difference, data first."""
    for name in sorted({*before, *now}.difference(SETTINGS), reverse=True):
        if before.get(name) != now.get(name):
            yield WORDS.get(name, f"another {name}")
    for part in SETTINGS:
        old, new = _flat(before.get(part, {})), _flat(now.get(part, {}))
        for name in sorted({*old, *new}):
            if old.get(name) != new.get(name):
                yield WORDS.get(name) or f"{_flag(name)} {_short(old.get(name))} there, {_short(new.get(name))} here"


def _flat(values: Mapping[str, Any]) -> dict[str, Any]:
    """Settings by name; a tuple is the list that JSON makes of it, and columns are options of their own."""
    columns = {f"{role}_field": value for role, value in dict(values.get("columns", {})).items()}
    rest = {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}
    return {**columns, **{name: value for name, value in rest.items() if name != "columns"}}


def _flag(name: str) -> str:
    return "--from" if name == "format" else f"--{name.replace('_', '-')}"


def _short(value: Any) -> str:
    text = "none" if value is None else str(value)
    return text if len(text) <= 16 else text[:12] + "..."
