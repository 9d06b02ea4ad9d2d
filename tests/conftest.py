"""Settings for all tests: the same examples of hypothesis every time, an end to every wait; and what many need."""

import collections
import contextlib
import faulthandler
import logging
import os
import signal

import hypothesis
import pytest

LIMIT, SLOW_LIMIT = 300, 1200  # seconds that a test may take, and one that is marked as slow
STDERR = pytest.StashKey[int]()
pytest.CAMPAIGN = pytest.StashKey[collections.Counter]()  # cases of the campaign by their kind

# Threads that wait for work must not spin: tests of small networks are ten times slower beside any busy process.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

hypothesis.settings.register_profile("seqnlp", derandomize=True, deadline=None, database=None, max_examples=60)
hypothesis.settings.load_profile("seqnlp")

# What is ignored at our start (nohup, `&` in a script) is ignored by every command that we start: none would ever end.
for number, usual in ((signal.SIGINT, signal.default_int_handler), (signal.SIGTERM, signal.SIG_DFL)):
    if signal.getsignal(number) is signal.SIG_IGN:
        signal.signal(number, usual)


# What takes longest begins first, so that what is quick keeps every process at work up to the end.
LONG_FIRST = ["tests/contract/", "tests/system/", "tests/docs/", "tests/workflows/"]


def pytest_collection_modifyitems(items):
    """Put the folders in that order; within one the tests stay in theirs."""
    items.sort(key=lambda item: [not item.nodeid.startswith(folder) for folder in LONG_FIRST])


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """Keep together in a process what shares a trained model: the tests of a file, and all of the contract."""
    from xdist.scheduler import LoadFileScheduling

    class Scheduling(LoadFileScheduling):
        def _split_scope(self, nodeid):
            return LONG_FIRST[0] if nodeid.startswith(LONG_FIRST[0]) else super()._split_scope(nodeid)

    config.option.loadscopereorder = False
    return Scheduling(config, log)


def pytest_configure(config):
    """Keep the way to the real stderr, which is redirected while a test runs."""
    config.stash[pytest.CAMPAIGN] = collections.Counter()
    with config.pluginmanager.getplugin("capturemanager").global_and_fixture_disabled():
        config.stash[STDERR] = os.dup(2)


def pytest_terminal_summary(terminalreporter, config):
    """Print how many cases the campaign had."""
    for kind, number in sorted(config.stash[pytest.CAMPAIGN].items()):
        terminalreporter.write_line(f"campaign: {number:6,} {kind}")


@pytest.fixture(autouse=True)
def _as_at_first():
    """Give every test the log and the signals as they are at first: a command may have run in this process before."""
    log = logging.getLogger("seqnlp")
    log.setLevel(logging.NOTSET)
    log.handlers, log.propagate = [], True
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


@contextlib.contextmanager
def deadline(item):
    """Let a test fail that takes too long; end all where it is stuck in code that never comes back to Python."""
    seconds = SLOW_LIMIT if item.get_closest_marker("slow") else LIMIT

    def fail(number, frame):
        pytest.fail(f"no end after {seconds} seconds")

    before = signal.signal(signal.SIGALRM, fail)
    signal.alarm(seconds)
    faulthandler.dump_traceback_later(seconds + 60, exit=True, file=item.config.stash[STDERR])
    try:
        yield
    finally:
        faulthandler.cancel_dump_traceback_later()
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item):
    """Fixtures may train; they have an end too."""
    with deadline(item):
        return (yield)


pytest_runtest_call = pytest_runtest_teardown = pytest_runtest_setup


@pytest.fixture
def stdin(tmp_path_factory):
    """Put bytes on the standard input, as the shell would: `stdin(b"...")`."""
    before = os.dup(0)

    def give(content):
        path = tmp_path_factory.mktemp("stdin") / "stdin"
        path.write_bytes(content)
        handle = os.open(path, os.O_RDONLY)
        os.dup2(handle, 0)
        os.close(handle)

    yield give
    os.dup2(before, 0)
    os.close(before)


@pytest.fixture(autouse=True)
def quick_disk(monkeypatch):
    """Waiting for the disk takes most of the time of a short training, and nothing here pulls the plug."""
    monkeypatch.setattr(os, "fsync", lambda handle: None)
