"""The bootstrap against scipy's, and against drawing and leaving out items one by one."""

import itertools
import tracemalloc

import numpy as np
import pytest
import scipy.stats
from scipy.stats import bootstrap as by_scipy

from seqnlp.metrics import bootstrap, classification

EVERYTHING = [bootstrap.EVERYTHING]


def ratio(sums):
    return sums[..., 0] / sums[..., 1]


def pairs(items, seed=0):
    """Two positive and skewed numbers an item, no two alike."""
    draw = np.random.default_rng(seed)
    return np.stack([draw.lognormal(0, 1, items), 3 + draw.lognormal(0, 1, items)], axis=1)


def scores(counts, value, samples):
    return np.concatenate([value(counts.sums(times)) for times in samples])


def statistic(first, second):
    return first.sum() / second.sum()


@pytest.mark.parametrize("items", [7, 30, 199])
def test_the_interval_of_resamples_around_the_value_is_scipys_bca(items):
    """Of the same resamples: moved to where half of them are under the value, scipy finds no bias in them either."""
    rows = pairs(items)
    counts = bootstrap.Counts.of(rows)
    resampled, total = scores(counts, ratio, bootstrap.resamples(counts)), ratio(rows.sum(axis=0))
    moved = resampled + total - np.median(resampled)
    given = type("Result", (), {"bootstrap_distribution": moved})()
    found = by_scipy(
        (*rows.T,), statistic, paired=True, vectorized=False, n_resamples=0, bootstrap_result=given, method="BCa"
    )
    (ours,) = bootstrap.intervals(counts, [ratio], EVERYTHING)
    assert ours == pytest.approx((*found.confidence_interval,), rel=1e-9)


@pytest.mark.parametrize("items", [30, 300, 2500])
def test_the_interval_is_scipys_where_there_is_no_bias_to_speak_of(items):
    rows = pairs(items, seed=items)
    found = by_scipy(
        (*rows.T,), lambda x, y, axis: x.sum(axis) / y.sum(axis), paired=True, n_resamples=4000, method="BCa", rng=1
    )
    low, high = found.confidence_interval
    (ours,) = bootstrap.intervals(bootstrap.Counts.of(rows), [ratio], EVERYTHING)
    assert ours == pytest.approx((low, high), abs=0.12 * (high - low))


@pytest.mark.parametrize("items", [3, 50])
def test_resamples_are_those_of_drawing_items_one_by_one(items):
    counts = np.random.default_rng(1).integers(0, 9, (items, 2)).astype(float)
    drawn = counts[np.random.default_rng(2).integers(0, items, (4000, items))].sum(axis=1)
    of = bootstrap.Counts.of(counts)
    sums = np.concatenate([of.sums(times) for times in bootstrap.resamples(of)])
    assert sums.shape == (bootstrap.SAMPLES, 2)
    assert sums.mean(axis=0) == pytest.approx(drawn.mean(axis=0), rel=0.05)
    assert sums.std(axis=0) == pytest.approx(drawn.std(axis=0), rel=0.1)


@pytest.mark.parametrize("items", [20, 2000])
def test_every_resample_has_as_many_items(items):
    """Drawn one by one, or, where many are alike, a number for each kind."""
    counts = bootstrap.Counts.of(np.arange(items)[:, None] % 20)
    times = np.concatenate([*bootstrap.resamples(counts)])
    assert times.shape == (bootstrap.SAMPLES, 20) and set(times.sum(axis=1)) == {items}


def test_the_jackknife_leaves_out_one_item_at_a_time():
    rows = np.array([[1, 5], [2, 1], [1, 5], [0, 3], [1, 5]])
    counts = bootstrap.Counts.of(rows)
    samples, weights = bootstrap.jackknife(counts)
    found = np.repeat(scores(counts, ratio, samples), weights)
    assert sorted(found) == sorted(ratio(np.delete(rows, item, axis=0).sum(axis=0)) for item in range(5))


def test_the_acceleration_of_a_mean_is_a_sixth_of_its_skewness():
    rows = np.stack([np.random.default_rng(3).lognormal(0, 1, 500), np.ones(500)], axis=1)
    counts = bootstrap.Counts.of(rows)
    samples, weights = bootstrap.jackknife(counts)
    expected = scipy.stats.skew(rows[:, 0]) / 6 / 500**0.5
    assert bootstrap.acceleration(scores(counts, ratio, samples), weights) == pytest.approx(expected)


