"""Memory: what was freed goes back to the system, and what does not fit at once is done in parts."""

from __future__ import annotations

import contextlib
import ctypes

TIDY_EVERY = 25  # steps of training
EXHAUSTED = ("allocate memory", "out of memory", "failed to map segment")  # what torch says, and who loads it


def tidy() -> None:
    """Give freed memory back to the system.

    The C library keeps it, and tensors of another shape seldom fit into it: in some hundred steps, each with a shape of
    its own, a process grows to three times what it holds. Does nothing where there is no glibc.
    """
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL("libc.so.6").malloc_trim(0)


def is_exhausted(error: BaseException) -> bool:
    """Return whether an error says that there was not enough memory, of the machine or of an accelerator."""
    return isinstance(error, MemoryError) or (
        isinstance(error, RuntimeError | ImportError | OSError)
        and any(text in str(error).lower() for text in EXHAUSTED)
    )
