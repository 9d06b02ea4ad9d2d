"""A model remembers what its corpus looked like: predict and eval need no options for another of the kind."""

import itertools
import json

import pytest

import seqnlp
from seqnlp import errors
from seqnlp.preprocess.batching import buckets
from seqnlp.preprocess.corpora import schema
from seqnlp.workflows import config_keys, encode, encoded, evaluate, interface, predict

HEADER = "id;subject;body;team\n"
ROWS = "".join(
    f"{n};Nummer {n};{'das Netz, es steht' if n % 2 else 'die Tür; sie klemmt'!r};{'netz' if n % 2 else 'haus'}\n"
    for n in range(12)
).replace("'", '"')
READING = {"columns": {"text": "subject,body", "label": "team"}}
SMALL = dict(hidden_size=3, embedding_size=3, char_ngram_buckets=11, epochs=1)
REMEMBERED = {
    "format": "csv",
    "delimiter": ";",
    "header": ["id", "subject", "body", "team"],
    "fields": {"text": ["subject", "body"], "label": ["team"]},
    "width": 4,
}


@pytest.fixture
def corpus(tmp_path):
    (tmp_path / "x.csv").write_text(HEADER + ROWS)
    return tmp_path / "x.csv"


@pytest.fixture
def model(corpus, tmp_path):
    interface.train("classify", corpus, tmp_path / "model", dev=corpus, reading=READING, **SMALL)
    return tmp_path / "model"


def source(path):
    return schema.Source((str(path),))


def test_format_and_fields_stand_in_the_model_and_are_used(model, corpus):
    assert json.loads((model / "config.json").read_text())["schema"] == REMEMBERED
    loaded = predict.load(model)
    task, search = loaded.task, loaded.task.Search()
    (first, *_) = task.read_inputs(loaded.source(source(corpus)), loaded.config, search)
    assert first.source == "Nummer 0 die Tür; sie klemmt"
    result, _ = evaluate.evaluate(loaded, str(model), source(corpus), search, buckets.Limits())
    assert result["scores"][0]["n"] == 12
    with pytest.raises(errors.DataError, match="which is the label"):
        list(task.read(source(corpus), loaded.config))


def test_only_the_first_line_is_waited_for(model):
    loaded = predict.load(model)

    def lines():
        yield HEADER.rstrip("\n")
        yield '1;a;"b;c";x'
        raise AssertionError("nobody may ask for more yet")

    class Slow(schema.Source):
        def lines(self, path):
            return lines()

    given = loaded.task.read_inputs(loaded.source(Slow(("-",))), loaded.config, loaded.task.Search())
    assert [example.source for example in itertools.islice(given, 1)] == ["a b;c"]


def test_an_encoded_corpus_carries_it_to_the_model(tmp_path, corpus, classify):
    about = schema.Source((str(corpus),), **READING)
    encode.encode(classify, about, classify.Config(char_ngram_buckets=11), tmp_path / "encoded")
    encode.encode(classify, source(corpus), classify.Config(), tmp_path / "dev", codec_of=str(tmp_path / "encoded"))
    folder = encoded.open_folder(str(tmp_path / "encoded"))
    assert folder.schema.to_dict() == encoded.open_folder(str(tmp_path / "dev")).schema.to_dict() == REMEMBERED
    small = {name: value for name, value in SMALL.items() if name != "char_ngram_buckets"}
    interface.train("classify", tmp_path / "encoded", tmp_path / "model", dev=tmp_path / "dev", **small)
    assert json.loads((tmp_path / "model" / "config.json").read_text())["schema"] == REMEMBERED


@pytest.mark.parametrize("strange", ["csv", {}, {"format": "csv", "fields": 3}, {"format": "csv", "width": "4"}])
def test_what_is_no_schema_is_told(tmp_path, strange):
    with pytest.raises(errors.ModelError, match="not the schema of a corpus"):
        config_keys.schema_of(tmp_path, {"schema": strange})
    assert config_keys.schema_of(tmp_path, {"schema": None}) is config_keys.schema_of(tmp_path, {}) is None


def test_loaded_models_predict_as_before(model):
    assert len(seqnlp.load(model).predict(["a", ""])) == 2
