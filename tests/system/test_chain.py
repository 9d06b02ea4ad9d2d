"""encode and pack: the chain of stages gives what the one command gives, and tells what it cannot do."""

import gzip
import json
import os
import shutil
import signal
import subprocess
import sys
import time

import pytest

TRAIN = ["--precision", "fp32", "--hidden-size", "7", "--embedding-size", "5", "--epochs", "3", "--warmup-steps", "3"]
TEXT = ["--char-ngram-buckets", "100"]  # what the small model has besides, which encode has to be told
ENCODED = [
    "dataset_info.json",
    "encoded.json",
    "labels.json",
    "rows.arrow",
    "state.json",
    "tokenizer.json",
]
MODEL = ["labels.json", "model.safetensors", "tokenizer.json"]


@pytest.fixture(scope="module")
def chain(seqnlp, corpus):
    """The folders of the chain, by what makes them: encoded, dev, packed, from a given vocabulary."""
    seqnlp("encode", "classify", "train.tsv", *TEXT, "-o", "encoded")
    seqnlp("encode", "classify", "dev.tsv", "--codec", "encoded", "-o", "dev")
    seqnlp("pack", "encoded", "-o", "packed")
    settings = ["--normalize", "nfkc,lower", "--size", "50000", "--min-count", "2"]
    (seqnlp.folder / "train.txt").write_text("".join(f"{text}\n" for text, _ in corpus["train"]))
    seqnlp("vocab", "train.txt", *settings, "-o", "vocab.json")
    seqnlp("encode", "classify", "train.tsv", *TEXT, "--tokenizer", "vocab.json", "-o", "given")
    return seqnlp.folder


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def of_config(folder):
    """What config.json says of the model itself."""
    content = json.loads((folder / "config.json").read_text())
    return [content[key] for key in ("config", "training", "scores", "details", "step", "steps", "sizes", "data")]


# The chain and the one command.


@pytest.mark.parametrize(
    ("train", "dev"),
    [("encoded", "dev"), ("packed", "dev"), ("packed", "dev.tsv"), ("given", "dev.tsv")],
)
def test_the_chain_gives_the_model_of_the_one_command(chain, seqnlp, trained, train, dev):
    name = f"model-{train}-{dev}"
    result = seqnlp("classify", "train", train, "--dev", dev, "-o", name, *TRAIN)
    for file in MODEL:
        assert (chain / name / file).read_bytes() == (trained.folder / file).read_bytes(), file
    assert result.json["scores"] == trained.result.json["scores"]
    assert of_config(chain / name) == of_config(trained.folder)
    assert "split off" not in result.err


def test_the_plan_of_a_packed_corpus_is_that_of_the_one_command(chain, seqnlp):
    limits = ["--max-tokens", "90", "--batch-size", "14"]
    short = ["--epochs", "1", "--hidden-size", "3", "--embedding-size", "3"]
    seqnlp("pack", "encoded", "-o", "narrow", *limits)
    seqnlp("classify", "train", "narrow", "--dev", "dev", *short, "-o", "model-narrow")
    seqnlp("classify", "train", "train.tsv", "--dev", "dev.tsv", *limits, *short, *TEXT, "-o", "model-limits")
    for file in MODEL:
        assert (chain / "model-narrow" / file).read_bytes() == (chain / "model-limits" / file).read_bytes(), file
    assert of_config(chain / "model-narrow")[1] == of_config(chain / "model-limits")[1]


def test_the_folder_does_not_depend_on_the_number_of_processes(chain, seqnlp):
    seqnlp("encode", "classify", "train.tsv", *TEXT, "-o", "jobs", "--jobs", "2")
    assert contents(chain / "jobs") == contents(chain / "encoded")
    assert sorted(contents(chain / "encoded")) == ENCODED


def test_a_given_vocabulary_is_the_one_that_is_used(chain):
    assert (chain / "given" / "tokenizer.json").read_bytes() == (chain / "vocab.json").read_bytes()
    assert contents(chain / "given").keys() == contents(chain / "encoded").keys()


