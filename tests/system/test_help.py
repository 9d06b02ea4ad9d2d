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
    "no task": (["train", "x.tsv", "-o", "m"], ["a task comes first", "seqnlp classify train"]),
    "no text": (["lm", "generate", "m", "--prompt", "a\udcff"], ["prompt", "expected text"]),
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


def test_help_of_a_command_is_what_its_flag_shows(seqnlp):
    assert seqnlp("help").out == seqnlp("--help").out
    assert seqnlp("help", "classify", "train").out == seqnlp("classify", "train", "--help").out
    assert seqnlp("-V").out == seqnlp("--version").out
    assert "did you mean train?" in seqnlp("help", "classify", "trian", code=2).err
    assert "has no commands" in seqnlp("help", "info", "x", code=2).err


COMPLETED = {
    "seqnlp cl": ["classify"],
    "seqnlp classify t": ["train"],
    "seqnlp classify train --epo": ["--epochs"],
    "seqnlp classify train --schedule co": ["cosine", "constant"],
    "seqnlp score ble": ["bleu"],
    "seqnlp help cl": ["classify"],
    "seqnlp help classify tr": ["train"],
}


def test_bash_completes(seqnlp):
    script = """
        source <(seqnlp completion bash)
        complete -p seqnlp
        while read -ra COMP_WORDS; do
            COMP_CWORD=$((${#COMP_WORDS[@]} - 1)) COMPREPLY=()
            _seqnlp_completion seqnlp ${COMP_WORDS[-1]}
            echo ${COMPREPLY[@]}
        done << END
    """
    result = seqnlp.shell(f"{script.rstrip()}\n" + "\n".join([*COMPLETED, "END"]), warm=True)
    assert result.lines[0] == "complete -o nosort -F _seqnlp_completion seqnlp"
    assert [line.split() for line in result.lines[1:]] == [*COMPLETED.values()], result


@pytest.mark.parametrize("line", ["classify predict mo", "classify train x.tsv --dev d", "info "])
def test_files_are_completed_by_the_shell(seqnlp, line):
    words = f"seqnlp {line}".split(" ")
    asked = f"_SEQNLP_COMPLETE=bash_complete COMP_WORDS='seqnlp {line}' COMP_CWORD={len(words) - 1} seqnlp"
    assert seqnlp.shell(asked, warm=True).out == f"file,{words[-1]}\n"


@pytest.mark.parametrize("shell, word", [("zsh", "compdef"), ("fish", "complete --no-files --command seqnlp")])
def test_other_shells_have_a_completion_too(seqnlp, shell, word):
    assert word in seqnlp("completion", shell).out


def test_a_default_comes_from_the_environment_and_a_flag_wins(seqnlp):
    command = "seqnlp score bleu gold gold"
    seqnlp.shell("printf 'A b\\n' > gold")
    by_default = seqnlp.shell(f"SEQNLP_SCORE_LOWERCASE=1 SEQNLP_SCORE_TOKENIZE=char {command}", warm=True)
    assert "case:lc" in by_default.out and "tok:char" in by_default.out
    assert "tok:intl" in seqnlp.shell(f"SEQNLP_SCORE_TOKENIZE=char {command} --tokenize intl", warm=True).out


def test_a_wrong_default_in_the_environment_is_named(seqnlp):
    result = seqnlp.shell("SEQNLP_CLASSIFY_TRAIN_EPOCHS=many seqnlp classify train train.tsv -o m", warm=True)
    assert result.code == 2 and "SEQNLP_CLASSIFY_TRAIN_EPOCHS" in result.err and "whole number" in result.err


def test_other_variables_of_that_prefix_are_left_alone(seqnlp):
    result = seqnlp.shell("SEQNLP_VERSION=0.1 SEQNLP_HELP=1 seqnlp classify --help", warm=True)
    assert result.code == 0 and result.err == ""
