"""Preparation: encoded and packed folders, of texts and of pairs; what is damaged, foreign or in the way."""

import dataclasses
import json
import os
import shutil
import sys
import types

import datasets
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqnlp import errors, options
from seqnlp.preprocess.batching import buckets, packing, padding
from seqnlp.preprocess.corpora import arrow, examples, readers, schema
from seqnlp.tasks import registry
from seqnlp.workflows import encode as preparation
from seqnlp.workflows import model_folder
from seqnlp.workflows import train as workflow

STRANGE = " \u2028\u00e4\U0001f600"
TEXTS = "".join(
    f"{'so good ' * (n % 7)}it was number {n}{STRANGE * (n % 2)}\t{'pos' if n % 3 else 'neg'}\n" for n in range(50)
)
SMALL = dict(char_ngram_buckets=11, min_count=1)


@pytest.fixture
def source(tmp_path):
    """A corpus of texts and labels."""
    (tmp_path / "x.tsv").write_text(TEXTS, encoding="utf-8")
    return schema.Source((str(tmp_path / "x.tsv"),), names={str(tmp_path / "x.tsv"): "x.tsv"})


@pytest.fixture
def classify():
    return registry.get("classify")


@pytest.fixture
def encoded(tmp_path, source, classify):
    """The folder of the encoded corpus."""
    preparation.encode(classify, source, classify.Config(**SMALL), tmp_path / "encoded")
    return tmp_path / "encoded"


def names(folder):
    return sorted(path.name for path in folder.iterdir())


# encode


def test_a_folder_says_what_it_holds(tmp_path, source, classify):
    config = classify.Config(**SMALL, max_length=5)
    content = preparation.encode(classify, source, config, tmp_path / "encoded")
    assert json.loads((tmp_path / "encoded" / "encoded.json").read_text()) == json.loads(json.dumps(content))
    assert content["task"] == "classify" and content["fitted"] is True and content["rows"] == 50
    assert content["config"] == options.to_dict(config) and content["data"] == source.hashes()
    assert sorted([*content["files"], *content["made"], "encoded.json"]) == names(tmp_path / "encoded")
    assert names(tmp_path) == ["encoded", "x.tsv"]


def test_rows_are_those_of_the_codec(encoded, source, classify):
    folder = preparation.open_folder(str(encoded))
    codec = folder.codec()
    expected = [codec.encode(example, fitted=True) for example in classify.read(source, folder.config())]
    found = folder.rows()
    assert found.table.to_list() == expected
    assert found.lengths.tolist() == [row["lengths"] for row in expected]


def test_examples_come_back_without_their_records(encoded, source, classify):
    folder = preparation.open_folder(str(encoded))
    expected = [dataclasses.replace(e, record=None) for e in classify.read(source, folder.config())]
    part = folder.examples()
    assert list(part) == list(part) == expected


def test_the_codec_is_the_one_that_was_fitted(encoded, source, classify):
    folder = preparation.open_folder(str(encoded))
    config, codec = classify.fit(classify.read(source, folder.config()), folder.config(), {})
    assert config == folder.config()
    codec.save(encoded)  # the same files: their hashes still fit
    preparation.open_folder(str(encoded))


def test_the_config_is_that_of_the_folder_for_text_and_of_the_command_for_the_rest(encoded, classify):
    folder = preparation.open_folder(str(encoded))
    mixed = folder.config(classify.Config(hidden_size=7, char_ngram_buckets=99, max_length=3))
    assert (mixed.hidden_size, mixed.char_ngram_buckets, mixed.max_length) == (7, 11, 512)


def test_a_given_codec_is_used_as_it_is(encoded, tmp_path, source, classify):
    (tmp_path / "dev.tsv").write_text("so unheard\tpos\ngood\tnew\n")
    dev = schema.Source((str(tmp_path / "dev.tsv"),))
    content = preparation.encode(classify, dev, classify.Config(), tmp_path / "dev", codec_of=str(encoded))
    folder = preparation.open_folder(str(tmp_path / "dev"))
    assert content["files"] == preparation.open_folder(str(encoded)).content["files"]
    assert not folder.fitted and folder.config().char_ngram_buckets == 11
    rows = folder.rows().table.to_list()
    assert [row["labels"] for row in rows] == [[1], [-1]] and not any(row["fitted"] for row in rows)


