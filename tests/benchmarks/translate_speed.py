"""Speed of `seqnlp translate` beside OpenNMT-py's recurrent translator in the same run.

    python tests/benchmarks/translate_speed.py TRAIN.source TRAIN.target TEST.source --model MODEL
        [--peer PYTHON] [--peer-model MODEL.pt] [--max-tokens 2048] [--rounds 5]

MODEL is a trained model of ours: its pieces are those of both tools, and it translates the test file. PYTHON is that of
an environment with OpenNMT-py 3.5.1, --peer-model one of its models that was trained to the end on the same pieces (see
peer_onmt.py). Training: target tokens a second, batches of as many tokens. Translation: seconds for the whole
file, from text to text, loading left out; ours in fp32 and bf16. All are medians.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # as the command line does

import ours
import torch

from seqnlp.preprocess.batching import buckets
from seqnlp.preprocess.corpora import schema
from seqnlp.tasks import registry
from seqnlp.workflows import predict as prediction

translate = registry.get("translate")

TRAINED = 2000  # pairs of one round
PRECISIONS = ("fp32", "bf16")


def train_rounds(arguments: argparse.Namespace, folder: str) -> dict[str, ours.Round]:
    """Return rounds of our training, with the settings of the model."""
    source = schema.Source((arguments.source, arguments.target))
    config = prediction.load(arguments.model).config
    settings: dict[str, Any] = {"max_tokens": arguments.max_tokens}
    rounds = {}
    for precision in PRECISIONS:
        ready = ours.prepare("translate", source, source, config, folder, precision=precision, **settings)
        rounds[precision] = ours.training_round(ours.make_trainer(ready, folder), TRAINED, column=1)
    return rounds


def search_round(arguments: argparse.Namespace, precision: str, beam: int) -> ours.Round:
    """Return the round that translates the test file."""
    model = prediction.load(arguments.model, precision=precision)
    search = translate.Search(beam_size=beam)
    corpus = list(translate.read_inputs(schema.Source((arguments.test,)), model.config, search))

    def run() -> int:
        model.run(corpus, search, buckets.Limits())
        return 1

    return run


def in_pieces(arguments: argparse.Namespace, folder: Path) -> list[str]:
    """Return the three files in the model's pieces."""
    made = []
    for path in (arguments.source, arguments.target, arguments.test):
        file = folder / f"{len(made)}.pieces"
        command = [sys.executable, "-m", "seqnlp", "bpe", "encode", str(Path(arguments.model, "tokenizer.json")), path]
        with file.open("wb") as output:
            subprocess.run(command, check=True, stdout=output)
        made.append(str(file))
    return made


def peer(arguments: argparse.Namespace, folder: Path) -> dict[str, float]:
    """Return what OpenNMT-py does: its training, and the translations of a model that was trained to the end."""
    script, files = Path(__file__).with_name("peer_onmt.py"), in_pieces(arguments, folder)
    found: dict[str, float] = {}
    given: list[list[str]] = [["--rounds", "1", "--batch-tokens", str(arguments.max_tokens)]]
    if arguments.peer_model:
        given.append(["--model", arguments.peer_model])
    for more in given:
        command = [arguments.peer, script, *files, *more]
        found |= json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()[-1])
    return found


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("source")
    parser.add_argument("target")
    parser.add_argument("test")
    parser.add_argument("--model", required=True)
    parser.add_argument("--peer", metavar="PYTHON")
    parser.add_argument("--peer-model")
    parser.add_argument("--max-tokens", type=int, default=2048)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        trained = ours.speeds(train_rounds(arguments, name), arguments.rounds)
        searches = {(p, beam): search_round(arguments, p, beam) for p in PRECISIONS for beam in (5, 1)}
        found = ours.speeds({f"{p} {beam}": run for (p, beam), run in searches.items()}, arguments.rounds)
        rows = [
            (f"seqnlp {p}", ours.median(trained[p]), 1 / ours.median(found[f"{p} 5"]), 1 / ours.median(found[f"{p} 1"]))
            for p in PRECISIONS
        ]
        if arguments.peer:
            other = peer(arguments, Path(name))
            speed = other["train_target_tokens_per_second"]
            rows.append((f"{other['tool']} {other['version']}", speed, other["beam5_seconds"], other["beam1_seconds"]))
    print(f"{torch.get_num_threads()} threads, batches of {arguments.max_tokens} tokens, {arguments.rounds} rounds")
    print(f"{'translator':<20} {'target tokens/s':>16} {'beam 5, s':>10} {'greedy, s':>10}")
    for row in rows:
        print("{:<20} {:>16.0f} {:>10.2f} {:>10.2f}".format(*row))


if __name__ == "__main__":
    main()
