"""Fusion weights against a general optimiser, and which parts they leave out."""

import numpy as np
import pytest
from scipy import optimize, special

from seqnlp.tasks.classify import fusion

CLASSES, ROWS = 3, 500


@pytest.fixture
def gold():
    return np.random.default_rng(1).integers(CLASSES, size=ROWS)


def part(gold, signal, seed):
    """Scores that know so much of the truth, and noise."""
    noise = np.random.default_rng(seed).normal(size=(len(gold), CLASSES))
    return signal * np.eye(CLASSES)[gold] + noise


def loss(point, parts, targets):
    """The negative log-likelihood of targets that are in doubt as if one more row in N + 2 were any class."""
    weights, bias = np.split(point, [len(parts)])
    logs = special.log_softmax(np.tensordot(weights, parts, 1) + bias, axis=1)
    doubt = 1 / (len(targets) + 2)
    likelihood = (1 - doubt) * logs[np.arange(len(targets)), targets] + doubt * logs.mean(1)
    drawn = ((weights * parts.std(axis=(1, 2)) - 1) ** 2).sum() if len(parts) > 1 else 0
    return -likelihood.sum() + fusion.PENALTY / 2 * (bias**2).sum() + fusion.EQUAL / 2 * drawn


def test_weights_and_biases_have_the_least_loss(gold):
    parts = np.stack([part(gold, 1.0, 2), part(gold, 2.0, 3)])
    parts[1, :, 0] += 1
    found = np.concatenate(fusion.likeliest(parts, gold))
    expected = optimize.minimize(loss, np.ones(2 + CLASSES), (parts, gold)).x
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-4)
    assert found[2] < -0.5


@pytest.mark.parametrize("scale", [0.01, 1.0, 100.0])
def test_the_scale_of_a_part_does_not_matter(gold, scale):
    parts = np.stack([part(gold, 1.0, 2), part(gold, 2.0, 3)])
    found, _ = fusion.fit(parts * np.array([scale, 1.0])[:, None, None], gold)
    np.testing.assert_allclose(found * [scale, 1], fusion.fit(parts, gold)[0], rtol=1e-3)


def test_a_few_rows_leave_no_part_out(gold):
    parts = np.stack([part(gold, 1.0, 2), part(gold, -0.2, 3)])
    few, _ = fusion.likeliest(parts[:, :8], gold[:8])
    many, _ = fusion.likeliest(parts, gold)
    assert (few > 0.1).all() and many[1] == 0


@pytest.mark.parametrize("place", [0, 1])
def test_a_part_that_knows_the_contrary_is_left_out(gold, place):
    parts = np.stack([part(gold, 2.0, 2), part(gold, 2.0, 3)])
    parts[place] *= -1
    found, _ = fusion.fit(parts, gold)
    assert found[place] == 0 and found[1 - place] > 0


def test_what_is_always_right_has_finite_weights(gold):
    parts = np.stack([part(gold, 100.0, 2), part(gold, 100.0, 3)])
    assert all(np.isfinite(found).all() for found in fusion.fit(parts, gold))


def test_several_labels_are_questions_of_their_own(gold):
    targets = np.random.default_rng(5).integers(2, size=(ROWS, CLASSES))
    parts = np.stack([targets - 0.5 + np.random.default_rng(n).normal(size=targets.shape) for n in (6, 7)])

    def logistic(point):
        scores = np.tensordot(point[:2], parts, 1) + point[2:]
        return np.logaddexp(0, (1 - 2 * targets) * scores).sum() + fusion.PENALTY / 2 * (point[2:] ** 2).sum()

    found = np.concatenate(fusion.likeliest(parts, targets))
    np.testing.assert_allclose(found, optimize.minimize(logistic, np.ones(5)).x, rtol=0.02, atol=0.005)


def test_parts_that_all_know_the_contrary_leave_the_last(gold):
    parts = -np.stack([part(gold, 2.0, 2), part(gold, 2.0, 3)])
    assert fusion.fit(parts, gold)[0].tolist() == [0, 1]


@pytest.mark.parametrize("rows", [0, 1, 2, 5])
def test_few_rows_give_weights_all_the_same(gold, rows):
    parts = np.stack([part(gold, 2.0, 2), part(gold, 2.0, 3)])[:, :rows]
    weights, bias = fusion.fit(parts, gold[:rows])
    assert np.isfinite(weights).all() and (weights >= 0).all() and weights.any() and (abs(bias) < 2).all()


def test_one_part_has_its_temperature(gold):
    (found,), bias = fusion.fit(part(gold, 2.0, 2)[None], gold)
    assert found == pytest.approx(2, rel=0.2) and (abs(bias) < 0.5).all()


def test_scores_that_label_smoothing_has_squeezed_are_spread_again(gold):
    """At a smoothing of 0.1 the best loss is that of 0.93 for the right one of three classes; here all are right."""
    squeezed = np.log(0.1 / CLASSES + 0.9 * np.eye(CLASSES))[gold]
    (found,), _ = fusion.fit(squeezed[None], gold)
    assert special.softmax(found * squeezed, axis=1).max(1).min() > 0.99


def test_the_last_part_has_half_of_its_weight_and_the_sum_its_own_scale(gold):
    parts = np.stack([part(gold, 1.0, 2), part(gold, 2.0, 3)])
    whole, _ = fusion.likeliest(parts, gold)
    found, bias = fusion.fit(parts, gold)
    assert found[1] / found[0] == pytest.approx(whole[1] / whole[0] / 2)
    (scale,), expected = fusion.likeliest(np.tensordot(found, parts, 1)[None], gold)
    assert scale == pytest.approx(1, rel=1e-3)
    np.testing.assert_allclose(bias, expected, atol=1e-3)
