"""What config.json and run.json hold: their keys, and what each of them is."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from seqnlp import errors
from seqnlp.io import jsonl
from seqnlp.preprocess.corpora import schema


class OtherFormat(errors.ModelError):
    """What another version of seqnlp has written."""


Kinds = Mapping[str, tuple[Any, Any]]  # by key: its kind, and where that matters the kind of all that is in it

NUMBER = (int, float)
SEAL = "sha256"
RUN: Kinds = {
    "task": (str, None),
    "config": (dict, None),
    "training": (dict, None),
    "run": (dict, None),
    "sizes": (dict, int),
    "labels": (dict, int),
    "data": (dict, str),
    "date": (str, None),
    "files": (dict, str),
}
MODEL: Kinds = {
    **RUN,
    "finished": (bool, None),
    "refit": (bool, None),
    "scores": (list, dict),
    "details": (dict, None),
    "seconds": (NUMBER, None),
    "step": (int, None),
    "steps": (int, None),
}
SCORE: Kinds = {"name": (str, None), "value": (NUMBER, None), "signature": (str, None), "n": (int, None)}


def check(content: Mapping[str, Any], kinds: Kinds) -> None:
    """Raise `ValueError` or `KeyError` unless all is there, and of its kind; numbers are finite."""
    for key, (kind, part) in kinds.items():
        value = content[key]
        inside = value.values() if isinstance(value, dict) else value
        if not isinstance(value, kind) or (part is not None and not all(isinstance(one, part) for one in inside)):
            raise ValueError(key)
        if isinstance(value, float) and not math.isfinite(value):
            raise ValueError(key)
    for score in content["scores"] if "scores" in kinds else ():
        check(score, SCORE)


def sealed(content: Mapping[str, Any]) -> dict[str, Any]:
    """Return what run.json holds with a hash of it: a name in it, or a number, may be damaged and still be one."""
    return {**content, SEAL: hashlib.sha256(jsonl.to_json(content).encode()).hexdigest()}


def unsealed(content: Mapping[str, Any]) -> dict[str, Any]:
    """Return what was sealed; raises `ValueError` or `KeyError` where it is not as it was."""
    found = {key: value for key, value in content.items() if key != SEAL}
    if sealed(found)[SEAL] != content[SEAL]:
        raise ValueError(SEAL)
    return found


def schema_of(path: Path, content: Mapping[str, Any]) -> schema.Schema | None:
    """Return what a folder remembers of the corpus behind it, None if nothing; raises `ModelError` for what is none."""
    if content.get("schema") is None:
        return None
    try:
        return schema.Schema.from_dict(content["schema"])
    except (KeyError, TypeError, ValueError, AttributeError):
        raise errors.ModelError(f"{path}: not the schema of a corpus in it", "train anew") from None


def check_names(path: Path, names: Iterable[Any]) -> None:
    """Raise `ModelError` unless all are plain names of files: nothing outside of the folder is read, or removed."""
    for name in names:
        if not isinstance(name, str) or name in ("", ".", "..") or "/" in name or "\0" in name:
            raise errors.ModelError(f"{path}: {name!r} is not a plain file name", "train again")
