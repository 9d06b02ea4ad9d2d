"""Prediction by other engines, and by several processes: line for line what the command prints.

Ray and Spark run here, on this machine, where they are installed (`pip install seqnlp[ray,spark]`, and Java).
"""

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow
PIPELINES = Path(__file__).resolve().parents[2] / "pipelines"
LINES = [
    "a lovely film",
    "",
    "an awful film",
    " \t",
    "cr\r",
    "<s> \u2028 \x1f",
    "wörter 青",
    *["and so on"] * 2100,
    "end",
]


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A folder that holds a small model and lines to predict."""
    folder = tmp_path_factory.mktemp("engines")
    train = "".join(f"a {word} film\t{label}\n" for word, label in [("lovely", "good"), ("awful", "bad")] * 40)
    (folder / "train.tsv").write_text(train)
    (folder / "lines.txt").write_text("\n".join(LINES), newline="")
    small = "--precision fp32 --hidden-size 5 --embedding-size 5 --char-ngram-buckets 50 --epochs 2".split()
    seqnlp(folder, "classify", "train", "train.tsv", "--dev", "train.tsv", "-o", "model", *small)
    seqnlp(folder, "classify", "predict", "model", "lines.txt", *"--from text --to jsonl -o expected.jsonl".split())
    return folder


def run(folder, *command, **more):
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0", **more}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, timeout=400)
    assert done.returncode == 0, done.stderr.decode()[-3000:]
    return done.stdout


def seqnlp(folder, *arguments):
    return run(folder, sys.executable, "-m", "seqnlp", *arguments)


def expected(model):
    return (model / "expected.jsonl").read_bytes()


def joined(folder, pattern):
    """The files of a folder, one after the other by name."""
    return b"".join(path.read_bytes() for path in sorted(folder.glob(pattern)))


@pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="no ray here: pip install seqnlp[ray]")
def test_ray_predicts_what_the_command_does(model):
    run(model, sys.executable, PIPELINES / "ray_predict.py", "model", "by-ray", "lines.txt")
    assert joined(model / "by-ray", "*.jsonl") == expected(model)


@pytest.mark.skipif(
    importlib.util.find_spec("pyspark") is None or shutil.which("java") is None,
    reason="no Spark here: pip install seqnlp[spark], and Java",
)
def test_spark_predicts_what_the_command_does(model):
    script = PIPELINES / "spark_predict.py"
    run(model, sys.executable, script, "model", "by-spark", "lines.txt", "--master", "local[1]")
    assert joined(model / "by-spark", "part-*") == expected(model)


@pytest.mark.parametrize("workers", ["1", "2"])
def test_parallel_processes_predict_what_the_command_does(model, workers):
    command = [sys.executable, "-m", "seqnlp", "classify", "predict", "model", "--from", "text", "--to", "jsonl"]
    found = run(model, "bash", PIPELINES / "parallel.sh", workers, "lines.txt", *command, PART="1500")
    assert found == expected(model)
