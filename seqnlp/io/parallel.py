"""Processes: the same work on many items at once; results come in the items' order, and few of them wait.

And a thread for what does not listen to signals.
"""

from __future__ import annotations

import collections
import contextlib
import multiprocessing
import queue
import signal
import threading
from collections.abc import Callable, Generator, Iterable, Iterator
from multiprocessing import resource_tracker
from typing import Any, TypeVar

from seqnlp import errors

AHEAD = 2  # items that each process has, the one in work among them
GRACE = 0.5  # seconds that work which is given up has to end
LOOK_EVERY = 0.1  # seconds between looks for a signal

Work = Callable[[Any], Any]
Item = TypeVar("Item")


def mapped(
    make: Callable[..., Work], arguments: tuple[Any, ...], items: Iterable[Any], jobs: int
) -> Generator[Any, None, None]:
    """Yield what `make(*arguments)` makes of each item, in their order: here, or in `jobs` processes.

    Every process makes the work for itself, and is ended at once where nobody wants more. Raises `SeqnlpError` if one
    of them dies.
    """
    if jobs == 1:
        yield from map(make(*arguments), items)
        return
    workers: list[_Worker] = []
    try:
        yield from _results(workers, lambda: _Worker(make, arguments), items, jobs)
    finally:
        for worker in workers:
            worker.end()


def _results(workers: list[_Worker], start: Callable[[], _Worker], items: Iterable[Any], jobs: int) -> Iterator[Any]:
    """Deal the items out in turn; yield the results in the same order."""
    waiting: collections.deque[_Worker] = collections.deque()
    for number, item in enumerate(items):
        if number < jobs:
            workers.append(start())
        worker = workers[number % jobs]
        worker.send(item)
        waiting.append(worker)
        if len(waiting) == AHEAD * jobs:
            yield waiting.popleft().receive()
    while waiting:
        yield waiting.popleft().receive()


class _Worker:
    """A process that takes items and gives results, in their order."""

    def __init__(self, make: Callable[..., Work], arguments: tuple[Any, ...]) -> None:
        context = multiprocessing.get_context("spawn")  # a fork would copy locks that other threads hold
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, make, arguments), daemon=True)
        with _ignoring_interrupts():
            self._process.start()
        theirs.close()  # so that the pipe ends with the process

    def send(self, item: Any) -> None:
        """Give it another item, which it takes while it works."""
        with _explaining_death():
            self._pipe.send(item)

    def receive(self) -> Any:
        """Return its next result, or raise the error that came instead."""
        with _explaining_death():
            result, error = self._pipe.recv()
        if error is not None:
            raise error
        return result

    def end(self) -> None:
        """End it, whatever it does."""
        self._process.kill()
        self._process.join()
        self._pipe.close()


@contextlib.contextmanager
def _explaining_death() -> Iterator[None]:
    try:
        yield
    except (EOFError, ConnectionError):
        raise errors.SeqnlpError("one of the processes died: out of memory?", "fewer --jobs") from None


@contextlib.contextmanager
def _ignoring_interrupts() -> Iterator[None]:
    """Start processes that Ctrl-C does not reach: it is for this one, which then ends them."""
    resource_tracker.ensure_running()  # which lets signals through again when it starts
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _serve(pipe: Any, make: Callable[..., Work], arguments: tuple[Any, ...]) -> None:
    """Work in a process: a result, or an error, for every item."""
    items: queue.SimpleQueue[Any] = queue.SimpleQueue()
    threading.Thread(target=_take, args=(pipe, items), daemon=True).start()
    made: list[Work] = []

    def result_of(item: Any) -> Any:
        made[:] = made or [make(*arguments)]
        return made[0](item)

    while True:
        item = items.get()
        result, raised = None, None
        try:
            result = result_of(item)
        except Exception as error:
            raised = error
        pipe.send((result, raised))


def _take(pipe: Any, items: queue.SimpleQueue[Any]) -> None:
    """Take the items as they come: who sends must not wait while a result waits for him.

    A killed parent cannot end its children: they end themselves, with the pipe.
    """
    try:
        while True:
            items.put(pipe.recv())
    finally:
        signal.raise_signal(signal.SIGTERM)


def interruptible(work: Callable[[Iterable[Item]], None], items: Iterable[Item]) -> None:
    """Let native code work on items in a thread, which Ctrl-C and SIGTERM do not reach: they end the waiting for it.

    Code that does not come back to Python until all is done would hold them up. What is left of its work is given up
    with the process; it gets no more items.
    """
    given_up, done = threading.Event(), threading.Event()
    raised: list[BaseException] = []

    def passed() -> Iterator[Item]:
        for item in items:
            if given_up.is_set():
                raise InterruptedError
            yield item

    def run() -> None:
        try:
            work(passed())
        except BaseException as error:
            raised.append(error)
        finally:
            done.set()

    try:
        threading.Thread(target=run, daemon=True).start()
        # Not `join`, which takes an interrupted thread for one that has ended; and again and again, because a signal
        # that the system gives to another thread does not wake this one.
        while not done.wait(LOOK_EVERY):
            pass
    except BaseException:
        given_up.set()
        done.wait(GRACE)  # it ends soon if it asks for items: when Python ends it must not be about to
        raise
    if raised:
        raise raised[0]
