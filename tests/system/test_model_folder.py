"""The model folder through the installed command: overwritten by another task, and after real kills."""

import json
import shutil
import signal
import time

import pytest

from seqnlp.workflows import config_keys

ALWAYS = {"README.md", "config.json", "history.jsonl", "model.safetensors", "seen.safetensors"}
FILES = {
    "classify": {*ALWAYS, "labels.json", "tokenizer.json"},
    "tag": {*ALWAYS, "labels.json", "tokenizer.json", "words.json"},
}
SLOW = pytest.mark.slow
TAGGED = "the\tDET\ncat\tNOUN\n\na\tDET\nfilm\tNOUN\n\n" * 20
TAG_SIZES = "--hidden-size 5 --embedding-size 5 --char-ngram-buckets 101 --char-ngram-embedding-size 5".split()
TAG_SIZES += "--affix-embedding-size 5 --epochs 1".split()


def names(folder):
    return {path.name for path in folder.iterdir()}


@pytest.fixture
def copied(model, tmp_path):
    """A finished model of classify to do harm to."""
    return shutil.copytree(model, tmp_path / "copied")


@pytest.fixture(scope="module")
def tagger(seqnlp, tmp_path_factory):
    """A finished model of tag, and the command that makes one like it in a given folder."""
    folder = tmp_path_factory.mktemp("tagger")
    (folder / "x.conll").write_text(TAGGED)
    command = ["tag", "train", "-q", folder / "x.conll", "--dev", folder / "x.conll", *TAG_SIZES, "-o"]
    seqnlp(*command, folder / "model")
    return folder / "model", command


@pytest.fixture
def train(seqnlp, trained):
    """Run the command that trained the model that all tests share, in the given folder."""

    def run(folder, *flags, **rest):
        return seqnlp(*[folder if part == "model" else part for part in trained.command], *flags, **rest)

    return run


# Overwriting.


def test_overwriting_leaves_nothing_of_a_model_of_another_task(train, model, tagger, tmp_path):
    folder = shutil.copytree(tagger[0], tmp_path / "model")
    (folder / ".words.json.x1y2z3").write_text("half")
    (folder / "notes.txt").write_text("precious")
    assert names(folder) == {*FILES["tag"], ".words.json.x1y2z3", "notes.txt"}
    assert "--overwrite" in train(folder, code=2).err
    train(folder, "--overwrite")
    assert names(folder) == {*FILES["classify"], "notes.txt"}
    assert (folder / "model.safetensors").read_bytes() == (model / "model.safetensors").read_bytes()


MOMENTS = ["run noted", "first checkpoint", *(pytest.param(m, marks=SLOW) for m in ("codec staged", "codec written"))]


@pytest.mark.parametrize("moment", MOMENTS)
def test_an_overwriting_that_is_killed_goes_on_and_leaves_nothing_of_the_model_before(seqnlp, tagger, copied, moment):
    checkpoints = copied / "checkpoint"
    reached = {
        "codec staged": checkpoints / ".codec" / "labels.json",
        "run noted": checkpoints / "run.json",
        "codec written": copied / "words.json",
        "first checkpoint": checkpoints / "001",
    }[moment]
    command = [*tagger[1], copied]
    with seqnlp.start(*command, "--overwrite") as process:
        begin = time.monotonic()
        while not reached.exists() and process.poll() is None and time.monotonic() - begin < 60:
            time.sleep(0.0005)
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=60)
    assert process.returncode in (-signal.SIGKILL, 0)  # it may have been the faster
    begun = json.loads((checkpoints / "run.json").read_text()) if (checkpoints / "run.json").exists() else None
    taken = process.returncode == 0 or (begun is not None and begun["task"] == "tag")
    seqnlp(*command, *([] if taken else ["--overwrite"]))
    assert names(copied) == FILES["tag"]
    for name in ("model.safetensors", "words.json", "labels.json"):
        assert (copied / name).read_bytes() == (tagger[0] / name).read_bytes()


# What a kill leaves.


def test_what_a_kill_of_the_first_command_leaves_is_no_obstacle(train, model, tmp_path):
    for number, left in enumerate([".config.json.x1", "checkpoint/.run.json.x1", "checkpoint/.codec/.labels.json.x1"]):
        folder = tmp_path / f"model{number}"
        (folder / left).parent.mkdir(parents=True)
        (folder / left).write_text("half")
        train(folder)
        assert names(folder) == FILES["classify"]
        assert (folder / "model.safetensors").read_bytes() == (model / "model.safetensors").read_bytes()


def test_what_a_kill_before_the_first_step_leaves_is_no_obstacle(train, model, tmp_path):
    folder = tmp_path / "model"
    config = json.loads((model / "config.json").read_text())
    (folder / "checkpoint").mkdir(parents=True)
    (folder / "checkpoint" / "run.json").write_text(json.dumps(config_keys.sealed({**config, "finished": False})))
    (folder / "labels.json").write_text("{}")
    (folder / ".tokenizer.json.x1y2z3").write_text("half")
    train(folder)
    assert names(folder) == FILES["classify"]
    assert (folder / "model.safetensors").read_bytes() == (model / "model.safetensors").read_bytes()


def test_what_a_kill_at_the_very_end_leaves_is_a_finished_model_and_goes(train, trained, seqnlp, copied, says):
    (copied / "checkpoint" / "009").mkdir(parents=True)  # half removed
    assert seqnlp("classify", "predict", copied, stdin="a lovely film\n").lines == [says["a lovely film"]]
    assert train(copied).json["scores"] == trained.result.json["scores"]
    assert names(copied) == FILES["classify"]
