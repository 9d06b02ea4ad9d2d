"""Several processes, as torchrun starts them: one run, the model of one process, whatever happens to one of them."""

import json
import os
import re
import shlex
import signal
import socket
import sys
import time
from pathlib import Path

import pytest
import safetensors.torch
import torch

TORCHRUN = str(Path(sys.executable).with_name("torchrun"))
CLASSIFY = "classify train train.tsv --dev dev.tsv".split()
LM = "lm train lines.txt --dev more.txt --level char --hidden-size 9 --embedding-size 7 --bptt 5 --epochs 2".split()
LM += ["--batch-size", "5", "--precision", "fp32"]


@pytest.fixture(scope="module")
def folder(seqnlp):
    """The folder that holds the corpora."""
    for name, first in (("lines.txt", 0), ("more.txt", 3)):
        lines = [" ".join("one two three four five six".split()[(first + n) % 6 :]) for n in range(40)]
        (seqnlp.folder / name).write_text("\n".join(lines) + "\n")
    return seqnlp.folder


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def several(seqnlp, *commands):
    """Start a command for each process of a run, as torchrun does; return what they wrote, and the codes."""
    lines, port = [], free_port()
    for rank, command in enumerate(commands):
        variables = f"RANK={rank} LOCAL_RANK={rank} WORLD_SIZE={len(commands)} MASTER_ADDR=127.0.0.1 MASTER_PORT={port}"
        lines.append(f"{{ {variables} seqnlp {shlex.join(map(str, command))}; echo code-{rank} $?; }} &")
    result = seqnlp.shell("\n".join([*lines, "wait"]), warm=True)
    codes = dict(re.findall(r"^code-(\d) (\d+)$", result.out, flags=re.MULTILINE))
    return result, [int(codes[str(rank)]) for rank in range(len(commands))]


def history(model):
    return [json.loads(line) for line in (model / "history.jsonl").read_text().splitlines()]


def the_same(one, other):
    """Whether two models are the same up to rounding: losses, scores, weights."""
    for first, second in zip(history(one), history(other), strict=True):
        for name in first.keys() - {"seconds"}:
            assert second[name] == pytest.approx(first[name], abs=1e-3, rel=1e-3), name
    first, second = (safetensors.torch.load_file(model / "model.safetensors") for model in (one, other))
    assert first.keys() == second.keys()
    for name in first:
        torch.testing.assert_close(second[name], first[name], rtol=0.01, atol=0.01, msg=name)


def alone(seqnlp, folder, name, command):
    """The model of one process."""
    if not (folder / name).exists():
        seqnlp(*command, "-o", name)
    return folder / name


def test_two_processes_of_torchrun_make_the_model_of_one(seqnlp, folder, small, running):
    one, command = alone(seqnlp, folder, "classify-1", [*CLASSIFY, *small]), [*CLASSIFY, *small, "-o", "classify-2"]
    start = f"{TORCHRUN} --no-python --nproc-per-node 2 --master-port {free_port()} seqnlp {shlex.join(command)}"
    result = seqnlp.shell(start, warm=True)
    assert result.code == 0, result
    assert len(result.lines) == 1  # one result, of the first process
    assert result.json["scores"] == json.loads((folder / "classify-2" / "config.json").read_text())["scores"]
    assert sum("training: " in line for line in result.errors) == 1
    the_same(one, folder / "classify-2")


def test_what_is_carried_along_a_stream_is_carried_by_the_process_of_each_row(seqnlp, folder):
    one = alone(seqnlp, folder, "lm-1", LM)
    result, codes = several(seqnlp, *[[*LM, "-o", "lm-2"]] * 2)
    assert codes == [0, 0], result
    the_same(one, folder / "lm-2")


def test_a_stream_of_fewer_rows_than_processes_is_refused(seqnlp, folder):
    command = [*LM, "--batch-size", "1", "-o", "lm-narrow"]
    result, codes = several(seqnlp, command, command)
    assert "1 streams of text for 2 processes" in result.err and not any(code == 0 for code in codes), result


