"""Splits: a tenth for dev, of each label alike, and nothing in it that a model was trained on before."""

import collections

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqnlp import errors
from seqnlp.preprocess.corpora import examples, seen, splits


def corpus(size, labels="a"):
    """Texts 0 to `size`; the labels take turns."""
    return of([labels[number % len(labels)] for number in range(size)])


def of(labels):
    made = [examples.Example(f"text {n}", (label,), None, "x", n) for n, label in enumerate(labels)]
    return examples.Examples(lambda: iter(made), len(made))


def numbers(part):
    found = [example.line for example in part]
    assert len(part) == len(found)
    return found


def target(example):
    return example.target


@pytest.mark.parametrize(("size", "dev"), [(2, 1), (9, 1), (10, 1), (29, 2), (100, 10), (50_000, 2000)])
def test_a_tenth_is_split_off_but_two_thousand_at_most(size, dev):
    train_part, dev_part = splits.split(corpus(size), 1)
    assert len(numbers(dev_part)) == dev
    assert sorted(numbers(train_part) + numbers(dev_part)) == list(range(size))


def test_a_split_keeps_the_order():
    for part in splits.split(corpus(100), 1):
        assert numbers(part) == sorted(numbers(part))


def test_a_split_is_a_function_of_the_seed():
    one, same, other = (numbers(splits.split(corpus(100), seed)[1]) for seed in (1, 1, 2))
    assert one == same != other


# Strata.


@given(st.lists(st.sampled_from("abcd"), min_size=1, max_size=120), st.integers(0, 9))
def test_every_stratum_gives_its_tenth(labels, seed):
    if max(collections.Counter(labels).values()) == 1:
        with pytest.raises(errors.DataError, match="no row can be split off for dev"):
            splits.split(of(labels), seed, stratum=target)
        return
    train, dev = splits.split(of(labels), seed, stratum=target)
    assert sorted(numbers(train) + numbers(dev)) == list(range(len(labels)))
    counts, taken = collections.Counter(labels), collections.Counter(example.target[0] for example in dev)
    several = sum(number for number in counts.values() if number > 1)
    size = max(1, len(labels) // 10)
    assert taken.total() == size
    for label, number in counts.items():
        if number == 1:
            assert not taken[label], "train would not know it"
        else:
            assert abs(taken[label] - size * number / several) < 1


def test_a_stratified_split_is_a_function_of_the_seed_and_no_prefix():
    one, same, other = (numbers(splits.split(corpus(100, "ab"), seed, stratum=target)[1]) for seed in (1, 1, 2))
    assert one == same != other
    assert one == sorted(one) and max(one) > 50


def test_strata_are_cut_to_two_thousand_too():
    _, dev = splits.split(corpus(30_000, "aab"), 1, stratum=target)
    assert len(dev) == 2000
    assert abs(sum(example.target == ("a",) for example in dev) - 2000 * 2 / 3) < 2


# What a model has seen.


def seen_of(train, dev, every):
    hashes = seen.inputs(every)
    return seen.Seen.of(hashes[list(train)], hashes[list(dev)])


@pytest.mark.parametrize("stratum", [None, target])
def test_what_was_dev_stays_dev_and_a_tenth_of_what_is_new_comes_to_it(stratum):
    every = corpus(100, "ab")
    before = seen_of(range(40), range(40, 50), every)
    train, dev = splits.split(every, 1, stratum=stratum, before=before)
    assert {*range(40)} <= {*numbers(train)} and {*range(40, 50)} <= {*numbers(dev)}
    assert len(dev) == 10 + 5


def test_the_same_corpus_gives_the_same_dev_part_again():
    every = corpus(100)
    train, dev = splits.split(every, 1)
    again = splits.split(every, 7, before=seen_of(numbers(train), numbers(dev), every))
    assert [numbers(part) for part in again] == [numbers(train), numbers(dev)]


def test_where_everything_was_trained_on_nothing_is_left():
    every = corpus(10)
    with pytest.raises(errors.DataError, match="no row is left for dev"):
        splits.split(every, 1, before=seen_of(range(10), [], every))


def test_what_is_seen_is_kept_in_a_file(tmp_path):
    before = seen.Seen.of([5, 3, 3], [7, 5])
    assert (before.train.tolist(), before.dev.tolist()) == ([3, 5], [7])
    before.save(tmp_path / "x")
    found = seen.Seen.load(tmp_path / "x")
    assert (found.train.tolist(), found.dev.tolist(), found.bound) == ([3, 5], [7], before.bound)
    joined = found.joined(seen.Seen.of([7], [3, 9]))
    assert (joined.train.tolist(), joined.dev.tolist()) == ([3, 5, 7], [9])


def test_beyond_what_is_kept_nothing_counts_as_new(monkeypatch):
    monkeypatch.setattr(seen, "MOST", 3)
    before = seen.Seen.of([10, 20, 30, 40], [5, 50])
    assert (before.train.tolist(), before.dev.tolist(), int(before.bound)) == ([10, 20], [5], 20)
    assert (
        before.new(np.array([4, 5, 10, 15, 20, 21, 40], np.uint64)).tolist() == [True, False, False, True] + [False] * 3
    )
    joined = before.joined(seen.Seen.of([1], []))
    assert int(joined.bound) == 10 and joined.train.tolist() == [1, 10]


@pytest.mark.parametrize("most", [3, 7, 50])
def test_rows_that_come_by_are_remembered_as_all_at_once_would_be(monkeypatch, most):
    monkeypatch.setattr(seen, "MOST", most)
    train, dev = np.random.default_rng(5).integers(0, 60, (2, 77)).astype(np.uint64)
    sketches = seen.Sketch(), seen.Sketch()
    for sketch, part in zip(sketches, (train, dev[:5]), strict=True):
        for fingerprint in part.tolist():
            sketch.add(fingerprint)
    found, whole = seen.Seen.of(*(sketch.values() for sketch in sketches)), seen.Seen.of(train, dev[:5])
    assert (found.train.tolist(), found.dev.tolist()) == (whole.train.tolist(), whole.dev.tolist())
    assert found.bound == whole.bound
