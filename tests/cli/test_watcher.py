"""What people see of a training, and what its watcher does with signals."""

import logging
import os
import signal

import pytest

from seqnlp import errors
from seqnlp.cli import bars, terminal, watcher
from seqnlp.training import progress as progresses


@pytest.fixture
def watching():
    """A watcher, which gives the signals back in the end."""
    made = watcher.Watcher()
    yield made
    made.close()


@pytest.fixture
def said(monkeypatch):
    """What the log says of a training, on a terminal of so many columns."""

    def at(columns=10**6):
        monkeypatch.setattr(terminal, "width", lambda: columns)
        monkeypatch.setattr(terminal, "is_one", lambda: False)
        lines = []
        handler, log = logging.Handler(), logging.Logger("watched", logging.INFO)
        handler.emit = lambda record: lines.append(f"seqnlp: {record.getMessage()}")
        log.addHandler(handler)
        monkeypatch.setattr(watcher, "log", log)
        return lines

    return at


def evaluated(progress, step, value):
    """Make a run go as far as an evaluation."""
    progress.step, progress.seconds = step, step / 10
    progress.count(0.5, 1.0)
    if progress.best is None or value > progress.best:
        progress.best = value
    scores = {"accuracy": value, "f1": value - 1, "precision": value - 2, "recall": value - 3}
    progress.evaluated({"step": step, "epoch": step / 50, **scores, "best": True, "learning_rate": 0.1}, 1.0)
    return progress


# Signals.


@pytest.mark.parametrize("phase", ["start", "evaluating", "scoring"])
def test_a_signal_is_answered_at_once_with_what_comes_next(watching, capfd, phase):
    progress = progresses.Progress(total=9)
    watching("start", progress)
    if phase != "start":
        watching(phase, progress)
    signal.raise_signal(signal.SIGTERM)
    assert watching.stopped() == signal.SIGTERM
    told = capfd.readouterr().err
    assert told.startswith("seqnlp: stopping") and told.count("\n") == 1
    assert "the same command resumes" in told and "once more" in told


def test_before_the_first_step_a_signal_ends_the_work_where_it_is(watching, capfd):
    with pytest.raises(errors.Stopped) as error:
        signal.raise_signal(signal.SIGINT)
    assert error.value.code == 130
    assert "no step was made" in capfd.readouterr().err


def test_a_second_signal_ends_the_process(watching, monkeypatch):
    sent = []
    monkeypatch.setattr(os, "kill", lambda process, number: sent.append((process, number)))
    watching("start", progresses.Progress())
    signal.raise_signal(signal.SIGTERM)
    signal.raise_signal(signal.SIGTERM)
    assert sent == [(os.getpid(), signal.SIGTERM)]
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


def test_signals_are_given_back():
    before = signal.getsignal(signal.SIGTERM)
    made = watcher.Watcher()
    assert signal.getsignal(signal.SIGTERM) != before
    made.close()
    assert signal.getsignal(signal.SIGTERM) == before


def test_a_signal_that_is_ignored_stays_ignored():
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        made = watcher.Watcher()
        made("start", progresses.Progress())
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
        made.close()
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)


# Lines.


def test_best_stands_only_where_the_score_is_better_than_before(watching, said):
    lines, progress = said(), progresses.Progress(total=500)
    watching("start", progress)
    for step, value in ((100, 80.0), (200, 80.0), (300, 79.0), (400, 81.0), (500, 81.0)):
        watching("evaluation", evaluated(progress, step, value))
    assert [line.endswith("best") for line in lines[1:]] == [False, False, False, True, False]


@pytest.mark.parametrize("columns", [60, 80, 140])
def test_a_line_has_what_there_is_room_for_and_what_matters_always(watching, said, columns):
    lines, progress = said(columns), progresses.Progress(total=12_500)
    watching("start", progress)
    watching("evaluation", evaluated(progress, 10_000, 79.0))
    watching("evaluation", evaluated(progress, 12_500, 81.0))
    assert len(lines[-1]) <= columns
    assert "step 12500/12500" in lines[-1] and "loss 0.500" in lines[-1] and "accuracy 81.00" in lines[-1]
    assert ("recall" in lines[-1]) == (columns == 140)


def test_a_log_is_told_of_the_step_once_a_minute(watching, said, monkeypatch):
    lines, progress, now = said(), progresses.Progress(total=90), [0.0]
    monkeypatch.setattr(watcher.time, "monotonic", lambda: now[0])
    watching("start", progress)
    for progress.step in range(1, 31):
        now[0] += 21.0
        watching("step", progress)
    assert [line.split("  ")[0] for line in lines[1:]] == [f"seqnlp: step {step}/90" for step in range(3, 31, 3)]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.4, "0s"), (59.4, "59s"), (59.6, "1m00s"), (3599, "59m59s"), (3600, "1h00m"), (9000, "2h30m")],
)
def test_times_are_for_people(seconds, text):
    assert bars.duration(seconds) == text


@pytest.mark.parametrize(
    ("room", "text"), [(99, "a  bb  ccc  d"), (12, "a  bb  d"), (8, "a  bb  d"), (7, "a  d"), (3, "a  "), (1, "a")]
)
def test_the_least_important_parts_are_left_out(room, text):
    assert terminal.joined([(0, "a"), (1, "bb"), (2, "ccc"), (0, ""), (0, "d")], room) == text


def test_a_message_is_broken_where_the_terminal_ends(monkeypatch):
    monkeypatch.setattr(terminal, "width", lambda: 20)
    line = terminal.Line()
    assert line.above("seqnlp: one two three four") == "seqnlp: one two\n  three four\n"
    line.text = "step 1"
    assert line.above("short") == f"{terminal.ERASE}short\nstep 1"
