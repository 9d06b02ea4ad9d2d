"""Calibration against plain loops."""

import numpy as np
import pytest
from sklearn import metrics

from seqnlp.metrics import calibration


def plain(confidence, right):
    """The expected calibration error where no two probabilities are the same, by its definition."""
    pairs = sorted(zip(confidence, right, strict=True))
    sizes = [len(pairs) // 15 + (place < len(pairs) % 15) for place in range(15)]
    total, start = 0.0, 0
    for size in sizes:
        bin_ = pairs[start : start + size]
        start += size
        if bin_:
            mean, accuracy = (sum(pair[place] for pair in bin_) / size for place in (0, 1))
            total += size / len(pairs) * abs(mean - accuracy)
    return 100 * total


@pytest.mark.parametrize("size", [1, 7, 15, 16, 100, 1001])
def test_the_error_is_that_of_its_definition(size):
    draw = np.random.default_rng(size)
    confidence = draw.permutation(np.linspace(0.3, 1, size))
    right = (draw.random(size) < confidence**2).astype(float)
    assert calibration.expected_error(confidence, right) == pytest.approx(plain(confidence, right))


def test_the_order_of_the_answers_does_not_matter():
    draw = np.random.default_rng(1)
    confidence, right = draw.integers(3, 6, 100) / 5, draw.integers(0, 2, 100).astype(float)
    found = calibration.expected_error(confidence, right)
    for order in (np.argsort(right), np.argsort(-right), draw.permutation(100)):
        assert calibration.expected_error(confidence[order], right[order]) == pytest.approx(found)


def test_probabilities_that_hold_have_no_error():
    confidence = np.repeat([0.5, 0.75], 60)
    assert calibration.expected_error(confidence, np.array([1.0, 0.0] * 30 + [1.0, 1.0, 1.0, 0.0] * 15)) == 0
    assert calibration.expected_error(np.ones(30), np.zeros(30)) == 100


@pytest.mark.parametrize("size", [100, 1001])
def test_the_error_by_chance_is_that_of_answers_drawn_by_their_probabilities(size):
    draw = np.random.default_rng(size)
    confidence = draw.permutation(np.linspace(0.3, 1, size))
    errors = [calibration.expected_error(confidence, (draw.random(size) < confidence) * 1.0) for _ in range(300)]
    assert calibration.chance_error(confidence) == pytest.approx(np.mean(errors), rel=0.1)
    assert calibration.chance_error(np.ones(size)) == 0


@pytest.mark.parametrize("wanted", [0.0, 60.0, 80.0, 95.0, 100.0])
def test_a_cut_off_has_the_coverage_and_accuracy_that_it_says(wanted):
    draw = np.random.default_rng(3)
    confidence = draw.integers(300, 1001, 500) / 1000
    right = (draw.random(500) < confidence).astype(float)
    found = calibration.coverage(confidence, right, wanted)
    for row in (*found["table"], found["proposed"]):
        if row["min_score"] is not None:
            kept = confidence >= row["min_score"]
            assert row["coverage"] == pytest.approx(100 * kept.mean(), abs=1e-4)
            assert row["accuracy"] == pytest.approx(100 * right[kept].mean(), abs=1e-4)
    assert all(row["coverage"] >= least for row, least in zip(found["table"], calibration.COVERAGES, strict=True))
    possible = [c for c in np.unique(confidence) if 100 * right[confidence >= c].mean() >= wanted]
    proposed = found["proposed"]["min_score"]
    assert (proposed is None) == (not possible)
    if possible:
        assert np.array_equal(confidence >= proposed, confidence >= min(possible))


def test_where_nothing_is_accurate_enough_nothing_is_proposed():
    found = calibration.coverage(np.array([0.6, 0.9]), np.array([1.0, 0.0]), 95)
    assert found["proposed"] == {"wanted": 95, "min_score": None, "coverage": 0.0, "accuracy": None}


def test_answers_that_are_all_as_sure_are_one_row():
    assert calibration.coverage(np.ones(5), np.ones(5), 95)["table"] == [
        {"min_score": 0.5, "coverage": 100.0, "accuracy": 100.0}
    ]


def test_log_loss_is_that_of_scikit_learn():
    generator = np.random.default_rng(4)
    probabilities, right = generator.uniform(0.01, 0.99, 40), generator.integers(2, size=40).astype(float)
    assert calibration.log_loss(probabilities, right) == pytest.approx(metrics.log_loss(right, probabilities))
    assert calibration.log_loss(np.array([0.0]), np.array([1.0])) < 25
