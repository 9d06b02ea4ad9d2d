"""Batches: every row once, limits held, widths that fit, the same for the same seed and epoch, little padding.

Rows have one length, or two: source and target of a pair.
"""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqnlp.preprocess.batching import buckets, packing, padding


def rows_with(columns):
    """Lengths of rows, (N, columns)."""
    row = st.lists(st.integers(0, 300), min_size=columns, max_size=columns)
    return st.lists(row, max_size=200).map(lambda rows: np.array(rows, dtype=np.int64).reshape(-1, columns))


LENGTHS = st.one_of(rows_with(1), rows_with(2))
LIMITS = st.builds(buckets.Limits, st.integers(1, 2000), st.integers(1, 70))


def ones(lengths):
    """Lengths of rows that have one each, (N, 1)."""
    return np.array(lengths, dtype=np.int64).reshape(-1, 1)


def epoch(lengths, limits, seed=1, number=0):
    return buckets.shuffled(lengths, buckets.plan(lengths, limits), seed=seed, epoch=number)


def same(first, second):
    pairs = list(zip(first, second, strict=True))
    return all(widths == other and np.array_equal(rows, others) for (rows, widths), (others, other) in pairs)


def rows_of(found):
    return sorted(int(row) for rows, _ in found for row in rows)


def hold(found, lengths, limits):
    """Whether all batches fit their rows, and the limits."""
    for rows, widths in found:
        assert len(rows) > 0
        assert len(widths) == lengths.shape[1]
        assert np.all(np.array(widths) >= np.maximum(lengths[rows].max(0), 1))
        assert len(rows) <= limits.batch_size
        assert len(rows) == 1 or len(rows) * max(widths) <= limits.max_tokens


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
    lengths = ones(np.arange(1, 201))
    one, other = (
        {frozenset(rows.tolist()) for rows, _ in epoch(lengths, buckets.Limits(400, 8), **c)} for c in ({}, change)
    )
    assert len(one & other) < len(one) / 2


@given(LENGTHS, LIMITS)
def test_by_length_has_every_row_once_and_shortest_first(lengths, limits):
    found = list(buckets.by_length(lengths, limits))
    firsts = [widths[0] for _, widths in found]
    assert rows_of(found) == list(range(len(lengths)))
    assert firsts == sorted(firsts)
    hold(found, lengths, limits)


@given(LENGTHS, LIMITS)
def test_by_length_rounds_widths_up(lengths, limits):
    for rows, widths in buckets.by_length(lengths, limits):
        assert widths == tuple(padding.round_up(max(1, int(most))) for most in lengths[rows].max(0))


def test_by_length_keeps_the_order_of_rows_of_one_length():
    ((rows, widths),) = buckets.by_length(ones([3, 3, 3]), buckets.Limits())
    assert (rows.tolist(), widths) == ([0, 1, 2], (3,))


def test_by_length_puts_pairs_in_order_of_the_source_and_of_the_target_among_equals():
    lengths = np.array([[5, 2], [3, 9], [5, 1], [3, 7], [5, 2]])
    found = list(buckets.by_length(lengths, buckets.Limits(100, 2)))
    assert [rows.tolist() for rows, _ in found] == [[3, 1], [2, 0], [4]]
    assert [widths for _, widths in found] == [(3, 9), (5, 2), (5, 2)]


@given(st.integers(1, 100_000))
def test_round_up_adds_little(length):
    rounded = padding.round_up(length)
    assert length <= rounded <= length * (1 if length <= 32 else 1.063)


def test_round_up_never_falls():
    rounded = [padding.round_up(length) for length in range(1, 5000)]
    assert rounded == sorted(rounded)


def test_round_up_of_its_result_changes_nothing():
    assert all(padding.round_up(rounded) == rounded for rounded in map(padding.round_up, range(1, 5000)))


def test_shapes_are_few():
    assert len({padding.round_up(length) for length in range(1, 1025)}) <= 32 + 5 * 16


def realistic(count, median):
    """Lengths as sentences have them: log-normal."""
    return ones(np.maximum(1, np.random.default_rng(3).lognormal(np.log(median), 0.5, count)))


def translated(count, median):
    """Lengths of sentences and of their translations, a tenth longer, give or take."""
    source = realistic(count, median)
    target = np.maximum(1, source * np.random.default_rng(4).normal(1.1, 0.15, source.shape)).astype(np.int64)
    return np.hstack([source, target])


@pytest.mark.parametrize(("count", "median", "share"), [(20_000, 12, 0.05), (2000, 12, 0.15), (5000, 150, 0.1)])
def test_padding_is_little(count, median, share):
    lengths = realistic(count, median)
    assert padding.padding_fraction(lengths, epoch(lengths, buckets.Limits(4096, 64))) < share


