"""The Python face under hostile hands: whatever is wrong is a SeqnlpError, in every task."""

import copy
import functools
import pickle

import pytest
from task_cases import ONE_A_TASK, one_a_task
from test_hostile import forecast

import seqnlp
from seqnlp import errors

first_task = pytest.mark.parametrize("case", ONE_A_TASK[:1], indirect=True, ids=lambda case: case.name)
DEEP = functools.reduce(lambda inner, _: [inner], range(2000), "a")
BLANKS = ["", " ", "\u00a0", "\u3000", "\t", " \u2003\u00a0"]


@one_a_task
def test_inputs_of_wrong_types(model, case):
    for inputs in ("a text", b"a text", 3, {"text": "a"}, 2.5, *([] if model.task.remembers else [None])):
        with pytest.raises(errors.WrongType, match="expected a list"):
            model.predict(inputs)
    numbers = [] if model.task.answers == "numbers" else [3, 2.5]
    for given in (None, b"a", ["a", 3], [["a"]], {"a": 1}, object(), DEEP, *numbers):
        with pytest.raises(errors.DataError, match="input:2: "):
            model.predict([case.inputs[0], given])


@forecast
def test_numbers_that_are_none(model):
    for given in ("1 x", [1, None], [1, "nan"], float("inf"), 10**400, 10**5000, "1e101", [True], [1j], [[1]]):
        with pytest.raises(errors.DataError, match="input:1: "):
            model.predict([given])


@one_a_task
def test_settings_that_there_are_not(model, case):
    for setting in ({"nbest": 0}, {"top": -1}, {"nbest": "x"}, {"bogus": 1}, {"beam_size": None}, {"threshold": 7}):
        with pytest.raises(errors.UsageError):
            model.predict(case.inputs[:1], **setting)


@one_a_task
def test_half_a_pair_is_read_as_jsonl_reads_it(model):
    if model.task.answers == "numbers":
        with pytest.raises(errors.DataError, match="expected a number"):
            model.predict(["\ud800"])
    else:
        assert model.predict(["a \ud800 text \udfff"]) == model.predict(["a \ufffd text \ufffd"])


@one_a_task
def test_blank_means_the_same_in_every_task(model):
    assert model.predict(BLANKS) == [None] * len(BLANKS)


@one_a_task
def test_a_model_can_be_copied_and_pickled(model, case):
    expected = model.predict(case.inputs[:4])
    for other in (copy.copy(model), copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert other.predict(case.inputs[:4]) == expected
        assert repr(other) == repr(model)


@one_a_task
def test_its_repr_fits_a_line(model):
    assert "\n" not in repr(model) and len(repr(model)) < 120


@pytest.mark.parametrize("path", ["n" * 5000, "a\0b", "", None, 3, b"x", ["x"]])
def test_paths_that_can_be_none(path, tmp_path):
    with pytest.raises(errors.SeqnlpError):
        seqnlp.load(path)
    with pytest.raises(errors.SeqnlpError):
        seqnlp.train("classify", path, tmp_path / "model")
    assert list(tmp_path.iterdir()) == []


@first_task
@pytest.mark.parametrize("device", [None, 3.5, ["cpu"], 10**40, "", "gpu", "a\0b"])
def test_devices_that_there_are_not(trained, device):
    with pytest.raises(errors.UsageError, match="no device "):
        seqnlp.load(trained[0], device=device)


@pytest.mark.parametrize("path", ["n" * 5000, "a\0b", "", None, 3, b"x"])
def test_places_where_no_model_can_be(path, tmp_path):
    (tmp_path / "x.tsv").write_text("a b\tone\nc d\ttwo\n" * 20)
    with pytest.raises(errors.SeqnlpError):
        seqnlp.train("classify", tmp_path / "x.tsv", path, epochs=1)
