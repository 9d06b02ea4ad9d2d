"""A campaign against runs, models and commands: kills, damage and hostile records, each of them counted.

A short form belongs to the default tests. All of it, with the counts at the end:

    sh tests/run.sh -n 0 -m "slow or not slow" tests/contract/test_campaign.py
"""

import contextlib
import dataclasses
import io
import json
import os
import random
import shutil
import signal
import time

import hypothesis
import pytest
import torch
from hypothesis import strategies as st
from task_cases import first_task, one_a_task

from seqnlp import cli, errors
from seqnlp.workflows import predict, train

SAME = ("model.safetensors", "tokenizer.json", "labels.json", "words.json", "lengths.json")  # byte for byte


@pytest.fixture
def count(request):
    """Count a case of a kind, for the table at the end."""
    return lambda kind: request.config.stash[pytest.CAMPAIGN].update([kind])


def trained(case, folder, **changes):
    """Train in a process of its own, as a command does; return its number."""
    child = os.fork()
    if child:
        return child
    code = 9
    try:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            torch.set_num_threads(1)
            train.train(case.job(folder, **changes))
        code = 0
    finally:
        os._exit(code)


def ended(child):
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def check_same(folder, whole):
    """Check that a folder holds the model of the run that nothing happened to."""
    for name in SAME:
        if (whole / name).exists():
            assert (folder / name).read_bytes() == (whole / name).read_bytes(), name
    assert {path.name for path in folder.iterdir()} == {path.name for path in whole.iterdir()}


# Kills


def killed(case, folder, draw, seconds):
    """Train, and be killed at any moment; return whether that came before the end."""
    child = trained(case, folder)
    time.sleep(draw.uniform(0, seconds))
    os.kill(child, signal.SIGKILL)
    return ended(child) == -signal.SIGKILL


def kills(case, whole, tmp_path, trials, count):
    begin = time.monotonic()
    (tmp_path / "first").mkdir()
    assert ended(trained(case, tmp_path / "first" / "model")) == 0
    seconds = time.monotonic() - begin
    check_same(tmp_path / "first" / "model", whole)
    for trial in range(trials):
        draw, folder = random.Random(trial), tmp_path / str(trial) / "model"
        folder.parent.mkdir()
        for _ in range(draw.randint(1, 3)):
            if killed(case, folder, draw, seconds):
                count(f"kills of {case.task}")
        assert ended(trained(case, folder)) == 0
        check_same(folder, whole)
        count(f"runs of {case.task} that were killed and ended as if they were not")


@first_task
def test_a_run_that_was_killed_ends_as_if_it_was_not(short, tmp_path, count):
    kills(*short, tmp_path, 1, count)


@pytest.mark.slow
@one_a_task
def test_thirty_runs_that_were_killed_end_as_if_they_were_not(short, tmp_path, count):
    kills(*short, tmp_path, 30, count)


# Damage


def flip(content):
    place = len(content) // 2
    return content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :] if content else b"\1"


DAMAGES = {
    "missing": None,
    "empty": lambda content: b"",
    "cut": lambda content: content[:-9],
    "longer": lambda content: content + b"\0",
    "a bit": flip,
    "zeros": lambda content: bytes(len(content)),
    "brackets": lambda content: b"[" * 100_000,
}
assert len(DAMAGES) == 7


def damage(path, how):
    content = path.read_bytes()
    path.unlink()
    if DAMAGES[how] is not None:
        path.write_bytes(DAMAGES[how](content))


@one_a_task
@pytest.mark.parametrize("how", DAMAGES)
def test_a_damaged_model_is_refused_by_its_name(short, tmp_path, how, count):
    case, whole = short
    for name in [path.name for path in whole.iterdir()]:
        folder = shutil.copytree(whole, tmp_path / name)
        damage(folder / name, how)
        try:
            predict.load(folder, device="cpu")
            assert name in ("README.md", "history.jsonl") or (name, how) == ("config.json", "a bit")
        except errors.ModelError as error:
            assert name in str(error) or name == "config.json"
            assert "\n" not in str(error)
        count(f"files of a model of {case.task} that were damaged")


