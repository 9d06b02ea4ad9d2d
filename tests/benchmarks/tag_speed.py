"""Speed of `seqnlp tag` in thousand words a second, beside Flair's and spaCy's taggers in the same run.

    python tests/benchmarks/tag_speed.py TRAIN.conll TEST.conll [--flair PYTHON] [--spacy PYTHON] [--rounds 5]

A token a line, its tag last. PYTHON is that of an environment with flair 0.15, or with spacy 3.8 (see peer_flair.py and
peer_spacy.py for what they train). Ours comes twice: of the sizes of Flair's model (a layer of 200 + 200, words of 100,
a BiLSTM over characters, a CRF), and with its defaults; each in fp32 and bf16. Speeds are medians.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # as the command line does

import ours
import torch

from seqnlp.preprocess.batching import buckets
from seqnlp.preprocess.corpora import schema
from seqnlp.tasks import registry
from seqnlp.workflows import prepare

tag = registry.get("tag")

TRAINED, PREDICTED = 2000, 2000  # sentences of one round
FLAIR = tag.Config(
    hidden_size=200, layers=1, embedding_size=100, char_encoder="lstm", char_embedding_size=25, head="crf"
)
CONFIGS = {"sizes of Flair": FLAIR, "defaults": tag.Config()}


def prediction_round(ready: prepare.Prepared, test: schema.Source, precision: str) -> ours.Round:
    """Return the round that tags sentences of the test part, from tokens to tags."""
    model = replace(ready.model, precision=precision)
    (network,) = model.networks
    corpus = list(tag.read(test, tag.Config()))[:PREDICTED]

    def run() -> int:
        network.eval()
        model.run(corpus, tag.Search(), buckets.Limits())
        network.train()
        return sum(len(example.source) for example in corpus)

    return run


def our_speeds(arguments: argparse.Namespace) -> dict[str, tuple[float, float]]:
    """Return words a second in training and in prediction."""
    train, test = (schema.Source((path,), format="conll") for path in (arguments.train, arguments.test))
    rounds: dict[str, ours.Round] = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, config in CONFIGS.items():
            for precision in ("fp32", "bf16"):
                ready = ours.prepare("tag", train, test, config, folder, precision=precision)
                made = ours.make_trainer(ready, folder)
                rounds[f"{name}, {precision}, train"] = ours.training_round(made, TRAINED)
                rounds[f"{name}, {precision}, predict"] = prediction_round(ready, test, precision)
        found = {name: ours.median(values) for name, values in ours.speeds(rounds, arguments.rounds).items()}
    names = [name.removesuffix(", train") for name in found if name.endswith("train")]
    return {f"seqnlp, {name}": (found[f"{name}, train"], found[f"{name}, predict"]) for name in names}


def peer_speeds(python: str, script: str, arguments: argparse.Namespace) -> dict[str, tuple[float, float]]:
    """Return what a peer's script measures."""
    path = Path(__file__).with_name(script)
    run = subprocess.run([python, path, arguments.train, arguments.test], check=True, capture_output=True, text=True)
    found: dict[str, Any] = json.loads(run.stdout.splitlines()[-1])
    speeds = found["train_words_per_second"], found["predict_words_per_second"]
    return {f"{found['tool']} {found['version']}": speeds}


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("train")
    parser.add_argument("test")
    parser.add_argument("--flair", metavar="PYTHON")
    parser.add_argument("--spacy", metavar="PYTHON")
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    rows = our_speeds(arguments)
    for python, script in ((arguments.flair, "peer_flair.py"), (arguments.spacy, "peer_spacy.py")):
        if python:
            rows |= peer_speeds(python, script, arguments)
    print(f"{'tagger':<32} {'train':>9} {'predict':>9}   thousand words a second, {torch.get_num_threads()} threads")
    for name, (train, predict) in rows.items():
        print(f"{name:<32} {train / 1000:>9.2f} {predict / 1000:>9.2f}")


if __name__ == "__main__":
    main()
