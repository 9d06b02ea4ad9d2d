"""JSON: one value a line in readable characters, and files of it that are written whole."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from seqnlp.io import atomic


def to_json(value: Any) -> str:
    """Return a value as one line of JSON, in readable characters wherever UTF-8 has them."""
    text = json.dumps(value, ensure_ascii=False, default=str)  # tables hold dates and the like
    return text if _SURROGATE.search(text) is None else json.dumps(value, default=str)


def without_surrogates(text: str) -> str:
    """Return the text with U+FFFD for each half of a pair that JSON may hold and UTF-8 cannot."""
    return text if text.isascii() else _SURROGATE.sub("\ufffd", text)


_SURROGATE = re.compile("[\ud800-\udfff]")


def write_json(path: str | Path, value: Any) -> None:
    """Write a value as readable JSON, whole or not at all."""
    with atomic.atomic(path) as file:
        json.dump(value, file, ensure_ascii=False, indent=2)
        file.write("\n")


def read_json(path: str | Path) -> Any:
    """Return what a JSON file holds."""
    with open(path, encoding="utf-8") as file:
        return json.load(file)
