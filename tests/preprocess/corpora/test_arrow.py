"""Encoded corpora: rows go in and come out, whatever their number."""

import hashlib
import os
import re
import sys
from pathlib import Path

import numpy as np
import pyarrow
import pytest

from seqnlp.preprocess.corpora import arrow

FEATURES = {"ids": pyarrow.list_(pyarrow.int32()), "lengths": pyarrow.list_(pyarrow.int32())}


def rows(count):
    return [{"ids": list(range(n % 5 + 1)), "lengths": [n % 5 + 1]} for n in range(count)]


@pytest.mark.parametrize("count", [0, 1, 7, arrow.CHUNK, arrow.CHUNK + 1])
def test_all_rows_are_there(count):
    made = arrow.in_memory(iter(rows(count)), FEATURES)
    assert len(made) == count
    assert made.lengths.shape == (count, 1)
    assert made.lengths[:, 0].tolist() == [n % 5 + 1 for n in range(count)]


def test_rows_come_out_in_the_order_asked_for():
    made = arrow.in_memory(rows(7), FEATURES)
    assert made.columns(np.array([6, 0, 3]))["ids"] == [[0, 1], [0], [0, 1, 2, 3]]


def test_a_pair_has_two_lengths():
    made = arrow.in_memory([{"ids": [], "lengths": [3, 5]}, {"ids": [], "lengths": [7, 2]}], FEATURES)
    assert made.lengths.tolist() == [[3, 5], [7, 2]]


def on_disk(path, rows):
    """Write rows; return how many there were."""
    return arrow.write(path, (arrow.batch_of(chunk, FEATURES) for chunk in arrow.chunks(rows)), FEATURES)


def resident(path):
    """How many kilobytes of a mapped file are in this process's memory."""
    found = re.search(rf"{re.escape(str(path))}\n(?:.*\n)*?Rss: +(\d+) kB", Path("/proc/self/smaps").read_text())
    return int(found[1])


@pytest.mark.skipif(sys.platform != "linux", reason="asks /proc")
def test_what_was_read_of_a_mapped_file_is_let_go_and_can_be_read_again(tmp_path):
    count = 2 * arrow.CHUNK
    on_disk(tmp_path / "rows.arrow", iter(rows(count)))
    mapped = arrow.Rows(arrow.memory_mapped(tmp_path / "rows.arrow")[0])
    before = mapped.columns(range(count))
    assert resident(tmp_path / "rows.arrow") > 100
    arrow.release()
    assert resident(tmp_path / "rows.arrow") == 0
    assert mapped.columns(range(count)) == before


@pytest.mark.parametrize("count", [0, 1, arrow.CHUNK + 1])
def test_a_corpus_on_the_disk_is_the_one_in_memory(count, tmp_path):
    assert on_disk(tmp_path / "rows.arrow", iter(rows(count))) == count
    table, digest = arrow.memory_mapped(tmp_path / "rows.arrow")
    mapped, held = arrow.Rows(table), arrow.in_memory(rows(count), FEATURES)
    assert digest == hashlib.sha256((tmp_path / "rows.arrow").read_bytes()).hexdigest()
    assert list(mapped) == list(held) == rows(count)
    assert mapped.lengths.tolist() == held.lengths.tolist()
    chosen = np.arange(count)[::-3]
    assert mapped.columns(chosen) == held.columns(chosen)
    assert [path.name for path in tmp_path.iterdir()] == ["rows.arrow"]


def test_the_file_of_the_same_rows_is_the_same(tmp_path):
    for name in ("one", "two"):
        on_disk(tmp_path / name, rows(arrow.CHUNK + 1))
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_a_name_that_is_not_utf8_is_a_name(tmp_path):
    path = tmp_path / os.fsdecode(b"\xe9.arrow")
    try:
        on_disk(path, rows(3))
    except OSError:
        pytest.skip("this file system takes UTF-8 only")
    assert len(arrow.memory_mapped(path)[0]) == 3


def test_an_error_in_the_middle_leaves_no_file(tmp_path):
    def batches():
        yield arrow.batch_of(rows(3), FEATURES)
        raise ValueError

    with pytest.raises(ValueError):
        arrow.write(tmp_path / "rows.arrow", batches(), FEATURES)
    assert list(tmp_path.iterdir()) == []


def in_order(made, order):
    """The ids of the rows in another order."""
    return [ids for batch in made.in_order(np.array(order, dtype=np.int64)) for ids in batch.to_pydict()["ids"]]


@pytest.mark.parametrize("chunk", [3, 10])
def test_rows_in_another_order(monkeypatch, tmp_path, chunk):
    monkeypatch.setattr(arrow, "CHUNK", chunk)
    on_disk(tmp_path / "rows.arrow", rows(10))
    made = arrow.Rows(arrow.memory_mapped(tmp_path / "rows.arrow")[0])
    for order in ([7, 0, 9, 2, 1, 3, 8, 5, 4, 6], [3, 3, 0], []):
        assert in_order(made, order) == [rows(10)[number]["ids"] for number in order]


@pytest.mark.parametrize("count", [0, 1, 3, 4, 7])
def test_chunks_are_full_but_the_last(monkeypatch, count):
    monkeypatch.setattr(arrow, "CHUNK", 3)
    found = list(arrow.chunks(iter(range(count))))
    assert [item for chunk in found for item in chunk] == list(range(count))
    assert all(len(chunk) == 3 for chunk in found[:-1]) and all(found)


def test_the_numbers_of_a_column_lie_in_the_mapped_file_one_row_after_the_other(tmp_path, monkeypatch):
    monkeypatch.setattr(arrow, "CHUNK", 7)
    on_disk(tmp_path / "rows.arrow", iter(rows(17)))
    mapped = arrow.Rows(arrow.memory_mapped(tmp_path / "rows.arrow")[0])
    before = pyarrow.total_allocated_bytes()
    parts = mapped.parts("ids")
    assert [len(part) for part in parts] == [sum(len(row["ids"]) for row in rows(17)[n : n + 7]) for n in (0, 7, 14)]
    assert np.concatenate(parts).tolist() == [number for row in rows(17) for number in row["ids"]]
    assert not any(part.flags.owndata or part.flags.writeable for part in parts)
    assert pyarrow.total_allocated_bytes() == before
