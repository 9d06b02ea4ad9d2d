"""What people and programs see: tables on a terminal and JSON in a pipe, warnings on stderr."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import stat
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, BinaryIO, cast

import click

from seqnlp import errors
from seqnlp.cli import tables, terminal
from seqnlp.io import atomic, files, jsonl, ranks

log = logging.getLogger("seqnlp")


class _Handler(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        mark = "warning: " if record.levelno >= logging.WARNING else ""
        terminal.LINE.say(f"seqnlp: {mark}{record.getMessage()}")


def set_up(values: dict[str, Any], *, talkative: bool = False) -> None:
    """Remove the options for messages and threads from a command's values, and apply them."""
    quiet, verbose, _ = values.pop("quiet"), values.pop("verbose"), values.pop("debug")
    level = logging.WARNING - 10 * (verbose + talkative)  # -v says one kind more: DEBUG where INFO is said already
    log.setLevel(logging.ERROR if quiet or ranks.rank() else level)  # of several processes the first one speaks
    log.handlers = [_Handler()]
    log.propagate = False
    if (threads := values.pop("threads", None)) is not None:
        import torch

        torch.set_num_threads(threads)


def check_output(path: str | None, inputs: Sequence[str] = ()) -> None:
    """Raise `UsageError` where the file that -o names cannot be written, or is one of the inputs.

    So is a file that the shell makes stdout of: it would be empty before it is read, or grow while it is.
    """
    target: str | int = 1 if path is None or path == files.STDIN else path
    if isinstance(target, str):
        atomic.check_writable(target)
    for one in inputs:
        if _same_file(target, 0 if one == files.STDIN else one):
            raise errors.UsageError(f"{files.name(one)}: is the output too", "write to another file")


def _same_file(target: str | int, source: str | int) -> bool:
    """Whether two names, or numbers of open files, are of one regular file."""
    try:
        ends = os.stat(target), os.stat(source)
    except OSError:
        return False
    return os.path.samestat(*ends) and stat.S_ISREG(ends[0].st_mode)


@contextlib.contextmanager
def output(path: str | None) -> Iterator[BinaryIO]:
    """Give stdout, or the file that -o names, which is there only when all of it is written."""
    if path is None or path == files.STDIN:
        with ended_by_sigterm():
            yield sys.stdout.buffer
    else:
        with ended_by_sigterm(), atomic.atomic(path, "wb") as file:
            yield cast(BinaryIO, file)


def on_terminal() -> bool:
    """Return whether a person sees what goes to stdout."""
    return sys.stdout is not None and sys.stdout.isatty()


def result(content: Mapping[str, Any]) -> None:
    """Print the one result of train, eval or score: a table on a terminal, a JSON object otherwise."""
    if on_terminal():
        tables.result(content)
    else:
        click.echo(jsonl.to_json(content))


@contextlib.contextmanager
def ended_by_sigterm() -> Iterator[None]:
    """Let SIGTERM, or a terminal that is closed, end the work as Ctrl-C does: what is half-written is removed."""

    def end(number: int, frame: Any) -> None:
        for other in numbers:  # a second one would end the clearing up of what is half-written
            signal.signal(other, signal.SIG_IGN)
        raise errors.Stopped(number, "stopped")

    numbers = [number for number in (signal.SIGTERM, signal.SIGHUP) if signal.getsignal(number) is not signal.SIG_IGN]
    before = {number: signal.signal(number, end) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
