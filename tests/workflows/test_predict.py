"""The window over a stream, and what loading says of folders that hold no model."""

import itertools
import threading
import time

import pytest
import torch

from seqnlp import errors
from seqnlp.io import jsonl, stream
from seqnlp.training import checkpoint
from seqnlp.workflows import model_folder, predict


def test_windows_give_every_item_in_order():
    assert list(itertools.chain(*stream.windows(iter(range(5000))))) == list(range(5000))


def test_a_window_closes_when_it_is_full():
    assert max(map(len, stream.windows(range(1000), max_size=7, idle=5))) == 7


def test_a_last_window_may_be_smaller():
    assert [len(window) for window in stream.windows(range(10), max_size=4, idle=5)] == [4, 4, 2]


def test_no_items_give_no_window():
    assert list(stream.windows([])) == []


def test_a_window_closes_when_nothing_comes_for_now():
    go_on = threading.Event()

    def slow():
        yield "first"
        assert go_on.wait(20)
        yield "second"

    windows = stream.windows(slow())
    assert next(windows) == ["first"]  # before there is a second
    go_on.set()
    assert list(windows) == [["second"]]


def test_falsy_items_are_items():
    assert list(stream.windows([None, 0, "", []], idle=5)) == [[None, 0, "", []]]


def test_what_came_before_an_error_is_given_first():
    def broken():
        yield 1
        yield 2
        raise errors.DataError("x.jsonl:3: not JSON")

    found = []
    with pytest.raises(errors.DataError, match="not JSON"):
        for window in stream.windows(broken(), idle=5):
            found += window
    assert found == [1, 2]


def test_reading_does_not_run_far_ahead():
    read = []

    def items():
        for number in range(1000):
            read.append(number)
            yield number

    windows = stream.windows(items(), max_size=5, idle=5)
    next(windows)
    time.sleep(0.1)
    assert len(read) <= 5 + 5 + 2


@pytest.fixture
def four_threads():
    before = torch.get_num_threads()
    torch.set_num_threads(4)
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize(("jobs", "workers", "threads"), [(9, 4, 1), (2, 2, 2), (1, 1, 4), (0, 0, 4)])
def test_jobs_share_the_threads(four_threads, jobs, workers, threads):
    met, seen = threading.Barrier(max(workers, 1)), set()

    def run(number):
        if number < workers:
            met.wait(20)  # the first ones are under way at once, or this breaks
        seen.add((threading.get_ident(), torch.get_num_threads()))
        return number * 2

    found = list(predict._each(run, range(jobs), torch.device("cpu")))
    assert found == [number * 2 for number in range(jobs)]
    assert {number for _, number in seen} == ({threads} if jobs else set())
    assert torch.get_num_threads() == 4


def test_an_error_ends_all_jobs_and_gives_the_threads_back(four_threads):
    done = []

    def run(number):
        if number == 3:
            raise errors.DataError("broken")
        done.append(number)

    with pytest.raises(errors.DataError, match="broken"):
        list(predict._each(run, range(10000), torch.device("cpu")))
    assert len(done) < 10000
    assert torch.get_num_threads() == 4


def test_a_window_of_rows_gives_its_columns():
    rows = predict.Window([{"ids": [n], "lengths": [n, 2 * n]} for n in range(3)])
    assert rows.lengths.tolist() == [[0, 0], [1, 2], [2, 4]]
    assert rows.columns([2, 0]) == {"ids": [[2], [0]], "lengths": [[2, 4], [0, 0]]}


@pytest.mark.parametrize("name", ["nothing", "."])
def test_a_folder_without_a_model(tmp_path, name):
    with pytest.raises(errors.ModelError, match="no model here; hint: train one"):
        predict.load(tmp_path / name)


def test_a_run_without_an_evaluation_is_reported(tmp_path):
    model_folder.begin(tmp_path, CONTENT, lambda folder: [])
    with pytest.raises(
        errors.ModelError, match="its training has not reached its first evaluation; hint: let it go on"
    ):
        predict.load(tmp_path)
    checkpoint.save(tmp_path / "checkpoint", {"weights": {"a": torch.ones(1)}, "best": {}}, {"best_step": 0})
    with pytest.raises(errors.ModelError, match="its training has not reached its first evaluation"):
        predict.load(tmp_path)


def test_a_checkpoint_that_lacks_a_file_is_reported(tmp_path):
    model_folder.begin(tmp_path, CONTENT, lambda folder: [])
    path = checkpoint.save(tmp_path / "checkpoint", {"best": {"a": torch.ones(1)}}, {"best_step": 3})
    (path / "best.safetensors").unlink()
    with pytest.raises(errors.ModelError, match="is missing; hint: train again"):
        predict.load(tmp_path)


def test_a_model_of_a_task_that_is_not_there(tmp_path):
    model_folder.publish(tmp_path, CONTENT, {}, [])
    jsonl.write_json(tmp_path / "config.json", {**model_folder.read_config(tmp_path), "task": "cooking"})
    with pytest.raises(errors.ModelError, match=r"its files do not fit together \(no task 'cooking'"):
        predict.load(tmp_path)


CONTENT = {
    **{
        "task": "classify",
        "finished": True,
        "refit": False,
        "config": {},
        "files": {},
        "sizes": {"train": 1, "dev": 1, "parameters": 1},
    },
    **{
        "training": {"seed": 1},
        "run": {"dev": None},
        "data": {},
        "labels": {},
        "date": "2026-01-02T03:04:05+00:00",
        "scores": [],
        "details": {},
        "step": 1,
        "steps": 1,
        "seconds": 1.0,
    },
}
