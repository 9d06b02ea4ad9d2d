"""Corpora: each file is opened once, whatever is done with it; what training makes of each kind of corpus."""

import collections
import contextlib
import dataclasses
import gzip
import hashlib
import json
import os
import sys
import types

import pytest

from seqnlp import errors, options
from seqnlp.preprocess.batching import buckets
from seqnlp.preprocess.corpora import schema
from seqnlp.workflows import corpora, encode, evaluate, jobs, pack, predict, train, training_part
from seqnlp.workflows import encoded as folders

OPENED = []  # what an audit hook hears of while a test wants to know; hooks stay as long as the process


@pytest.fixture(scope="module", autouse=True)
def hook():
    def hear(event, arguments):
        if event == "open" and OPENED:
            OPENED.append(arguments[0])

    sys.addaudithook(hear)


@pytest.fixture
def openings(tmp_path):
    """Return how often each file in the folder of the test is opened while a block runs, by name."""

    @contextlib.contextmanager
    def count():
        found = collections.Counter()
        OPENED.append(None)
        try:
            yield found
        finally:
            paths = [os.fsdecode(path) for path in OPENED if isinstance(path, str | bytes | os.PathLike)]
            OPENED.clear()
            inside = [os.path.relpath(path, tmp_path) for path in paths if path.startswith(f"{tmp_path}/")]
            found.update(path for path in inside if os.path.isfile(tmp_path / path))

    return count


@pytest.fixture
def dev(tmp_path):
    (tmp_path / "dev.tsv").write_text("so good\tpos\nnumber it was\tneg\n" * 3)
    return schema.Source((str(tmp_path / "dev.tsv"),))


def job(classify, tmp_path, source, dev, **more):
    config = classify.Config(char_ngram_buckets=11, min_count=1, embedding_size=3, hidden_size=3)
    training = options.Training(epochs=1, precision="fp32")
    return jobs.Job("classify", source, dev, tmp_path / "model", config, training, device="cpu", **more)


@pytest.mark.parametrize("name", ["x.tsv", "x.tsv.gz", "x.txt", "x.jsonl", "x.parquet"])
def test_training_from_text_opens_each_file_once(tmp_path, classify, dev, openings, name):
    rows = [{"text": f"so good {n}", "label": "pos" if n % 3 else "neg"} for n in range(20)]
    write(tmp_path / name, rows)
    source = schema.Source((str(tmp_path / name),))
    source.check()
    for part, files in ((dev, [name, "dev.tsv"]), (None, [name])):
        with openings() as found:
            source.check()
            result = train.train(job(classify, tmp_path, source, part, overwrite=True))
        assert {path: number for path, number in found.items() if "/" not in path} == dict.fromkeys(files, 1)
        assert result["data"][str(tmp_path / name)] == hashlib.sha256((tmp_path / name).read_bytes()).hexdigest()


def write(path, rows):
    from pyarrow import Table, parquet

    lines = {
        ".txt": lambda row: f"__label__{row['label']} {row['text']}\n",
        ".jsonl": lambda row: json.dumps(row) + "\n",
    }.get(path.suffix, lambda row: f"{row['text']}\t{row['label']}\n")
    text = "".join(map(lines, rows)).encode()
    if path.suffix == ".parquet":
        parquet.write_table(Table.from_pylist(rows), path)
    else:
        path.write_bytes(gzip.compress(text) if path.suffix == ".gz" else text)


def test_a_finished_run_is_found_with_one_opening_of_each_file(tmp_path, classify, source, dev, openings):
    first = train.train(job(classify, tmp_path, source, dev))
    with openings() as found:
        again = train.train(job(classify, tmp_path, source, dev))
    assert again == first
    assert (found["x.tsv"], found["dev.tsv"]) == (1, 1)


