"""Thresholds against trying them all."""

import numpy as np
import pytest
from sklearn.metrics import f1_score

from seqnlp.tasks.classify import thresholds


@pytest.fixture
def judged():
    """Probabilities that say something, and labels: three that many rows have, one that few have, one that none has."""
    draw = np.random.default_rng(1)
    probabilities = draw.random((200, 5))
    targets = draw.random((200, 5)) < probabilities**3
    targets[5:, 3], targets[:, 4] = False, False
    return probabilities, targets


def test_a_threshold_has_the_greatest_f1(judged):
    probabilities, targets = judged
    found = thresholds.fit(*judged)
    for label in range(3):
        every = [f1_score(targets[:, label], probabilities[:, label] >= p) for p in probabilities[:, label]]
        own = f1_score(targets[:, label], probabilities[:, label] >= found[label])
        assert own == pytest.approx(max(every))


def test_labels_that_few_rows_have_go_with_all(judged):
    probabilities, targets = judged
    found = thresholds.fit(*judged)
    assert found[3] == found[4]
    every = [f1_score(targets, probabilities >= p, average="micro") for p in np.linspace(0, 1, 201)]
    assert f1_score(targets, probabilities >= found[3], average="micro") >= max(every) - 1e-9


def test_the_same_probability_is_never_parted():
    found = thresholds.fit(np.full((30, 2), 0.25), np.tile([True, False], (30, 1)))
    assert found.tolist() == [0.125, 0.125]


def test_where_nothing_has_a_label_it_is_a_half():
    assert thresholds.fit(np.full((3, 2), 0.25), np.zeros((3, 2), bool)).tolist() == [0.5, 0.5]
