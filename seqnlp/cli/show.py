"""What people and programs see: tables on a terminal and JSON in a pipe, progress and warnings on stderr."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import stat
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, BinaryIO, cast

import click

from seqnlp import errors
from seqnlp.cli import bars, tables
from seqnlp.io import atomic, files, jsonl

if TYPE_CHECKING:
    from seqnlp.training import trainer

log = logging.getLogger("seqnlp")


class _Handler(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        mark = "warning: " if record.levelno >= logging.WARNING else ""
        click.echo(f"seqnlp: {mark}{record.getMessage()}", err=True)


def set_up(values: dict[str, Any], *, talkative: bool = False) -> None:
    """Remove the options for messages and threads from a command's values, and apply them."""
    quiet, verbose, _ = values.pop("quiet"), values.pop("verbose"), values.pop("debug")
    level = logging.ERROR if quiet else logging.INFO if verbose or talkative else logging.WARNING
    log.setLevel(level)
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
        raise errors.Stopped(number, "stopped")

    numbers = [number for number in (signal.SIGTERM, signal.SIGHUP) if signal.getsignal(number) is not signal.SIG_IGN]
    before = {number: signal.signal(number, end) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class Watcher:
    """Shows the progress of a training, and listens for Ctrl-C and SIGTERM while it runs."""

    def __init__(self) -> None:
        self.signal = 0
        self.before: dict[int, Any] = {}  # the handlers of signals before ours
        self.bar: Any = None

    def __call__(self, what: str, progress: trainer.Progress) -> None:
        """Take an event of the training loop: start, resume, step, evaluation."""
        if what == "start":
            for number in (signal.SIGINT, signal.SIGTERM):
                if signal.getsignal(number) is not signal.SIG_IGN:  # as a shell sets it for what runs with &
                    self.before[number] = signal.signal(number, self._stop)
            self._open_bar(progress)
        elif what == "resume":
            log.info("resuming at step %d, best %.2f", progress.step, progress.best or 0.0)
        elif what == "evaluation":
            self._line(_evaluation(progress))
        elif self.bar is not None:
            self.bar.update(self.task, completed=progress.step, total=progress.total)

    def stopped(self) -> int:
        """Return the signal that asked to stop, or 0."""
        return self.signal

    def close(self) -> None:
        """Remove the progress bar and restore the signal handlers."""
        if self.bar is not None:
            self.bar.stop()
            self.bar = None
        for number, handler in self.before.items():
            signal.signal(number, handler)

    def _stop(self, number: int, frame: Any) -> None:
        self.signal = number
        signal.signal(number, signal.SIG_DFL)  # a second one ends it at once

    def _open_bar(self, progress: trainer.Progress) -> None:
        if not sys.stderr.isatty() or not log.isEnabledFor(logging.INFO):
            return
        self.bar = bars.bar("step", count=True)
        self.task = self.bar.add_task("train", total=progress.total, completed=progress.step)
        self.bar.start()

    def _line(self, text: str) -> None:
        if self.bar is not None:
            self.bar.console.print(text, highlight=False, markup=False)
        else:
            log.info("%s", text)


def _evaluation(progress: trainer.Progress) -> str:
    row = progress.history[-1]
    scores = "  ".join(f"{name} {value:.2f}" for name, value in row.items() if name not in _NO_SCORES)
    total = f"/{progress.total}" if progress.total else ""
    best = "  best" if row["best"] else ""
    return f"step {row['step']}{total}  epoch {row['epoch']:.2f}  {scores}  {row['seconds']:.0f} s{best}"


_NO_SCORES = ("step", "epoch", "best", "learning_rate", "seconds")