def test_an_encoded_folder_is_opened_once(tmp_path, classify, encoded, packed, dev, openings):
    encode.encode(classify, dev, classify.Config(), tmp_path / "dev", codec_of=str(encoded))
    parts = [schema.Source((str(tmp_path / name),)) for name in ("packed", "dev")]
    with openings() as found:
        train.train(job(classify, tmp_path, *parts))
    for name in ("packed/rows.arrow", "packed/encoded.json", "packed/plan.json", "dev/rows.arrow", "dev/encoded.json"):
        assert found[name] == 1, name
    codec = folders.open_folder(str(packed)).content["files"]
    for name in codec:  # checked, and of the training part loaded, maybe by a library of its own
        assert 1 <= found[f"packed/{name}"] <= 2 and found[f"dev/{name}"] == 1, name


def test_encode_pack_and_eval_open_each_file_once(tmp_path, classify, source, dev, openings):
    train.train(job(classify, tmp_path, source, dev))
    model = predict.load(tmp_path / "model")
    with openings() as found:
        encode.encode(classify, source, classify.Config(), tmp_path / "encoded")
    assert found["x.tsv"] == 1
    with openings() as found:
        pack.pack(str(tmp_path / "encoded"), tmp_path / "packed", max_tokens=30, batch_size=4)
    assert (found["encoded/rows.arrow"], found["encoded/encoded.json"]) == (1, 1)
    encode.encode(classify, dev, classify.Config(), tmp_path / "dev", codec_of=str(tmp_path / "model"))
    for part, name in ((dev, "dev.tsv"), (schema.Source((str(tmp_path / "dev"),)), "dev/rows.arrow")):
        with openings() as found:
            evaluate.evaluate(model, "model", part, model.task.Search(), buckets.Limits())
        assert found[name] == 1


def test_a_pipe_is_trained_from_like_a_file(tmp_path, classify, source, dev):
    expected = train.train(job(classify, tmp_path, dataclasses.replace(source, format="tsv"), dev))
    reading, writing = os.pipe()
    with open(writing, "wb") as pipe, open(source.paths[0], "rb") as file:
        pipe.write(file.read())
    piped = schema.Source((f"/dev/fd/{reading}",), format="tsv")
    found = train.train(job(classify, tmp_path, piped, dev))  # the same data: the run is finished
    os.close(reading)
    assert found == expected


def test_a_text_comes_with_its_examples_and_hashes(source, classify):
    text = corpora.read(classify, source, classify.Config())
    assert [(e.source, e.target, e.line) for e in text.examples] == [
        (e.source, e.target, e.line) for e in classify.read(source, classify.Config())
    ]
    assert len(text.examples) == len(list(text.examples)) == 50
    assert text.data == source.hashes() and list(text.data) == ["x.tsv"] and text.title == "x.tsv"
    assert text.digests == list(text.data.values())


def test_a_file_that_is_named_twice_is_hashed_each_time(source, classify):
    twice = corpora.read(classify, schema.Source(source.paths * 2, names=source.names), classify.Config())
    assert twice.data == source.hashes() and len(twice.examples) == 100


def test_what_is_in_the_way_is_told_before_a_corpus_is_read(tmp_path, classify, source, dev, openings):
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "notes.txt").write_text("mine")
    with openings() as found, pytest.raises(errors.UsageError, match="is not empty and holds no model"):
        train.train(job(classify, tmp_path, source, dev))
    assert not found["x.tsv"]


def test_training_leaves_out_what_cannot_be_learnt_from_of_rows_that_were_not_fitted_on(paired, pairs, tmp_path):
    text = schema.Source((str(tmp_path / "x.tsv"),))
    encode.encode(pairs, text, pairs.Config(), tmp_path / "more", codec_of=str(paired))
    pack.pack(str(tmp_path / "more"), tmp_path / "packed", max_tokens=20, batch_size=3)
    expected = sorted(map(str, folders.open_folder(str(paired)).rows()))
    for name in ("more", "packed"):
        source = schema.Source((str(tmp_path / name),))
        job = jobs.Job("pairs", source, text, tmp_path / "m", pairs.Config(), options.Training())
        folder = folders.open_folder(str(tmp_path / name))
        nobody = types.SimpleNamespace(all_of=lambda *_: None)  # looks at the rows
        found = training_part.of(pairs, jobs.Opened(job, folder, None, None), nobody)
        assert sorted(map(str, found.rows)) == expected
    assert found.plan == buckets.plan(found.rows.lengths, buckets.Limits(20, 3))
