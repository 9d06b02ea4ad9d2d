"""What the benchmarks share: our trainer as the command makes it, rounds of its steps, speeds in turns."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from seqnlp.preprocess.corpora import schema
from seqnlp.tasks import registry
from seqnlp.training import trainer
from seqnlp.workflows import jobs
from seqnlp.workflows import prepare as preparation

Round = Callable[[], int]  # does some work and returns how much: words, tokens


def prepare(
    task: str, train: schema.Source, dev: schema.Source, config: Any, folder: str, **settings: Any
) -> preparation.Prepared:
    """Return what `seqnlp TASK train` prepares."""
    chosen = replace(registry.get(task).training, **{"epochs": 100, **settings})
    job = jobs.Job(task, train, dev, Path(folder), config, chosen, device="cpu")
    return preparation.prepare(job)


def make_trainer(ready: preparation.Prepared, folder: str) -> trainer.Trainer:
    """Return a trainer as `seqnlp TASK train` makes it, which never comes to its end."""
    made = ready.trainer(Path(folder), watch=lambda what, progress: None, stop=lambda: 0, begin=time.monotonic())
    made.progress.total = 100 * made.per_epoch
    made.network.train()
    return made


def training_round(made: trainer.Trainer, rows: int, column: int = 0) -> Round:
    """Return the round that goes on for so many rows; its work is the sum of their lengths in a column."""

    def run() -> int:
        work = done = 0
        while done < rows:
            numbers, _ = made.steps.order[made.progress.step % made.per_epoch]
            made.step()
            made.progress.step += 1
            work += int(made.steps.data.policy.lengths[numbers, column].sum())
            done += len(numbers)
        return work

    return run


def speeds(
    rounds: Mapping[str, Round], number: int, clock: Callable[[], float] = time.perf_counter
) -> dict[str, list[float]]:
    """Return the work a second of each round, run in turns; a first time does not count."""
    found: dict[str, list[float]] = {name: [] for name in rounds}
    for place in range(number + 1):
        for name, run in rounds.items():
            begin = clock()
            work = run()
            if place:
                found[name].append(work / (clock() - begin))
    return found


def median(values: list[float]) -> float:
    """Return the median."""
    return statistics.median(values)
