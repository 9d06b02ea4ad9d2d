"""train: what it prints and leaves behind, the same run again, stopped and resumed runs."""

import csv
import gzip
import hashlib
import json
import shutil
import signal
import time

import pytest

LABELS = ["bad", "good", "so-so"]
KEYS = ["task", "model", "scores", "details", "seed", "seconds", "data"]
FILES = ["README.md", "config.json", "history.jsonl", "labels.json", "model.safetensors", "tokenizer.json"]


def sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def contents(folder):
    return {path.name: sha256(path) for path in folder.iterdir()}


@pytest.fixture
def train(seqnlp, small):
    """Train a small model in the given folder."""

    def run(folder, *flags, corpus="train.tsv", **rest):
        return seqnlp("classify", "train", corpus, "--dev", "dev.tsv", "-o", folder, *small, *flags, **rest)

    return run


# What a run prints and leaves.


def test_the_result_is_one_json_object(trained, seqnlp):
    result = trained.result.json
    assert list(result) == KEYS
    assert (result["task"], result["model"], result["seed"]) == ("classify", "model", 1)
    assert [score["name"] for score in result["scores"]] == ["accuracy", "f1", "precision", "recall"]
    for score in result["scores"]:
        assert list(score) == ["name", "value", "interval", "signature", "n", "higher_is_better"]
        assert 0 <= score["interval"][0] <= score["value"] <= score["interval"][1] <= 100
        assert score["n"] == 60 and score["signature"].startswith(score["name"])
    assert result["scores"][0]["value"] > 80
    assert result["seconds"] > 0
    assert result["data"] == {name: sha256(seqnlp.folder / name) for name in ("train.tsv", "dev.tsv")}
    assert len(trained.result.lines) == 1


def test_progress_goes_to_stderr_without_a_bar(trained):
    assert any("step" in line and "accuracy" in line for line in trained.result.errors)
    assert "\r" not in trained.result.err and "\x1b" not in trained.result.err
    assert "split off" not in trained.result.err  # --dev was given
    assert sum("eval on a test part" in line for line in trained.result.errors) == 1  # what to report


def test_the_folder_holds_what_the_design_lists(trained):
    folder = trained.folder
    names = {path.name for path in folder.iterdir()}
    assert set(FILES) <= names
    assert not [name for name in names if name.startswith(".") or name == "checkpoint"]
    config = json.loads((folder / "config.json").read_text())
    assert config["format_version"] > 0 and config["task"] == "classify" and config["finished"] is True
    assert config["scores"] == trained.result.json["scores"]
    assert config["data"] == trained.result.json["data"]
    assert config["files"] == {name: sha256(folder / name) for name in config["files"]}
    assert "model.safetensors" in config["files"] and "labels.json" in config["files"]
    history = [json.loads(line) for line in (folder / "history.jsonl").read_text().splitlines()]
    assert len(history) == 3 and history[-1]["step"] == config["steps"]
    assert "accuracy" in (folder / "README.md").read_text()


def test_the_same_command_in_a_finished_folder_prints_its_result(trained, seqnlp):
    before = contents(trained.folder)
    again = seqnlp.cold(*trained.command, "-q", "--threads", "1", "--device", "cpu")
    assert again.json == trained.result.json
    assert again.err == ""
    assert contents(trained.folder) == before


def test_on_a_terminal_the_result_is_a_table(trained, seqnlp):
    code, shown = seqnlp.on_terminal(*trained.command)
    assert code == 0
    assert "accuracy" in shown and "so-so" in shown and '{"task"' not in shown


def test_without_dev_a_part_is_split_off_and_it_says_so(seqnlp, small, corpus):
    result = seqnlp("classify", "train", "train.tsv", "-o", "split", *small)
    assert [line for line in result.errors if "--dev" in line and "split off" in line]
    config = json.loads((seqnlp.folder / "split" / "config.json").read_text())
    assert (config["sizes"]["train"], config["sizes"]["dev"]) == (270, 30)
    assert list(result.json["data"]) == ["train.tsv"]


