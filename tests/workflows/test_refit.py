"""Refit: without a dev part of its own a model is trained once more on all rows; its scores stay those of the split."""

import dataclasses
import json

import pytest
import safetensors.numpy

from seqnlp import errors
from seqnlp.preprocess.corpora import schema, seen
from seqnlp.tasks import registry
from seqnlp.workflows import jobs, train

CLASSIFY = registry.get("classify")
SHORT = {"epochs": 2, "eval_every": 2, "max_tokens": 100, "batch_size": 16, "precision": "fp32"}
TRAINING = dataclasses.replace(CLASSIFY.training, **SHORT)
CONFIG = CLASSIFY.Config(hidden_size=3, embedding_size=3, char_ngram_buckets=10)
ROWS = [f"{word} number{n} a film\t{label}\n" for n in range(40) for word, label in (("good", "yes"), ("bad", "no"))]


def job(folder, rows=ROWS, **changes):
    path = folder.parent / f"{folder.name}.tsv"
    path.write_text("".join(rows))
    source = schema.Source((str(path),), names={str(path): "rows.tsv"})
    return jobs.Job("classify", source, None, folder, CONFIG, dataclasses.replace(TRAINING, **changes), device="cpu")


def config(folder):
    return json.loads((folder / "config.json").read_text())


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Where a model was trained that is refitted, and one that is not."""
    folder = tmp_path_factory.mktemp("refit")
    results = [train.train(job(folder / name, refit=name == "all")) for name in ("all", "split")]
    assert [result.get("refit") for result in results] == [True, None]
    return folder


def test_the_scores_are_those_of_the_split(folder):
    both, split = (config(folder / name) for name in ("all", "split"))
    assert both["refit"] is True and split["refit"] is False
    for key in ("scores", "details", "sizes", "labels", "step", "steps"):
        assert both[key] == split[key], key
    card = (folder / "all" / "README.md").read_text()
    assert "before it was trained once more, on all rows" in card
    assert "once more" not in (folder / "split" / "README.md").read_text()


def test_weights_are_of_all_rows_but_for_what_dev_has_fitted(folder):
    both, split = (safetensors.numpy.load_file(folder / name / "model.safetensors") for name in ("all", "split"))
    assert both.keys() == split.keys()
    for name in both:
        assert (both[name].tobytes() == split[name].tobytes()) == (name in CLASSIFY.calibrated), name
    assert len(both["wide.keys"]) > len(split["wide.keys"])


def test_all_rows_were_trained_on(folder):
    both, split = (seen.Seen.load(folder / name / "seen.safetensors") for name in ("all", "split"))
    assert (len(both.train), len(both.dev)) == (80, 0) and (len(split.train), len(split.dev)) == (72, 8)


class Second:
    """Watches a run, and ends it at a step of its second training: by an error, or in good order."""

    def __init__(self, last, killed):
        self.last, self.killed, self.step = last, killed, None

    def __call__(self, what, progress):
        if what == "scoring":
            self.step = 0
        elif what == "step" and self.step is not None:
            self.step = progress.step
            if self.killed and self.step == self.last:
                raise KeyboardInterrupt

    def stopped(self):
        return 15 * (not self.killed and self.step == self.last)


@pytest.mark.parametrize("killed", [False, True])
def test_the_second_run_goes_on_where_it_stopped(folder, tmp_path, killed):
    assert config(folder / "all")["step"] > 4
    for last in (3, 4):
        second = Second(last, killed)
        with pytest.raises(KeyboardInterrupt if killed else errors.Stopped):
            train.train(job(tmp_path / "all"), watch=second, stop=second.stopped)
    assert train.train(job(tmp_path / "all"))["scores"] == config(folder / "all")["scores"]
    for name in ("model.safetensors", "seen.safetensors"):
        assert (tmp_path / "all" / name).read_bytes() == (folder / "all" / name).read_bytes()
    assert not (tmp_path / "all" / "checkpoint").exists()


def test_a_longer_run_begins_anew(folder, tmp_path, caplog):
    longer = job(tmp_path / "all")
    train.train(longer)
    longer = dataclasses.replace(longer, training=dataclasses.replace(longer.training, epochs=3))
    train.train(longer)
    assert "the longer run begins anew" in caplog.text
    train.train(job(tmp_path / "other", epochs=3))
    weights = [(tmp_path / name / "model.safetensors").read_bytes() for name in ("all", "other")]
    assert weights[0] == weights[1]


def test_where_there_is_no_time_the_first_model_stays(tmp_path, caplog, monkeypatch):
    monkeypatch.setattr("seqnlp.training.refit.FIRST", 0.99)
    result = train.train(job(tmp_path / "all", epochs=None, time_budget=1.0))
    assert "refit" not in result and "no time is left to train once more" in caplog.text


def test_going_on_from_such_a_model_says_that_its_score_is_not_comparable(folder, tmp_path, caplog):
    new = [row.replace("film", "book") for row in ROWS]
    on = dataclasses.replace(job(tmp_path / "on", [*ROWS, *new], epochs=1), init_from=str(folder / "all"))
    train.train(on)
    assert "its score there" in caplog.text and "is not comparable" in caplog.text
    assert config(tmp_path / "on")["sizes"] == {**config(tmp_path / "on")["sizes"], "train": 152, "dev": 8}
