"""Settings of hypothesis for all tests (the same examples every time, no clock), and what many of them need."""

import os

import hypothesis
import pytest

# Threads that wait for work must not spin: tests of small networks are ten times slower beside any busy process.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

hypothesis.settings.register_profile("seqnlp", derandomize=True, deadline=None, database=None, max_examples=60)
hypothesis.settings.load_profile("seqnlp")


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