def test_a_model_may_give_the_codec_too(chain, seqnlp, model):
    seqnlp("encode", "classify", "dev.tsv", "--codec", model, "-o", "dev-of-model")
    assert (chain / "dev-of-model" / "rows.arrow").read_bytes() == (chain / "dev" / "rows.arrow").read_bytes()


def test_several_labels(chain, seqnlp, tmp_path):
    (tmp_path / "x.tsv").write_text("red one\tr\nred green\tr,g\nblack\t\ngreen one\tg\n" * 5)
    data, train = tmp_path / "x.tsv", ["--epochs", "2", "--hidden-size", "3", "--embedding-size", "3"]
    seqnlp("encode", "classify", data, "--multi-label", "-o", tmp_path / "encoded")
    seqnlp("classify", "train", tmp_path / "encoded", "--dev", data, "-o", tmp_path / "one", *train)
    seqnlp("classify", "train", data, "--dev", data, "--multi-label", "-o", tmp_path / "two", *train)
    weights = [(tmp_path / name / "model.safetensors").read_bytes() for name in ("one", "two")]
    assert weights[0] == weights[1]


@pytest.mark.slow  # stopped runs and packed corpora each have a test of every task in the contract
def test_a_stopped_run_goes_on_from_a_packed_corpus(chain, seqnlp, reader, interrupt):
    command = ["classify", "train", "packed", "--dev", "dev", *TRAIN, "--epochs", "20", "--eval-every", "4", "-o"]
    seqnlp(*command, "not-stopped")
    with seqnlp.start(*command, "stopped-packed") as process:
        err = reader(process.stderr)
        err.wait_for(lambda lines: sum("accuracy" in line for line in lines) >= 2)
        assert interrupt(process, signal.SIGTERM) == 143
    whole = seqnlp(*command, "stopped-packed")
    assert any("resuming at step" in line for line in whole.errors)
    weights = [(chain / name / "model.safetensors").read_bytes() for name in ("not-stopped", "stopped-packed")]
    assert weights[0] == weights[1]


def test_rows_that_were_made_in_another_way_are_another_run(chain, seqnlp, tmp_path):
    """The rows are the same with other buckets of n-grams, and nearly always with another plan."""
    command = [
        "classify",
        "train",
        tmp_path / "rows",
        "--dev",
        "dev.tsv",
        *TRAIN,
        "--epochs",
        "1",
        "-o",
        tmp_path / "m",
    ]
    shutil.copytree(chain / "encoded", tmp_path / "rows")
    seqnlp(*command)
    seqnlp("encode", "classify", "train.tsv", "--char-ngram-buckets", "99", "-o", tmp_path / "rows", "--overwrite")
    refused = seqnlp(*command, code=2)
    assert "holds another run" in refused.err and "--char-ngram-buckets 100 there, 99 here" in refused.err
    for size in ("5", "6"):
        shutil.rmtree(tmp_path / "rows")
        seqnlp("pack", "encoded", "-o", tmp_path / "rows", "--max-tokens", "9999", "--batch-size", size)
        if size == "5":
            seqnlp(*command, "--overwrite")
    assert "holds another run" in seqnlp(*command, code=2).err


def test_a_model_goes_on_with_an_encoded_corpus(chain, seqnlp, model, tmp_path):
    more = ["--init-from", model, "--epochs", "1", "--seed", "3"]
    seqnlp("encode", "classify", "train.tsv", "--codec", model, "-o", tmp_path / "rows")
    seqnlp("classify", "train", tmp_path / "rows", "--dev", "dev", *more, "-o", tmp_path / "one")
    seqnlp("classify", "train", "train.tsv", "--dev", "dev.tsv", *more, "-o", tmp_path / "two")
    weights = [(tmp_path / name / "model.safetensors").read_bytes() for name in ("one", "two")]
    assert weights[0] == weights[1]


