"""Speed of finished models of one task beside the first of them, in training and in prediction, in one process.

    python tests/benchmarks/cells.py TASK TRAIN... --test TEST --models MODEL... [--rounds 5] [--rows 2000]

Training: words or target tokens a second of each model's own settings, in turns, round by round, from new weights;
prediction: test records a second from text to text, in the task's default search, loading left out. Each is the median,
and the ratio to the first model's. `bash pipelines/cells.sh` makes the models, one a cell.
"""

from __future__ import annotations

import argparse
import os
import tempfile

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # as the command line does

import ours
import torch

from seqnlp.preprocess.batching import buckets
from seqnlp.preprocess.corpora import schema
from seqnlp.tasks import registry
from seqnlp.workflows import predict as prediction


def training(arguments: argparse.Namespace, model: prediction.Model, folder: str) -> ours.Round:
    """Return the round that trains a new network with a model's settings."""
    source = schema.Source(tuple(arguments.train))
    ready = ours.prepare(arguments.task, source, source, model.config, folder)
    trainer = ours.make_trainer(ready, folder)
    last = trainer.data.policy.lengths.shape[1] - 1  # words, or the tokens of the target
    return ours.training_round(trainer, arguments.rows, column=last)


def predicting(arguments: argparse.Namespace, model: prediction.Model) -> ours.Round:
    """Return the round that predicts the test file."""
    task = registry.get(arguments.task)
    search = task.Search()
    corpus = list(task.read_inputs(schema.Source((arguments.test,)), model.config, search))

    def run() -> int:
        model.run(corpus, search, buckets.Limits())
        return len(corpus)

    return run


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("task")
    parser.add_argument("train", nargs="+")
    parser.add_argument("--test", required=True)
    parser.add_argument("--models", nargs="+", required=True)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--rows", type=int, default=2000, help="rows of a training round")
    arguments = parser.parse_args()
    models = {path: prediction.load(path) for path in arguments.models}
    with tempfile.TemporaryDirectory() as folder:
        rounds = {path: training(arguments, model, folder) for path, model in models.items()}
        trained = ours.speeds(rounds, arguments.rounds)
        predicted = ours.speeds({path: predicting(arguments, m) for path, m in models.items()}, arguments.rounds)
    print(f"{torch.get_num_threads()} threads, {arguments.rounds} rounds")
    print(f"{'model':<28} {'parameters':>11} {'train/s':>9} {'ratio':>6} {'predict/s':>10} {'ratio':>6}")
    first = arguments.models[0]
    for path, model in models.items():
        size = sum(parameter.numel() for parameter in model.networks[0].parameters())
        train, predict = ours.median(trained[path]), ours.median(predicted[path])
        ratios = (train / ours.median(trained[first]), predict / ours.median(predicted[first]))
        print(f"{path:<28} {size:>11,} {train:>9.0f} {ratios[0]:>6.2f} {predict:>10.0f} {ratios[1]:>6.2f}")


if __name__ == "__main__":
    main()
