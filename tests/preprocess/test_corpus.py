"""Encoded corpora: rows go in and come out, whatever their number."""

import datasets
import numpy as np
import pytest

from seqnlp.preprocess import corpus

FEATURES = {"ids": datasets.List(datasets.Value("int32")), "lengths": datasets.List(datasets.Value("int32"))}


def rows(count):
    return [{"ids": list(range(n % 5 + 1)), "lengths": [n % 5 + 1]} for n in range(count)]


@pytest.mark.parametrize("count", [0, 1, 7, corpus.CHUNK, corpus.CHUNK + 1])
def test_all_rows_are_there(count):
    made = corpus.in_memory(iter(rows(count)), FEATURES)
    assert len(made) == count
    assert made.lengths.tolist() == [n % 5 + 1 for n in range(count)]


def test_rows_come_out_in_the_order_asked_for():
    made = corpus.in_memory(rows(7), FEATURES)
    assert made.columns(np.array([6, 0, 3]))["ids"] == [[0, 1], [0], [0, 1, 2, 3]]


def test_the_length_of_a_pair_is_that_of_its_longer_side():
    made = corpus.in_memory([{"ids": [], "lengths": [3, 5]}, {"ids": [], "lengths": [7, 2]}], FEATURES)
    assert made.lengths.tolist() == [5, 7]


@pytest.mark.parametrize("count", [0, 1, corpus.CHUNK + 1])
def test_a_corpus_on_the_disk_is_the_one_in_memory(count, tmp_path):
    corpus.write(tmp_path / "rows.arrow", iter(rows(count)), FEATURES)
    mapped, held = corpus.memory_mapped(tmp_path / "rows.arrow"), corpus.in_memory(rows(count), FEATURES)
    assert mapped.lengths.tolist() == held.lengths.tolist()
    chosen = np.arange(count)[::-3]
    assert not count or mapped.columns(chosen) == held.columns(chosen)
    assert [path.name for path in tmp_path.iterdir()] == ["rows.arrow"]