def test_copies_in_a_part_that_was_split_off_are_no_fault_of_the_corpus(seqnlp, small, corpus, as_tsv, tmp_path):
    (tmp_path / "twice.tsv").write_text(as_tsv(corpus["train"] * 2))
    said = seqnlp("classify", "train", tmp_path / "twice.tsv", "-o", tmp_path / "model", *small).errors
    assert any("the corpus repeats itself" in line for line in said)
    assert not any("warning" in line and "of dev" in line for line in said)


def test_dev_labels_that_training_never_saw_are_one_warning(train, seqnlp, as_tsv, corpus):
    rows = [*corpus["dev"][:8], ("a film", "new"), ("a cat", "newer"), ("noon", "new")]
    (seqnlp.folder / "unseen.tsv").write_text(as_tsv(rows))
    result = train("unseen", "--dev", "unseen.tsv", "--quiet", "--quiet", code=None)
    warned = train("unseen2", "--dev", "unseen.tsv")
    assert result.code == 0 and result.err == ""
    about = [line for line in warned.errors if "warning" in line]
    assert len(about) == 1 and "3" in about[0] and "never saw" in about[0]


# The same rows in other wrappings are the same model.


def in_parts(folder, rows):
    """Write the rows as one file of each format."""
    names = [folder / f"part.{ending}" for ending in ("csv", "jsonl.gz", "ft", "tsv")]
    size = len(rows) // 4
    parts = [rows[i * size : (i + 1) * size] for i in range(4)]
    with open(names[0], "w", newline="") as file:
        csv.writer(file).writerows([("text", "label"), *parts[0]])
    with gzip.open(names[1], "wt") as file:
        file.writelines(json.dumps({"n": 1, "label": label, "text": text}) + "\n" for text, label in parts[1])
    names[2].write_text("".join(f"__label__{label} {text}\n" for text, label in parts[2]))
    names[3].write_text("label\ttext\r\n" + "".join(f"{label}\t{text}\r\n" for text, label in parts[3]))
    return names


def test_every_wrapping_of_the_same_rows_gives_the_same_model(trained, seqnlp, small, corpus, as_tsv, tmp_path):
    texts, labels = zip(*corpus["train"], strict=True)
    (tmp_path / "x.txt").write_text("".join(f"{text}\n" for text in texts))
    (tmp_path / "y.txt").write_text("".join(f"{label}\n" for label in labels))
    dev = ["--dev", "dev.tsv", *small]
    commands = {
        "files": (["classify", "train", *in_parts(tmp_path, corpus["train"]), "-o", tmp_path / "files", *dev], b""),
        "pair": (["classify", "train", tmp_path / "x.txt", tmp_path / "y.txt", "-o", tmp_path / "pair", *dev], b""),
        "stdin": (
            ["classify", "train", "-", "--from", "tsv", "-o", tmp_path / "stdin", *dev],
            as_tsv(corpus["train"]),
        ),
    }
    expected = sha256(trained.folder / "model.safetensors")
    for name, (arguments, stdin) in commands.items():
        seqnlp(*arguments, stdin=stdin)
        assert (name, sha256(tmp_path / name / "model.safetensors")) == (name, expected)


