"""The wide part against scikit-learn's, whatever the order of the rows; and its tensors."""

import logging

import numpy as np
import pytest
import torch
from scipy import sparse
from sklearn import svm

from seqnlp.nn import wide
from seqnlp.preprocess.corpora import arrow
from seqnlp.preprocess.text import tfidf
from seqnlp.tasks.classify import wide_fitting

KINDS = [["red", "green"], ["apple", "pear"], ["cat", "dog"]]
UNSEEN = [["a", "red", "pear"], ["cats"], ["unheard", "of"], [""]]


def corpus(classes, several=False, seed=1):
    """Rows of words with a label each, or none to two."""
    draw, rows = np.random.default_rng(seed), []
    for number in range(90):
        own = draw.choice(classes, number % 3 if several else 1, replace=False).tolist()
        words = [*draw.choice(["the", "a", "of", "saw"], 5), *(str(draw.choice(KINDS[label])) for label in own)]
        rows.append({"words": [str(word) for word in words], "labels": own, "lengths": [len(words)]})
    return rows


def stored(rows):
    import pyarrow

    numbers = pyarrow.list_(pyarrow.int32())
    return arrow.in_memory(rows, {"words": pyarrow.list_(pyarrow.string()), "labels": numbers, "lengths": numbers})


def fitted(rows, classes, several=False, **changes):
    settings = {"multi_label": several, "balanced": False, "seed": 1, **changes}
    made = wide.Wide(classes, multi_label=several)
    made.put({name: torch.from_numpy(a) for name, a in wide_fitting.fit(stored(rows), classes, **settings).items()})
    return made


def dense(matrix, features):
    shape = len(matrix.offsets) - 1, features
    return sparse.csr_matrix((matrix.values, matrix.features, matrix.offsets), shape).toarray()


def by_sklearn(rows, label, unseen, classes):
    """The margins of one class against the rest."""
    features, matrix = tfidf.fit([row["words"] for row in rows], features=10**9, values=10**9)
    known, new = dense(matrix, len(features)), dense(features.matrix(unseen), len(features))
    targets = np.array([[number in row["labels"] for number in range(classes)] for row in rows])
    ratios, shares = [], []
    for own in targets.T:
        sums = np.stack([known[~own].sum(0), known[own].sum(0)])
        expected = sums.sum(0) * sums.sum(1, keepdims=True) / sums.sum()
        ratios.append(np.abs(np.subtract(*np.log((sums + 0.1) / (expected + 0.1)))))
        shares.append(sums[1].sum() / sums.sum())
    scale = (1 + np.average(ratios, axis=0, weights=shares)) / 2
    model = svm.LinearSVC(C=wide_fitting.COST, tol=1e-6, random_state=0).fit(known * scale, targets[:, label])
    return model.decision_function(new * scale)


@pytest.mark.parametrize("several", [False, True])
def test_each_class_has_a_machine_against_the_rest(several):
    rows = corpus(3, several)
    found = fitted(rows, 3, several)(UNSEEN)
    for label in range(3):
        expected = by_sklearn(rows, label, UNSEEN, 3)
        np.testing.assert_allclose(found[:, label], expected, atol=3e-3)


def test_two_classes_have_opposite_margins():
    rows = corpus(2)
    expected = by_sklearn(rows, 1, UNSEEN, 2)
    made = fitted(rows, 2)
    assert made.weight.shape[1] == 1
    np.testing.assert_allclose(made(UNSEEN), np.stack([-expected, expected], 1), atol=3e-3)


def test_a_class_without_rows_is_never_the_answer():
    found = fitted(corpus(2), 3)(UNSEEN)
    assert (found[:, 2] == -1).all() and (found[:, :2].max(1).values > -1).all()
    several = fitted(corpus(2, several=True), 3, several=True)(UNSEEN)
    assert (several[:, 2] == -1).all()


@pytest.mark.parametrize("classes", [2, 3])
def test_one_class_alone_is_the_answer(classes):
    rows = [{**row, "labels": [1]} for row in corpus(2)]
    assert (fitted(rows, classes)(UNSEEN).argmax(1) == 1).all()


@pytest.mark.parametrize("several", [False, True])
def test_the_order_of_the_rows_does_not_matter(several):
    rows = corpus(3, several)
    one, other = (fitted(part, 3, several).state_dict() for part in (rows, rows[::-1]))
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_many_rows_are_sampled_and_it_is_said(monkeypatch, caplog):
    monkeypatch.setattr(wide_fitting, "MAX_VALUES", 1000)
    rows = corpus(3)
    with caplog.at_level(logging.WARNING):
        one, other = (fitted(part, 3).state_dict() for part in (rows, rows[::-1]))
    assert "of 90 texts: all are too many" in caplog.text
    assert all(torch.equal(one[name], other[name]) for name in one)
    another = fitted(rows, 3, seed=2).state_dict()
    assert not torch.equal(one["bias"], another["bias"])


def test_rare_classes_weigh_more_where_that_is_asked_for():
    rows = [row for number, row in enumerate(corpus(2)) if row["labels"] == [0] or number % 7 == 0]
    plain, balanced = (fitted(rows, 2, balanced=balanced)([["a"]])[0, 1] for balanced in (False, True))
    assert balanced > plain


def test_a_fresh_part_takes_what_was_saved():
    made, fresh = fitted(corpus(3), 3), wide.Wide(3, multi_label=False)
    assert not fresh(UNSEEN).any()
    fresh.load_state_dict(made.state_dict())
    assert torch.equal(fresh(UNSEEN), made(UNSEEN))


@pytest.mark.parametrize("name", ["keys", "idf", "weight", "bias"])
def test_tensors_that_do_not_fit_are_refused(name):
    tensors = dict(fitted(corpus(3), 3).state_dict())
    tensors[name] = tensors[name][:-1]
    with pytest.raises(ValueError, match="has another type or shape"):
        wide.Wide(3, multi_label=False).load_state_dict(tensors)
