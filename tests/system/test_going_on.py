"""Going on: from a model with more data and new labels, and a finished run that is made longer."""

import json
import math

import pytest
import safetensors.numpy

from seqnlp.training import defaults
from seqnlp.workflows import interface

CLASSIFY = ["classify", "train"]
FRESH = ["--epochs", "1", "--precision", "fp32"]
STILL = [*FRESH, "--learning-rate", "1e-12"]  # steps that change nothing


def weights(folder):
    return safetensors.numpy.load_file(folder / "model.safetensors")


def config(folder):
    return json.loads((folder / "config.json").read_text())


@pytest.fixture
def write(tmp_path, as_tsv):
    """Write rows as a file, and return its path."""

    def write(name, rows):
        (tmp_path / name).write_text(as_tsv(rows))
        return tmp_path / name

    return write


# From a model.


def test_rows_of_dev_are_kept_out_of_training(seqnlp, model, corpus, write, tmp_path):
    mixed = write("mixed.tsv", [*corpus["train"][:50], *corpus["dev"][:20]])
    result = seqnlp(*CLASSIFY, mixed, "--dev", "dev.tsv", "--init-from", model, *STILL, "-o", tmp_path / "on")
    assert "20 of 70 rows are in dev too, and kept out of training" in result.err
    assert config(tmp_path / "on")["sizes"]["train"] == 50
    refused = seqnlp(*CLASSIFY, "dev.tsv", "--dev", "dev.tsv", "--init-from", model, "-o", tmp_path / "no", code=3)
    assert "every row is in dev too" in refused.err and not (tmp_path / "no").exists()


def test_what_the_model_was_trained_on_is_not_split_off_for_dev(seqnlp, model, corpus, write, tmp_path):
    new = [(f"{text} indeed", label) for text, label in corpus["train"][:40]]
    more = write("more.tsv", [*corpus["train"], *new, *corpus["dev"][:10]])
    seqnlp(*CLASSIFY, more, "--init-from", model, *STILL, "-o", tmp_path / "on")
    assert config(tmp_path / "on")["sizes"]["dev"] == 10 + 4  # what was dev, and a tenth of what is new
    refused = seqnlp(*CLASSIFY, "train.tsv", "--init-from", model, *STILL, "-o", tmp_path / "no", code=3)
    assert "no row is left for dev" in refused.err and "--dev" in refused.err


def test_a_chain_of_models_remembers_all_that_was_trained_on(seqnlp, model, corpus, write, tmp_path):
    new = write("new.tsv", [(f"{text} indeed", label) for text, label in corpus["train"][:40]])
    on = seqnlp(*CLASSIFY, new, "--dev", "dev.tsv", "--init-from", model, *STILL, "-o", tmp_path / "one")
    assert "trained on" not in on.err
    for seen in ("train.tsv", new):
        seqnlp(*CLASSIFY, seen, "--init-from", tmp_path / "one", *STILL, "-o", tmp_path / "two", code=3)


def test_dev_rows_that_the_model_was_trained_on_are_told(seqnlp, model, corpus, write, tmp_path):
    new = write("new.tsv", [(f"{text} indeed", label) for text, label in corpus["train"][:40]])
    known = write("known.tsv", [*corpus["dev"], *corpus["train"][:7]])
    result = seqnlp(*CLASSIFY, new, "--dev", known, "--init-from", model, *STILL, "-o", tmp_path / "on")
    assert "7 of 67 rows of dev were trained on" in result.err


def test_the_old_score_stands_beside_the_new_one(seqnlp, model, trained, corpus, write, tmp_path):
    new = write("new.tsv", [(f"{text} indeed", label) for text, label in corpus["train"][:40]])
    command = [*CLASSIFY, new, "--dev", "dev.tsv", "--init-from", model, *STILL, "-o", tmp_path / "on"]
    result = seqnlp(*command)
    start = result.json["start"]
    assert start["model"] == str(model) and start["scores"] == trained.result.json["scores"] == result.json["scores"]
    value = start["scores"][0]["value"]
    assert f"accuracy {value:.2f} on this dev part" in result.err
    assert f"accuracy {value:.2f}, equal to before training ({model} {value:.2f})" in result.errors[-1]
    assert seqnlp(*command).json == result.json


BALANCED = pytest.param(["--class-weights", "balanced"], marks=pytest.mark.slow)


@pytest.mark.parametrize("extra", [[], BALANCED, ["--multi-label"]], ids=" ".join)
def test_new_labels_are_learnt_behind_the_known_ones(seqnlp, small, corpus, write, tmp_path, extra):
    seqnlp(*CLASSIFY, "train.tsv", "--dev", "dev.tsv", *small, *extra, "-o", tmp_path / "old")
    new = [(f"zebra {text}", "a-new-one") for text, _ in corpus["train"][:60]]
    more = write("more.tsv", [*((f"{text} indeed", label) for text, label in corpus["train"]), *new])
    command = [*CLASSIFY, more, "--init-from", tmp_path / "old"]
    still = seqnlp(*command, *STILL, "-o", tmp_path / "still")
    assert "does not know: 'a-new-one'" in still.err
    before, after = (json.loads((tmp_path / name / "labels.json").read_text()) for name in ("old", "still"))
    assert after["labels"] == [*before["labels"], "a-new-one"] and after["counts"][:3] == before["counts"]
    old, new = weights(tmp_path / "old"), weights(tmp_path / "still")
    for name, tensor in old.items():
        if name.startswith(("wide.", "fusion", "thresholds")):
            continue  # they are fitted anew
        kept = new[name][tuple(slice(size) for size in tensor.shape)]
        assert abs(kept - tensor).max() < 1e-6, name
    assert new["output.weight"].shape[0] == old["output.weight"].shape[0] + 1
    seqnlp("classify", "predict", tmp_path / "still", stdin="a lovely zebra\n")