def test_a_finished_run_gives_its_result_again(seqnlp, folder):
    alone(seqnlp, folder, "lm-1", LM)
    result, codes = several(seqnlp, *[[*LM, "-o", "lm-1"]] * 2)
    assert codes == [0, 0] and '"task": "lm"' in result.out, result


def test_processes_that_read_another_corpus_are_refused(seqnlp, folder, small):
    other = ["classify", "train", "dev.tsv", "--dev", "dev.tsv"]
    result, codes = several(seqnlp, [*CLASSIFY, *small, "-o", "mixed"], [*other, *small, "-o", "mixed"])
    assert codes == [1, 2], result
    assert "process 1: another" in result.err and "lost contact" in result.err


def test_what_is_wrong_with_the_corpus_ends_all(seqnlp, folder):
    command = ["classify", "train", "nowhere.tsv", "-o", "none"]
    result, codes = several(seqnlp, command, command)
    assert codes == [2, 2] and "nowhere.tsv" in result.err, result


def torchrun(seqnlp, folder, running, command, *options):
    """Start a command in two processes."""
    start = [sys.executable, TORCHRUN, "--nproc-per-node", "2", "--master-port", str(free_port()), *options]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return running([*start, "-m", "seqnlp", *command], cwd=folder, env=environment, start_new_session=True)


def workers(process):
    """The processes that torchrun has started, by rank."""
    found = {}
    for child in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split():
        variables = Path(f"/proc/{child}/environ").read_bytes().split(b"\0")
        ranks = [one for one in variables if one.startswith(b"RANK=")]
        if ranks:
            found[int(ranks[0][5:])] = int(child)
    return found


def wait_for(what, seconds=100):
    """Wait until something is there."""
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end
        time.sleep(0.05)


def is_saved(model):
    """Whether a run has a checkpoint."""
    return any(path.name.isdigit() for path in model.glob("checkpoint/*"))


LONG = ["--epochs", "60", "--eval-every", "20"]


@pytest.mark.slow
@pytest.mark.parametrize("rank", [0, 1])
def test_a_killed_process_is_started_again_and_the_run_goes_on(seqnlp, folder, running, small, rank):
    command, name = [*CLASSIFY, *small, *LONG], f"killed-{rank}"
    one, killed = alone(seqnlp, folder, "long-1", command), folder / name
    with torchrun(seqnlp, folder, running, [*command, "-o", name], "--max-restarts", "2") as process:
        wait_for(
            lambda: (
                (killed / "checkpoint").exists() and any(f.name.isdigit() for f in (killed / "checkpoint").iterdir())
            )
        )
        os.kill(workers(process)[rank], signal.SIGKILL)
        assert process.wait(200) == 0
    the_same(one, killed)


@pytest.mark.slow
@pytest.mark.parametrize("command", [CLASSIFY, LM], ids=["classify", "lm"])
def test_a_stopped_run_goes_on_with_another_number_of_processes(seqnlp, folder, running, small, command):
    task = command[0]
    command = [
        *command,
        *(small if task == "classify" else []),
        *LONG,
        *(["--batch-size", "5"] if task == "lm" else []),
    ]
    one, stopped = alone(seqnlp, folder, f"{task}-long-1", command), folder / f"{task}-stopped"
    with torchrun(seqnlp, folder, running, [*command, "-o", stopped.name]) as process:
        wait_for(
            lambda: (
                (stopped / "checkpoint").exists() and any(f.name.isdigit() for f in (stopped / "checkpoint").iterdir())
            )
        )
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) != 0
    assert not (stopped / "model.safetensors").exists()
    result, codes = several(seqnlp, *[[*command, "-o", stopped.name]] * 3)
    assert codes == [0, 0, 0] and "resuming at step" in result.err, result
    the_same(one, stopped)
