"""Scores: what they hold, which way is better, and that no interval leaves its own value or its scale."""

import json

import hypothesis
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import seqnlp
from seqnlp.metrics import base, bootstrap, classification, registry, rouge, spans, translation


def accuracy(count, share=0.7):
    (score,) = base.from_means({"accuracy": np.arange(count) < share * count})
    return score


def width(score):
    low, high = score.interval
    return high - low


@pytest.mark.parametrize("count", [2, 10, 101, 1000])
@pytest.mark.parametrize("share", [0, 0.1, 0.7, 0.99, 1])
def test_the_interval_holds_the_value(count, share):
    score = accuracy(count, share)
    low, high = score.interval
    assert 0 <= low <= score.value <= high <= 100


def test_the_interval_shrinks_with_the_root_of_the_number():
    assert width(accuracy(400)) / width(accuracy(6400)) == pytest.approx(4, rel=0.15)


def test_the_interval_is_that_of_the_normal_approximation():
    assert width(accuracy(10_000)) == pytest.approx(2 * 1.96 * 100 * (0.7 * 0.3 / 10_000) ** 0.5, rel=0.1)


def test_the_interval_is_the_same_every_time():
    assert accuracy(100).interval == accuracy(100).interval


def test_one_item_has_no_interval():
    assert accuracy(1).interval is None


def test_the_signature_says_how_the_score_was_made():
    assert base.signature("f1", "average:macro") == f"f1|average:macro|bs:1000|seed:12345|v:{seqnlp.__version__}"


@pytest.mark.parametrize("count", [1, 10])
def test_a_score_is_json(count):
    content = json.loads(json.dumps(accuracy(count).to_dict(), allow_nan=False))
    assert list(content) == ["name", "value", "interval", "signature", "n", "higher_is_better"]
    assert content["n"] == count and content["higher_is_better"] is True


@pytest.mark.parametrize(("value", "other", "higher", "lower"), [(2, 1, True, False), (1, 2, False, True)])
def test_which_of_two_values_is_better(value, other, higher, lower):
    assert base.better(value, other, higher_is_better=True) is higher
    assert base.better(value, other, higher_is_better=False) is lower
    assert not any(base.better(value, value, higher_is_better=way) for way in (True, False))


def test_every_score_has_the_direction_of_the_registry():
    texts = [*translation.score(["a b"], ["a c"]), *rouge.score(["a b"], ["a c"])]
    classes = [*classification.score([("a",)], [("b",)])[0], *spans.score([["B-X"]], [["O"]])[0]]
    sets, _ = classification.score([("a", "b")], [("b",)], multi_label=True)
    for score in (*texts, *classes, *sets):
        assert score.scale is registry.SCALES[score.name]
        assert score.higher_is_better is (score.name != "ter")
        assert score.scale.unit == "%"


# No interval leaves its value

LABEL = st.sampled_from([*"abcdefghijklm"]).map(lambda name: (name,))
WORDS = st.lists(st.sampled_from("a b c d".split()), max_size=5).map(" ".join)
TAGS = st.lists(st.sampled_from(["O", "B-X", "I-X", "B-Y"]), min_size=3, max_size=3)


def assert_inside(scores):
    for score in scores:
        low, high = score.to_dict()["interval"]
        assert low <= score.to_dict()["value"] <= high, score
        assert score.interval[0] <= score.value <= score.interval[1], score
        assert score.scale.low <= low and high <= score.scale.high, score


@given(st.lists(st.tuples(LABEL, LABEL), min_size=2, max_size=30))
@hypothesis.settings(max_examples=60, deadline=None)
def test_of_classes(items):
    assert_inside(classification.score(*zip(*items, strict=True))[0])


@given(st.lists(st.tuples(TAGS, TAGS), min_size=2, max_size=12))
@hypothesis.settings(max_examples=30, deadline=None)
def test_of_spans_and_tags(items):
    gold, said = zip(*items, strict=True)
    assert_inside([*spans.score(gold, said)[0], *spans.class_score(gold, said)[0]])


@given(st.lists(st.tuples(WORDS, WORDS), min_size=2, max_size=8))
@hypothesis.settings(max_examples=10, deadline=None)
def test_of_texts(items):
    said, references = zip(*items, strict=True)
    assert_inside([*translation.score(said, references), *rouge.score(said, references)])


def rare_classes():
    """16 classes that are always right, and 580 that occur three times each and never are."""
    right = [(f"right {n % 16}",) for n in range(320)]
    return [*right, *((f"gold {n % 290}",) for n in range(870))], [*right, *((f"said {n % 290}",) for n in range(870))]


def test_rare_classes_that_resamples_lack():
    """All resamples are higher than the value: each lacks some of the classes that are wrong."""
    gold, said = rare_classes()
    scores, _ = classification.score(gold, said)
    f1 = next(score for score in scores if score.name == "f1")
    counts = classification._counts(gold, said, sorted({*(label for part in (gold, said) for (label,) in part)}))
    value = classification.MACRO["f1"]
    resampled = np.concatenate([value(counts.sums(times)) for times in bootstrap.resamples(counts)])
    assert f1.value == pytest.approx(100 * 16 / 596) and f1.value < resampled.min()
    low, high = f1.interval
    assert low < f1.value < high
    assert high - low == pytest.approx(np.diff(np.percentile(resampled, [2.5, 97.5]))[0], rel=0.05)