@pytest.fixture
def half(short, tmp_path):
    """The folder of a run that was stopped in the middle, with two checkpoints."""
    case, folder = short[0], tmp_path / "half" / "model"
    folder.parent.mkdir()
    for number in (2, 1):  # evaluations until it is stopped
        seen = []

        def watch(what, progress, seen=seen):
            seen.append(what)

        def stop(seen=seen, number=number):
            return 15 if seen.count("evaluation") >= number else 0

        with pytest.raises(errors.Stopped):
            train.train(case.job(folder), watch=watch, stop=stop)
    assert len([path for path in (folder / "checkpoint").iterdir() if path.name.isdigit()]) == 2
    return folder


def damages(case, whole, half, tmp_path, pairs, count):
    newest = max(path for path in (half / "checkpoint").iterdir() if path.name.isdigit())
    names = [path.relative_to(half) for path in half.rglob("*") if path.is_file()]
    for name, how in pairs(sorted(names, key=str), newest.relative_to(half)):
        folder = tmp_path / f"{how} {str(name).replace('/', ' ')}" / "model"
        shutil.copytree(half, folder)
        damage(folder / name, how)
        train.train(case.job(folder))
        check_same(folder, whole)
        count(f"files of a run of {case.task} that were damaged, and it ended as if they were not")
        shutil.rmtree(folder.parent)


@first_task
def test_a_run_goes_on_from_damaged_files(short, half, tmp_path, count):
    def pairs(names, newest):
        return [(newest / "state.json", "empty"), (newest / "moments.safetensors", "a bit")]

    damages(*short, half, tmp_path, pairs, count)


@pytest.mark.slow
@one_a_task
def test_a_run_goes_on_from_each_of_its_files_damaged_in_seven_ways(short, half, tmp_path, count):
    damages(*short, half, tmp_path, lambda names, newest: [(name, how) for name in names for how in DAMAGES], count)


# Records


ODD = st.sampled_from(
    [
        *(
            "",
            " ",
            "\u00a0",
            "\u3000",
            "\t",
            "\r",
            "\u2028",
            "\u0085",
            "\ufeff",
            "\x00",
            "\x1b[31m",
            "\u202e",
            "\u0300",
        ),
        *(
            "<s>",
            "</s>",
            "<unk>",
            "<pad>",
            "|||",
            "/",
            ",",
            '"',
            "'",
            "\\",
            "%2C",
            "\U0001f469\u200d\U0001f469",
            "𝔘",
            "ﷺ",
        ),
        *(
            "NaN",
            "Infinity",
            "null",
            "1e999",
            "-",
            "--help",
            "O",
            "B-",
            "I-x",
            "a/DET",
            "{",
            "[",
            "#",
            "1\t2",
            "x" * 3000,
        ),
    ]
)
WORDS = st.lists(ODD | st.text(max_size=9), max_size=9).map(" ".join)
LINES = st.lists(WORDS | st.lists(WORDS, max_size=4).map("\t".join), max_size=9).map("\n".join)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=6,
)
FIELDS = "text label source target tokens tags document summary value time id classify x"
NAMES = st.sampled_from(FIELDS.split())
OBJECTS = st.lists(st.dictionaries(NAMES, VALUES, max_size=5).map(json.dumps), max_size=6).map("\n".join)
NUMBERS = st.floats().map(str) | st.integers().map(str) | st.sampled_from(["", "NA", "1e308", "-0", "1_0", "٣", "1,5"])
TIMES = st.dates().map(str) | st.sampled_from(
    ["9999-12-31", "9999-12", "0001-01-01", "2024-02-30", "2024-Q4", "31.12.9999", "9999-12-31 23:59", "1" * 30, "-1"]
)
STEPS = st.tuples(st.sampled_from("ab") | WORDS, TIMES | st.integers(1, 9).map(str) | WORDS, NUMBERS | WORDS)
SERIES = st.lists(STEPS.map(",".join), max_size=30).map(lambda rows: "\n".join(["id,time,value", *rows]))
FILES = st.tuples(
    st.sampled_from(["txt", "tsv", "csv", "jsonl", "json", "conll", "conllu", "gz", "parquet"]),
    (LINES | SERIES).map(lambda text: text.encode("utf-8", "replace"))
    | OBJECTS.map(str.encode)
    | st.binary(max_size=300),
)
COMMANDS = [
    *("predict", "predict --to jsonl", "predict --to csv", "eval", "check", "check {task}", "vocab --counts"),
    *("bpe train --size 300 -o {out}", "encode {task} -o {out}", "info", "train", "score {metric} {file}"),
]
METRICS = ["accuracy", "f1", "spans", "bleu", "chrf", "ter", "rouge"]


