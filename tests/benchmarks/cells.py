"""Speed of each cell in one task beside the first of them, in training and in prediction, in one process.

    python tests/benchmarks/cells.py TASK TRAIN... --test TEST --cells CELL... [--rounds 5] [--rows 1000] [--cpu]

Networks of the task's default sizes, as they are before the first step: training in words or target tokens a second, in
turns, round by round; prediction in test records a second from text to text, in the task's default search. What an
untrained translator says has no end, so that it is as long as its source here. Each is the median, and the ratio to the
first cell's. --cpu takes the processor's seconds, for a machine that has other work; with one thread.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # as the command line does

import ours
import torch

from seqnlp.preprocess.batching import buckets
from seqnlp.preprocess.corpora import schema
from seqnlp.tasks import registry
from seqnlp.workflows import prepare as preparation


def ready(arguments: argparse.Namespace, cell: str, folder: str) -> preparation.Prepared:
    """Return a new network with a cell and all that trains it."""
    source = schema.Source(tuple(arguments.train))
    config = with_fields(registry.get(arguments.task).Config(), cell=cell, wide=False)
    return ours.prepare(arguments.task, source, source, config, str(Path(folder) / cell))


def with_fields(options: Any, **values: Any) -> Any:
    """Return options with those values for which they have a field."""
    known = {field.name for field in fields(options)}
    return replace(options, **{name: value for name, value in values.items() if name in known})


def training(arguments: argparse.Namespace, prepared: preparation.Prepared, folder: str) -> ours.Round:
    """Return the round that trains a new network."""
    trainer = ours.make_trainer(prepared, folder)
    last = trainer.steps.data.policy.lengths.shape[1] - 1  # words, or the tokens of the target
    return ours.training_round(trainer, arguments.rows, column=last)


def predicting(arguments: argparse.Namespace, prepared: preparation.Prepared) -> ours.Round:
    """Return the round that predicts the test file."""
    task, model = registry.get(arguments.task), prepared.model
    search = with_fields(task.Search(), max_length_ratio=1.0)
    corpus = list(task.read_inputs(schema.Source((arguments.test,)), model.config, search))

    def run() -> int:
        model.networks[0].eval()
        model.run(corpus, search, buckets.Limits())
        return len(corpus)

    return run


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("task")
    parser.add_argument("train", nargs="+")
    parser.add_argument("--test", required=True)
    parser.add_argument("--cells", nargs="+", required=True)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--rows", type=int, default=1000, help="rows of a training round")
    parser.add_argument("--cpu", action="store_true")
    arguments = parser.parse_args()
    clock = time.process_time if arguments.cpu else time.perf_counter
    with tempfile.TemporaryDirectory() as folder:
        made = {cell: ready(arguments, cell, folder) for cell in arguments.cells}
        predicted = ours.speeds({c: predicting(arguments, one) for c, one in made.items()}, arguments.rounds, clock)
        rounds = {cell: training(arguments, one, str(Path(folder) / cell)) for cell, one in made.items()}
        trained = ours.speeds(rounds, arguments.rounds, clock)
    print(f"{torch.get_num_threads()} threads, {arguments.rounds} rounds")
    print(f"{'cell':<10} {'parameters':>11} {'train/s':>9} {'ratio':>6} {'predict/s':>10} {'ratio':>6}")
    first = arguments.cells[0]
    for cell, one in made.items():
        size = sum(parameter.numel() for parameter in one.model.networks[0].parameters())
        train, predict = ours.median(trained[cell]), ours.median(predicted[cell])
        ratios = (train / ours.median(trained[first]), predict / ours.median(predicted[first]))
        print(f"{cell:<10} {size:>11,} {train:>9.0f} {ratios[0]:>6.2f} {predict:>10.0f} {ratios[1]:>6.2f}")


if __name__ == "__main__":
    main()
