"""Encode: the rows of texts and of pairs, with a codec that is fitted or given."""

import dataclasses
import json

import pytest

from seqnlp import errors, options
from seqnlp.preprocess.corpora import schema
from seqnlp.workflows import encode
from seqnlp.workflows import encoded as folders

SMALL = dict(char_ngram_buckets=11, min_count=1)


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_folder_says_what_it_holds(tmp_path, source, classify):
    config = classify.Config(**SMALL, max_length=5)
    content = encode.encode(classify, source, config, tmp_path / "encoded")
    assert json.loads((tmp_path / "encoded" / "encoded.json").read_text()) == json.loads(json.dumps(content))
    assert content["task"] == "classify" and content["fitted"] is True and content["rows"] == 50
    assert content["config"] == options.to_dict(config) and content["data"] == source.hashes()
    others = ["encoded.json", "dataset_info.json", "state.json"]
    assert sorted([*content["files"], *content["made"], *others]) == names(tmp_path / "encoded")
    assert names(tmp_path) == ["encoded", "x.tsv"]


def test_rows_are_those_of_the_codec(encoded, source, classify):
    folder = folders.open_folder(str(encoded))
    codec = folder.codec()
    expected = [codec.encode(example, fitted=True) for example in classify.read(source, folder.config())]
    found = folder.rows()
    assert found.table.to_pylist() == expected
    assert found.lengths.tolist() == [row["lengths"] for row in expected]


def test_examples_come_back_without_their_records(encoded, source, classify):
    folder = folders.open_folder(str(encoded))
    expected = [dataclasses.replace(e, record=None) for e in classify.read(source, folder.config())]
    part = folder.examples
    assert list(part) == list(part) == expected


def test_the_codec_is_the_one_that_was_fitted(encoded, source, classify):
    folder = folders.open_folder(str(encoded))
    config, codec = classify.fit(list(classify.read(source, folder.config())), folder.config(), {})
    assert config == folder.config()
    codec.save(encoded)  # the same files: their hashes still fit
    folders.open_folder(str(encoded))


def test_a_given_codec_is_used_as_it_is(encoded, tmp_path, source, classify):
    (tmp_path / "dev.tsv").write_text("so unheard\tpos\ngood\tnew\n")
    dev = schema.Source((str(tmp_path / "dev.tsv"),))
    content = encode.encode(classify, dev, classify.Config(), tmp_path / "dev", codec_of=str(encoded))
    folder = folders.open_folder(str(tmp_path / "dev"))
    assert content["files"] == folders.open_folder(str(encoded)).content["files"]
    assert not folder.fitted and folder.config().char_ngram_buckets == 11
    rows = folder.rows().table.to_pylist()
    assert [row["labels"] for row in rows] == [[1], [-1]]


@pytest.mark.parametrize("content", ["", "\n\n"])
def test_a_corpus_without_examples_is_told(tmp_path, classify, content):
    (tmp_path / "x.tsv").write_text(content)
    source = schema.Source((str(tmp_path / "x.tsv"),), names={str(tmp_path / "x.tsv"): "x.tsv"})
    with pytest.raises(errors.DataError, match=r"x\.tsv: no examples; hint: is this the right file\?"):
        encode.encode(classify, source, classify.Config(), tmp_path / "encoded")
    assert names(tmp_path) == ["x.tsv"]


def fails_with(tmp_path, classify, content):
    (tmp_path / "x.tsv").write_text(content)
    source = schema.Source((str(tmp_path / "x.tsv"),), names={str(tmp_path / "x.tsv"): "x.tsv"})
    with pytest.raises(errors.DataError) as error:
        encode.encode(classify, source, classify.Config(), tmp_path / "encoded")
    assert names(tmp_path) == ["x.tsv"]
    return error.value.message


def test_errors_name_the_file_once(tmp_path, classify):
    assert fails_with(tmp_path, classify, "a\tb\nc\td\ne\n") == "x.tsv:3: 1 column, expected 2 (text, label)"
    assert fails_with(tmp_path, classify, "a\tb\n") == "x.tsv: the training part has only one class (b)"


def test_what_is_encoded_is_not_encoded_again(encoded, tmp_path, classify):
    with pytest.raises(errors.UsageError, match="is encoded already; hint: encode takes text"):
        encode.encode(classify, schema.Source((str(encoded),)), classify.Config(), tmp_path / "again")


def test_rows_are_shown_by_the_columns_that_matter(source, classify):
    _, codec, text = encode.fitted(classify, source, classify.Config(**SMALL))
    rows = list(encode.shown(classify, codec, text.examples))
    assert len(rows) == 50 and list(rows[0]) == ["ids", "labels"]
    assert rows[0] == {key: codec.encode(next(iter(text.examples)))[key] for key in ("ids", "labels")}


def test_rows_that_cannot_be_learnt_from_are_left_out(paired, pairs, tmp_path):
    folder = folders.open_folder(str(paired))
    assert folder.rows().lengths.shape == (len(list(folder.examples)), 2)
    assert folder.content["rows"] == len(folder.rows()) < 40
    assert folder.rows().lengths.max() <= 9
    assert [len(e.target.split()) for e in folder.examples] == folder.rows().lengths[:, 1].tolist()


def test_rows_to_evaluate_are_all_kept(paired, pairs, tmp_path):
    source = schema.Source((str(tmp_path / "x.tsv"),))
    encode.encode(pairs, source, pairs.Config(), tmp_path / "dev", codec_of=str(paired))
    assert len(folders.open_folder(str(tmp_path / "dev")).rows()) == 40


def test_a_corpus_of_which_nothing_can_be_learnt_is_told(tmp_path, pairs):
    (tmp_path / "x.tsv").write_text("a b c\td\n")
    with pytest.raises(errors.DataError, match="no example can be learnt from; hint: all are too long"):
        source = schema.Source((str(tmp_path / "x.tsv"),))
        encode.encode(pairs, source, pairs.Config(longest=2), tmp_path / "paired")
    assert names(tmp_path) == ["x.tsv"]
