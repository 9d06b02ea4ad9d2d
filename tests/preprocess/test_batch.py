"""Batches: every row once, limits held, widths that fit, the same for the same seed and epoch, little padding."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqnlp.preprocess import batch as batches

LENGTHS = st.lists(st.integers(0, 300), max_size=200).map(lambda values: np.array(values, dtype=np.int64))
LIMITS = st.builds(batches.Limits, st.integers(1, 2000), st.integers(1, 70))


def epoch(lengths, limits, seed=1, number=0):
    return batches.shuffled(lengths, batches.plan(lengths, limits), seed=seed, epoch=number)


def same(first, second):
    pairs = list(zip(first, second, strict=True))
    return all(width == other and np.array_equal(rows, others) for (rows, width), (others, other) in pairs)


def rows_of(found):
    return sorted(int(row) for rows, _ in found for row in rows)


def hold(found, lengths, limits):
    """Whether all batches fit their rows, and the limits."""
    for rows, width in found:
        assert len(rows) > 0
        assert width >= max(1, lengths[rows].max())
        assert len(rows) <= limits.batch_size
        assert len(rows) == 1 or len(rows) * width <= limits.max_tokens


@given(LENGTHS, LIMITS, st.integers(0, 5))
def test_an_epoch_has_every_row_once(lengths, limits, number):
    assert rows_of(epoch(lengths, limits, number=number)) == list(range(len(lengths)))


@given(LENGTHS, LIMITS)
def test_an_epoch_s_batches_fit_rows_and_limits(lengths, limits):
    hold(epoch(lengths, limits), lengths, limits)


@given(LENGTHS, LIMITS, st.integers(0, 2**40), st.integers(0, 100))
def test_an_epoch_is_a_function_of_seed_and_number(lengths, limits, seed, number):
    assert same(epoch(lengths, limits, seed, number), epoch(lengths, limits, seed, number))


@given(LENGTHS, LIMITS)
def test_every_epoch_has_as_many_batches(lengths, limits):
    assert len({len(epoch(lengths, limits, number=number)) for number in range(4)}) == 1


@pytest.mark.parametrize("change", [{"seed": 2}, {"number": 1}])
def test_another_seed_or_epoch_puts_other_rows_together(change):
    lengths = np.arange(1, 201)
    one, other = (
        {frozenset(rows.tolist()) for rows, _ in epoch(lengths, batches.Limits(400, 8), **c)} for c in ({}, change)
    )
    assert len(one & other) < len(one) / 2


@given(LENGTHS, LIMITS)
def test_by_length_has_every_row_once_and_shortest_first(lengths, limits):
    found = list(batches.by_length(lengths, limits))
    widths = [width for _, width in found]
    assert rows_of(found) == list(range(len(lengths)))
    assert widths == sorted(widths)
    hold(found, lengths, limits)


def test_by_length_keeps_the_order_of_rows_of_one_length():
    ((rows, width),) = batches.by_length(np.array([3, 3, 3]), batches.Limits())
    assert (rows.tolist(), width) == ([0, 1, 2], 3)


@given(st.integers(1, 100_000))
def test_round_up_adds_little(length):
    rounded = batches.round_up(length)
    assert length <= rounded <= length * (1 if length <= 32 else 1.063)


def test_round_up_never_falls():
    rounded = [batches.round_up(length) for length in range(1, 5000)]
    assert rounded == sorted(rounded)


def test_round_up_of_its_result_changes_nothing():
    assert all(batches.round_up(rounded) == rounded for rounded in map(batches.round_up, range(1, 5000)))


def test_shapes_are_few():
    assert len({batches.round_up(length) for length in range(1, 1025)}) <= 32 + 5 * 16


def realistic(count, median):
    """Lengths as sentences have them: log-normal."""
    return np.maximum(1, np.random.default_rng(3).lognormal(np.log(median), 0.5, count)).astype(np.int64)


@pytest.mark.parametrize(("count", "median", "share"), [(20_000, 12, 0.05), (2000, 12, 0.15), (5000, 150, 0.1)])
def test_padding_is_little(count, median, share):
    lengths = realistic(count, median)
    assert batches.padding_share(lengths, epoch(lengths, batches.Limits(4096, 64))) < share


def test_padding_is_far_less_than_in_random_batches():
    lengths = realistic(2000, 20)
    order = np.random.default_rng(0).permutation(2000).reshape(-1, 50)
    naive = batches.padding_share(lengths, [(rows, int(lengths[rows].max())) for rows in order])
    assert batches.padding_share(lengths, epoch(lengths, batches.Limits(4096, 64))) < naive / 5


def test_rows_of_a_full_bucket_meet_others_in_every_epoch():
    lengths = np.full(64, 7)
    one, other = (epoch(lengths, batches.Limits(10_000, 8), number=number) for number in range(2))
    assert not {frozenset(rows.tolist()) for rows, _ in one} & {frozenset(rows.tolist()) for rows, _ in other}


def test_batches_of_a_bucket_are_nearly_of_one_size():
    sizes = [len(rows) for rows, _ in epoch(np.full(65, 7), batches.Limits(10_000, 64))]
    assert sorted(sizes) == [32, 33]


@pytest.mark.parametrize(
    ("length", "rows"), [(0, 8), (1, 8), (12, 8), (13, 7), (50, 2), (51, 1), (100, 1), (101, 1), (5000, 1)]
)
def test_limits_in_rows(length, rows):
    assert batches.Limits(max_tokens=100, batch_size=8).rows(length) == rows


def test_no_batches_have_no_padding():
    assert batches.padding_share(np.zeros(0), []) == 0


def test_padding_share_by_hand():
    found = [(np.array([0, 1]), 4), (np.array([2]), 4)]
    assert batches.padding_share(np.array([1, 3, 4]), found) == pytest.approx(1 / 3)


def test_pad():
    assert batches.pad([[1, 2, 3], [], [4]], 3, value=-1).tolist() == [[1, 2, 3], [-1, -1, -1], [4, -1, -1]]