def test_padding_is_far_less_than_in_random_batches():
    lengths = realistic(2000, 20)
    order = np.random.default_rng(0).permutation(2000).reshape(-1, 50)
    naive = padding.padding_fraction(lengths, [(rows, (int(lengths[rows].max()),)) for rows in order])
    assert padding.padding_fraction(lengths, epoch(lengths, buckets.Limits(4096, 64))) < naive / 5


@pytest.mark.parametrize(("count", "share"), [(20_000, 0.08), (2000, 0.25)])
def test_padding_of_pairs_is_little_and_far_less_than_in_random_batches(count, share):
    lengths, limits = translated(count, 15), buckets.Limits(2048, 64)
    found = padding.padding_fraction(lengths, epoch(lengths, limits))
    assert found < share
    assert found < padding.padding_fraction(lengths, packing.random(lengths, limits, seed=1)) / 2


# Plans.


@given(LENGTHS, LIMITS)
def test_edges_are_sorted_and_differ(lengths, limits):
    edges = buckets.plan(lengths, limits).edges
    assert list(edges) == sorted(set(edges))


@given(LENGTHS, LIMITS)
def test_a_row_s_bucket_is_the_first_that_holds_it(lengths, limits):
    plan = buckets.plan(lengths, limits)
    for row, bucket in zip(lengths, buckets.buckets(lengths, plan), strict=True):
        first = next(edge[0] for edge in plan.edges if row[0] <= edge[0])
        inside = [edge for edge in plan.edges if edge[0] == first]
        assert plan.edges[bucket] == next(edge for edge in inside if row[-1] <= edge[-1])


@given(LENGTHS, LIMITS)
def test_every_bucket_has_rows(lengths, limits):
    plan = buckets.plan(lengths, limits)
    assert set(buckets.buckets(lengths, plan).tolist()) == set(range(len(plan.edges)))


@given(st.one_of(rows_with(1), rows_with(2)))
def test_buckets_are_not_wider_than_the_widest_allowed(lengths):
    plan = buckets.plan(lengths, buckets.Limits(10**6, 10**6))  # never full
    bucket = buckets.buckets(lengths, plan)
    for number in range(len(plan.edges)):
        least, most = (f(np.maximum(lengths[bucket == number, 0], 1)) for f in (np.min, np.max))
        assert most <= padding.round_up(int(most)) <= max(buckets.WIDE * least, padding.round_up(int(least)))


def test_edges_by_hand():
    lengths = ones([1] * 8 + [2] * 8 + [3] * 3 + [50])
    assert buckets.plan(lengths, buckets.Limits(1000, 2)).edges == ((1,), (2,), (3,), (50,))
    assert buckets.plan(lengths, buckets.Limits(1000, 4)).edges == ((1,), (2,), (3,), (50,))
    assert buckets.plan(lengths, buckets.Limits(1000, 100)).edges == ((2,), (3,), (50,))


def test_edges_of_pairs_by_hand():
    lengths = np.array([[3, 4]] * 8 + [[3, 9]] * 8 + [[20, 5]] * 8)
    assert buckets.plan(lengths, buckets.Limits(1000, 4)).edges == ((3, 4), (3, 9), (20, 5))


@given(LENGTHS, LIMITS, st.integers(0, 3))
def test_rows_that_stand_in_the_order_of_their_buckets_make_the_same_batches(lengths, limits, number):
    plan = buckets.plan(lengths, limits)
    order = np.argsort(buckets.buckets(lengths, plan), kind="stable")
    packed = buckets.shuffled(lengths[order], plan, seed=5, epoch=number)
    back = [(order[rows], widths) for rows, widths in packed]
    assert same(back, buckets.shuffled(lengths, plan, seed=5, epoch=number))


LARGE = [(3000, 15, 2048), (3000, 5, 300), (3000, 10, 500)]


@pytest.mark.parametrize(("count", "median", "tokens"), LARGE)
def test_batches_of_many_pairs(count, median, tokens):
    """Every row once, within the limits, as many in each epoch, and the same in the order of the buckets."""
    lengths, limits = translated(count, median), buckets.Limits(tokens, 64)
    plan = buckets.plan(lengths, limits)
    found = buckets.shuffled(lengths, plan, seed=1, epoch=0)
    assert rows_of(found) == list(range(count))
    hold(found, lengths, limits)
    assert len(epoch(lengths, limits, number=1)) == len(found)
    order = np.argsort(buckets.buckets(lengths, plan), kind="stable")
    packed = buckets.shuffled(lengths[order], plan, seed=1, epoch=0)
    assert same([(order[rows], widths) for rows, widths in packed], found)