def run(arguments):
    """Run a command in this process; return its code and what it said."""
    out, err = io.TextIOWrapper(io.BytesIO(), "utf-8"), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            code = cli.root.main(arguments, prog_name="seqnlp", standalone_mode=False, obj=time.monotonic())
        except (SystemExit, Exception) as error:
            code = cli.explain(error)
    out.flush()
    return code or 0, out.buffer.getvalue(), err.getvalue()


def arguments_of(command, task, model, file, out):
    """Return the arguments of one of the commands."""
    verb, *rest = command.format(task=task, out=out, file=file, metric=METRICS[len(str(file)) % 7]).split()
    if verb in ("predict", "eval"):
        return [task, verb, str(model), str(file), *rest]
    if verb == "train":
        small = "--window 7 --horizon 2" if task == "forecast" else "--embedding-size 3"
        return [task, verb, str(file), "-o", str(out), *f"--epochs 1 --hidden-size 3 {small}".split()]
    return [verb, rest[0], str(file), *rest[1:]] if rest and not rest[0].startswith("-") else [verb, str(file), *rest]


def records(case, model, folder, examples, count):
    @hypothesis.settings(max_examples=examples, suppress_health_check=list(hypothesis.HealthCheck))
    @hypothesis.given(FILES, st.sampled_from(COMMANDS))
    def check(file, command):
        ending, content = file
        path, out = folder / f"file.{ending}", folder / "out"
        path.write_bytes(content)
        code, found, said = run(arguments_of(command, case.task, model, path, out))
        assert code in (0, 2, 3, 5), (command, said)
        assert "internal error" not in said and "Traceback" not in said
        if code in (2, 3):
            assert len([line for line in said.split("\n") if line.startswith("seqnlp: ")]) >= 1
        for line in found.decode().split("\n") if code == 0 and command.endswith("jsonl") else ():
            json.loads(line, parse_constant=pytest.fail) if line.strip() else None
        shutil.rmtree(out, ignore_errors=True) if out.is_dir() else out.unlink(missing_ok=True)
        assert {path.name for path in folder.iterdir()} == {path.name}, "something was left"
        path.unlink()
        count(f"hostile files through the commands with {case.task}")

    check()


@one_a_task
def test_hostile_files_through_every_command(short, tmp_path, count):
    (tmp_path / "files").mkdir()
    records(*short, tmp_path / "files", 12, count)


@pytest.mark.slow
@one_a_task
def test_many_hostile_files_through_every_command(short, tmp_path, count):
    (tmp_path / "files").mkdir()
    records(*short, tmp_path / "files", 700, count)


# Memory


@pytest.mark.slow
def test_memory_does_not_grow_over_20_000_batches_of_random_lengths(cases, tmp_path, count):
    """The rows of a batch are few, so that most shapes are new."""
    case = next(case for case in cases if case.name == "classify-words")
    draw = random.Random(1)
    rows = [
        f"{' '.join(draw.choices(['a', 'b', 'c'], k=draw.randint(1, 300)))}\t{draw.choice('xy')}\n" for _ in range(4000)
    ]
    case = case._replace(corpus={"long.tsv": "".join(rows)})
    training = dataclasses.replace(case.training, epochs=10, batch_size=2, max_tokens=600, eval_every=10**6)
    resident = []

    def watch(what, progress):
        if what == "step" and progress.step % 1000 == 0:
            with open("/proc/self/statm") as file:
                resident.append(int(file.read().split()[1]) * os.sysconf("SC_PAGESIZE") / 1e6)

    (tmp_path / "run").mkdir()
    train.train(case.job(tmp_path / "run" / "model", training=training), watch=watch)
    assert len(resident) >= 20
    assert resident[-1] - resident[2] < 50, resident  # MB
    count("runs of 20,000 batches of random lengths over which memory stayed flat")
