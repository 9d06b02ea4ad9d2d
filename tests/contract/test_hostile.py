"""Model folders that somebody has changed, and whose hashes fit what they were changed to: refused in a line, soon."""

import contextlib
import json
import os
import resource
import shutil

import numpy as np
import pytest
import safetensors.numpy
from task_cases import ONE_A_TASK, one_a_task, tried_on

from seqnlp import errors
from seqnlp.io import files, jsonl
from seqnlp.workflows import about, config_keys, predict

DEEP = "[" * 100_000

forecast = tried_on(ONE_A_TASK[-1:])


@pytest.fixture
def folder(trained, tmp_path):
    """A copy of the model to do harm to."""
    return shutil.copytree(trained[0], tmp_path / "model")


def rehash(folder):
    """Make the hashes those of the files as they are."""
    config = jsonl.read_json(folder / "config.json")
    config["files"] = {name: files.sha256(folder / name) for name in config["files"]}
    jsonl.write_json(folder / "config.json", config)


def refused(folder):
    """The error of loading a folder, which is one line and takes no memory to speak of."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(errors.ModelError) as error:
        predict.load(folder, device="cpu")
    assert "\n" not in str(error.value) and len(str(error.value)) < 1000
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss < before + 300_000  # KB
    return str(error.value)


@one_a_task
def test_a_folder_whose_name_is_not_utf_8(folder, model, case):
    folder = folder.rename(folder.parent / os.fsdecode(b"m\xff"))
    assert predict.load(folder, device="cpu").predict(case.inputs[:3]) == model.predict(case.inputs[:3])


# config.json


WRONG = {
    "hidden_size": [20_000, 10**12, 0, -1, "7", None, [7], 2.5, True],
    "layers": [100_000, 0, 8],
    "embedding_size": [10**9],
    "dropout": [1.5, -1, float("nan"), "0"],
    "cell": ["transformer", 3],
    "normalize": [3],
    "horizon": [None, 10**6, 10**12, 2],
    "window": [None, 0, 15],
    "season": [None, 10**6, 8],
    "segment": [None, 3, 2],
    "subtract": [None, "none"],
    "more": [1],
}


def changed(folder, config, name, value):
    """Put a value into the settings of a model."""
    (folder / "config.json").write_text(json.dumps({**config, "config": {**config["config"], name: value}}))
    return folder


@one_a_task
def test_settings_that_no_flag_could_have_and_sizes_that_the_weights_do_not_have(folder):
    config = jsonl.read_json(folder / "config.json")
    for name, values in WRONG.items():
        for value in values if name in {**config["config"], "more": 1} else ():
            assert str(folder) in refused(changed(folder, config, name, value))


@one_a_task
def test_settings_of_any_other_kind_are_refused_or_work(folder, model, case):
    config = jsonl.read_json(folder / "config.json")
    for name in config["config"].keys() - WRONG.keys():
        for value in (None, 0, 10**12, -1, 0.5, "x", [7], True):
            with contextlib.suppress(errors.ModelError):
                found = predict.load(changed(folder, config, name, value), device="cpu")
                assert len(found.predict(case.inputs[:2])) == 2, (name, value)


@one_a_task
def test_what_config_json_says_of_a_model_has_the_right_types(folder):
    config = jsonl.read_json(folder / "config.json")
    for name in config_keys.MODEL:
        for value in (None, 3.5, "x", [[]], {"x": []}):
            (folder / "config.json").write_text(json.dumps({**config, name: value}))
            for look in (predict.load, about.describe):
                try:
                    repr(look(folder))
                except errors.ModelError:
                    continue
    for text in ("", DEEP, '{"a":' * 100_000, "\0" * 99, "{}", "[]", '{"format_version": 2}'):
        (folder / "config.json").write_text(text)
        assert "config.json" in refused(folder)


@one_a_task
@pytest.mark.parametrize("name", ["../../etc/passwd", "/etc/passwd", "..", "", "a/b", "a\0"])
def test_files_are_plain_names(folder, name, monkeypatch):
    config = jsonl.read_json(folder / "config.json")
    (folder / "config.json").write_text(json.dumps({**config, "files": {**config["files"], name: "ab" * 32}}))
    monkeypatch.setattr(files, "sha256", lambda path: pytest.fail(f"{path} was read"))
    assert "is not a plain file name" in refused(folder)


# The codec's files


ANY = ["", DEEP, '{"a":' * 100_000, "{}", "[]", "null", "3", '"x"', "\0" * 99]
BAD = {
    "labels.json": [
        {"labels": []},
        {"labels": ["a", "a"], "counts": [1, 1]},
        {"labels": ["a\nb", "c"], "counts": [1, 1]},
        {"labels": [1, 2]},
        {"labels": "ab"},
        {"labels": {"a": 1, "b": 2}},
        {"labels": [["a"], ["b"]]},
        {"counts": [1]},
        {"counts": ["1", "2"]},
        {"counts": [-1, 1]},
        {"counts": None},
    ],
    "words.json": [{"scheme": "IOBES9"}, {"scheme": None}, {"rare": -1}, {"rare": "4"}, {"rare": None}, {"more": 1}],
    "series.json": [
        *({name: value} for name in ("horizon", "window", "season") for value in (None, "3", 10**12, -1, 2)),
        *({"axis": value} for value in (3, {}, {"form": "day"}, [])),
        *(
            {"axis": {"form": form, "sample": sample, "unit": unit, "step": step, "offset": 0, "named": None}}
            for form, sample, unit, step in [
                ("number", "0", "number", 0),
                ("number", "0", "number", "1"),
                ("number", "soon", "number", 1),
                ("moon", "0", "number", 1),
                ("day", "2024-01-01", "month", 10**30),
                ("day", "2024-01-01", "fortnight", 1),
                ("day", "2024-01-01", None, 1),
            ]
        ),
        *({"ids": value} for value in (["a", "a", "b"], ["a"], [], "abc", [1, 2, 3], None, [["a"], "b", "c"])),
        *({"static": value} for value in ([], [[]], [[1], [2], [3]], None)),
        {"column": None},
        *({"columns": value} for value in ({}, [], {"future": [["x", 0, 1]], "static": []})),
        *({"columns": {"future": [], "static": value}} for value in ([["x"]], [["x", [], 0, 0]], [["x", [1], 0, 1]])),
    ],
    "lengths.json": [{"longest": -1}, {"longest": "9"}, {"ratio": float("inf")}, {"ratio": None}, {"tokenize": "no"}],
}


@one_a_task
def test_labels_words_and_lengths_are_checked(folder):
    for name, changes in BAD.items():
        if not (folder / name).exists():
            continue
        content = jsonl.read_json(folder / name)
        for text in [*ANY, *(json.dumps({**content, **change}) for change in changes)]:
            (folder / name).write_text(text)
            rehash(folder)
            assert refused(folder), text


def vocabulary(change):
    def changed(content):
        words = content["model"]["vocab"]
        entries = dict(words) if isinstance(words, dict) else {word: i for i, (word, _) in enumerate(words)}
        content["model"]["vocab"] = change(entries)
        return content

    return changed


def last(entries, number):
    return {**entries, list(entries)[-1]: number}


TOKENIZERS = {
    "a huge id": vocabulary(lambda entries: last(entries, 10**9)),
    "an id twice": vocabulary(lambda entries: last(entries, 4)),
    "no text": vocabulary(lambda entries: {**entries, "more": "x"}),
    "special tokens elsewhere": vocabulary(lambda entries: {**entries, "<pad>": 1, "<unk>": 0}),
    "a word more": vocabulary(lambda entries: {**entries, "one more word": len(entries)}),
    "no words": vocabulary(lambda entries: {}),
    "nothing that splits": lambda content: {**content, "pre_tokenizer": None},
    "a pattern that searches for ever": lambda content: {
        **content,
        "pre_tokenizer": {"type": "Split", "pattern": {"Regex": "(x+x+)+y"}, "behavior": "Isolated", "invert": False},
    },
    "another splitter": lambda content: {**content, "pre_tokenizer": {"type": "Nothing"}},
}


@one_a_task
@pytest.mark.parametrize("case_of", TOKENIZERS)
def test_tokenizers_are_checked(folder, case_of, case):
    if case_of == "nothing that splits" and case.task == "translate":
        return  # subwords of a whole line are subwords
    for path in folder.glob("*tokenizer.json"):
        content = jsonl.read_json(path)
        path.write_text(json.dumps(TOKENIZERS[case_of](content)))
        rehash(folder)
        refused(folder)


@one_a_task
def test_tokenizers_that_are_none(folder):
    for path in folder.glob("*tokenizer.json"):
        for text in ANY:
            path.write_text(text)
            rehash(folder)
            refused(folder)


ARRAYS = {
    "none": lambda arrays: {},
    "one too few": lambda arrays: {name: array for name, array in arrays.items() if name != "starts"},
    "of another type": lambda arrays: {name: array.astype(np.float32) for name, array in arrays.items()},
    "not finite": lambda arrays: {**arrays, "values": arrays["values"] * np.nan},
    "a value too few": lambda arrays: {**arrays, "values": arrays["values"][1:]},
    "a series too few": lambda arrays: {**arrays, "lengths": arrays["lengths"][1:]},
    "fewer than none": lambda arrays: {**arrays, "lengths": arrays["lengths"] * [[-1], [1], [3]]},
    "of another shape": lambda arrays: {**arrays, "scales": arrays["scales"][:, None]},
}


@forecast
@pytest.mark.parametrize("how", ARRAYS)
def test_values_of_series_are_checked(folder, how):
    arrays = safetensors.numpy.load_file(folder / "series.safetensors")
    safetensors.numpy.save_file(ARRAYS[how](arrays), folder / "series.safetensors")
    rehash(folder)
    refused(folder)


@one_a_task
def test_weights_that_are_none(folder, trained):
    whole = (trained[0] / "model.safetensors").read_bytes()
    header = int.from_bytes(whole[:8], "little")
    for content in [
        b"",
        whole[:7],
        whole[: 8 + header],
        whole[:-1],
        whole + b"\0",
        (10**15).to_bytes(8, "little") + whole[8:],
        len(DEEP).to_bytes(8, "little") + DEEP.encode(),
        whole[:8] + whole[8:].replace(b"weight", b"wetght", 1),
        whole[:8] + whole[8:].replace(b'"F32"', b'"I32"', 1),
    ]:
        (folder / "model.safetensors").write_bytes(content)
        rehash(folder)
        refused(folder)
