"""Perplexity and bits: by hand, and how they hang together."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqnlp.metrics import perplexity


def by_name(texts, logs, **options):
    return {score.name: score for score in perplexity.score(texts, logs, **options)}


def test_by_hand():
    found = by_name(["ab é", ""], [-6.0, -2.0])
    assert found["perplexity"].value == pytest.approx(math.exp(8 / 4))  # ab, é and two ends
    assert found["bits_per_character"].value == pytest.approx(8 / 6 / math.log(2))
    assert found["bits_per_byte"].value == pytest.approx(8 / 7 / math.log(2))
    assert not any(score.higher_is_better for score in found.values())
    assert all("ends:yes" in score.signature for score in found.values())


def test_what_was_counted_is_told():
    scores, details = perplexity.measure(("perplexity",), ["ab é", ""], [-6.0, -2.0])
    assert [score.name for score in scores] == ["perplexity"]
    assert details == {"nats": 8.0, "characters": 6, "bytes": 7, "words": 4, "lines": 2}


@pytest.mark.parametrize(("base", "log"), [("e", math.log(0.25)), ("2", -2.0), ("10", math.log10(0.25))])
def test_logarithms_of_any_base_mean_the_same(base, log):
    (score,), _ = perplexity.measure(("perplexity",), [""], [log], log_base=base)
    assert score.value == pytest.approx(4)


def test_a_hopeless_model_has_a_number_too():
    (score,) = perplexity.score(["a"], [-1e6], names=["perplexity"])
    assert math.isfinite(score.value)


@given(st.lists(st.tuples(st.text(), st.floats(-100, 0)), min_size=1, max_size=5))
def test_an_interval_never_leaves_out_its_value(rows):
    for score in perplexity.score([text for text, _ in rows], [log for _, log in rows]):
        assert score.interval is None or score.interval[0] <= score.value <= score.interval[1]
