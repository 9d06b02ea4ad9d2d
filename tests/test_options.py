"""Options: from dataclass fields to a run's identity, to JSON and back."""

import dataclasses
import json

import pytest

from seqnlp import options
from seqnlp.tasks import registry


@dataclasses.dataclass(frozen=True)
class Sample:
    size: int = options.option(3, "A size.", low=1)
    names: tuple = options.option(("a", "b"), "Names.")
    threads: int = options.option(2, "Threads.", run=True)


def test_what_only_says_how_to_run_is_no_part_of_the_identity():
    assert options.identity(Sample()) == {"size": 3, "names": ("a", "b")}


def test_options_come_back_from_json():
    written = json.loads(json.dumps(options.to_dict(Sample(size=5))))
    assert options.from_dict(Sample, written) == Sample(size=5)


def test_options_of_a_newer_version_are_left_out():
    assert options.from_dict(Sample, {"size": 7, "unheard_of": 1}) == Sample(size=7)


@pytest.mark.parametrize("name", registry.REGISTRY)
def test_the_defaults_of_every_task_lie_within_their_bounds(name):
    chapter = registry.get(name)
    for kind in (options.Training, chapter.Config, chapter.Search):
        for field in dataclasses.fields(kind):
            about, value = field.metadata, field.default
            if value is None:
                continue
            assert about["choices"] is None or value in about["choices"], field.name
            assert about["low"] is None or value >= about["low"], field.name
            assert about["high"] is None or value <= about["high"], field.name


@pytest.mark.parametrize("name", registry.REGISTRY)
def test_a_task_s_own_defaults_are_training_options(name):
    assert isinstance(registry.get(name).training, options.Training)