def test_several_labels_attention_weights_and_fields(seqnlp, corpus, tmp_path):
    more = {"good": ["good", "any"], "bad": ["bad"], "so-so": []}
    for part in ("train", "dev"):
        with gzip.open(tmp_path / f"{part}.jsonl.gz", "wt") as file:
            records = ({"in": {"en": text}, "y": more[label]} for text, label in corpus[part])
            file.writelines(json.dumps(record) + "\n" for record in records)
    fields = ["--text-field", "in.en", "--label-field", "y"]
    model = tmp_path / "model"
    flags = "--multi-label --pooling attention --class-weights balanced".split()
    flags += "--hidden-size 7 --embedding-size 5 --learning-rate 0.02".split()
    result = seqnlp(
        *["classify", "train", tmp_path / "train.jsonl.gz", "--dev", tmp_path / "dev.jsonl.gz", "-o", model],
        *[*fields, *flags, "--epochs", "12"],
    )
    assert [score["name"] for score in result.json["scores"]] == ["f1", "precision", "recall", "exact_match"]
    low, high = (
        seqnlp("classify", "predict", model, "--from", "jsonl", "--threshold", value, stdin='{"text": "lovely film"}\n')
        for value in ("0", "1")
    )
    for line in (*low.lines, *high.lines):
        found = json.loads(line)["classify"]
        assert list(found)[:2] == ["labels", "scores"] and set(found["scores"]) == {"any", "bad", "good"}
        assert [word for word, _ in found["attention"]] == ["lovely", "film"]
        assert sum(weight for _, weight in found["attention"]) == pytest.approx(1, abs=1e-3)
    assert sorted(json.loads(low.lines[0])["classify"]["labels"]) == ["any", "bad", "good"]
    assert json.loads(high.lines[0])["classify"]["labels"] == []
    test = tmp_path / "dev.jsonl.gz"
    predicted = seqnlp("classify", "predict", model, test, "--text-field", "in.en", "--to", "text")
    score = seqnlp("score", "f1", test, *fields, "--multi-label", stdin=predicted.out)
    assert score.json["scores"][0]["value"] == pytest.approx(result.json["scores"][0]["value"], abs=1e-6)


# Another run in the same folder.


@pytest.fixture
def copied(model, tmp_path):
    """A finished model to do harm to."""
    return shutil.copytree(model, tmp_path / "copied")


def test_another_run_in_the_same_folder_is_refused_with_the_difference(train, copied, seqnlp, as_tsv, corpus):
    (seqnlp.folder / "other.tsv").write_text(as_tsv(corpus["train"][:-1]))
    before = contents(copied)
    cases = {
        "seed": (["--seed", "7"], "train.tsv", ["seed", "1", "7"]),
        "config": (["--layers", "2"], "train.tsv", ["layers", "1", "2"]),
        "data": ([], "other.tsv", ["other training data", "--init-from"]),
    }
    for flags, corpus_file, words in cases.values():
        result = train(copied, *flags, corpus=corpus_file, code=2)
        *read, refused = result.errors
        assert len(read) == 2 and result.out == "" and "--overwrite" in refused
        for word in words:
            assert word in refused
    assert contents(copied) == before


def test_overwrite_starts_again_and_another_seed_is_another_model(train, copied, model):
    (copied / "notes.txt").write_text("mine")
    result = train(copied, "--overwrite", "--seed", "7")
    assert result.json["seed"] == 7
    assert sha256(copied / "model.safetensors") != sha256(model / "model.safetensors")
    assert (copied / "notes.txt").read_text() == "mine"
    assert not (copied / "checkpoint").exists()


def test_a_run_that_cannot_begin_leaves_the_old_model_alone(train, copied, seqnlp):
    (seqnlp.folder / "empty.tsv").write_text("")
    before = contents(copied)
    assert len(train(copied, "--overwrite", corpus="empty.tsv", code=3).errors) == 1
    assert contents(copied) == before
    assert train(copied, "--overwrite", "--init-from", copied, code=2).out == ""
    assert contents(copied) == before


def test_the_corrected_command_works_in_the_same_folder(train, seqnlp, model):
    (seqnlp.folder / "empty.tsv").write_text("")
    train("corrected", corpus="empty.tsv", code=3)
    train("corrected", "--learning-rate", "1e30", "--init", "xavier", code=None)
    assert not (seqnlp.folder / "corrected" / "config.json").exists()
    train("corrected", "--overwrite")
    assert sha256(seqnlp.folder / "corrected" / "model.safetensors") == sha256(model / "model.safetensors")


@pytest.mark.parametrize("flags", [[], ["--overwrite"]], ids=["plain", "overwrite"])
@pytest.mark.parametrize("name", ["notes.txt", "README.md", "config.json", "checkpoint/mine"])
def test_a_folder_with_other_things_is_refused_and_kept(seqnlp, tmp_path, name, flags):
    path = tmp_path / "folder" / name
    path.parent.mkdir(parents=True)
    path.write_text('{"mine": 1}')
    # Without a training file this would end with 2 just as well: it has to be there.
    command = ["classify", "train", "train.tsv", "--dev", "dev.tsv", "--epochs", "1", "--hidden-size", "3"]
    result = seqnlp(*command, "-o", tmp_path / "folder", *flags, code=None)
    assert result.code in (2, 4) and len(result.errors) == 1 and "folder" in result.err
    assert path.read_text() == '{"mine": 1}'
    assert [p.name for p in (tmp_path / "folder").iterdir()] == [name.split("/")[0]]