def test_new_tags_are_learnt_behind_the_known_ones(seqnlp, tmp_path):
    sentences = {
        "old": [f"Anna B-PER\nleft O\ntown{n} O\n\n" for n in range(30)],
        "new": [f"Anna B-PER\nsaw O\nOslo B-LOC\nNord I-LOC\ntwice{n} O\n\n" for n in range(30)],
    }
    for name, lines in sentences.items():
        (tmp_path / f"{name}.conll").write_text("".join(lines))
    tiny = ["--hidden-size", "3", "--embedding-size", "3", "--layers", "1", "--char-ngram-buckets", "30"]
    command = ["tag", "train", tmp_path / "old.conll", *tiny, *FRESH, "-o", tmp_path / "old"]
    seqnlp(*command)
    on = ["tag", "train", tmp_path / "new.conll", "--init-from", tmp_path / "old", *STILL, "-o", tmp_path / "new"]
    assert "does not know: 'B-LOC', 'E-LOC'" in seqnlp(*on).err
    known, more = (json.loads((tmp_path / name / "labels.json").read_text())["labels"] for name in ("old", "new"))
    assert more[: len(known)] == known and set(more) - set(known) == {"B-LOC", "E-LOC"}
    before, after = weights(tmp_path / "old"), weights(tmp_path / "new")
    size = len(known)
    for name in ("crf.transitions", "crf.start", "output.bias"):
        place = tuple(slice(size) for _ in before[name].shape)
        assert abs(after[name][place] - before[name]).max() < 1e-6


# A run that is made longer.


def history(folder):
    return [json.loads(line) for line in (folder / "history.jsonl").read_text().splitlines()]


def test_a_finished_run_is_made_longer(seqnlp, small, tmp_path):
    command = [*CLASSIFY, "train.tsv", "--dev", "dev.tsv", *small, "-o", tmp_path / "model", "--epochs"]
    first = seqnlp(*command, "2").json
    before, rows = config(tmp_path / "model"), history(tmp_path / "model")
    second = seqnlp(*command, "4")
    after, more = config(tmp_path / "model"), history(tmp_path / "model")
    assert f"resuming at step {before['steps']}" in second.err
    assert after["steps"] == 2 * before["steps"] and after["training"]["epochs"] == 4
    assert more[:2] == rows and [row["epoch"] for row in more] == [1, 2, 3, 4]
    assert second.json["scores"][0]["value"] >= first["scores"][0]["value"]
    rates = [row["learning_rate"] for row in more[2:]]
    assert rates[0] > 0 and rates == sorted(rates, reverse=True)
    assert not (tmp_path / "model" / "checkpoint").exists()
    assert seqnlp(*command, "4").json == second.json
    for fewer in ("2", "3"):
        assert "--epochs 4 there" in seqnlp(*command, fewer, code=2).err
    other = seqnlp(*command, "5", "--seed", "9", code=2)
    assert "--seed" in other.err


def test_epochs_that_were_settled_by_default_may_be_raised(write, corpus, tmp_path, monkeypatch):
    monkeypatch.setattr(defaults, "MIN_STEPS", 12)  # a thousand take a while
    rows = [write(f"{name}.tsv", corpus[name][:20]) for name in ("train", "dev")]
    size = dict(hidden_size=3, embedding_size=3, char_ngram_buckets=11, precision="fp32", device="cpu")
    first = interface.train("classify", rows[0], tmp_path / "model", dev=rows[1], **size)
    epochs, steps = config(tmp_path / "model")["training"]["epochs"], config(tmp_path / "model")["steps"]
    longer = interface.train("classify", rows[0], tmp_path / "model", dev=rows[1], **size, epochs=epochs + 1)
    assert config(tmp_path / "model")["steps"] == steps + math.ceil(steps / epochs)
    assert longer["seconds"] >= first["seconds"]


def test_a_time_budget_may_be_raised(seqnlp, small, tmp_path):
    settings = [one for one in small if one not in ("--epochs", "3")] + ["3"]
    command = [*CLASSIFY, "train.tsv", "--dev", "dev.tsv", *settings, "-o", tmp_path / "model", "--time-budget"]
    seqnlp(*command, "1s")
    before = config(tmp_path / "model")
    seqnlp(*command, "2s")
    found = config(tmp_path / "model")
    assert found["training"]["time_budget"] == 2 and found["steps"] >= before["steps"]
    seconds = [row["seconds"] for row in history(tmp_path / "model")]
    assert seconds == sorted(seconds) and found["seconds"] >= before["seconds"]  # one clock for both
    assert "--time-budget" in seqnlp(*command, "1s", code=2).err
