"""Scores: intervals that hold the value, the same every time, and a signature that says how."""

import json

import numpy as np
import pytest

import seqnlp
from seqnlp.metrics import base


def accuracy(count, share=0.7):
    hits = (np.arange(count)[:, None] < share * count).astype(float)
    return base.from_counts("accuracy", hits, lambda sums: 100 * sums[..., 0] / count)


def width(score):
    low, high = score.interval
    return high - low


@pytest.mark.parametrize("count", [2, 10, 101, 1000])
def test_the_interval_holds_the_value(count):
    score = accuracy(count)
    low, high = score.interval
    assert 0 <= low <= score.value <= high <= 100


def test_the_interval_shrinks_with_the_root_of_the_number():
    assert width(accuracy(400)) / width(accuracy(6400)) == pytest.approx(4, rel=0.15)


def test_the_interval_is_that_of_the_normal_approximation():
    assert width(accuracy(10_000)) == pytest.approx(2 * 1.96 * 100 * (0.7 * 0.3 / 10_000) ** 0.5, rel=0.1)


def test_the_interval_is_the_same_every_time():
    assert accuracy(100).interval == accuracy(100).interval


def test_the_interval_does_not_depend_on_the_order_of_items():
    counts = np.random.default_rng(0).integers(0, 3, (50, 2))
    one, other = (base.interval(rows, lambda sums: sums[..., 0] / sums[..., 1]) for rows in (counts, counts[::-1]))
    assert one == other


def test_the_interval_is_that_of_drawing_items_one_by_one():
    counts = np.random.default_rng(1).integers(0, 9, (200, 1)).astype(float)
    drawn = np.random.default_rng(2).choice(counts[:, 0], (4000, 200)).mean(axis=1)
    found = base.interval(counts, lambda sums: sums[..., 0] / 200)
    assert found == pytest.approx(np.percentile(drawn, [2.5, 97.5]), abs=0.05)


def test_one_item_has_no_interval():
    assert accuracy(1).interval is None


def test_many_kinds_of_items_are_resampled_in_parts(monkeypatch):
    counts = np.random.default_rng(0).integers(0, 100, (30, 2))
    value = lambda sums: sums[..., 0] / sums[..., 1]  # noqa: E731
    whole = base.interval(counts, value)
    monkeypatch.setattr(base, "MOST_CELLS", 100)
    assert base.interval(counts, value) == whole


def test_the_signature_says_how_the_score_was_made():
    assert base.signature("f1", "average:macro") == f"f1|average:macro|bs:1000|seed:12345|v:{seqnlp.__version__}"


@pytest.mark.parametrize("count", [1, 10])
def test_a_score_is_json(count):
    content = json.loads(json.dumps(accuracy(count).to_dict(), allow_nan=False))
    assert list(content) == ["name", "value", "interval", "signature", "n"]
    assert content["n"] == count
