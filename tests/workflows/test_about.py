"""What info says of models, of runs that are not finished, of encoded corpora and of tokenizers."""

import json

import pytest

from seqnlp import errors, options
from seqnlp.preprocess.text import subword, tokenizer
from seqnlp.workflows import about, jobs, train


@pytest.fixture
def job(source, classify, tmp_path):
    config = classify.Config(embedding_size=3, hidden_size=5, char_ngram_buckets=11)
    training = options.Training(epochs=3, precision="fp32", learning_rate=8e-3, ema_decay=0.99)
    return jobs.Job("classify", source, source, tmp_path / "model", config, training, device="cpu")


def test_a_model_says_what_it_is_and_how_to_use_it(job):
    train.train(job)
    content, config = about.describe(job.folder), json.loads((job.folder / "config.json").read_text())
    assert {key: content[key] for key in config} == config
    assert content["kind"] == "model" and content["labels"] == {"neg": 17, "pos": 33}
    assert content["bytes"] == sum(path.stat().st_size for path in job.folder.iterdir())
    assert content["vocabulary"] == {"tokenizer.json": len(tokenizer.Tokenizer.load(job.folder / "tokenizer.json"))}
    assert f"seqnlp classify predict {job.folder} FILE" in content["use"]
    assert about.fields(content).startswith("tsv")
    changed = about.settings(content)
    assert changed["hidden_size"] == 5 and changed["epochs"] == 3 and "learning_rate" not in changed


def test_a_run_that_was_stopped_says_how_far_it_is(job):
    evaluations = []

    def watch(what, progress):
        evaluations.extend([progress.best] if what == "evaluation" else [])

    with pytest.raises(errors.Stopped):
        train.train(job, watch=watch, stop=lambda: 15 if evaluations else 0)
    content = about.describe(job.folder)
    assert content["finished"] is False and 0 < content["step"] <= content["steps"]
    assert content["best"] == evaluations[0] and content["labels"] == {"neg": 17, "pos": 33}


@pytest.mark.parametrize("kind", ["encoded", "packed"])
def test_an_encoded_corpus_says_what_is_in_it(request, kind):
    folder = request.getfixturevalue(kind)
    content = about.describe(folder)
    assert content["kind"] == "encoded corpus" and content["rows"] == 50 and content["labels"] == {"neg": 17, "pos": 33}
    assert ("packed" in content) == (kind == "packed")
    assert f"seqnlp classify train {folder} --dev DEV -o MODEL" in content["use"]
    assert about.fields(content).startswith("tsv")


def test_a_tokenizer_says_what_it_does(tmp_path):
    subword.train(["so good", "so bad"] * 9, kind="bpe", size=300, normalization="nfc,lower").save(tmp_path / "bpe")
    content = about.describe(tmp_path / "bpe")
    assert content["kind"] == "tokenizer" and content["model"] == "BPE" and content["vocabulary"] > 256
    assert content["normalizer"] == ["NFC", "Lowercase"]
    assert content["use"][0] == f"seqnlp bpe encode {tmp_path / 'bpe'} FILE"
    tokenizer.train_vocabulary(["so good"], normalization="none").save(tmp_path / "vocab")
    content = about.describe(tmp_path / "vocab")
    assert content["vocabulary"] == 6 and content["normalizer"] == [] and len(content["use"]) == 1


def test_anything_else_is_refused(tmp_path, job):
    with pytest.raises(errors.ModelError, match="no model here"):
        about.describe(tmp_path / "nothing")
    (tmp_path / "labels.json").write_text("{}")
    with pytest.raises(errors.DataError, match=r"labels\.json: not a tokenizer; hint: info takes"):
        about.describe(tmp_path / "labels.json")
