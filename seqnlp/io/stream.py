"""Streams: a window over what comes in, so that a filter answers soon and holds no more than one window."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterable, Iterator
from typing import Any, TypeVar

WINDOW, IDLE = 2000, 0.05  # a window closes at this many items, or when none has come for this many seconds

Item = TypeVar("Item")


def windows(items: Iterable[Item], max_size: int = WINDOW, idle: float = IDLE) -> Iterator[list[Item]]:
    """Yield the items in lists, read by a thread: one closes when full, or when nothing has come for `idle` seconds."""
    passed: queue.Queue[list[Any]] = queue.Queue(maxsize=max_size)

    def read() -> None:
        try:
            for item in items:
                passed.put([item])
            passed.put([])
        except BaseException as error:
            passed.put([error, None])

    threading.Thread(target=read, daemon=True).start()
    while True:
        window: list[Item] = []
        message = passed.get()
        while len(message) == 1:
            window.append(message[0])
            if len(window) == max_size:
                break
            try:
                message = passed.get(timeout=idle)
            except queue.Empty:
                break
        if window:
            yield window
        if len(message) == 2:
            raise message[0]
        if not message:
            return