@pytest.mark.parametrize("content", ["", "\n\n"])
def test_a_corpus_without_examples_is_told(tmp_path, classify, content):
    (tmp_path / "x.tsv").write_text(content)
    source = schema.Source((str(tmp_path / "x.tsv"),), names={str(tmp_path / "x.tsv"): "x.tsv"})
    with pytest.raises(errors.DataError, match=r"x\.tsv: no examples; hint: is this the right file\?"):
        preparation.encode(classify, source, classify.Config(), tmp_path / "encoded")
    assert names(tmp_path) == ["x.tsv"]


def fails_with(tmp_path, classify, content):
    (tmp_path / "x.tsv").write_text(content)
    source = schema.Source((str(tmp_path / "x.tsv"),), names={str(tmp_path / "x.tsv"): "x.tsv"})
    with pytest.raises(errors.DataError) as error:
        preparation.encode(classify, source, classify.Config(), tmp_path / "encoded")
    assert names(tmp_path) == ["x.tsv"]
    return error.value.message


def test_errors_name_the_file_once(tmp_path, classify):
    assert fails_with(tmp_path, classify, "a\tb\nc\td\ne\n") == "x.tsv:3: 1 column, expected 2 (text, label)"
    assert fails_with(tmp_path, classify, "a\tb\n") == "x.tsv: the training part has only one class (b)"


def test_a_corpus_that_changes_while_it_is_read_is_told(tmp_path, source, classify, monkeypatch):
    fit = preparation.fit

    def slow(*arguments):
        found = fit(*arguments)
        with open(source.paths[0], "a") as file:
            file.write("one more\tpos\n")
        return found

    monkeypatch.setattr(preparation, "fit", slow)
    with pytest.raises(errors.DataError, match=r"x\.tsv: has changed while it was read"):
        preparation.encode(classify, source, classify.Config(), tmp_path / "encoded")
    assert names(tmp_path) == ["x.tsv"]


def test_what_is_encoded_is_not_encoded_again(encoded, tmp_path, classify):
    with pytest.raises(errors.UsageError, match="is encoded already; hint: encode takes text"):
        preparation.encode(classify, schema.Source((str(encoded),)), classify.Config(), tmp_path / "again")


def test_rows_are_shown_by_the_columns_that_matter(source, classify):
    _, codec, part = preparation.fitted(classify, source, classify.Config(**SMALL), [], None)
    rows = list(preparation.shown(classify, codec, part))
    assert len(rows) == 50 and list(rows[0]) == ["ids", "labels"]
    assert rows[0] == {key: codec.encode(next(iter(part)))[key] for key in ("ids", "labels")}


# folders that are there


def test_an_output_that_is_there_is_refused(encoded, tmp_path):
    (tmp_path / "file").write_text("")
    (tmp_path / "void").mkdir()
    for path in (tmp_path / "file", tmp_path / "void", tmp_path):
        for overwrite in (True, False):
            with pytest.raises(errors.UsageError, match="is there already, and no encoded corpus; hint: give -o"):
                preparation.check_output(path, overwrite)
    with pytest.raises(errors.UsageError, match="holds an encoded corpus; hint: --overwrite replaces it"):
        preparation.check_output(encoded, False)
    preparation.check_output(encoded, True)


def test_nothing_of_others_is_overwritten(encoded):
    (encoded / "notes.txt").write_text("mine")
    with pytest.raises(errors.UsageError, match=r"holds other things too \(notes\.txt\)"):
        preparation.check_output(encoded, True)


@pytest.mark.parametrize("content", ["{", "[]", '{"files": 3}'])
def test_a_damaged_folder_gives_way_where_it_can_be_nobody_else_s(encoded, content):
    (encoded / "encoded.json").write_text(content)
    with pytest.raises(errors.UsageError, match="holds other things too"):
        preparation.check_output(encoded, True)
    for name in set(names(encoded)) - {"encoded.json", "rows.arrow"}:
        (encoded / name).unlink()
    preparation.check_output(encoded, True)