def test_a_folder_in_a_folder_that_is_not_there_is_made(train, tmp_path):
    train(tmp_path / "a" / "b" / "model", "--epochs", "1")
    assert (tmp_path / "a" / "b" / "model" / "config.json").is_file()


# Going on.


def test_init_from_goes_on_from_a_model(seqnlp, model, trained, tmp_path):
    """Steps that change nothing leave what it began with."""
    command = ["classify", "train", "train.tsv", "--dev", "dev.tsv", "--init-from", model, "--epochs", "1"]
    result = seqnlp(*command, "--learning-rate", "1e-12", "--precision", "fp32", "-o", tmp_path / "on")
    assert result.json["scores"] == trained.result.json["scores"]
    settings = [json.loads((folder / "config.json").read_text())["config"] for folder in (model, tmp_path / "on")]
    assert settings[0] == settings[1]
    vocabularies = [(folder / "tokenizer.json").read_bytes() for folder in (model, tmp_path / "on")]
    assert vocabularies[0] == vocabularies[1]


LONG = ["--epochs", "30", "--eval-every", "4", "--seed", "3"]


@pytest.fixture(scope="module")
def uninterrupted(seqnlp, small):
    """The bytes of the weights of a longer run."""
    command = ["classify", "train", "train.tsv", "--dev", "dev.tsv", *small, *LONG, "-o"]
    begin = time.monotonic()
    result = seqnlp(*command, "whole")
    return command, (seqnlp.folder / "whole" / "model.safetensors").read_bytes(), time.monotonic() - begin, result


def stop(seqnlp, reader, interrupt, command, number, marks=1):
    """Start a run, stop it when some evaluations are done; return the exit code and what it said."""
    with seqnlp.start(*command) as process:
        err = reader(process.stderr)
        err.wait_for(lambda lines: sum("accuracy" in line for line in lines) >= marks)
        code = interrupt(process, number)
        assert process.stdout.read() == b""
        err.wait_for(lambda lines: err.ended)
        return code, err.lines


@pytest.mark.slow
def test_a_run_that_is_stopped_again_and_again_ends_as_one_that_was_not(seqnlp, uninterrupted, reader, interrupt):
    command, weights, _, result = uninterrupted
    command = [*command, "stopped"]
    for number, code in ((signal.SIGTERM, 143), (signal.SIGINT, 130), (signal.SIGKILL, 137)):
        ended, said = stop(seqnlp, reader, interrupt, command, number, marks=2)
        assert ended == code
        if number != signal.SIGKILL:
            assert "same command goes on" in said[-1]
    assert [p.name.isdigit() for p in (seqnlp.folder / "stopped" / "checkpoint").iterdir()].count(True) >= 1
    unfinished = seqnlp("classify", "predict", "stopped", stdin="a lovely film\n")
    assert len(unfinished.lines) == 1 and unfinished.lines[0] in LABELS
    assert len(unfinished.errors) == 1 and "not finished" in unfinished.err
    whole = seqnlp(*command)
    assert any("resuming at step" in line for line in whole.errors)
    assert (seqnlp.folder / "stopped" / "model.safetensors").read_bytes() == weights
    assert whole.json["scores"] == result.json["scores"]
    assert not (seqnlp.folder / "stopped" / "checkpoint").exists()
    assert not list((seqnlp.folder / "stopped").glob(".*"))


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_before_the_first_step_is_answered_and_leaves_nothing(seqnlp, reader, interrupt, number, code):
    with seqnlp.start("classify", "train", "-", "--from", "tsv", "-o", "never", "--dev", "dev.tsv") as process:
        err = reader(process.stderr)
        process.stdin.write(b"a lovely film\tgood\n")
        process.stdin.flush()
        err.wait_for(lambda lines: any("reading stdin" in line for line in lines))  # and waits for more
        assert interrupt(process, number) == code
        err.wait_for(lambda lines: err.ended)
        assert any("no step was made" in line for line in err.lines) and err.lines[-1] == "seqnlp: stopped"
    assert not (seqnlp.folder / "never").exists()