@pytest.mark.slow
def test_what_is_too_long_to_be_learnt_from_is_left_out_of_a_folder_too(chain, seqnlp, tmp_path):
    words = {"one": "eins", "two": "zwei", "three": "drei"}
    rows = [[list(words)[(n + m * m) % 3] for m in range(n % 4 + 1)] for n in range(30)]
    pairs = [f"{' '.join(row)}\t{' '.join(words[word] for word in row)}\n" for row in rows]
    long = f"{'one ' * 400}\t{'eins ' * 400}\n"
    other = ["one one one one one\teins eins eins eins eins\n"]
    for name, lines in {"short": pairs, "more": [long, *pairs], "other": other}.items():
        (tmp_path / f"{name}.tsv").write_text("".join(lines))
    dev, small = (
        ["--dev", tmp_path / "other.tsv", "--epochs", "1", "-q"],
        ["--hidden-size", "3", "--embedding-size", "3"],
    )
    seqnlp("translate", "train", tmp_path / "short.tsv", *dev, *small, "-o", tmp_path / "first")
    train = ["translate", "train", "--init-from", tmp_path / "first", *dev]
    seqnlp("encode", "translate", tmp_path / "more.tsv", "--codec", tmp_path / "first", "-o", tmp_path / "more")
    weights = []
    for name in ("more.tsv", "more"):
        seqnlp(*train, tmp_path / name, "-o", tmp_path / f"from-{name}")
        weights.append((tmp_path / f"from-{name}" / "model.safetensors").read_bytes())
    assert weights[0] == weights[1]


# Evaluation.


@pytest.mark.parametrize(("folder", "file"), [("dev", "dev.tsv"), ("encoded", "train.tsv"), ("packed", "train.tsv")])
def test_a_folder_is_scored_as_its_corpus_is(chain, seqnlp, model, tmp_path, folder, file):
    results = []
    for name in (folder, file):
        result = seqnlp("classify", "eval", model, name, "--errors", tmp_path / f"{name}.jsonl").json
        mistakes = (tmp_path / f"{name}.jsonl").read_text().splitlines()
        points = [(score["name"], score["value"], score["n"]) for score in result["scores"]]
        results.append((points, result["details"], result["data"], sorted(mistakes)))
    assert results[0] == results[1]


def test_rows_of_training_are_scored_as_any_other(chain, seqnlp, corpus, as_tsv, tmp_path):
    """Training keeps the scores that eval gives of the same rows, encoded or not, wrong as a third of them are."""
    wrong = {"good": "bad", "bad": "so-so", "so-so": "good"}
    rows = [(text, label if n % 3 else wrong[label]) for n, (text, label) in enumerate(corpus["train"])]
    (tmp_path / "noisy.tsv").write_text(as_tsv(rows))
    seqnlp("encode", "classify", tmp_path / "noisy.tsv", "-o", tmp_path / "noisy")
    train = ["classify", "train", tmp_path / "noisy", "--dev", tmp_path / "noisy", "-o", tmp_path / "m", *TRAIN]
    trained = seqnlp(*train, "--epochs", "1").json
    results = [seqnlp("classify", "eval", tmp_path / "m", tmp_path / name).json for name in ("noisy", "noisy.tsv")]
    assert results[0]["scores"] == results[1]["scores"] == trained["scores"]


# What is printed.


def test_what_makes_a_folder_says_nothing(chain, seqnlp, tmp_path):
    result = seqnlp("encode", "classify", "train.tsv", "-o", tmp_path / "a" / "b")
    assert (result.out, result.err) == ("", "")
    assert sorted(contents(tmp_path / "a" / "b")) == ENCODED


def test_ids_go_to_stdout_to_be_looked_at(seqnlp, corpus, chain):
    text = seqnlp("encode", "classify", "train.tsv").lines
    json_ = [json.loads(line) for line in seqnlp("encode", "classify", "train.tsv", "--to", "jsonl").lines]
    assert len(text) == len(json_) == len(corpus["train"])
    for line, row, (words, label) in zip(text, json_, corpus["train"], strict=True):
        assert list(row) == ["ids", "labels"]
        assert line == "\t".join(" ".join(map(str, numbers)) for numbers in row.values())
        assert len(row["ids"]) == len(words.split())
        assert row["labels"] == [["bad", "good", "so-so"].index(label)]
    assert seqnlp("encode", "classify", "train.tsv", "-o", "-").lines == text