def test_an_output_that_cannot_be_made_is_told_before_the_work(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    with pytest.raises(errors.UsageError, match=r"cannot be made in .*file; hint: check the name"):
        preparation.check_output(tmp_path / "file" / "a" / "b", False)
    preparation.check_output(tmp_path / "a" / "b", False)
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(errors.UsageError, match="cannot be made in "):
        preparation.check_output(tmp_path / "a" / "b", False)


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
    found = preparation.open_folder(str(folder))
    return found.config(), found.codec(), len(found.rows()), list(found.examples())


@pytest.fixture
def packed(encoded, tmp_path):
    preparation.pack(str(encoded), tmp_path / "packed", max_tokens=30, batch_size=4)
    return tmp_path / "packed"


@pytest.mark.parametrize("harm", HARM)
def test_a_damaged_folder_is_told_whatever_is_damaged(packed, tmp_path, harm):
    use(packed)
    for name in names(packed):
        folder = shutil.copytree(packed, tmp_path / f"{harm}-{name}")
        if name == "encoded.json" and harm == "flipped":
            continue  # it has no hash: see below
        HARM[harm](folder / name)
        kind = errors.UsageError if (name, harm) == ("encoded.json", "gone") else errors.DataError
        with pytest.raises(kind) as error:
            use(folder)
        assert str(folder) in error.value.message and error.value.hint


@pytest.mark.parametrize(
    "content", ["{", "[]", "3", "{}", '{"format_version": 1}', '{"format_version": 1, "made": []}']
)
def test_what_is_not_of_a_folder_of_ours_is_told(encoded, content):
    (encoded / "encoded.json").write_text(content)
    with pytest.raises(errors.DataError, match=r"encoded\.json: not of an encoded corpus, or damaged"):
        preparation.open_folder(str(encoded))


def edited(folder, **changes):
    path = folder / "encoded.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def test_a_folder_of_another_version_is_told(encoded):
    edited(encoded, format_version=99, seqnlp_version="9.9")
    with pytest.raises(errors.DataError, match=r"was made by another seqnlp \(9\.9\); hint: encode the corpus again"):
        preparation.open_folder(str(encoded))


def test_a_folder_of_another_task_is_told(encoded):
    source = schema.Source((str(encoded),))
    assert preparation.opened(source, "classify") is not None
    with pytest.raises(errors.DataError, match="was encoded for classify, not for cooking"):
        preparation.opened(source, "cooking")


def test_a_plan_that_somebody_put_there_is_none(encoded, packed):
    shutil.copy(packed / "plan.json", encoded / "plan.json")
    assert preparation.open_folder(str(encoded)).plan is None


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
        preparation.open_folder(str(encoded)).config()


# codecs


def test_rows_fit_the_codec_that_made_them_and_no_other(encoded, tmp_path, source, classify):
    folder = preparation.open_folder(str(encoded))
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


# pairs: a task of two lengths a row


@dataclasses.dataclass(frozen=True)
class Config:
    """What makes a pair."""

    longest: int = options.option(9, "Most words.", group=options.TEXT)
    size: int = options.option(3, "Of what is built.")


class Codec:
    """A word is as many as its letters."""

    def encode(self, example, *, fitted=False):
        source, target = (list(map(len, text.split())) for text in (example.source, example.target))
        return {"source": source, "target": target, "lengths": [len(source), len(target)]}

    def features(self):
        numbers = datasets.List(datasets.Value("int32"))
        return {"source": numbers, "target": numbers, "lengths": numbers}

    def save(self, folder):
        (folder / "codec.json").write_text("{}")
        return ["codec.json"]


def read(source, config):
    def make():
        for record in readers.records(source, ("source", "target"), targets=True):
            yield examples.Example(*record.values.values(), record.raw, record.file, record.line)

    return examples.Examples(make)


@pytest.fixture
def pairs(monkeypatch):
    """The task."""
    task = types.SimpleNamespace(
        name="pairs",
        Config=Config,
        preview_columns=("source", "target"),
        read=read,
        fit=lambda part, config, given: (config, Codec()),
        is_trainable=lambda row, config: max(row["lengths"]) <= config.longest,
        files=lambda config: [],
        Codec=types.SimpleNamespace(load=lambda folder, config: Codec()),
    )
    monkeypatch.setitem(registry.REGISTRY, "pairs", "join what belongs together")
    monkeypatch.setitem(sys.modules, "seqnlp.tasks.pairs.task", types.SimpleNamespace(TASK=task))
    return task


LENGTHS = [(1 + n * 7 % 11, 1 + n * 5 % 13) for n in range(40)]


@pytest.fixture
def paired(tmp_path, pairs):
    """An encoded corpus of pairs, those of more than nine words left out."""
    lines = (f"{'a ' * (n % 5 + 1)}{'bb ' * (one - n % 5 - 1)}\t{'c ' * two}\n" for n, (one, two) in enumerate(LENGTHS))
    (tmp_path / "x.tsv").write_text("".join(lines))
    preparation.encode(pairs, schema.Source((str(tmp_path / "x.tsv"),)), Config(), tmp_path / "paired")
    return tmp_path / "paired"


def test_rows_that_cannot_be_learnt_from_are_left_out(paired, pairs, tmp_path):
    folder = preparation.open_folder(str(paired))
    assert folder.rows().lengths.shape == (len(list(folder.examples())), 2)
    assert folder.content["rows"] == len(folder.rows()) < 40
    assert folder.rows().lengths.max() <= 9
    assert [len(e.target.split()) for e in folder.examples()] == folder.rows().lengths[:, 1].tolist()


def test_rows_to_evaluate_are_all_kept(paired, pairs, tmp_path):
    source = schema.Source((str(tmp_path / "x.tsv"),))
    preparation.encode(pairs, source, Config(), tmp_path / "dev", codec_of=str(paired))
    assert len(preparation.open_folder(str(tmp_path / "dev")).rows()) == 40


def test_a_corpus_of_which_nothing_can_be_learnt_is_told(tmp_path, pairs):
    (tmp_path / "x.tsv").write_text("a b c\td\n")
    with pytest.raises(errors.DataError, match="no example can be learnt from; hint: all are too long"):
        source = schema.Source((str(tmp_path / "x.tsv"),))
        preparation.encode(pairs, source, Config(longest=2), tmp_path / "paired")
    assert names(tmp_path) == ["x.tsv"]


def test_training_leaves_out_what_cannot_be_learnt_from_of_rows_that_were_not_fitted_on(paired, pairs, tmp_path):
    text = schema.Source((str(tmp_path / "x.tsv"),))
    preparation.encode(pairs, text, Config(), tmp_path / "more", codec_of=str(paired))
    preparation.pack(str(tmp_path / "more"), tmp_path / "packed", max_tokens=20, batch_size=3)
    expected = sorted(map(str, preparation.open_folder(str(paired)).rows().table.to_list()))
    for name in ("more", "packed"):
        source = schema.Source((str(tmp_path / name),))
        job = workflow.Job("pairs", source, text, tmp_path / "m", Config(), options.Training())
        found = workflow._from_folder(job, pairs, preparation.open_folder(str(tmp_path / name)), None)
        assert sorted(map(str, found.rows.table.to_list())) == expected
    assert found.plan == buckets.plan(found.rows.lengths, buckets.Limits(20, 3))


# pack


@pytest.fixture(params=["encoded", "paired"])
def unpacked(request):
    """Texts and pairs."""
    return request.getfixturevalue(request.param)


def whole(rows, found):
    """Batches by what their rows hold."""
    return [(rows.table.select(numbers).to_list(), widths) for numbers, widths in found]


@pytest.mark.parametrize("limits", [buckets.Limits(20, 5), buckets.Limits(100, 8)])
def test_a_packed_corpus_makes_the_batches_of_the_one_that_is_not(unpacked, tmp_path, limits):
    preparation.pack(str(unpacked), tmp_path / "p", max_tokens=limits.max_tokens, batch_size=limits.batch_size)
    before, after = (preparation.open_folder(str(path)) for path in (unpacked, tmp_path / "p"))
    rows, packed = before.rows(), after.rows()
    assert before.plan is None and after.plan == buckets.plan(rows.lengths, limits)
    for epoch in range(3):
        made, expected = (buckets.shuffled(part.lengths, after.plan, seed=5, epoch=epoch) for part in (packed, rows))
        assert whole(packed, made) == whole(rows, expected)


def test_packed_rows_stand_in_the_order_of_their_buckets(unpacked, tmp_path):
    preparation.pack(str(unpacked), tmp_path / "p", max_tokens=20, batch_size=5)
    folder = preparation.open_folder(str(tmp_path / "p"))
    found = buckets.buckets(folder.rows().lengths, folder.plan).tolist()
    assert found == sorted(found) and len(set(found)) == len(folder.plan.edges) > 2


def test_a_packed_folder_is_that_of_its_rows_but_for_their_order(unpacked, tmp_path):
    preparation.pack(str(unpacked), tmp_path / "p", max_tokens=20, batch_size=5)
    before, after = (preparation.open_folder(str(path)) for path in (unpacked, tmp_path / "p"))
    assert {**after.content, "made": 0} == {**before.content, "made": 0}
    assert names(tmp_path / "p") == sorted([*names(unpacked), "plan.json"])
    key = str
    assert sorted(after.rows().table.to_list(), key=key) == sorted(before.rows().table.to_list(), key=key)
    assert sorted(after.examples(), key=key) == sorted(before.examples(), key=key)


def test_plan_json_holds_edges_and_limits(packed):
    content = json.loads((packed / "plan.json").read_text())
    assert list(content) == ["edges", "max_tokens", "batch_size"]
    assert (content["max_tokens"], content["batch_size"]) == (30, 4)
    assert content["edges"] == sorted(content["edges"])


def test_the_budget_is_that_of_training_where_nobody_says(encoded, tmp_path):
    found = preparation.pack(str(encoded), tmp_path / "p", max_tokens=None, batch_size=256)
    rows = preparation.open_folder(str(encoded)).rows()
    assert found["max_tokens"] == buckets.budget(rows.lengths) == 1024


def test_what_is_packed_is_not_packed_again(packed, tmp_path):
    with pytest.raises(errors.UsageError, match="is packed already; hint: pack the folder that encode made"):
        preparation.pack(str(packed), tmp_path / "again", max_tokens=20, batch_size=5)


def test_a_corpus_may_be_packed_where_it_is(encoded):
    rows = len(preparation.open_folder(str(encoded)).rows())
    preparation.pack(str(encoded), encoded, max_tokens=20, batch_size=5, overwrite=True)
    folder = preparation.open_folder(str(encoded))
    assert folder.plan is not None and len(folder.rows()) == rows


def test_the_report_of_a_plan(unpacked, tmp_path):
    found = preparation.pack(str(unpacked), tmp_path / "p", max_tokens=200, batch_size=8)
    folder = preparation.open_folder(str(tmp_path / "p"))
    made = buckets.shuffled(folder.rows().lengths, folder.plan, seed=1, epoch=0)
    assert found["rows"] == len(folder.rows()) == sum(count for *_, count in found["lengths"])
    assert (found["batches"], found["buckets"]) == (len(made), len(folder.plan.edges))
    assert found["padding"] == pytest.approx(100 * padding.padding_share(folder.rows().lengths, made), abs=0.01)
    assert 0 <= found["padding"] < found["padding_random"] < 100


@given(st.lists(st.integers(1, 700)))
def test_a_histogram_counts_every_row_once_in_its_range(lengths):
    found = packing.histogram(lengths)
    assert len(found) <= packing.BARS
    assert [count for *_, count in found] == [sum(low <= n <= high for n in lengths) for low, high, _ in found]
    assert sum(count for *_, count in found) == len(lengths)
    assert [low for low, *_ in found] == [1, *(high + 1 for _, high, _ in found)][: len(found)]


def test_a_corpus_in_memory_makes_the_same_plan(encoded):
    rows = preparation.open_folder(str(encoded)).rows()
    held = arrow.in_memory(rows.table.to_list(), rows.table.features)
    assert buckets.plan(held.lengths, buckets.Limits(30, 4)) == buckets.plan(rows.lengths, buckets.Limits(30, 4))
    assert held.lengths.dtype == rows.lengths.dtype == np.int64
