"""Every benchmark that needs no other tool runs, in small: nothing else would tell that it has fallen behind."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parents[2]
RUNS = {
    "classify_training": ["classify_training.py", "data/reviews/train.tsv", "--rounds", "1", "--hidden-size", "8"],
    "cells": [
        *[
            "cells.py",
            "classify",
            "data/reviews/train.tsv",
            "--test",
            "data/reviews/test.tsv",
            "--cells",
            "lstm",
            "ssru",
        ],
        *["--cells", "lstm", "ssru", "--rounds", "1", "--rows", "64", "--cpu"],
    ],
    "forecast_scale": ["forecast_scale.py", "2"],
    "generated": ["generated.py", "20"],
    "lm_speed": ["lm_speed.py", "data/corpus.txt", "--rounds", "1", "--hidden-size", "8", "--batch-size", "4", "--cpu"],
    "tag_speed": ["tag_speed.py", "data/tags/train.conll", "data/tags/test.conll", "--rounds", "1"],
    "processes": [
        *["processes.py", "classify", "data/reviews/train.tsv", "--dev", "data/reviews/dev.tsv", "--steps", "7"],
    ],
}


@pytest.mark.parametrize("name", RUNS)
def test_a_benchmark_runs(name):
    script, *arguments = RUNS[name]
    way = ["-m", "torch.distributed.run", "--nproc-per-node", "1"] if name == "processes" else []
    command = [sys.executable, *way, f"tests/benchmarks/{script}", *arguments]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.strip()
