"""Memory: what was freed goes back to the system."""

from __future__ import annotations

import contextlib
import ctypes

TIDY_EVERY = 25  # steps of training


def tidy() -> None:
    """Give freed memory back to the system.

    The C library keeps it, and tensors of another shape seldom fit into it: in some hundred steps, each with a shape of
    its own, a process grows to three times what it holds. Does nothing where there is no glibc.
    """
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL("libc.so.6").malloc_trim(0)
