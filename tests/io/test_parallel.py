"""Work in several processes: every result in its place, few items ahead, errors and deaths reported."""

import functools
import multiprocessing
import operator
import os
import signal
import threading
import time

import pytest

from seqnlp import errors
from seqnlp.io import files, parallel


def mapped(items, jobs, *work):
    """What a function (of a module that every process can import) makes of items."""
    return parallel.mapped(functools.partial, work, items, jobs)


@pytest.fixture(autouse=True)
def nobody_is_left():
    yield
    assert multiprocessing.active_children() == []


@pytest.mark.parametrize(("jobs", "count"), [(1, 0), (1, 7), (2, 0), (2, 1), (2, 17), (3, 5)])
def test_results_come_in_the_order_of_the_items(jobs, count):
    assert list(mapped(range(count), jobs, operator.add, 100)) == list(range(100, 100 + count))


@pytest.mark.parametrize("jobs", [1, 2])
def test_items_are_read_as_results_are_taken(jobs):
    read = []
    items = (read.append(number) or number for number in range(100))
    results = mapped(items, jobs, operator.neg)
    for taken in range(1, 6):
        assert next(results) == 1 - taken
        assert len(read) <= taken - 1 + parallel.AHEAD * jobs
    results.close()
    assert len(read) < 20


@pytest.mark.parametrize("jobs", [1, 2])
def test_an_error_in_the_work_comes_out(jobs):
    with pytest.raises(ValueError, match="'x'"):
        list(mapped(["1", "2", "x", "3"], jobs, int))


@pytest.mark.parametrize("jobs", [1, 2])
def test_an_error_in_the_items_comes_out_after_the_results_before_it(jobs):
    def items():
        yield from range(10)
        raise errors.DataError("x:11: wrong")

    found = []
    with pytest.raises(errors.DataError, match="x:11: wrong"):
        found.extend(iter(mapped(items(), jobs, operator.neg)))
    assert found == [-n for n in range(len(found))]


def test_an_error_keeps_its_hint():
    with pytest.raises(errors.UsageError) as error:
        list(mapped([""], 2, files.open_bytes))
    assert error.value.hint == "check the name and the folder you are in" and error.value.code == 2


def test_a_process_that_dies_is_reported():
    with pytest.raises(errors.SeqnlpError, match="one of the processes died: out of memory\\?; hint: fewer --jobs"):
        list(mapped([7], 2, os._exit))


def test_ctrl_c_does_not_wait_for_what_is_in_work():
    results = mapped([600, 600, 600], 2, time.sleep)
    threading.Timer(1, os.kill, (os.getpid(), signal.SIGINT)).start()
    with pytest.raises(KeyboardInterrupt):
        next(results)


def test_large_items_and_large_results_do_not_wait_for_each_other():
    items = [str(number) * 1_000_000 for number in range(9)]  # more than a pipe holds
    assert list(mapped(items, 2, operator.add, "x")) == ["x" + item for item in items]


def test_native_work_gets_its_items_and_its_errors_come_out():
    found = []
    parallel.interruptible(found.extend, range(7))
    assert found == list(range(7))

    def items():
        yield 1
        raise errors.DataError("x:2: wrong")

    with pytest.raises(errors.DataError, match="x:2: wrong"):
        parallel.interruptible(found.extend, items())


def test_a_signal_ends_the_waiting_for_native_work_and_it_gets_no_more_items():
    begun, ended, taken = threading.Event(), threading.Event(), []

    def work(items):
        try:
            for item in items:
                taken.append(item)
                begun.set()
                time.sleep(0.01)
        finally:
            ended.set()

    def interrupt():
        begun.wait(60)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=interrupt).start()
    with pytest.raises(KeyboardInterrupt):
        parallel.interruptible(work, range(100_000))
    assert ended.wait(60) and len(taken) < 100_000