def test_rows_are_as_many_as_texts(seqnlp, chain, tmp_path):
    (tmp_path / "x.tsv").write_text("a lovely film\tgood\n\n \tgood\n...\tbad\nan awful film\tnew\n")
    shown = seqnlp("encode", "classify", tmp_path / "x.tsv", "--codec", "encoded").lines
    assert len(shown) == 3 and [line.split("\t")[1] for line in shown] == ["1", "0", "-1"]
    seqnlp("encode", "classify", tmp_path / "x.tsv", "--codec", "encoded", "-o", tmp_path / "x")
    assert json.loads((tmp_path / "x" / "encoded.json").read_text())["rows"] == 3


def test_corpora_that_come_by_other_ways(seqnlp, chain, corpus, as_tsv):
    text, expected = as_tsv(corpus["train"]), seqnlp("encode", "classify", "train.tsv").lines
    (seqnlp.folder / "ways.tsv.gz").write_bytes(gzip.compress(text.encode()))
    assert seqnlp("encode", "classify", "ways.tsv.gz").lines == expected
    assert seqnlp("encode", "classify", "-", "--from", "tsv", stdin=text).lines == expected
    piped = seqnlp.shell("seqnlp encode classify <(gzip -cd ways.tsv.gz) --from tsv")
    assert (piped.code, piped.lines, piped.err) == (0, expected, "")


def test_a_reader_that_goes_ends_it_quietly(seqnlp, chain, corpus, as_tsv):
    (seqnlp.folder / "long.tsv").write_text(as_tsv(corpus["train"] * 20))
    result = seqnlp.shell("seqnlp encode classify long.tsv | head -n 1")
    assert (result.code, len(result.lines), result.err) == (0, 1, "")


@pytest.fixture(scope="module")
def reports(seqnlp, chain):
    """What pack prints: JSON, and a table on a terminal."""
    code, shown = seqnlp.on_terminal("pack", "encoded", "-o", "packed-terminal")
    assert code == 0
    return seqnlp("pack", "encoded", "-o", "packed-json").json, shown.replace("\r\n", "\n")


def test_pack_reports_padding_batches_and_lengths(reports, corpus):
    report, _ = reports
    assert list(report) == [
        *["rows", "batches", "buckets", "max_tokens", "batch_size", "padding", "padding_random", "lengths"]
    ]
    lengths = [len(text.split()) for text, _ in corpus["train"]]
    assert report["rows"] == len(lengths) and report["max_tokens"] == 1024 and report["batch_size"] == 256
    assert report["lengths"] == [[n, n, lengths.count(n)] for n in range(1, max(lengths) + 1)]
    assert 0 <= report["padding"] < report["padding_random"] < 50


def test_pack_draws_a_chart_on_a_terminal(reports):
    report, shown = reports
    assert "{" not in shown and "\x1b" not in shown
    assert f"{report['rows']} rows, {report['batches']} batches of at most 1,024 tokens" in shown
    assert f"padding {report['padding']:.1f}%; in random batches {report['padding_random']:.1f}%" in shown
    bars = [line for line in shown.splitlines() if " to " in line]
    assert len(bars) == len(report["lengths"])
    most = max(count for *_, count in report["lengths"])
    for line, (low, high, count) in zip(bars, report["lengths"], strict=True):
        assert line.split()[:4] == [str(low), "to", str(high), str(count)]
        assert line.count("█") == round(50 * count / most)
    assert max(map(len, bars)) <= 79


# What is refused.

