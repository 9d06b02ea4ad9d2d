"""What people see of a training, and what its watcher does with signals."""

import signal

from seqnlp.cli import show
from seqnlp.training import trainer


def test_signals_are_listened_to_and_given_back():
    before = signal.getsignal(signal.SIGTERM)
    watcher = show.Watcher()
    watcher("start", trainer.Progress())
    signal.raise_signal(signal.SIGTERM)
    assert watcher.stopped() == signal.SIGTERM
    watcher.close()
    assert signal.getsignal(signal.SIGTERM) == before


def test_a_signal_that_is_ignored_stays_ignored():
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        watcher = show.Watcher()
        watcher("start", trainer.Progress())
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
        watcher.close()
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)
