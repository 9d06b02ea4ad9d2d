"""Help, versions, and commands that are mistyped: all of them before torch is loaded."""

import pytest

COMMANDS = [
    (),
    ("classify",),
    ("classify", "train"),
    ("classify", "predict"),
    ("classify", "eval"),
    ("score",),
    ("info",),
    ("encode",),
    ("encode", "classify"),
    ("pack",),
]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_help_has_an_example(seqnlp, command):
    result = seqnlp(*command, "--help")
    assert "Example:\n" in result.out
    assert f"seqnlp {' '.join(command)}".strip() in result.out.split("Example:")[1]
    assert result.err == ""


@pytest.mark.parametrize("command", [c for c in COMMANDS[2:] if c != ("encode",)], ids=" ".join)
def test_help_all_shows_no_less(seqnlp, command):
    short, whole = seqnlp(*command, "--help").out, seqnlp(*command, "--help-all").out
    assert len(whole) > len(short)
    assert "--debug" in whole


def test_help_of_train_shows_what_matters_and_says_that_there_is_more(seqnlp):
    short, whole = seqnlp("classify", "train", "--help").out, seqnlp("classify", "train", "--help-all").out
    assert "--epochs" in short and "--weight-decay" not in short and "--help-all shows" in short
    assert "--weight-decay" in whole and "Reading:" in whole


def test_version(seqnlp):
    assert seqnlp("--version").out.split()[0] == "seqnlp"


WRONG = {
    "unknown command": (["clasify"], ["clasify", "did you mean classify?"]),
    "unknown verb": (["classify", "trian"], ["trian", "did you mean train?"]),
    "unknown option": (["classify", "train", "x.tsv", "-o", "m", "--epoch", "3"], ["--epoch", "--epochs"]),
    "no output": (["classify", "train", "train.tsv"], ["-o"]),
    "no corpus": (["classify", "train", "-o", "m"], ["TRAIN"]),
    "no model": (["classify", "predict"], ["MODEL"]),
    "unknown format": (["classify", "predict", "model", "--from", "nonsense"], ["--from", "nonsense", "jsonl"]),
    "unknown output": (["classify", "predict", "model", "--to", "nonsense"], ["--to", "nonsense", "jsonl"]),
    "unknown metric": (["score", "acuracy", "dev.tsv"], ["acuracy", "accuracy"]),
    "unknown choice": (
        ["classify", "train", "x.tsv", "-o", "m", "--pooling", "median"],
        ["--pooling", "median", "max"],
    ),
    "none": (["classify", "train", "x.tsv", "-o", "m", "--epochs", "0"], ["--epochs", "0"]),
    "negative": (["classify", "train", "x.tsv", "-o", "m", "--seed", "-1"], ["--seed", "-1"]),
    "huge": (["classify", "train", "x.tsv", "-o", "m", "--seed", "9" * 30], ["--seed"]),
    "not a number": (["classify", "train", "x.tsv", "-o", "m", "--epochs", "many"], ["--epochs", "many"]),
    "nan": (["classify", "train", "x.tsv", "-o", "m", "--learning-rate", "nan"], ["--learning-rate"]),
    "over": (["classify", "train", "x.tsv", "-o", "m", "--dropout", "1.5"], ["--dropout", "1.5"]),
    "threshold": (["classify", "predict", "model", "--threshold", "2"], ["--threshold", "2"]),
    "no time": (["classify", "train", "x.tsv", "-o", "m", "--time-budget", "soon"], ["--time-budget", "soon", "10m"]),
    "threads": (["classify", "predict", "model", "--threads", "0"], ["--threads", "0"]),
    "nan threshold": (["classify", "eval", "model", "dev.tsv", "--fail-under", "nan"], ["--fail-under"]),
    "encoding": (["score", "accuracy", "dev.tsv", "--encoding", "hex"], ["hex", "utf-8"]),
    "encode unknown task": (["encode", "clasify", "x.tsv"], ["clasify", "did you mean classify?"]),
    "encode nothing": (["encode", "classify"], ["CORPUS"]),
    "pack without output": (["pack", "x"], ["-o"]),
    "jobs": (["encode", "classify", "train.tsv", "-o", "m", "--jobs", "0"], ["--jobs"]),
    "no tokens": (["pack", "x", "-o", "m", "--max-tokens", "0"], ["--max-tokens"]),
    "twice stdin": (["score", "accuracy", "-", "-"], ["stdin"]),
}


@pytest.mark.parametrize("arguments, words", WRONG.values(), ids=WRONG)
def test_a_wrong_command_is_reported_in_one_line(seqnlp, arguments, words):
    result = seqnlp(*arguments, code=2)
    assert result.out == ""
    assert len(result.errors) == 1 and result.err.startswith("seqnlp: ")
    for word in words:
        assert word in result.err
    assert not (seqnlp.folder / "m").exists()


@pytest.mark.parametrize("arguments", [(), ("classify",)])
def test_no_command_shows_the_help_on_stderr(seqnlp, arguments):
    result = seqnlp(*arguments, code=2)
    assert result.out == "" and "Usage:" in result.err