@pytest.mark.slow
@pytest.mark.parametrize("trial", range(6))
def test_killed_at_any_moment_it_goes_on(seqnlp, uninterrupted, trial):
    command, weights, seconds, _ = uninterrupted
    command = [*command, f"killed{trial}"]
    folder = seqnlp.folder / f"killed{trial}"
    for share in (0.3 + 0.12 * trial, 0.9 - 0.1 * trial):
        with seqnlp.start(*command) as process:
            time.sleep(share * seconds)
            process.kill()
        if (folder / "config.json").exists():
            (found,) = seqnlp("classify", "predict", folder, stdin="a lovely film\n").lines
            assert found in LABELS
    seqnlp(*command)
    assert (folder / "model.safetensors").read_bytes() == weights


@pytest.mark.slow
@pytest.mark.parametrize("steps", [0, 1])
def test_killed_while_it_trains_once_more_on_all_rows_it_goes_on(seqnlp, small, reader, steps):
    command = ["classify", "train", "train.tsv", *small, *LONG, "-o"]
    with seqnlp.start(*command, f"again{steps}") as process:
        err = reader(process.stderr)
        err.wait_for(lambda lines: any("once more, on all 300" in line for line in lines[: -steps or None]))
        process.kill()
    seqnlp(*command, f"again{steps}")
    seqnlp(*command, "at-once")
    weights = [(seqnlp.folder / name / "model.safetensors").read_bytes() for name in (f"again{steps}", "at-once")]
    assert weights[0] == weights[1]


def test_only_one_run_at_a_time_in_a_folder(seqnlp, trained, reader):
    command = ["twice" if word == "model" else word for word in trained.command]
    with seqnlp.start(*command) as first:
        err = reader(first.stderr)
        err.wait_for(lambda lines: any("train 300" in line for line in lines))
        first.send_signal(signal.SIGSTOP)
        try:
            second = seqnlp(*command, code=2)
        finally:
            first.send_signal(signal.SIGCONT)
        assert "twice" in second.errors[-1]
        assert first.wait(60) == 0
    assert sha256(seqnlp.folder / "twice" / "model.safetensors") == sha256(trained.folder / "model.safetensors")


# Time, and numbers that run away.


def test_a_time_budget_becomes_a_number_of_steps_and_is_kept(seqnlp):
    """How closely it is kept, a clock of their own tells the tests of training; here a busy machine may stretch it."""
    flags = ["--hidden-size", "16", "--embedding-size", "16", "--char-ngram-buckets", "100", "--time-budget", "1s"]
    seqnlp("classify", "train", "train.tsv", "--dev", "dev.tsv", "-o", "budget", *flags)
    config = json.loads((seqnlp.folder / "budget" / "config.json").read_text())
    assert 0 < config["step"] <= config["steps"]  # that of the best weights, and the last
    assert config["seconds"] < 20


@pytest.mark.slow
def test_a_time_budget_is_kept_where_steps_are_slow(seqnlp, corpus, as_tsv):
    rows = [(" ".join([text] * 120), label) for text, label in corpus["train"]]
    (seqnlp.folder / "slow.tsv").write_text(as_tsv(rows))
    flags = ["--hidden-size", "256", "--layers", "3", "--precision", "fp32", "--time-budget", "10s"]
    seqnlp("classify", "train", "slow.tsv", "-o", "slow", *flags)
    config = json.loads((seqnlp.folder / "slow" / "config.json").read_text())
    assert config["seconds"] < 20


def test_a_loss_that_is_not_finite_ends_in_one_line_and_keeps_the_best_weights(train, seqnlp):
    result = train("diverged", "-q", "--learning-rate", "1e30", code=1)
    assert len(result.errors) == 1 and result.out == ""
    assert "finite" in result.err and "--learning-rate" in result.err
    assert not (seqnlp.folder / "diverged" / "config.json").exists()
