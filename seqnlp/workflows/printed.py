"""What predict printed, read back by the tasks that predict such answers: lines of text, JSON, or a table."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from typing import Any

from seqnlp import errors
from seqnlp.tasks import base
from seqnlp.workflows import written_table

JSON = re.compile(r"\{\s*([\"}]|$)")  # how an object begins; a label may begin with a brace too


def in_lines(lines: Sequence[str], name: str, tasks: Sequence[base.AnyTask], config: Any) -> list[Any]:
    """Return an answer for each line, None for a blank one; raises `DataError` with the line of what is none."""
    return [in_line(line, f"{name}:{number}", tasks, config) for number, line in enumerate(lines, 1)]


def in_line(line: str, where: str, tasks: Sequence[base.AnyTask], config: Any, *, empty: bool = False) -> Any:
    """Return the answer in a line, None for a blank one unless an answer may be `empty`; raises `DataError`."""
    if JSON.match(line):
        return from_json(line, where, tasks, config)
    if not line.strip() and not empty:
        return None
    return from_text(line, where, tasks[0], config)


def in_table(lines: Sequence[str], name: str, tasks: Sequence[base.AnyTask], config: Any) -> list[Any] | None:
    """Return the answers of a table that predict wrote, None for blank rows; None where the lines are none."""
    for task in tasks:
        if (found := written_table.cells(lines, task)) is not None:
            return [None if cell is None else _of_cell(cell, f"{name}:{line}", task, config) for line, cell in found]
    return None


def _of_cell(cell: str, where: str, task: base.AnyTask, config: Any) -> Any:
    try:
        return task.output.parse_cell(cell, config)
    except ValueError as error:
        raise errors.DataError(f"{where}: {error}", f"as seqnlp {task.name} predict prints it") from None


def from_json(line: str, where: str, tasks: Sequence[base.AnyTask], config: Any) -> Any:
    """Return the answer of the last task that was at work in a line of JSON, None of a blank input."""
    known = {task.name: task for task in tasks}
    try:
        record = json.loads(line)
        name = [name for name in record if name in known][-1]
        if record[name] is None:
            return None
        return known[name].output.parse(dict(record[name]), config)
    except (ValueError, LookupError, TypeError, RecursionError):
        hint = f"lines of seqnlp {tasks[0].name} predict"
        raise errors.DataError(f"{where}: no prediction in this JSON", hint) from None


def from_text(line: str, where: str, task: base.AnyTask, config: Any) -> Any:
    """Return the answer in a line of text as predict prints it."""
    try:
        return task.output.parse(line, config)
    except ValueError as error:
        raise errors.DataError(f"{where}: {error}", f"as seqnlp {task.name} predict prints it") from None


def is_json(lines: Iterable[str], kind: str) -> bool:
    """Return whether lines are JSON: by the format of their file, or if the first one is an object."""
    if kind == "jsonl":
        return True
    try:
        return isinstance(json.loads(first(lines)), dict)
    except (ValueError, RecursionError):
        return False


def first(lines: Iterable[str]) -> str:
    """Return the first line that is not blank, nothing where there is none."""
    return next((line for line in lines if line.strip()), "")
