"""Bars: how far work has come, in the line of the terminal, where it takes a while."""

from __future__ import annotations

import contextlib
import logging
import sys
import threading
import time
from collections.abc import Callable, Iterator

from seqnlp.cli import terminal
from seqnlp.io import files

log = logging.getLogger("seqnlp")

WIDTH = 30  # columns
PATIENCE = 2.0  # seconds of work from which on it is shown
EVERY = 0.5  # seconds between two looks at how far it is

Watch = Callable[[float], None]  # takes how much is done


def bar(share: float) -> str:
    """Return a bar of which a share is full."""
    done = int(WIDTH * min(share, 1.0))
    return f"[{'=' * done}{' ' * (WIDTH - done)}]"


def duration(seconds: float) -> str:
    """Return a time for people: 45s, 3m10s, 2h05m."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole}s"
    return f"{whole // 60}m{whole % 60:02}s" if whole < 3600 else f"{whole // 3600}h{whole % 3600 // 60:02}m"


@contextlib.contextmanager
def watched(what: str, output: str | None, total: Callable[[], float | None] = lambda: 1.0) -> Iterator[Watch]:
    """Give what is told how much is done: it shows a bar once the work takes more than `PATIENCE` seconds.

    There is none with --quiet, nor where stderr is no terminal, or results come on the same one. output: where they go,
    None: to stdout. total: asked for how much there is to do when the bar opens, None: nobody knows.
    """
    mixed = output in (None, files.STDIN) and sys.stdout is not None and sys.stdout.isatty()
    if mixed or not terminal.is_one() or not log.isEnabledFor(logging.WARNING):
        yield lambda done: None
        return
    work = _Work(what, total)
    try:
        yield work.tell
    finally:
        work.close()


class _Work:
    """Work that is shown from a thread, whatever it is at."""

    def __init__(self, what: str, total: Callable[[], float | None]) -> None:
        self.what, self.total = what, total
        self.done, self.begin = 0.0, time.monotonic()
        self.closed = threading.Event()
        self.thread = threading.Thread(target=self._show, daemon=True)
        self.thread.start()

    def tell(self, done: float) -> None:
        """Take how much is done."""
        self.done = done

    def close(self) -> None:
        """Remove the bar."""
        self.closed.set()
        self.thread.join()
        terminal.LINE.clear()

    def _show(self) -> None:
        if self.closed.wait(PATIENCE):
            return
        total = self.total()
        while not self.closed.is_set():
            terminal.LINE.show(self._parts(total))
            self.closed.wait(EVERY)

    def _parts(self, total: float | None) -> list[terminal.Part]:
        share = self.done / total if total else 0.0
        passed = time.monotonic() - self.begin
        return [
            (2, bar(share) if total else ""),
            (0, self.what),
            (0, f"{min(share, 1.0):.0%}" if total else ""),
            (1, f"{duration(passed / share - passed)} left" if 0 < share < 1 else ""),
        ]
