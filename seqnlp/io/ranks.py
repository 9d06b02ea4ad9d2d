"""Ranks: which of the processes of one run this one is, as torchrun says in the environment."""

from __future__ import annotations

import os

NEEDED = ("RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")


def _number(name: str, alone: int) -> int:
    """Return a number in the environment, the one of a process alone where not all is there that several need."""
    return int(os.environ.get(name, alone)) if all(key in os.environ for key in NEEDED) else alone


def rank() -> int:
    """Return the number of this process, 0 for the first one, which leads; 0 for a process alone."""
    return _number("RANK", 0)


def local_rank() -> int:
    """Return the number of this process among those on its machine."""
    return _number("LOCAL_RANK", 0)


def size() -> int:
    """Return how many processes there are."""
    return _number("WORLD_SIZE", 1)


def attempt() -> str:
    """Return which start of the processes this is, as far as all of them are sure to agree on it: on one machine."""
    one_machine = _number("LOCAL_WORLD_SIZE", 1) == size()
    return f"attempt {os.environ.get('TORCHELASTIC_RESTART_COUNT', 0) if one_machine else 0}"
