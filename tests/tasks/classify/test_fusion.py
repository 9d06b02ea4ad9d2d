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


def loss(weights, parts, targets):
    """The negative log-likelihood of targets that are in doubt as if one more row in N + 2 were any class."""
    logs = special.log_softmax(np.tensordot(weights, parts, 1), axis=1)
    doubt = 1 / (len(targets) + 2)
    return -((1 - doubt) * logs[np.arange(len(targets)), targets] + doubt * logs.mean(1)).sum()


def test_the_weights_have_the_least_loss(gold):
    parts = np.stack([part(gold, 1.0, 2), part(gold, 2.0, 3)])
    found = fusion.fit(parts, gold)
    expected = optimize.minimize(loss, np.ones(2), (parts, gold)).x
    np.testing.assert_allclose(found, expected, rtol=1e-3)


@pytest.mark.parametrize("scale", [0.01, 1.0, 100.0])
def test_the_scale_of_a_part_does_not_matter(gold, scale):
    parts = np.stack([part(gold, 1.0, 2), part(gold, 2.0, 3)])
    found = fusion.fit(parts * np.array([scale, 1.0])[:, None, None], gold)
    np.testing.assert_allclose(found * [scale, 1], fusion.fit(parts, gold), rtol=1e-3)


@pytest.mark.parametrize("place", [0, 1])
def test_a_part_that_knows_the_contrary_is_left_out(gold, place):
    parts = np.stack([part(gold, 2.0, 2), part(gold, 2.0, 3)])
    parts[place] *= -1
    found = fusion.fit(parts, gold)
    assert found[place] == 0 and found[1 - place] > 0


def test_what_is_always_right_has_finite_weights(gold):
    parts = np.stack([part(gold, 100.0, 2), part(gold, 100.0, 3)])
    assert np.isfinite(fusion.fit(parts, gold)).all()


def test_several_labels_are_questions_of_their_own(gold):
    targets = np.random.default_rng(5).integers(2, size=(ROWS, CLASSES))
    parts = np.stack([targets - 0.5 + np.random.default_rng(n).normal(size=targets.shape) for n in (6, 7)])
    logistic = lambda weights: np.logaddexp(0, (1 - 2 * targets) * np.tensordot(weights, parts, 1)).sum()  # noqa: E731
    np.testing.assert_allclose(fusion.fit(parts, targets), optimize.minimize(logistic, np.ones(2)).x, rtol=0.02)


def test_parts_that_all_know_the_contrary_leave_the_last(gold):
    parts = -np.stack([part(gold, 2.0, 2), part(gold, 2.0, 3)])
    assert fusion.fit(parts, gold).tolist() == [0, 1]


@pytest.mark.parametrize("rows", [0, 1, 2, 5])
def test_few_rows_give_weights_all_the_same(gold, rows):
    parts = np.stack([part(gold, 2.0, 2), part(gold, 2.0, 3)])[:, :rows]
    found = fusion.fit(parts, gold[:rows])
    assert np.isfinite(found).all() and (found >= 0).all() and found.any()


def test_one_part_has_its_temperature(gold):
    (found,) = fusion.fit(part(gold, 2.0, 2)[None], gold)
    assert found == pytest.approx(2, rel=0.2)


def test_scores_that_label_smoothing_has_squeezed_are_spread_again(gold):
    """At a smoothing of 0.1 the best loss is that of 0.93 for the right one of three classes; here all are right."""
    squeezed = np.log(0.1 / CLASSES + 0.9 * np.eye(CLASSES))[gold]
    (found,) = fusion.fit(squeezed[None], gold)
    assert special.softmax(found * squeezed, axis=1).max(1).min() > 0.99
