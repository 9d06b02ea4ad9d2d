"""Bars: on a terminal, once work takes a while, and nowhere else."""

import logging
import os
import pty
import select
import sys
import threading
import time

import pytest

from seqnlp.cli import bars
from seqnlp.cli.terminal import LINE


@pytest.fixture
def terminal(monkeypatch):
    """Makes stderr a terminal (in the test itself: pytest has its own), and gives what is read from it."""
    ours, theirs = pty.openpty()
    logging.getLogger("seqnlp").setLevel(logging.WARNING)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(bars, "PATIENCE", 0.01)
    monkeypatch.setattr(bars, "EVERY", 0.11)
    with os.fdopen(theirs, "w") as file:

        def start():
            monkeypatch.setattr(sys, "stderr", file)
            return lambda: os.read(ours, 1 << 16).decode() if select.select([ours], [], [], 0)[0] else ""

        yield start
    os.close(ours)


def until(shown, wanted):
    """What a terminal shows until it is what is wanted."""
    seen, deadline = "", time.monotonic() + 60
    while wanted not in seen:
        assert time.monotonic() < deadline, seen
        seen += shown()
        time.sleep(0.01)
    return seen


def test_a_bar_shows_what_is_done_and_is_removed(terminal):
    shown = terminal()
    with bars.watched("predicting", "out.txt", lambda: 20) as tell:
        tell(5)
        assert "predicting" in until(shown, "25%")
        tell(10)
        until(shown, "50%")
    assert until(shown, "\r\x1b[K").endswith("\r\x1b[K")


def test_what_is_said_meanwhile_stands_above_the_bar(terminal):
    shown = terminal()
    with bars.watched("predicting", "out.txt") as tell:
        tell(0.25)
        until(shown, "25%")
        LINE.say("seqnlp: so it is")
        assert "\r\x1b[Kseqnlp: so it is\r\n[" in until(shown, "so it is\r\n[")


def test_a_total_that_nobody_knows_is_no_hindrance(terminal):
    shown = terminal()
    with bars.watched("predicting", "out.txt", lambda: None) as tell:
        tell(5)
        until(shown, "predicting")


def test_short_work_shows_nothing(terminal, monkeypatch):
    shown = terminal()
    monkeypatch.setattr(bars, "PATIENCE", 600)
    with bars.watched("predicting", "out.txt") as tell:
        tell(0.5)
    assert shown() == ""


@pytest.mark.parametrize("output", [None, "-"])
def test_results_on_the_same_terminal_are_left_alone(terminal, monkeypatch, output):
    terminal()
    monkeypatch.setattr(sys, "stdout", sys.stderr)
    before = threading.active_count()
    with bars.watched("predicting", output):
        assert threading.active_count() == before


def test_quiet_shows_nothing(terminal):
    terminal()
    logging.getLogger("seqnlp").setLevel(logging.ERROR)
    before = threading.active_count()
    with bars.watched("predicting", "out.txt"):
        assert threading.active_count() == before
