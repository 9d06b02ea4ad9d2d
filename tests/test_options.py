"""Options: from dataclass fields to a run's identity, to JSON and back, where nothing wrong passes in silence."""

import dataclasses
import json
import math
import types
import typing

import hypothesis
import pytest
from hypothesis import strategies

from seqnlp import errors, options
from seqnlp.tasks import registry


@dataclasses.dataclass(frozen=True)
class Sample:
    size: int = options.option(3, "A size.", low=1)
    rate: float = options.option(0.5, "A rate.", low=0.0, high=1.0)
    kind: str = options.option("a", "A kind.", choices=("a", "b"))
    path: str | None = options.option(None, "A path.")
    many: bool = options.option(False, "Whether many.")
    threads: int | None = options.option(2, "Threads.", run=True)


KINDS = [options.Training, *(registry.get(name).Config for name in registry.REGISTRY)]  # what config.json holds


def test_what_only_says_how_to_run_is_no_part_of_the_identity():
    assert options.identity(Sample()) == {"size": 3, "rate": 0.5, "kind": "a", "path": None, "many": False}


def test_options_come_back_from_json():
    written = json.loads(json.dumps(options.to_dict(Sample(size=5))))
    assert options.from_dict(Sample, written, "x.json") == Sample(size=5)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"unheard_of": 1}, "unknown setting 'unheard_of'"),
        ({"size": 0}, "size is 0, expected a whole number from 1"),
        ({"size": 2.0}, "size is 2.0, expected a whole number from 1"),
        ({"size": True}, "size is true, expected a whole number from 1"),
        ({"size": None}, "size is null, expected a whole number from 1"),
        ({"rate": 1.5}, "rate is 1.5, expected a number from 0.0 to 1.0"),
        ({"rate": math.nan}, "rate is NaN, expected a number from 0.0 to 1.0"),
        ({"kind": "c"}, 'kind is "c", expected a, b'),
        ({"kind": ["a"]}, 'kind is ["a"], expected a, b'),
        ({"path": 3}, "path is 3, expected text or null"),
        ({"path": "a\udcff"}, 'path is "a\\udcff", expected text or null'),
        ({"many": 0}, "many is 0, expected true or false"),
        ({"threads": "x" * 99}, f'threads is "{"x" * 36}..., expected a whole number or null'),
    ],
    ids=str,
)
def test_what_is_wrong_is_reported_in_one_line(change, said):
    with pytest.raises(errors.ModelError) as error:
        options.from_dict(Sample, {**options.to_dict(Sample()), **change}, "x.json")
    assert error.value.message == f"x.json: {said}"
    assert error.value.hint == "it was changed, or made by another version of seqnlp: use that one, or train again"


def test_options_made_in_python_are_checked_before_they_are_used():
    options.check(Sample())
    with pytest.raises(errors.UsageError, match="size is 0, expected a whole number from 1"):
        options.check(Sample(size=0))


def test_the_name_of_a_file_may_have_any_bytes_but_zero():
    config = registry.get("classify").Config
    options.check(config(vectors="a\udcff"))
    for name in ("a\0b", "\ud800"):
        with pytest.raises(errors.UsageError, match=r"vectors is .* expected text or null"):
            options.check(config(vectors=name))


def test_what_is_missing_is_reported():
    with pytest.raises(errors.ModelError, match=r"x\.json: missing setting 'kind'"):
        options.from_dict(Sample, {"size": 1, "rate": 0.5, "path": None, "many": True, "threads": None}, "x.json")


# any settings of any task


def right(field, hint):
    """The values that a field may have."""
    about, kinds = field.metadata, typing.get_args(hint) or (hint,)
    low, high = about["low"], about["high"]
    if about["choices"]:
        values = strategies.sampled_from(about["choices"])
    elif bool in kinds:
        values = strategies.booleans()
    elif int in kinds:
        values = strategies.integers(low, high)
    elif float in kinds:
        values = strategies.floats(low, high, allow_nan=False, allow_infinity=False)
    else:
        values = strategies.text(strategies.characters(codec="utf-8", exclude_characters="\0"))
    return values | strategies.none() if types.NoneType in kinds else values


def wrong(field, hint):
    """Values that a field may not have."""
    about, kinds = field.metadata, typing.get_args(hint) or (hint,)
    values = [strategies.lists(strategies.none()), strategies.dictionaries(strategies.text(), strategies.none())]
    if types.NoneType not in kinds:
        values.append(strategies.none())
    if bool not in kinds:
        values.append(strategies.booleans())
    if str not in kinds:
        values.append(strategies.text())
    else:
        values += [strategies.integers(), strategies.floats()]
    if float in kinds:
        values.append(strategies.sampled_from([math.nan, math.inf, -math.inf, 10**400]))
    if int in kinds:
        values.append(strategies.floats())
    if about["choices"]:
        values.append(strategies.text().filter(lambda text: text not in about["choices"]))
    if about["low"] is not None:
        values.append(strategies.integers(max_value=math.ceil(about["low"]) - 1))
    if about["high"] is not None:
        values.append(strategies.integers(min_value=math.floor(about["high"]) + 1))
    return strategies.one_of(values)


def settings(kind):
    """Valid settings, as a dictionary."""
    hints = typing.get_type_hints(kind)
    return strategies.fixed_dictionaries(
        {field.name: right(field, hints[field.name]) for field in dataclasses.fields(kind)}
    )


@pytest.mark.parametrize("kind", KINDS)
@hypothesis.given(strategies.data())
def test_any_valid_settings_come_back_from_json(kind, data):
    valid = kind(**data.draw(settings(kind)))
    assert options.from_dict(kind, json.loads(json.dumps(options.to_dict(valid))), "x.json") == valid


@pytest.mark.parametrize("kind", KINDS)
@hypothesis.given(strategies.data())
def test_no_broken_settings_pass(kind, data):
    values, hints = data.draw(settings(kind)), typing.get_type_hints(kind)
    field = data.draw(strategies.sampled_from(dataclasses.fields(kind)))
    what = data.draw(strategies.sampled_from(["missing", "unknown", "wrong"]))
    name = field.name
    if what == "missing":
        del values[name]
    elif what == "unknown":
        name = data.draw(strategies.text().filter(lambda text: text not in values))
        values[name] = None
    else:
        values[name] = data.draw(wrong(field, hints[name]))
    with pytest.raises(errors.ModelError) as error:
        options.from_dict(kind, values, "x.json")
    assert (repr(name) if what != "wrong" else name) in error.value.message and "\n" not in str(error.value)


@pytest.mark.parametrize("name", registry.REGISTRY)
def test_the_defaults_of_every_task_lie_within_their_bounds(name):
    chapter = registry.get(name)
    for kind in (options.Training, chapter.Config, chapter.Search):
        values = options.to_dict(kind())
        hints = typing.get_type_hints(kind)
        open_ones = [field.name for field in dataclasses.fields(kind) if values[field.name] is None]
        assert all(types.NoneType in typing.get_args(hints[name]) for name in open_ones)
        assert options.from_dict(kind, values, "x.json") == kind()


@pytest.mark.parametrize("name", registry.REGISTRY)
def test_a_task_s_own_defaults_are_training_options(name):
    task_defaults = options.to_dict(registry.get(name).training)
    options.from_dict(options.Training, task_defaults, "x.json")
