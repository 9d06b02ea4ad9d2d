"""The README is true: its shell blocks run, its Python block runs, and it names every command."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from seqnlp.cli import COMMANDS
from seqnlp.tasks import registry

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", README, flags=re.MULTILINE | re.DOTALL)


def quarter(text: str, end: str) -> str:
    """The first quarter of the records of a file."""
    records = text.split(end)
    return end.join([*records[: len(records) // 4], ""])


@pytest.fixture(scope="module", params=["small", pytest.param("whole", marks=pytest.mark.slow)])
def folder(request, tmp_path_factory):
    """A folder with data/ in it; in the small one the corpora are a quarter of their size."""
    place = tmp_path_factory.mktemp("readme")
    if request.param == "whole":
        (place / "data").symlink_to(ROOT / "data")
        return place
    shutil.copytree(ROOT / "data", place / "data")
    for path in place.glob("data/*/*"):
        if path.stem in ("train", "dev", "test"):
            content = path.read_text(encoding="utf-8")
            path.write_text(quarter(content, "\n\n" if path.suffix == ".conll" else "\n"), encoding="utf-8")
    return place


def test_the_blocks_run_in_order(folder, seqnlp):
    assert blocks("sh") and blocks("python")
    for block in blocks("sh"):
        run = seqnlp.shell(f"set -eu\n{block}", folder, warm=True)
        assert run.code == 0, f"{block}\n{run.err}"
        assert "Traceback" not in run.err
    for block in blocks("python"):
        subprocess.run([sys.executable, "-c", block], cwd=folder, check=True)


def test_every_command_is_named():
    for name in registry.REGISTRY:
        for verb in ("train", "predict", "eval"):
            assert f"seqnlp {name} {verb}" in README
    for name in COMMANDS:
        assert f"seqnlp {name}" in README


@pytest.mark.slow
def test_the_stages_run_one_by_one(tmp_path):
    script = str(ROOT / "pipelines" / "prepare.sh")
    run = subprocess.run(["bash", script, str(tmp_path / "out")], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    reports = [json.loads(line) for line in run.stdout.splitlines() if line.startswith("{")]
    packed, trained = [r for r in reports if "padding" in r], [r for r in reports if "scores" in r]
    assert [report["rows"] for report in packed] == [2000, 8000]
    assert all(report["padding"] < 7 < 40 < report["padding_random"] for report in packed)
    assert [result["task"] for result in trained] == ["classify", "translate"]


@pytest.mark.slow
def test_the_demo_runs(tmp_path):
    run = subprocess.run(["sh", str(ROOT / "pipelines" / "demo.sh")], cwd=tmp_path, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert "accuracy" in run.stdout
