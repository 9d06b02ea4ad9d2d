"""Sliding windows: every window once, none across the end of its series or the split, the same for the same seed."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from seqnlp import errors
from seqnlp.preprocess.batching import stream, windows

SERIES = st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), min_size=1, max_size=9).map(
    lambda pairs: (np.array([a + b for a, b in pairs]), np.array([a for a, _ in pairs]))
)  # lengths, splits
SIZES = (st.integers(1, 7), st.integers(1, 5), st.integers(1, 11))  # window, horizon, batch


def made(spans, window, horizon, batch, seed=1):
    """The windows; examples where none fits are passed over."""
    assume(np.any(spans[:, 1] - spans[:, 0] >= window + horizon))
    return windows.Windows(spans, window, horizon, batch, seed)


def items(policy, number=0):
    """The windows of an epoch: of each its series and its first place there."""
    batches = map(policy.windows, policy.epoch(number))
    return [pair for batch in batches for pair in zip(batch.series.tolist(), batch.starts.tolist(), strict=True)]


@given(SERIES, *SIZES, st.booleans(), st.integers(0, 3))
def test_an_epoch_has_every_window_once_and_none_crosses(series, window, horizon, batch, dev, number):
    lengths, splits = series
    spans = windows.spans(lengths, splits, window)[dev]
    wanted = [
        (i, start)
        for i, (length, split) in enumerate(zip(lengths.tolist(), splits.tolist(), strict=True))
        for start in range(length)
        if start + window + horizon <= (length if dev else split) and (not dev or start + window >= split)
    ]
    assert sorted(items(made(spans, window, horizon, batch), number)) == wanted


@given(SERIES, *SIZES)
def test_batches_are_full_and_as_many_in_every_epoch(series, window, horizon, batch):
    policy = made(windows.spans(*series, window)[0], window, horizon, batch)
    sizes = [[len(part) for part in policy.epoch(number)] for number in range(3)]
    assert {len(found) for found in sizes} == {-(-policy.items // batch)}
    assert all(1 <= size <= batch and max(found) - min(found) <= 1 for found in sizes for size in found)


@given(SERIES, *SIZES, st.integers(0, 2**40), st.integers(0, 9))
def test_an_epoch_is_a_function_of_seed_and_number(series, window, horizon, batch, seed, number):
    policy = made(windows.spans(*series, window)[0], window, horizon, batch, seed)
    assert items(policy, number) == items(policy, number)


@pytest.mark.parametrize(("seed", "number"), [(2, 0), (1, 1)])
def test_another_seed_or_epoch_has_another_order(seed, number):
    spans = np.array([[0, 90], [0, 70]])
    one = items(windows.Windows(spans, 5, 3, 7, 1))
    other = items(windows.Windows(spans, 5, 3, 7, seed), number)
    assert sorted(one) == sorted(other) and one != other


def test_by_hand():
    training, dev = windows.spans(np.array([10]), np.array([7]), 3)
    assert sorted(items(windows.Windows(training, 3, 2, 4))) == [(0, 0), (0, 1), (0, 2)]
    assert sorted(items(windows.Windows(dev, 3, 2, 4))) == [(0, 4), (0, 5)]


def test_the_values_of_windows():
    values = stream.Concatenation([np.arange(10.0), np.arange(100.0, 109.0)])
    batch = windows.Batch(np.array([1, 0]), np.array([2, 5]))
    read = batch.read(values, np.array([0, 10]), 4)
    assert read.tolist() == [[102, 103, 104, 105], [5, 6, 7, 8]]
    assert read.dtype == np.float64


@pytest.mark.parametrize("spans", [np.zeros((0, 2), dtype=np.int64), np.array([[0, 7], [3, 10]])])
def test_series_that_are_too_short_are_an_error(spans):
    with pytest.raises(errors.DataError, match="no series is long enough for a window of 5 values and a horizon of 3"):
        windows.Windows(spans, 5, 3, 4)


def test_an_epoch_may_pass_through_all_windows_several_times():
    spans = np.array([[0, 9], [0, 4]])
    once, thrice = windows.Windows(spans, 3, 2, 4), windows.Windows(spans, 3, 2, 4, passes=3)
    assert thrice.items == 3 * once.items == 3 * once.places
    assert sorted(items(thrice)) == sorted(items(once) * 3)
    assert thrice.summary() == once.summary()
