"""The list of metrics: every line of it computes what it says, and nothing is imported before it is needed."""

import dataclasses
import json
import subprocess
import sys

import pytest

from seqnlp import errors
from seqnlp.metrics import measure, registry

GOLD = {"labels": [("a",), ("b",), ("a",)], "tags": [["B-X", "O"], ["O"]], "texts": ["the dog bit a man", "a man"]}
GOLD["likelihoods"] = GOLD["texts"]
SAID = {"labels": [("a",), ("a",), ("a",)], "tags": [["B-X", "O"], ["B-X"]], "texts": ["the dog bit the man", "a man"]}
SAID["likelihoods"] = [-9.5, -3.25]
GOLD["numbers"], SAID["numbers"] = [("a", 1.5), ("a", 3.0), ("b", 2.0), ("b", 2.5)], [1.0, 3.5, 2.0, 3.0]


def measured(name, **chosen):
    inputs = registry.METRICS[name].inputs
    return measure.by_name(name, GOLD[inputs], SAID[inputs], registry.Options(**chosen))


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
    valued = ("tokenize", "log_base", "history")
    assert measured(name, **{option: True for option in registry.METRICS[name].options if option not in valued})


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
        measure.by_name(name, [], [], registry.Options())


def test_no_chapter_is_imported_before_it_is_asked_for():
    line = "import sys; from seqnlp.metrics import registry; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", line], capture_output=True, text=True, check=True).stdout.split()
    assert {name for name in loaded if name.startswith("seqnlp.metrics.")} == {"seqnlp.metrics.registry"}


NEW = """
import sys, types
from seqnlp.metrics import base, registry

def measure(names, gold, predicted):
    wrong = [len(g.split()) != len(p.split()) for g, p in zip(gold, predicted)]
    return base.from_means({"length_error": wrong}), {}

sys.modules["seqnlp.metrics.length"] = chapter = types.ModuleType("length")
chapter.measure = measure
registry.METRICS["length_error"] = registry.Metric("texts", "length", ("length_error",), scale=registry.ERROR_RATE)
registry.SCALES["length_error"] = registry.ERROR_RATE
from seqnlp import cli
cli.main(sys.argv[1:])
"""


def test_a_new_metric_is_a_module_and_a_line(tmp_path):
    """The command, its help and its gate follow."""

    def run(*arguments):
        command = [sys.executable, "-c", NEW, "score", *arguments]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)

    (tmp_path / "gold").write_text("a b\na\n")
    (tmp_path / "said").write_text("a c\na b\n")
    (score,) = json.loads(run("length_error", "gold", "said").stdout)["scores"]
    assert (score["name"], score["value"], score["higher_is_better"]) == ("length_error", 50, False)
    assert run("length_error", "gold", "said", "--fail-under", "60").returncode == 0
    refused = run("length_error", "gold", "said", "--fail-under", "40")
    assert refused.returncode == 5 and "50.00 is over 40, and lower is better" in refused.stderr
    assert "--stem has no effect on length_error" in run("length_error", "gold", "said", "--stem").stderr
    assert "length_error" in run("--help").stdout
