"""The terminal: messages that fit into its width, above one line that says how far the work is."""

from __future__ import annotations

import os
import sys
import textwrap
import time
from collections.abc import Sequence

import click

EVERY = 0.1  # seconds between two states of the line
ERASE = "\r\x1b[K"
INDENT = "  "  # of a message from its second line on

Part = tuple[int, str]  # of a line: from which rank on it is left out where there is no room, and its text


def is_one() -> bool:
    """Return whether stderr is a terminal on which a line can be written anew."""
    return sys.stderr.isatty() and os.environ.get("TERM") != "dumb"


def width() -> int:
    """Return the columns of the terminal that stderr is, or a great number where it is none."""
    if not sys.stderr.isatty():
        return 10**6
    given = os.environ.get("COLUMNS", "")
    return int(given) if given.isdecimal() and int(given) else os.get_terminal_size(sys.stderr.fileno()).columns or 80


def joined(parts: Sequence[Part], room: int) -> str:
    """Return parts in one line of at most so many columns: the least important ones, of the highest rank, are left out.

    What has rank 0 stays, and is cut where even that does not fit.
    """
    for rank in sorted({rank for rank, _ in parts}, reverse=True):
        text = "  ".join(text for other, text in parts if text and other <= rank)
        if len(text) <= room:
            return text
    return text[:room]


class Line:
    """The last line, which is written anew while something is under way, with messages above it."""

    def __init__(self) -> None:
        self.text, self.written = "", 0.0

    def show(self, parts: Sequence[Part], *, now: bool = False) -> None:
        """Write the line, not more often than is of use but where it has to be `now`."""
        if now or time.monotonic() - self.written > EVERY:
            self.text, self.written = joined(parts, width() - 1), time.monotonic()
            self._write(ERASE + self.text)

    def clear(self) -> None:
        """Remove the line."""
        if self.text:
            self.text = ""
            self._write(ERASE)

    def say(self, message: str) -> None:
        """Write a message, on a terminal in lines that fit, above the line that is there."""
        click.echo(self.above(message), err=True, nl=False)

    def above(self, message: str) -> str:
        """Return what puts a message above the line."""
        room = width()
        lines = [message]
        if room < len(message):
            lines = textwrap.wrap(message, max(room, 20), subsequent_indent=INDENT, break_on_hyphens=False)
        erased = ERASE if self.text else ""
        return erased + "".join(f"{line}\n" for line in lines) + self.text

    def _write(self, text: str) -> None:
        click.echo(text, err=True, nl=False)


LINE = Line()
