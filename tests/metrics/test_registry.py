"""The list of metrics: every line of it computes what it says, and nothing is imported before it is needed."""

import dataclasses
import json
import subprocess
import sys

import pytest

from seqnlp import errors
from seqnlp.metrics import registry

GOLD = {"labels": [("a",), ("b",), ("a",)], "tags": [["B-X", "O"], ["O"]], "texts": ["the dog bit a man", "a man"]}
SAID = {"labels": [("a",), ("a",), ("a",)], "tags": [["B-X", "O"], ["B-X"]], "texts": ["the dog bit the man", "a man"]}


def measured(name, **chosen):
    inputs = registry.METRICS[name].inputs
    return registry.measure(name, GOLD[inputs], SAID[inputs], registry.Options(**chosen))


@pytest.mark.parametrize("name", registry.METRICS)
def test_every_metric_gives_its_scores_the_one_it_is_named_after_first(name):
    scores, details = measured(name)
    metric = registry.METRICS[name]
    assert {score.name for score in scores} <= set(metric.scores)
    assert scores[0].name == (name if name in metric.scores else metric.scores[0])
    assert all(score.scale == metric.scale and 0 < score.value <= 100 for score in scores)
    json.dumps([[score.to_dict() for score in scores], details], allow_nan=False)


@pytest.mark.parametrize("name", registry.METRICS)
def test_every_metric_takes_its_options(name):
    assert measured(name, **{option: True for option in registry.METRICS[name].options if option != "tokenize"})


def test_every_option_is_of_some_metric():
    declared = {field.name for field in dataclasses.fields(registry.Options)}
    assert declared == {option for metric in registry.METRICS.values() for option in metric.options}


def test_a_score_has_one_scale_whichever_metric_gives_it():
    for metric in registry.METRICS.values():
        assert {registry.SCALES[name] for name in metric.scores} == {metric.scale}


def test_sets_of_labels():
    assert measured("accuracy", multi_label=True)[0][0].name == "exact_match"
    assert measured("f1", multi_label=True)[0][0].name == "f1"


@pytest.mark.parametrize("name", registry.METRICS)
def test_nothing_to_score(name):
    with pytest.raises(errors.DataError, match="nothing to score"):
        registry.measure(name, [], [], registry.Options())


def test_no_chapter_is_imported_before_it_is_asked_for():
    line = "import sys; from seqnlp.metrics import registry; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", line], capture_output=True, text=True, check=True).stdout.split()
    assert {name for name in loaded if name.startswith("seqnlp.metrics.")} == {"seqnlp.metrics.registry"}