# case -> (arguments, exit code, words)
REFUSED = {
    "no corpus": (["encode", "classify", "nowhere.tsv", "-o", "x"], 2, ["nowhere.tsv", "no such file"]),
    "empty": (["encode", "classify", "empty.tsv", "-o", "x"], 3, ["empty.tsv", "no examples"]),
    "one class": (["encode", "classify", "one.tsv", "-o", "x"], 3, ["one.tsv", "only one class"]),
    "bad line": (["encode", "classify", "few.tsv", "-o", "x"], 3, ["few.tsv:2: 1 column"]),
    "no task": (["encode", "clasify", "train.tsv", "-o", "x"], 2, ["clasify", "did you mean classify?"]),
    "output is a file": (["encode", "classify", "train.tsv", "-o", "train.tsv"], 2, ["train.tsv", "exists already"]),
    "output in a file": (
        ["encode", "classify", "train.tsv", "-o", "train.tsv/x"],
        2,
        ["train.tsv/x", "cannot be created"],
    ),
    "output is its folder": (["encode", "classify", "train.tsv", "-o", "."], 2, [".: exists already"]),
    "output is a model": (["encode", "classify", "train.tsv", "-o", "model"], 2, ["model: exists already"]),
    "output is there": (["encode", "classify", "train.tsv", "-o", "encoded"], 2, ["encoded", "--overwrite"]),
    "encoded already": (["encode", "classify", "encoded", "-o", "x"], 2, ["encoded: is encoded already"]),
    "no codec": (["encode", "classify", "dev.tsv", "--codec", "nowhere"], 2, ["nowhere", "no encoded corpus here"]),
    "codec and text": (
        ["encode", "classify", "dev.tsv", "--codec", "encoded", "--max-length", "7"],
        2,
        ["--max-length cannot be given with --codec"],
    ),
    "codec and tokenizer": (
        ["encode", "classify", "dev.tsv", "--codec", "encoded", "--tokenizer", "vocab.json"],
        2,
        ["--tokenizer cannot be given with --codec"],
    ),
    "codec of another task": (
        ["encode", "classify", "dev.tsv", "--codec", "other"],
        3,
        ["other", "was encoded for tag"],
    ),
    "two tokenizers": (
        ["encode", "classify", "train.tsv", *["--tokenizer", "vocab.json"] * 2],
        2,
        ["2 tokenizers, but classify needs one"],
    ),
    "three tokenizers": (
        ["encode", "classify", "train.tsv", *["--tokenizer", "vocab.json"] * 3],
        2,
        ["--tokenizer is given 3 times"],
    ),
    "no tokenizer": (
        ["encode", "classify", "train.tsv", "--tokenizer", "train.tsv"],
        3,
        ["train.tsv: not a tokenizer"],
    ),
    "pack nothing": (["pack", "nowhere", "-o", "x"], 2, ["nowhere: no encoded corpus here"]),
    "pack a model": (["pack", "model", "-o", "x"], 2, ["model: no encoded corpus here"]),
    "pack a file": (["pack", "train.tsv", "-o", "x"], 2, ["train.tsv: no encoded corpus here"]),
    "pack what is packed": (["pack", "packed", "-o", "x"], 2, ["packed: is packed already"]),
    "pack onto itself": (["pack", "encoded", "-o", "encoded"], 2, ["encoded", "--overwrite"]),
    "no dev": (["classify", "train", "encoded", "-o", "x"], 2, ["needs a --dev part", "--codec encoded"]),
    "text options": (
        ["classify", "train", "encoded", "--dev", "dev", "--min-count", "1", "-o", "x"],
        2,
        ["--min-count cannot be given with encoded"],
    ),
    "several": (["classify", "train", "encoded", "train.tsv", "--dev", "dev", "-o", "x"], 2, ["together with others"]),
    "several dev": (
        ["classify", "train", "encoded", "--dev", "dev", "--dev", "dev.tsv", "-o", "x"],
        2,
        ["together with others"],
    ),
    "other task": (
        ["classify", "train", "other", "--dev", "dev", "-o", "x"],
        3,
        ["was encoded for tag, not for classify"],
    ),
    "dev of another task": (["classify", "train", "encoded", "--dev", "other", "-o", "x"], 3, ["was encoded for tag"]),
    "other codec": (
        ["classify", "train", "encoded", "--dev", "dev-alone", "-o", "x"],
        3,
        ["dev-alone: was not encoded with the codec of encoded", "--codec encoded"],
    ),
    "dev alone": (
        ["classify", "train", "train.tsv", "--dev", "dev", "-o", "x"],
        2,
        ["dev: is encoded, train.tsv is not"],
    ),
    "tokens": (
        ["classify", "train", "packed", "--dev", "dev", "--max-tokens", "99", "-o", "x"],
        2,
        ["packed for --max-tokens 1024 --batch-size 256"],
    ),
    "rows": (
        ["classify", "train", "packed", "--dev", "dev", "--batch-size", "99", "-o", "x"],
        2,
        ["packed for --max-tokens 1024 --batch-size 256"],
    ),
    "model onto rows": (["classify", "train", "encoded", "--dev", "dev", "-o", "encoded"], 2, ["holds no model"]),
    "labels that the codec does not know": (
        ["classify", "train", "strange", "--dev", "dev", *TRAIN, "-o", "x"],
        3,
        ["strange: ", "does not know the label 'new'"],
    ),
    "eval of another codec": (["classify", "eval", "model", "dev-alone"], 3, ["codec of model", "--codec model"]),
    "eval of shorter texts": (["classify", "eval", "model", "dev-short"], 3, ["codec of model"]),
    "init from another codec": (
        ["classify", "train", "dev-alone", "-q", "--dev", "dev-alone", "--init-from", "model", "-o", "x"],
        3,
        ["codec of model"],
    ),
    "predict": (["classify", "predict", "model", "encoded"], 2, ["encoded: is a folder, expected a file"]),
    "vocab": (["vocab", "encoded", "-o", "x"], 2, ["encoded: is a folder, expected a file"]),
}


