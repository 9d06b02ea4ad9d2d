"""Bars: how far work has come, on a terminal, where it takes a while."""

from __future__ import annotations

import contextlib
import logging
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

from seqnlp.cli import tables
from seqnlp.io import files

log = logging.getLogger("seqnlp")

PATIENCE = 2.0  # seconds of work from which on it is shown

Watch = Callable[[float], None]  # takes how much is done


def bar(what: str) -> Any:
    """Return a bar of rich's on stderr, which leaves nothing behind."""
    from rich import progress as columns

    return columns.Progress(
        columns.TextColumn(what),
        columns.TaskProgressColumn(),
        columns.BarColumn(),
        columns.TimeRemainingColumn(),
        console=tables.console(stderr=True),
        transient=True,
        redirect_stdout=False,  # results go there
    )


@contextlib.contextmanager
def watched(what: str, output: str | None, total: Callable[[], float | None] = lambda: 1.0) -> Iterator[Watch]:
    """Give what is told how much is done: it shows a bar once the work takes more than `PATIENCE` seconds.

    There is none with --quiet, nor where stderr is no terminal, or results come on the same one. output: where they go,
    None: to stdout. total: asked for how much there is to do when the bar opens, None: nobody knows.
    """
    mixed = output in (None, files.STDIN) and sys.stdout is not None and sys.stdout.isatty()
    if mixed or not sys.stderr.isatty() or not log.isEnabledFor(logging.WARNING):
        yield lambda done: None
        return
    late = _Late(what, total)
    try:
        yield late.tell
    finally:
        late.close()


class _Late:
    """A bar that opens later, whatever the work is at: from a thread."""

    def __init__(self, what: str, total: Callable[[], float | None]) -> None:
        self.what, self.total, self.lock = what, total, threading.Lock()
        self.bar: Any = None
        self.done = 0.0
        self.timer = threading.Timer(PATIENCE, self._open)
        self.timer.daemon = True
        self.timer.start()

    def _open(self) -> None:
        made, total = bar(self.what), self.total()
        with self.lock:
            if self.timer.finished.is_set():  # closed already
                return
            self.task = made.add_task("", completed=self.done, total=total)
            self.bar = made
            self.bar.start()

    def tell(self, done: float) -> None:
        """Take how much is done."""
        with self.lock:
            self.done = done
            if self.bar is not None:
                self.bar.update(self.task, completed=done)

    def close(self) -> None:
        """Remove the bar."""
        self.timer.cancel()
        with self.lock:
            if self.bar is not None:
                self.bar.stop()
