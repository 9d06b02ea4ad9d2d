"""What a command imports: help and the filters start at once, and predicting never waits for the training's parts."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from seqnlp import options
from seqnlp.preprocess.corpora import schema
from seqnlp.workflows import jobs, train

# Runs the command line with sys.argv, then writes the modules that it has imported to $SEQNLP_IMPORTED.
SPY = """
import atexit, json, os, sys
before = set(sys.modules)
def tell():
    with open(os.environ["SEQNLP_IMPORTED"], "w") as file:
        json.dump(sorted(set(sys.modules) - before), file)
atexit.register(tell)
from seqnlp.cli import main
main()
"""


@pytest.fixture
def modules(tmp_path):
    """Run a command and return the names of all modules that it has imported."""

    def run(*arguments, stdin=b"", code=0):
        told = tmp_path / "imported.json"
        done = subprocess.run(
            [sys.executable, "-c", SPY, *map(str, arguments)],
            env={**os.environ, "SEQNLP_IMPORTED": str(told)},
            input=stdin,
            capture_output=True,
        )
        assert done.returncode == code, done.stderr.decode()
        return {*json.loads(told.read_text())}

    return run


@pytest.fixture
def packages(modules):
    """Run a command and return the packages beyond Python's own that it has imported."""

    def run(*arguments, **rest):
        names = {name.split(".")[0] for name in modules(*arguments, **rest)}
        return {name for name in names if name not in sys.stdlib_module_names and not name.startswith("_")}

    return run


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """The folder of a tiny model."""
    from seqnlp.tasks import registry

    classify = registry.get("classify")

    folder = tmp_path_factory.mktemp("imports")
    path = folder / "x.tsv"
    path.write_text("so good\tpos\ntoo bad\tneg\n" * 5)
    source = schema.Source((str(path),))
    config = classify.Config(embedding_size=3, hidden_size=3, char_ngram_buckets=11)
    training = options.Training(epochs=1, precision="fp32")
    train.train(jobs.Job("classify", source, source, folder / "model", config, training, device="cpu"))
    return folder / "model"


LIGHT = {
    ("--help",): {"click", "seqnlp"},
    ("--version",): {"click", "seqnlp"},
    ("classify", "--help"): {"click", "seqnlp", "numpy"},
    ("score", "--help"): {"click", "seqnlp", "numpy", "tokenizers", "safetensors"},
    ("info", "--help"): {"click", "seqnlp", "numpy"},
    ("check", "--help"): {"click", "seqnlp", "numpy", "tokenizers", "safetensors"},
    ("encode", "--help"): {"click", "seqnlp", "numpy"},
    ("encode", "classify", "--help"): {"click", "seqnlp", "numpy", "tokenizers", "safetensors"},
    ("pack", "--help"): {"click", "seqnlp", "numpy"},
    ("classify", "train", "--help"): {"click", "seqnlp", "numpy", "tokenizers", "safetensors"},
    ("classify", "train", "--help-all"): {"click", "seqnlp", "numpy", "tokenizers", "safetensors"},
    ("classify", "predict", "--help"): {"click", "seqnlp", "numpy", "tokenizers", "safetensors"},
    ("classify", "eval", "--help"): {"click", "seqnlp", "numpy", "tokenizers", "safetensors"},
}


@pytest.mark.parametrize("arguments", LIGHT, ids=" ".join)
def test_help_imports_only_what_it_needs(packages, arguments):
    assert packages(*arguments) <= LIGHT[arguments]


@pytest.mark.parametrize("arguments", [("nothing",), ("classify", "trein"), ("score", "colour", "x")], ids=" ".join)
def test_a_wrong_command_is_reported_without_torch(packages, arguments):
    assert not packages(*arguments, code=2) & {"torch", "datasets", "rich"}


def test_score_needs_neither_torch_nor_datasets(packages, tmp_path):
    (tmp_path / "gold").write_text("a\nb\n")
    assert not packages("score", "accuracy", tmp_path / "gold", stdin=b"a\nc\n") & {"torch", "datasets", "rich"}


def test_check_needs_neither_torch_nor_datasets_nor_pyarrow(packages, tmp_path):
    (tmp_path / "x.tsv").write_text("so good\tpos\ntoo bad\tneg\nso bad\tneg\nvery good\tpos\n")
    assert not packages("check", tmp_path / "x.tsv") & {"torch", "datasets", "pyarrow", "rich"}


def test_info_needs_neither_torch_nor_datasets(packages, model):
    assert not packages("info", model) & {"torch", "datasets"}


def test_encode_and_pack_need_neither_torch_nor_datasets(packages, tmp_path):
    (tmp_path / "x.tsv").write_text("so good\tpos\ntoo bad\tneg\n")
    heavy = {"torch", "datasets", "rich"}
    assert not packages("encode", "classify", tmp_path / "x.tsv", "-o", tmp_path / "e") & heavy
    assert not packages("pack", tmp_path / "e", "-o", tmp_path / "p") & heavy


def test_train_reads_before_it_loads_torch(packages, tmp_path):
    (tmp_path / "x.tsv").write_text("so good\tpos\ntoo bad\n")
    assert "torch" not in packages("classify", "train", tmp_path / "x.tsv", "-o", tmp_path / "m", code=3)


@pytest.mark.parametrize("command", ["train", "eval"])
def test_train_and_eval_never_import_datasets_or_a_compiler(modules, model, command):
    small = ["--epochs", "1", "--hidden-size", "3", "--embedding-size", "3", "--char-ngram-buckets", "11"]
    arguments = {
        "train": [model.parent / "x.tsv", "-o", model.parent / "other", *small],
        "eval": [model, model.parent / "x.tsv"],
    }
    found = modules("classify", command, *arguments[command], "--device", "cpu")
    assert not found & {"datasets", "torch._dynamo"}  # each takes a second


def test_predict_never_imports_datasets(packages, model):
    found = packages("classify", "predict", model, stdin=b"so bad\n")
    assert "torch" in found
    assert not found & {"datasets", "pyarrow", "pandas", "rich"}


def test_nothing_is_written_beside_the_package():
    import seqnlp

    names = {path.suffix for path in Path(seqnlp.__file__).parent.rglob("*") if path.is_file()}
    assert names <= {".py", ".pyc", ".typed"}
