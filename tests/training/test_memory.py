"""What was freed goes back to the system."""

import os
import platform
from pathlib import Path

import pytest

from seqnlp.training import memory


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc can be asked to")
def test_what_was_freed_between_what_is_held_goes_back_to_the_system():
    def resident():
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE")

    blocks = [bytearray(60_000) for _ in range(3000)]
    held = blocks[::50]
    before = resident()
    del blocks
    memory.tidy()
    assert before - resident() > 100_000_000
    assert len(held) == 60
