"""Folders of encode and pack: what they say, what is damaged, foreign or in the way."""

import json
import os
import shutil

import datasets
import numpy as np
import pytest

from seqnlp import errors
from seqnlp.preprocess.batching import buckets
from seqnlp.preprocess.corpora import arrow, schema
from seqnlp.tasks import registry
from seqnlp.workflows import corpora, model_folder, pack
from seqnlp.workflows import encoded as folders

SMALL = dict(char_ngram_buckets=11, min_count=1)
HUGGING_FACE = {"dataset_info.json", "state.json"}  # for `datasets`; we never read them


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_the_config_is_that_of_the_folder_for_text_and_of_the_command_for_the_rest(encoded, classify):
    folder = folders.open_folder(str(encoded))
    mixed = folder.config(classify.Config(hidden_size=7, char_ngram_buckets=99, max_length=3))
    assert (mixed.hidden_size, mixed.char_ngram_buckets, mixed.max_length) == (7, 11, 512)


def test_a_corpus_in_memory_makes_the_same_plan(encoded):
    rows = folders.open_folder(str(encoded)).rows()
    held = arrow.in_memory(rows.table.to_pylist(), rows.table.schema)
    assert buckets.plan(held.lengths, buckets.Limits(30, 4)) == buckets.plan(rows.lengths, buckets.Limits(30, 4))
    assert held.lengths.dtype == rows.lengths.dtype == np.int32


def test_load_from_disk_of_datasets_opens_a_folder(unpacked, tmp_path):
    pack.pack(str(unpacked), tmp_path / "p", max_tokens=20, batch_size=5)
    for path in (unpacked, tmp_path / "p"):
        table = folders.open_folder(str(path)).table
        found = datasets.load_from_disk(str(path))
        assert found.to_list() == table.to_pylist()
        assert found.column_names == table.column_names
        assert found.features["lengths"] == datasets.List(datasets.Value("int32"))


# folders that are there


def test_an_output_that_is_there_is_refused(encoded, tmp_path):
    (tmp_path / "file").write_text("")
    (tmp_path / "void").mkdir()
    for path in (tmp_path / "file", tmp_path / "void", tmp_path):
        for overwrite in (True, False):
            with pytest.raises(errors.UsageError, match="exists already and is not an encoded corpus; hint: give -o"):
                folders.check_output(path, overwrite)
    with pytest.raises(errors.UsageError, match="holds an encoded corpus; hint: --overwrite replaces it"):
        folders.check_output(encoded, False)
    folders.check_output(encoded, True)


def test_nothing_of_others_is_overwritten(encoded):
    (encoded / "notes.txt").write_text("mine")
    with pytest.raises(errors.UsageError, match=r"holds other things too \(notes\.txt\)"):
        folders.check_output(encoded, True)


@pytest.mark.parametrize("content", ["{", "[]", '{"files": 3}'])
def test_a_damaged_folder_gives_way_where_it_can_be_nobody_else_s(encoded, content):
    (encoded / "encoded.json").write_text(content)
    with pytest.raises(errors.UsageError, match="holds other things too"):
        folders.check_output(encoded, True)
    for name in set(names(encoded)) - {"encoded.json", "rows.arrow", *HUGGING_FACE}:
        (encoded / name).unlink()
    folders.check_output(encoded, True)


def test_an_output_that_cannot_be_made_is_told_before_the_work(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    with pytest.raises(errors.UsageError, match=r"cannot be created in .*file; hint: check the name"):
        folders.check_output(tmp_path / "file" / "a" / "b", False)
    folders.check_output(tmp_path / "a" / "b", False)
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(errors.UsageError, match="cannot be created in "):
        folders.check_output(tmp_path / "a" / "b", False)


# damage


def flipped(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))


def cut(path):
    path.write_bytes(path.read_bytes()[:-9])


HARM = {"gone": os.unlink, "flipped": flipped, "cut": cut, "empty": lambda path: path.write_bytes(b"")}


def use(folder):
    """Do all that training does with a folder."""
    found = folders.open_folder(str(folder))
    return found.config(), found.codec(), len(found.rows()), list(found.examples)


@pytest.mark.parametrize("harm", HARM)
def test_a_damaged_folder_is_told_whatever_is_damaged(packed, tmp_path, harm):
    use(packed)
    for name in set(names(packed)) - HUGGING_FACE:
        folder = shutil.copytree(packed, tmp_path / f"{harm}-{name}")
        if name == "encoded.json" and harm == "flipped":
            continue  # it has no hash: see below
        HARM[harm](folder / name)
        kind = errors.UsageError if (name, harm) == ("encoded.json", "gone") else errors.DataError
        with pytest.raises(kind) as error:
            use(folder)
        assert str(folder) in error.value.message and error.value.hint


NEWEST = f'{{"format_version": {model_folder.FORMAT_VERSION}'


@pytest.mark.parametrize("content", ["{", "[]", "3", "{}", NEWEST + "}", NEWEST + ', "made": []}'])
def test_what_is_not_of_a_folder_of_ours_is_told(encoded, content):
    (encoded / "encoded.json").write_text(content)
    with pytest.raises(errors.DataError, match=r"encoded\.json: not the description of an encoded corpus, or damaged"):
        folders.open_folder(str(encoded))


def edited(folder, **changes):
    path = folder / "encoded.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def test_a_folder_of_another_version_is_told(encoded):
    edited(encoded, format_version=99, seqnlp_version="9.9")
    with pytest.raises(
        errors.DataError, match=r"was made by another version of seqnlp \(9\.9\); hint: encode the corpus again"
    ):
        folders.open_folder(str(encoded))


def test_a_folder_of_another_task_is_told(encoded):
    source = schema.Source((str(encoded),))
    assert corpora.opened(registry.get("classify"), source, None).path == encoded
    with pytest.raises(errors.DataError, match="was encoded for classify, not for tag"):
        corpora.opened(registry.get("tag"), source, None)


def test_a_plan_that_somebody_put_there_is_none(encoded, packed):
    shutil.copy(packed / "plan.json", encoded / "plan.json")
    assert folders.open_folder(str(encoded)).plan is None


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"max_length": 0}, "max_length is 0, expected a whole number from 1"),
        ({"unheard_of": 1}, "unknown setting 'unheard_of'"),
    ],
)
def test_settings_that_were_changed_are_told(encoded, change, said):
    config = json.loads((encoded / "encoded.json").read_text())["config"]
    edited(encoded, config={**config, **change})
    with pytest.raises(errors.DataError, match=rf"encoded\.json: {said}; hint: encode the corpus again"):
        folders.open_folder(str(encoded)).config()


# codecs


def test_rows_fit_the_codec_that_made_them_and_no_other(encoded, tmp_path, source, classify):
    folder = folders.open_folder(str(encoded))
    weights = {model_folder.WEIGHTS: "any"}  # of a model, whose files these may be
    folder.check_codec({**folder.content["files"], **weights}, classify.Config(**SMALL, hidden_size=3), "m")
    (first, *_) = folder.content["files"]
    without = {name: digest for name, digest in folder.content["files"].items() if name != first}
    more = {**folder.content["files"], "more.json": "x"}
    for files in ({}, without, more, {**folder.content["files"], first: "other"}):
        with pytest.raises(errors.DataError, match=r"was not encoded with the codec of m; hint: .* --codec m"):
            folder.check_codec(files, classify.Config(**SMALL), "m")
    with pytest.raises(errors.DataError, match="was not encoded with the codec of m"):
        folder.check_codec(folder.content["files"], classify.Config(**SMALL, max_length=3), "m")
