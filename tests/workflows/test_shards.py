"""Shards: parts of a corpus in folders of their own are the corpus."""

import json

import pytest

from seqnlp import errors, options
from seqnlp.preprocess.corpora import schema
from seqnlp.workflows import encode, encoded, jobs, pack, shards, train

COUNT = 3
SMALL = dict(char_ngram_buckets=11, min_count=1, embedding_size=5, hidden_size=3)


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """An encoded corpus, its shards, and a dev part."""
    from seqnlp.tasks.classify.task import TASK

    folder = tmp_path_factory.mktemp("shards")
    lines = [f"{'so ' * (n % 5)}{'good' if n % 2 else 'bad'} {n}\t{'pos' if n % 2 else 'neg'}\n" for n in range(50)]
    (folder / "x.tsv").write_text("".join(lines))
    (folder / "dev.tsv").write_text("so good\tpos\nbad 3\tneg\n")
    source, config = schema.Source((str(folder / "x.tsv"),)), TASK.Config(**SMALL)
    encode.encode(TASK, source, config, folder / "whole")
    for number in range(1, COUNT + 1):
        encode.encode(TASK, source, config, folder / f"part-{number}", shard=(number, COUNT))
    dev = schema.Source((str(folder / "dev.tsv"),))
    encode.encode(TASK, dev, config, folder / "dev", codec_of=str(folder / "whole"))
    return folder


def parts(folders):
    return [str(folders / f"part-{number}") for number in range(1, COUNT + 1)]


def test_shards_in_order_are_the_whole_corpus(folders):
    whole, found = encoded.open_folder(str(folders / "whole")), shards.opened(parts(folders))
    assert [len(encoded.open_folder(name).rows()) for name in parts(folders)] == [16, 17, 17]
    assert found.table.to_pylist() == whole.table.to_pylist()
    assert list(found.examples) == list(whole.examples)
    assert found.rows().take([49, 0, 17]).to_pylist() == whole.rows().take([49, 0, 17]).to_pylist()
    assert found.data == whole.data


def test_a_shard_has_the_codec_of_the_whole_corpus(folders):
    about = [json.loads((folders / name / "encoded.json").read_text()) for name in ("whole", "part-2")]
    assert about[0]["files"] == about[1]["files"]


def test_training_on_shards_makes_the_model_of_the_whole_corpus(folders, classify):
    models, training = [], options.Training(epochs=2, precision="fp32")
    for name, paths in (("model-whole", [str(folders / "whole")]), ("model-parts", parts(folders))):
        dev = schema.Source((str(folders / "dev"),))
        job = jobs.Job("classify", schema.Source(tuple(paths)), dev, folders / name, classify.Config(**SMALL), training)
        train.train(job)
        models.append((folders / name / "model.safetensors").read_bytes())
    assert models[0] == models[1]


def test_a_folder_that_is_given_twice_is_refused(folders):
    with pytest.raises(errors.UsageError, match="the same rows"):
        shards.opened([parts(folders)[0]] * 2)


def test_shards_of_another_codec_are_refused(folders, classify, tmp_path):
    encode.encode(classify, schema.Source((str(folders / "dev.tsv"),)), classify.Config(**SMALL), tmp_path / "other")
    with pytest.raises(errors.DataError, match="was not encoded with the codec of"):
        shards.opened([parts(folders)[0], str(tmp_path / "other")])


def test_packed_shards_are_refused(folders, tmp_path):
    pack.pack(parts(folders)[1], tmp_path / "packed", max_tokens=None, batch_size=9)
    with pytest.raises(errors.UsageError, match="is packed"):
        shards.opened([parts(folders)[0], str(tmp_path / "packed")])


def test_more_shards_than_rows_leave_some_empty(folders, classify, tmp_path):
    source = schema.Source((str(folders / "dev.tsv"),))
    with pytest.raises(errors.DataError, match="fewer shards"):
        encode.encode(classify, source, classify.Config(**SMALL), tmp_path / "x", shard=(1, 5))
