"""Classification scores against scikit-learn, by hand, and at the edges."""

import json

import hypothesis
import numpy as np
import pytest
import sklearn.metrics
from hypothesis import given
from hypothesis import strategies as st
from sklearn.preprocessing import MultiLabelBinarizer

from seqnlp import errors
from seqnlp.metrics import classification

SINGLE = st.lists(st.tuples(st.sampled_from("abcd"), st.sampled_from("bcde")), min_size=1, max_size=40)
SETS = st.sets(st.sampled_from("abcd")).map(lambda labels: tuple(sorted(labels)))
MULTI_LABEL = st.lists(
    st.tuples(SETS, SETS.map(lambda labels: tuple(label.replace("a", "e") for label in labels))), min_size=1
)


def values(gold, predicted, **options):
    scores, details = classification.score(gold, predicted, **options)
    return {score.name: score.value for score in scores}, details


def by_sklearn(gold, predicted, average, labels=None):
    found = sklearn.metrics.precision_recall_fscore_support(
        gold, predicted, average=average, labels=labels, zero_division=0
    )
    return {name: 100 * part for name, part in zip(("precision", "recall", "f1"), found[:3], strict=True)}


@given(SINGLE)
def test_one_label_an_item_as_scikit_learn(items):
    gold, predicted = zip(*items, strict=True)
    found, details = values([(g,) for g in gold], [(p,) for p in predicted])
    assert found["accuracy"] == pytest.approx(100 * sklearn.metrics.accuracy_score(gold, predicted))
    assert {name: found[name] for name in ("precision", "recall", "f1")} == pytest.approx(
        by_sklearn(gold, predicted, "macro")
    )
    assert details["micro"] == pytest.approx(by_sklearn(gold, predicted, "micro"), abs=1e-5)


@given(SINGLE)
def test_each_class_and_the_confusion_matrix_as_scikit_learn(items):
    gold, predicted = zip(*items, strict=True)
    _, details = values([(g,) for g in gold], [(p,) for p in predicted])
    names = sorted({*gold, *predicted})
    hypothesis.assume(len(names) > 1)  # scikit-learn warns
    each = by_sklearn(gold, predicted, None, names)
    for i, name in enumerate(names):
        found = dict(details["classes"][name])
        assert found.pop("support") == gold.count(name)
        assert found == pytest.approx({key: column[i] for key, column in each.items()}, abs=1e-5)
    assert details["confusion"]["labels"] == names
    assert details["confusion"]["matrix"] == sklearn.metrics.confusion_matrix(gold, predicted, labels=names).tolist()


@given(MULTI_LABEL)
def test_more_labels_an_item_as_scikit_learn(items):
    gold, predicted = zip(*items, strict=True)
    found, details = values(gold, predicted, multi_label=True)
    names = sorted({label for labels in (*gold, *predicted) for label in labels})
    assert found["exact_match"] == pytest.approx(100 * np.mean([g == p for g, p in items]))
    if not names:
        assert found["f1"] == found["precision"] == found["recall"] == 0
        return
    indicators = MultiLabelBinarizer(classes=names)
    matrices = [indicators.fit_transform(part) for part in (gold, predicted)]
    for average, values_ in (("macro", found), ("micro", details["micro"])):
        expected = by_sklearn(*matrices, average)
        assert {name: values_[name] for name in expected} == pytest.approx(expected, abs=1e-5)


def test_by_hand():
    gold = [("a",), ("a",), ("a",), ("b",), ("b",)]
    predicted = [("a",), ("a",), ("b",), ("b",), ("c",)]
    found, details = values(gold, predicted)
    assert found["accuracy"] == 60
    assert found["precision"] == pytest.approx(100 * (1 + 1 / 2 + 0) / 3)
    assert found["recall"] == pytest.approx(100 * (2 / 3 + 1 / 2 + 0) / 3)
    assert found["f1"] == pytest.approx(100 * (4 / 5 + 1 / 2 + 0) / 3)
    assert details["confusion"] == {"labels": ["a", "b", "c"], "matrix": [[2, 1, 0], [0, 1, 1], [0, 0, 0]]}
    assert details["confusions"] == [
        {"gold": "a", "predicted": "b", "count": 1},
        {"gold": "b", "predicted": "c", "count": 1},
    ]


@pytest.mark.parametrize(("multi_label", "first"), [(False, "accuracy"), (True, "f1")])
def test_the_score_that_picks_the_checkpoint_comes_first(multi_label, first):
    scores, _ = classification.score([("a",)], [("a",)], multi_label=multi_label)
    assert scores[0].name == first
    assert {score.name for score in scores} >= {"f1", "precision", "recall"}


def test_the_order_of_labels_and_repeated_labels_make_no_difference():
    found, _ = values([("a", "b")], [("b", "a", "b")], multi_label=True)
    assert set(found.values()) == {100}


@pytest.mark.parametrize("classes", [2, 50])
@pytest.mark.parametrize("right", [0.5, 0.9, 1.0])
def test_every_interval_holds_its_value(classes, right):
    generator = np.random.default_rng(7)
    gold = [(f"c{n % classes:02}",) for n in range(200)]
    predicted = [g if generator.random() < right else (f"c{generator.integers(classes):02}",) for g in gold]
    for score in classification.score(gold, predicted)[0]:
        low, high = score.interval
        assert low - 1e-9 <= score.value <= high + 1e-9, score


def test_a_perfect_score_has_no_spread_even_with_rare_classes():
    gold = [(f"c{n // 2}",) for n in range(100)]
    assert {score.interval for score in classification.score(gold, gold)[0]} == {(100.0, 100.0)}


def test_signatures_name_the_average():
    scores, _ = classification.score([("a",), ("b",)], [("a",), ("a",)])
    assert scores[0].signature.startswith("accuracy|bs:")
    assert all(score.signature.startswith(f"{score.name}|average:macro|") for score in scores[1:])


def test_items_that_differ_in_number():
    with pytest.raises(errors.DataError) as error:
        classification.score([("a",)] * 3, [("a",)] * 2)
    assert str(error.value) == "3 references, 2 predictions; hint: both must have one line for each item"


def test_nothing_to_score():
    with pytest.raises(errors.DataError, match="nothing to score: no items"):
        classification.score([], [])


@pytest.mark.parametrize("multi_label", [False, True])
@pytest.mark.parametrize("count", [1, 30])
def test_scores_and_details_are_json(multi_label, count):
    gold, predicted = [("a",), ("b",)] * count, [("c",), ("b",)] * count
    scores, details = classification.score(gold, predicted, multi_label=multi_label)
    json.dumps([[score.to_dict() for score in scores], details], allow_nan=False)
