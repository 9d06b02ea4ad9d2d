"""Follow: what the processes of a run do besides the first one, where torchrun has started several.

Each reads the corpus and prepares the rows for itself, so that no row goes over the network; from the first step on it
does what the leader orders (`training.distributed`).
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterator
from typing import Any

from torch import distributed as processes
from torch import nn

from seqnlp import errors, options
from seqnlp.io import jsonl
from seqnlp.training import data, distributed, precision, progress, steps, trainer
from seqnlp.workflows import jobs, refit
from seqnlp.workflows import prepare as preparation

ROWS = 1000  # of the training part that are compared between processes


@contextlib.contextmanager
def joined(job: jobs.Job, stop: trainer.Stop) -> Iterator[distributed.Group]:
    """Give the group of processes that run a job, this one in it; who goes, goes for all."""
    group = distributed.Group.join(precision.resolve_device(job.device))
    group.stop = stop
    try:
        yield group
    finally:
        processes.destroy_process_group()


def follow(job: jobs.Job, group: distributed.Group, watch: preparation.Watch) -> None:
    """Take part in the steps of a run to its end; raises `Followed` where that is none that was wanted."""
    parts = jobs.opened(job)
    run = group.tell()
    if run is None:  # it is finished already
        return
    prepared = preparation.prepare(job, parts, run["recorded"] or {})
    own, leaders = likeness(prepared), group.tell()
    if differing := [name for name in own if own[name] != leaders[name]]:
        raise errors.UsageError(
            f"another {differing[0]} here than in the first process of the run",
            "give all processes the same files and options; --precision where machines differ",
        )
    watch("start", progress.Progress())
    _follow(prepared, prepared.model.networks[0], prepared.data, group)
    if prepared.refits:
        _follow(prepared, *refit.again(job, parts, prepared), group)


def _follow(
    prepared: preparation.Prepared, network: nn.Module, batches: data.Batches, group: distributed.Group
) -> None:
    followed = steps.Steps(network.train(), batches, prepared.training, prepared.model.device, group)
    followed.begin(0)
    if code := followed.follow():
        raise errors.Followed(code)


def likeness(prepared: preparation.Prepared) -> dict[str, Any]:
    """Return what must be the same in all processes of a run, by what to call it."""
    some = prepared.rows.columns(range(min(len(prepared.rows), ROWS)))
    return {
        "configuration": options.to_dict(prepared.model.config),
        "way of training": options.to_dict(prepared.training),
        "training part": [len(prepared.rows), _digest(prepared.rows.lengths.tobytes())],
        "encoding": _digest(jsonl.to_json(dict(some)).encode()),
    }


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
