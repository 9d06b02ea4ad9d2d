"""JSON: one value a line in readable characters, valid for every reader, and files of it that are written whole."""

from __future__ import annotations

import json
import math
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from seqnlp.io import atomic

_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False, default=str)  # tables hold dates and the like
_ASCII = json.JSONEncoder(default=str)


def to_json(value: Any) -> str:
    """Return a value as one line of JSON, in readable characters wherever UTF-8 has them.

    JSON has neither NaN nor Infinity: they become null. What could be read is written, however deep it is nested.
    """
    try:
        return _to_json(value)
    except RecursionError:  # it was read with more of the stack left
        limit = sys.getrecursionlimit()
        sys.setrecursionlimit(4 * limit)
        try:
            return _to_json(value, _slowly)
        finally:
            sys.setrecursionlimit(limit)


def _to_json(value: Any, encode: Callable[[json.JSONEncoder, Any], str] = json.JSONEncoder.encode) -> str:
    try:
        text = encode(_ENCODER, value)
    except ValueError:
        value = _finite(value)
        text = encode(_ENCODER, value)
    return text if _SURROGATE.search(text) is None else encode(_ASCII, value)


def _slowly(encoder: json.JSONEncoder, value: Any) -> str:
    """Encode in Python alone: how deep C goes cannot be changed from Python 3.12 on."""
    return "".join(encoder.iterencode(value))


class Object(dict[str, Any]):
    """An object that knows what its members look like in JSON: a name may come twice, a number be beyond any float."""

    def __init__(self, text: str) -> None:
        self.members = list(_members(text))
        super().__init__((name, value) for name, value, _ in self.members)

    def written(self, name: str) -> str:
        """Return the value of a member as it is written."""
        return {name: part for name, _, part in self.members}[name]


def _members(text: str) -> Iterator[tuple[str, Any, str]]:
    """The name of each member of a valid object, its value, and that as it is written, on one line.

    What is no JSON, though Python reads it (NaN), is null.
    """
    strange: list[str] = []
    decoder = json.JSONDecoder(parse_constant=strange.append)
    place = _behind(text, 0)
    while text[place] != "}":
        name, place = decoder.raw_decode(text, place)
        begin = _behind(text, place)
        value, end = decoder.raw_decode(text, begin)
        yield name, value, to_json(value) if strange else re.sub("[\r\n]", " ", text[begin:end])
        strange.clear()
        place = _behind(text, end)


def _behind(text: str, place: int) -> int:
    """The place behind a mark that parts an object, and the white space around it."""
    found = _MARK.match(text, place)
    return found.end() if found else place


_MARK = re.compile(r"[ \t\r\n]*[{:,]?[ \t\r\n]*")


def with_member(record: Mapping[str, Any], name: str, value: Any) -> str:
    """Return an object as one line of JSON with one member more, for any that has its name; the rest as it came."""
    members = record.members if isinstance(record, Object) else None
    parts = members or [(key, part, to_json(part)) for key, part in record.items()]
    kept = [f"{to_json(key)}: {part}" for key, _, part in parts if key != name]
    return "{" + ", ".join([*kept, f"{to_json(name)}: {to_json(value)}"]) + "}"


def _finite(value: Any) -> Any:
    """Return a value with null for each number that is none."""
    if isinstance(value, dict):
        return {key: _finite(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(part) for part in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def as_text(value: Any) -> str:
    """Return a text as it is, without halves of pairs, and anything else as JSON has it."""
    if isinstance(value, str):
        return without_surrogates(value)
    try:
        return to_json(value)
    except ValueError:  # Python writes no whole number of more digits than some thousand
        return f"a very long {type(value).__name__}"


def without_surrogates(text: str) -> str:
    """Return the text with U+FFFD for each half of a pair that JSON may hold and UTF-8 cannot."""
    return text if text.isascii() else _SURROGATE.sub("\ufffd", text)


def repaired(value: Any) -> Any:
    """Return a text, or a list of such, without halves of pairs; anything else as it is."""
    if isinstance(value, list | tuple):
        try:
            return [repaired(part) for part in value]
        except RecursionError:  # no list of texts is nested so deep
            return value
    return without_surrogates(value) if isinstance(value, str) else value


_SURROGATE = re.compile("[\ud800-\udfff]")


def write_json(path: str | Path, value: Any) -> None:
    """Write a value as readable JSON, whole or not at all."""
    with atomic.atomic(path) as file:
        json.dump(value, file, ensure_ascii=False, indent=2)
        file.write("\n")


def read_json(path: str | Path) -> Any:
    """Return what a JSON file holds; raises `ValueError` where it is none, or nested too deep."""
    try:
        with open(path, encoding="utf-8") as file:
            return json.load(file)
    except RecursionError:
        raise ValueError(f"{path}: nested too deep") from None