def test_groups_of_items_tell_the_acceleration_too():
    rows = np.stack([np.random.default_rng(4).exponential(1, 20_000), np.ones(20_000)], axis=1)
    counts = bootstrap.Counts.of(rows)
    samples, weights = bootstrap.jackknife(counts)
    left = scores(counts, ratio, samples)
    assert left.shape == weights.shape == (bootstrap.SAMPLES,)
    assert bootstrap.acceleration(left, weights) == pytest.approx(2 / 6 / 20_000**0.5, abs=0.5 / 20_000**0.5)


def test_no_acceleration_bends_the_interval_away_from_its_value():
    """It is greatest, 1/6, where one item is all that differs."""
    left = np.array([1.0, *[0.0] * 10_000])
    a = bootstrap.acceleration(left, np.ones(len(left)))
    assert abs(a) == pytest.approx(1 / 6, rel=1e-3)
    for sign in (-1, 1):
        low, high = bootstrap.interval(5.0, np.random.default_rng(0).normal(9, 1, 1000), sign * a)
        assert low < 5 < high


def test_the_interval_does_not_leave_its_bounds_nor_its_value():
    resampled = np.linspace(90, 100, 11)
    assert bootstrap.interval(99.0, resampled, bounds=(0, 100)) == pytest.approx((94.25, 100))
    assert bootstrap.interval(100.0, np.full(9, 100.0), bounds=(0, 100)) == (100, 100)


@pytest.mark.parametrize("width", [1, 5, 16, 37])
def test_sums_of_sparse_counts(width):
    draw = np.random.default_rng(width)
    rows = draw.integers(0, 3, (40, width)) * (draw.random((40, width)) < 0.2)
    counts = bootstrap.Counts.of(rows)
    assert counts.n == 40 and counts.total.tolist() == rows.sum(axis=0).tolist()
    kinds = np.unique(rows, axis=0)
    times = draw.integers(0, 5, (7, len(kinds)))
    assert counts.sums(times).tolist() == (times @ kinds).tolist()


def test_counts_that_are_all_0_or_have_no_columns():
    assert bootstrap.Counts.of(np.zeros((3, 2))).total.tolist() == [0, 0]
    nothing = np.zeros(0, dtype=int)
    assert bootstrap.Counts.sparse(np.array([3]), nothing, nothing, nothing, 0).total.shape == (0,)


def test_the_interval_does_not_depend_on_the_order_of_items():
    counts = np.random.default_rng(0).integers(0, 3, (50, 2)) + 1
    found = [bootstrap.intervals(bootstrap.Counts.of(rows), [ratio], EVERYTHING) for rows in (counts, counts[::-1])]
    assert found[0] == found[1]


@pytest.mark.parametrize("items", [30, 1500])
def test_samples_are_made_in_parts(monkeypatch, items):
    counts = bootstrap.Counts.of(pairs(items))
    (whole,) = bootstrap.intervals(counts, [ratio], EVERYTHING)
    monkeypatch.setattr(bootstrap, "MAX_CELLS", 3 * items)
    assert max(len(times) for times in bootstrap.resamples(counts)) == 3
    assert bootstrap.intervals(counts, [ratio], EVERYTHING)[0] == pytest.approx(whole)


def test_several_scores_of_the_same_counts_are_those_of_each_alone():
    counts = bootstrap.Counts.of(pairs(20))
    values = [ratio, lambda sums: sums[..., 1]]
    together = bootstrap.intervals(counts, values, EVERYTHING * 2)
    assert together == list(itertools.chain(*(bootstrap.intervals(counts, [value], EVERYTHING) for value in values)))


def items_of_many_classes():
    draw = np.random.default_rng(5)
    gold = draw.integers(0, 400, 20_000)
    said = np.where(draw.random(20_000) < 0.8, gold, draw.integers(0, 400, 20_000))
    return [[(f"class {n}",) for n in part.tolist()] for part in (gold, said)]


def test_many_items_of_many_classes_in_few_cells_and_little_memory():
    """Whatever the number of items: as a matrix the counts alone would have 200 MB."""
    gold, said = items_of_many_classes()
    counts = classification._counts(gold, said, sorted({*(label for (label,) in gold)}))
    assert sum(block.rows.size for block in counts.blocks) < len(gold) * 400 / 10  # a second rather than ten
    tracemalloc.start()
    bootstrap.intervals(counts, [classification.MACRO["f1"]], [(0, 100)])
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 120e6