@pytest.mark.parametrize(("count", "median", "tokens"), LARGE)
def test_batches_of_pairs_have_even_numbers_of_rows(count, median, tokens):
    """Where the rows of a bucket are many; but for some that no wider bucket takes."""
    lengths, limits = translated(count, median), buckets.Limits(tokens, 64)
    found = epoch(lengths, limits)
    edges = {widths for _, widths in found}
    inner = [
        (len(rows), widths)
        for rows, widths in found
        if len(rows) >= buckets.EVEN <= limits.rows(max(widths)) / 2
        and any(edge != widths and np.all(np.array(edge) >= widths) for edge in edges)
    ]
    assert len(inner) > len(found) / 4
    assert all(rows % buckets.EVEN == 0 for rows, _ in inner)
    assert len(set(inner)) == len({widths for _, widths in inner})


@given(LENGTHS, LIMITS)
def test_the_plan_does_not_depend_on_the_order_of_the_rows(lengths, limits):
    assert buckets.plan(lengths[::-1], limits) == buckets.plan(lengths, limits)


@given(LENGTHS, LIMITS, st.integers(0, 9))
def test_random_batches_have_every_row_once_and_fit(lengths, limits, seed):
    found = list(packing.random(lengths, limits, seed=seed))
    assert rows_of(found) == list(range(len(lengths)))
    hold(found, lengths, limits)


def test_random_batches_are_as_full_as_the_limits_allow():
    lengths, limits = realistic(300, 12), buckets.Limits(200, 9)
    found = list(packing.random(lengths, limits, seed=1))
    for (rows, _), (following, _) in itertools.pairwise(found):
        one_more = int(lengths[[*rows, following[0]]].max())
        assert len(rows) + 1 > limits.rows(one_more)


@pytest.mark.parametrize(("tokens", "expected"), [(0, 1024), (1, 1024), (1024 * 200, 1600), (10**8, 8192)])
def test_the_budget_is_for_128_batches_between_bounds(tokens, expected):
    lengths = np.full((max(tokens // 100, 0), 1), 100)
    assert buckets.budget(lengths) == (expected if tokens >= 100 else 1024)


def test_of_two_lengths_the_longer_counts():
    assert buckets.longest(np.array([[3, 5], [7, 2], [0, 0]])).tolist() == [5, 7, 1]
    assert buckets.longest(np.zeros((0, 2))).tolist() == []


def test_rows_of_a_full_bucket_meet_others_in_every_epoch():
    lengths = np.full((64, 1), 7)
    one, other = (epoch(lengths, buckets.Limits(10_000, 8), number=number) for number in range(2))
    assert not {frozenset(rows.tolist()) for rows, _ in one} & {frozenset(rows.tolist()) for rows, _ in other}


def test_the_batches_of_all_buckets_come_in_random_order():
    lengths = ones(np.arange(1, 2001) % 40 + 1)
    one, other = (
        [widths for _, widths in epoch(lengths, buckets.Limits(400, 8), number=number)] for number in range(2)
    )
    assert sorted(one) == sorted(other)
    assert sorted(one) != one != other


def test_batches_of_a_bucket_are_nearly_of_one_size():
    sizes = [len(rows) for rows, _ in epoch(np.full((65, 1), 7), buckets.Limits(10_000, 64))]
    assert sorted(sizes) == [32, 33]


@pytest.mark.parametrize(
    ("length", "rows"), [(0, 8), (1, 8), (12, 8), (13, 7), (50, 2), (51, 1), (100, 1), (101, 1), (5000, 1)]
)
def test_limits_in_rows(length, rows):
    assert buckets.Limits(max_tokens=100, batch_size=8).rows(length) == rows


def test_no_batches_have_no_padding():
    assert padding.padding_fraction(np.zeros((0, 1)), []) == 0


def test_padding_fraction_by_hand():
    found = [(np.array([0, 1]), (4,)), (np.array([2]), (4,))]
    assert padding.padding_fraction(ones([1, 3, 4]), found) == pytest.approx(1 / 3)


def test_padding_fraction_of_pairs_by_hand():
    found = [(np.array([0, 1]), (3, 2)), (np.array([2]), (5, 5))]
    assert padding.padding_fraction(np.array([[3, 2], [1, 1], [5, 4]]), found) == pytest.approx(4 / 20)


def test_pad():
    assert padding.pad([[1, 2, 3], [], [4]], 3, value=-1).tolist() == [[1, 2, 3], [-1, -1, -1], [4, -1, -1]]