@pytest.fixture(scope="module")
def refused(seqnlp, chain, model):
    """What each of these commands says."""
    files = {"empty.tsv": "", "one.tsv": "a\tb\n", "few.tsv": "a\tb\nc\n", "new.tsv": "a\tgood\nb\tnew\n"}
    for name, content in files.items():
        (chain / name).write_text(content)
    seqnlp("encode", "classify", "dev.tsv", "-o", "dev-alone")
    seqnlp("encode", "classify", "new.tsv", "--codec", "encoded", "-o", "strange")
    seqnlp("encode", "classify", "train.tsv", *TEXT, "--max-length", "3", "-q", "-o", "short")
    seqnlp("encode", "classify", "dev.tsv", "--codec", "short", "-o", "dev-short")
    about = json.loads((shutil.copytree(chain / "encoded", chain / "other") / "encoded.json").read_text())
    (chain / "other" / "encoded.json").write_text(json.dumps({**about, "task": "tag"}))
    before = {path: path.stat().st_mtime_ns for path in chain.rglob("*")}
    said = {case: seqnlp(*arguments, code=None) for case, (arguments, _, _) in REFUSED.items()}
    assert {path: path.stat().st_mtime_ns for path in chain.rglob("*")} == before  # nothing was made, or changed
    return said


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_done_is_reported_in_one_line(refused, case):
    result, (_, code, words) = refused[case], REFUSED[case]
    assert result.code == code, result
    *before, error = result.errors
    assert result.out == "" and error.startswith("seqnlp: "), result
    assert all(line.startswith(("seqnlp: reading ", "seqnlp: warning: ")) for line in before), result
    assert "internal error" not in result.err
    for word in words:
        assert word in result.err


