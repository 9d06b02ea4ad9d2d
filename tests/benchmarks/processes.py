"""Measure the steps of a run on several processes: seconds a step, those of adding up gradients among them, and bytes.

    torchrun --nproc-per-node 2 tests/benchmarks/processes.py TASK TRAIN... --dev DEV... [--steps 30] [--device cuda]

With --nproc-per-node 1 it gives the seconds of one process, which has nothing to add up.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from pathlib import Path
from typing import Any

import torch

from seqnlp.io import ranks
from seqnlp.preprocess.corpora import schema
from seqnlp.tasks import registry
from seqnlp.training import distributed, precision, steps
from seqnlp.workflows import jobs, prepare


class Timed(distributed.Group):
    """A group that measures how long it adds up gradients, and of how many bytes."""

    seconds, size_of = 0.0, 0

    def add_up(self, dense: Any, sparse: Any, sums: torch.Tensor) -> torch.Tensor:
        self.size_of = sum(4 * p.numel() for p in dense)
        read = [(p.grad.coalesce().indices().size(1), p.size(1)) for p in sparse if p.grad is not None]
        self.size_of += sum(rows * (8 + 4 * width) for rows, width in read)
        begin = time.perf_counter()
        found = super().add_up(dense, sparse, sums)
        self.seconds = time.perf_counter() - begin
        return found


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("task")
    parser.add_argument("train", nargs="+")
    parser.add_argument("--dev", nargs="+", required=True)
    parser.add_argument("--steps", type=int, default=30)
    parser.add_argument("--device", default="cpu")
    given = parser.parse_args()
    task, device = registry.get(given.task), precision.resolve_device(given.device)
    group = Timed.join(device) if ranks.size() > 1 else Timed()
    train, dev = (schema.Source(tuple(paths)) for paths in (given.train, given.dev))
    job = jobs.Job(given.task, train, dev, Path("/nowhere"), task.Config(), task.training, device=given.device)
    ready = prepare.prepare(job)
    made = steps.Steps(ready.model.networks[0].train(), ready.data, ready.training, device, group)
    whole, adding, sizes = [], [], []
    for number in range(given.steps):
        begin = time.perf_counter()
        made.take(number, 1e-3, number / given.steps)
        whole.append(time.perf_counter() - begin)
        adding.append(group.seconds)
        sizes.append(group.size_of)
    if group.leads:
        report = {
            "task": given.task,
            "processes": group.size,
            "parameters": sum(p.numel() for p in made.optimizer.parameters.values()),
            "bytes": round(statistics.median(sizes)),
            "milliseconds a step": round(1000 * statistics.median(whole[5:]), 1),
            "of adding up": round(1000 * statistics.median(adding[5:]), 1),
            "precision": ready.training.precision,
        }
        print(json.dumps(report))


if __name__ == "__main__":
    main()
