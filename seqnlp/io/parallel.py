"""Processes: the same work on many items at once; results come in the items' order, and few of them wait.

And a thread for what does not listen to signals.
"""

from __future__ import annotations

import collections
import contextlib
import multiprocessing
import signal
import threading
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent import futures
from concurrent.futures import process
from typing import Any, TypeVar

from seqnlp import errors

AHEAD = 2  # items that are read ahead for each process
GRACE = 0.5  # seconds that work which is given up has to end

Work = Callable[[Any], Any]
Item = TypeVar("Item")


def mapped(
    make: Callable[..., Work], arguments: tuple[Any, ...], items: Iterable[Any], jobs: int
) -> Generator[Any, None, None]:
    """Yield what `make(*arguments)` makes of each item, in their order: here, or in `jobs` processes.

    Every process makes the work for itself. Raises `SeqnlpError` if one of them dies.
    """
    if jobs == 1:
        yield from map(make(*arguments), items)
        return
    context = multiprocessing.get_context("spawn")  # a fork would copy locks that other threads hold
    pool = futures.ProcessPoolExecutor(jobs, context, _start, (make, arguments))
    try:
        yield from _results(pool, items, AHEAD * jobs)
    except process.BrokenProcessPool:
        raise errors.SeqnlpError("one of the processes died: out of memory?", "fewer --jobs") from None
    finally:
        # Waits for the items that are being worked on. If the processes were ended instead, Python 3.10 could hang: its
        # pool keeps writing to a pipe that has no reader any more.
        pool.shutdown(cancel_futures=True)


def _results(pool: futures.Executor, items: Iterable[Any], max_waiting: int) -> Iterator[Any]:
    """Yield the results, with at most so many items under way: the pool itself would read all of them."""
    waiting: collections.deque[futures.Future[Any]] = collections.deque()
    for item in items:
        with _ignoring_interrupts():
            waiting.append(pool.submit(_run, item))
        if len(waiting) == max_waiting:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()


@contextlib.contextmanager
def _ignoring_interrupts() -> Iterator[None]:
    """Start processes that Ctrl-C does not reach: it is for this one, which then ends them."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


_WORK: list[Work] = []  # what a process does


def _start(make: Callable[..., Work], arguments: tuple[Any, ...]) -> None:
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _WORK[:] = [make(*arguments)]


def _end_with_parent() -> None:
    """A killed parent cannot end its children: they end themselves."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        signal.raise_signal(signal.SIGTERM)


def _run(item: Any) -> Any:
    return _WORK[0](item)


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
        done.wait()  # not `join`, which takes an interrupted thread for one that has ended
    except BaseException:
        given_up.set()
        done.wait(GRACE)  # it ends soon if it asks for items: when Python ends it must not be about to
        raise
    if raised:
        raise raised[0]