@pytest.mark.parametrize("name", ["rows.arrow", "tokenizer.json", "encoded.json", "plan.json"])
def test_a_half_damaged_folder_is_bad_data(chain, seqnlp, model, tmp_path, name):
    folder = shutil.copytree(chain / "packed", tmp_path / "packed")
    content = (folder / name).read_bytes()
    (folder / name).write_bytes(content[: len(content) // 2])
    for arguments in (
        ["classify", "train", folder, "--dev", "dev", *TRAIN, "-o", tmp_path / "m"],
        ["classify", "eval", model, folder],
    ):
        result = seqnlp(*arguments, code=3)
        *before, error = result.errors
        assert before in ([], [f"seqnlp: reading {folder}"])
        assert str(folder) in error and "encode the corpus again" in error
    assert not (tmp_path / "m").exists()


def test_overwrite_replaces_rows_and_nothing_else(chain, seqnlp, tmp_path):
    folder = shutil.copytree(chain / "packed", tmp_path / "rows")
    seqnlp("encode", "classify", "dev.tsv", "-o", folder, "--overwrite")
    assert sorted(contents(folder)) == ENCODED  # the plan of the other rows is gone
    (folder / "notes.txt").write_text("mine")
    before = contents(folder)
    assert "notes.txt" in seqnlp("encode", "classify", "dev.tsv", "-o", folder, "--overwrite", code=2).err
    assert contents(folder) == before
    assert [path.name for path in tmp_path.iterdir()] == ["rows"]


def test_a_run_that_fails_leaves_the_old_folder(chain, seqnlp, tmp_path):
    folder = shutil.copytree(chain / "encoded", tmp_path / "rows")
    (tmp_path / "bad.tsv").write_text("a\tb\nc\td\n" * 5000 + "e\n")
    for flags in ([], ["--jobs", "2"]):
        result = seqnlp("encode", "classify", tmp_path / "bad.tsv", "-o", folder, "--overwrite", *flags, code=3)
        assert len(result.errors) == 1 and "bad.tsv:10001" in result.err
        assert contents(folder) == contents(chain / "encoded")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bad.tsv", "rows"]


# Signals.


@pytest.fixture(scope="module")
def long(seqnlp, corpus, as_tsv):
    """A corpus that takes a while."""
    (seqnlp.folder / "longer.tsv").write_text(as_tsv(corpus["train"] * 80))
    return "longer.tsv"


def test_a_signal_leaves_nothing_behind(seqnlp, long, tmp_path, interrupt):
    with seqnlp.start("encode", "classify", long, "-o", tmp_path / "x") as process:
        deadline = time.monotonic() + 60
        while not list(tmp_path.glob(".x.*/new/.rows.arrow*")):
            assert process.poll() is None and time.monotonic() < deadline
            time.sleep(0.01)
        assert interrupt(process, signal.SIGTERM) == 143
        assert process.stderr.read() == b"seqnlp: stopped\n"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(sys.platform != "linux", reason="/proc")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_ctrl_c_ends_all_processes_and_so_does_a_kill(seqnlp, long, tmp_path, number):
    command = ["encode", "classify", long, "-o", tmp_path / "x", "--jobs", "2"]
    said, deadline = tmp_path / "said", time.monotonic() + 30
    with open(said, "wb") as stderr, seqnlp.start(*command, start_new_session=True, stderr=stderr) as process:
        try:
            while len(in_session(process.pid)) < 4:  # itself, two workers, and Python's tracker of resources
                assert process.poll() is None and time.monotonic() < deadline
                time.sleep(0.01)
            if number == signal.SIGINT:
                os.killpg(process.pid, number)  # as a terminal does
            else:
                process.kill()
            while in_session(process.pid):
                assert time.monotonic() < deadline
                time.sleep(0.05)
        except AssertionError:
            os.killpg(process.pid, signal.SIGKILL)
            raise
    if number == signal.SIGINT:
        assert [line for line in said.read_text().splitlines() if line] == ["seqnlp: interrupted"]
        assert list(tmp_path.iterdir()) == [said]
    assert not (tmp_path / "x").exists()


def in_session(leader):
    """The processes of a session that are alive."""
    found = []
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{name}/stat") as file:
                state, _, _, session = file.read().rsplit(")", 1)[1].split()[:4]
        except OSError:
            continue
        if int(session) == leader and state != "Z":
            found.append(int(name))
    return found


# Memory.

PEAK = """
import resource, subprocess, sys
subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, check=True)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""


@pytest.mark.slow
def test_memory_does_not_grow_with_the_corpus(seqnlp, corpus, as_tsv, capsys):
    command = seqnlp.shell("command -v seqnlp").out.strip()
    unit = 1e-6 if sys.platform == "darwin" else 1024e-6
    peaks = {}
    for lines in (100_000, 1_000_000):
        path = seqnlp.folder / "lines.tsv"
        with open(path, "w") as file:
            for _ in range(lines // 100):
                file.write(as_tsv(corpus["train"][:100]))
        stages = {
            "encode": ["encode", "classify", path, "-o", seqnlp.folder / f"rows{lines}"],
            "pack": ["pack", seqnlp.folder / f"rows{lines}", "-o", seqnlp.folder / f"packed{lines}"],
        }
        for stage, arguments in stages.items():
            begin = time.monotonic()
            done = subprocess.run([sys.executable, "-c", PEAK, command, *arguments], capture_output=True, check=True)
            peaks[stage, lines] = int(done.stdout) * unit
            with capsys.disabled():
                print(f"\n{stage} {lines:,} lines: {peaks[stage, lines]:.0f} MB, {time.monotonic() - begin:.0f} s")
    assert peaks["encode", 1_000_000] < peaks["encode", 100_000] + 100
