"""A contiguous stream: every step once and in order, the next item for a target, the same for the same seed."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqnlp import errors
from seqnlp.preprocess.batching import stream

IGNORED = -1
SIZES = st.tuples(st.integers(2, 400), st.integers(1, 9), st.integers(1, 40))  # items, streams, steps
STREAMS = st.builds(
    lambda sizes, seed, varying: stream.Stream(*sizes, seed, varying), SIZES, st.integers(0, 2**40), st.booleans()
)


def counted(length):
    """The items 0, 1, 2, ... in three parts: an item is its own place."""
    return stream.Concatenation(np.array_split(np.arange(length, dtype=np.int32), 3))


def rows_of(made, number=0):
    """What each stream reads in an epoch, chunk by chunk: (inputs, targets), each (B, all steps)."""
    items = counted(made.length)
    read = [chunk.read(items, IGNORED) for chunk in made.epoch(number)]
    return tuple(np.concatenate(parts, axis=1) for parts in zip(*read, strict=True))


@given(STREAMS, st.integers(0, 5))
def test_an_epoch_has_every_step_once_and_in_order(made, number):
    inputs, targets = rows_of(made, number)
    assert inputs[targets != IGNORED].tolist() == list(range(made.length - 1))


@given(STREAMS, st.integers(0, 5))
def test_the_target_of_a_step_is_the_next_item(made, number):
    inputs, targets = rows_of(made, number)
    assert np.array_equal(targets[targets != IGNORED], inputs[targets != IGNORED] + 1)


@given(STREAMS)
def test_a_stream_goes_on_where_the_chunk_before_stopped(made):
    for before, after in itertools.pairwise(made.epoch(1)):
        assert np.array_equal(before.starts + before.steps, after.starts)


@given(STREAMS)
def test_only_the_last_step_of_an_epoch_may_be_without_a_target(made):
    _, targets = rows_of(made)
    assert np.all(targets[:, :-1] != IGNORED)
    assert np.any(targets[:, -1] != IGNORED)


@given(STREAMS)
def test_every_chunk_has_all_streams_and_at_least_one_step(made):
    chunks = made.epoch(0)
    assert {len(chunk.starts) for chunk in chunks} == {min(made.streams, made.length - 1)}
    assert all(chunk.steps >= 1 for chunk in chunks)


@given(STREAMS)
def test_every_epoch_has_as_many_chunks(made):
    assert len({len(made.epoch(number)) for number in range(5)}) == 1


@given(SIZES)
def test_chunks_of_one_length_have_it_but_for_the_last(sizes):
    *full, last = (chunk.steps for chunk in stream.Stream(*sizes).epoch(3))
    assert set(full) <= {sizes[2]}
    assert 1 <= last <= sizes[2]


@given(STREAMS, st.integers(0, 9))
def test_an_epoch_is_a_function_of_seed_and_number(made, number):
    one, other = made.epoch(number), made.epoch(number)
    assert [chunk.steps for chunk in one] == [chunk.steps for chunk in other]


def test_lengths_vary_around_the_steps_and_around_half_of_them():
    made = stream.Stream(70 * 800, 8, 70, seed=1, varying=True)
    lengths = np.array([chunk.steps for number in range(40) for chunk in made.epoch(number)])
    usual = lengths[lengths > 50]
    assert 0.02 < np.mean(lengths <= 50) < 0.08
    assert 66 < usual.mean() < 74 and 4 < usual.std() < 7
    assert 31 < lengths[lengths <= 50].mean() < 40


@pytest.mark.parametrize(("seed", "number"), [(2, 0), (1, 1)])
def test_another_seed_or_epoch_has_other_lengths(seed, number):
    one, other = (
        [chunk.steps for chunk in stream.Stream(9000, 3, 20, seed, True).epoch(number)]
        for seed, number in ((1, 0), (seed, number))
    )
    assert sum(one) == sum(other) and one != other


def test_by_hand():
    letters = stream.Concatenation([np.frombuffer(row, dtype=np.uint8) for row in (b"abcd", b"efg", b"hijkl")])
    read = [chunk.read(letters, ord(".")) for chunk in stream.Stream(12, 2, 3).epoch(0)]
    shown = [[bytes(row.astype(np.uint8).tolist()).decode() for part in pair for row in part] for pair in read]
    assert shown == [["abc", "ghi", "bcd", "hij"], ["def", "jkl", "efg", "kl."]]


@pytest.mark.parametrize("length", [0, 1])
def test_a_stream_of_one_item_has_nothing_to_predict(length):
    with pytest.raises(errors.DataError, match="nothing to predict"):
        stream.Stream(length, 3, 5)


def test_memory_mapped_parts_stay_mapped(tmp_path):
    (tmp_path / "items").write_bytes(np.arange(1000, dtype=np.int32).tobytes())
    mapped = np.memmap(tmp_path / "items", dtype=np.int32, mode="r")
    items = stream.Concatenation([mapped[:400], mapped[400:]])
    assert all(np.shares_memory(part, mapped) for part in items.parts)
    assert items.take(np.array([[399, 400], [0, 999]])).tolist() == [[399, 400], [0, 999]]


@given(st.lists(st.integers(0, 5), min_size=1, max_size=9))
def test_a_concatenation_is_what_numpy_makes_of_its_parts(sizes):
    parts = [np.arange(size) + 10 * number for number, size in enumerate(sizes)]
    whole, made = np.concatenate(parts), stream.Concatenation(parts)
    assert len(made) == len(whole)
    assert made.take(np.arange(len(whole))).tolist() == whole.tolist()


@pytest.mark.parametrize("place", [-1, 7])
def test_a_place_outside_is_an_error(place):
    with pytest.raises(IndexError, match="of 7"):
        counted(7).take(np.array([3, place]))
