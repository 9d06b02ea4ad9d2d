"""The codec: series behind what is remembered of them; covariates as features; a folder and back."""

import numpy as np
import pytest

from seqnlp import errors
from seqnlp.preprocess.corpora import even, times
from seqnlp.preprocess.corpora.examples import Example
from seqnlp.tasks.forecast import codec as codecs
from seqnlp.tasks.forecast import covariates
from seqnlp.tasks.forecast.task import TASK

DAYS = times.Axis("day", "2020-01-01", "second", 86400)
FIRST = times.parser("day")("2020-01-01")


def made(axis=DAYS, length=10, kept=6, future=False):
    """A codec that remembers the last of the values 0, 1, 2, ..., of one series."""
    tail = list(map(float, range(length - kept, length)))
    start = FIRST + (length - kept) * 86400 if axis else 0
    columns = [np.array([10.0 * value for value in [*tail, length, length + 1]])] if future else []
    one = even.Series("a", np.array(tail), start, axis, columns, ("x",))
    kinds = covariates.Static.fit(["kind"], [["x"], ["y"]])
    ahead = covariates.Future((("price", 0.0, 10.0),)) if future else covariates.Future()
    return codecs.Codec(2, 3, 1, axis, {"a": codecs.Remembered(one, 1.5, length)}, ahead, kinds)


def example(values, *, day=0, name="a", target=(), axis=DAYS, future=()):
    one = even.Series(
        name, np.array(values), FIRST + day * 86400 if axis else 0, axis, list(map(np.array, future)), ("y",)
    )
    return Example(one.to_dict(), target, None, "f.csv", 7)


def row(codec, *given, fitted=False, **about):
    found = codec.encode(example(*given, **about), fitted=fitted)
    return list(found["values"]), found["split"]


def test_values_that_follow_stand_behind_what_is_remembered():
    assert row(made(), [10.0, 11.0], day=10) == ([4, 5, 6, 7, 8, 9, 10, 11], 6)


def test_values_that_are_known_already_are_history():
    assert row(made(), [7.0, 8.0, 9.0, 10.0], day=7) == ([4, 5, 6, 7, 8, 9, 10], 6)
    assert row(made(), list(map(float, range(12)))) == (list(range(12)), 10)
    assert row(made(), [8.0, 9.0], day=8) == ([4, 5, 6, 7, 8, 9], 6)


def test_without_times_a_corpus_goes_on_and_a_history_stands_alone():
    codec = made(axis=None)
    assert row(codec, [10.0, 11.0], axis=None) == ([4, 5, 6, 7, 8, 9, 10, 11], 6)
    assert row(codec, [10.0, 11.0], axis=None, target=None)[0] == [10, 11]
    assert row(codec, list(map(float, range(10))), axis=None) == (list(range(10)), 10)  # the training part itself


def test_a_series_that_is_new_begins_with_its_history():
    assert row(made(), [5.0, 6.0, 7.0, 8.0], name="b") == ([5, 6, 7, 8], 3)
    assert row(made(), [5.0], name="b") == ([5], 1)


def test_what_is_held_out_follows():
    assert row(made(), [5.0, 6.0], target=(7.0, 8.0)) == ([5, 6, 7, 8], 2)


def test_the_training_part_is_history():
    assert row(made(), [5.0, 6.0], fitted=True) == ([5, 6], 2)


def test_rows_after_a_gap_are_refused_or_a_history_of_their_own():
    with pytest.raises(errors.DataError, match="begins at 2020-01-13, 2 steps after what the model knows: 2020-01-10"):
        row(made(), [12.0], day=12)
    assert row(made(), [12.0, 13.0, 14.0, 15.0], day=12) == ([12, 13, 14, 15], 3)


def test_another_frequency_is_refused():
    weeks = times.Axis("day", "2020-01-01", "second", 7 * 86400)
    with pytest.raises(errors.DataError, match="of another frequency"):
        row(made(), [1.0, 2.0], axis=weeks)


def test_covariates_are_features():
    found = made(future=True).encode(example([10.0], day=10, future=[[100.0, 110.0]]))
    assert found["future"] == [4, 5, 6, 7, 8, 9, 10, 11]
    assert found["static"] == [0.0, 1.0]


def test_columns_that_the_model_needs_are_asked_for():
    with pytest.raises(errors.DataError, match=r"f.csv:7: the model needs the columns price"):
        made(future=True).encode(example([1.0], name="b"))


def test_static_columns():
    found = covariates.Static.fit(["size", "kind"], [["1", "x"], ["3", "y"], ["5", "x"]])
    assert found.size == 3
    np.testing.assert_allclose(found.features(["3", "y"]), [0, 0, 1])
    np.testing.assert_allclose(found.features(["?", "z"]), [0, 0, 0])
    assert covariates.Static.of_list(found.to_list()) == found


@pytest.mark.parametrize("axis", [DAYS, None])
def test_a_folder_and_back(tmp_path, axis):
    codec = made(axis=axis, future=True)
    names = codec.save(tmp_path)
    assert sorted(names) == sorted(path.name for path in tmp_path.iterdir())
    again = codecs.Codec.load(tmp_path, TASK.Config(horizon=2, window=3, season=1))
    assert again.series()[0].to_dict() == codec.series()[0].to_dict()
    assert again.known["a"].scale == 1.5 and again.known["a"].length == 10
    assert (again.axis, again.future, again.static) == (codec.axis, codec.future, codec.static)
