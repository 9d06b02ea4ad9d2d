"""Everything before the first step: the codec is fitted, rows are encoded, the network is built.

Torch is imported where it is first needed: what is wrong with a corpus, and what it was recognised as, need not wait.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from seqnlp import options
from seqnlp.checks import base as checks
from seqnlp.preprocess.corpora import arrow, seen
from seqnlp.tasks import registry
from seqnlp.training import data
from seqnlp.workflows import jobs, model_folder, runs, training_part, watched

if TYPE_CHECKING:
    from seqnlp.training import distributed, progress, trainer
    from seqnlp.workflows import evaluate, predict

log = logging.getLogger(__name__)

SHORT = 3600.0  # seconds of a time budget under which evaluations look at less

Watch: TypeAlias = "Callable[[str, progress.Progress], None]"


@dataclass(frozen=True)
class Prepared:
    """Everything before the first step: a model with fresh weights, its evaluator, rows in batches, how to train."""

    model: predict.Model
    evaluator: evaluate.Evaluator
    rows: arrow.Rows
    data: data.Batches
    training: options.Training
    usual_epochs: int  # without a time budget
    seen: seen.Seen
    refits: bool  # whether it trains once more, on the rows of dev too

    def save(self, folder: Path) -> list[str]:
        """Write the codec's files, and what the model has seen; return their names."""
        self.seen.save(folder / model_folder.SEEN)
        return [*self.model.codec.save(folder), model_folder.SEEN]

    @functools.cached_property
    def watched(self) -> evaluate.Evaluator:
        """Return the evaluator of the evaluations in training: where time is short it looks at less."""
        budget = self.training.time_budget
        return self.evaluator if budget is None or budget > SHORT else self.evaluator.quick()

    def trainer(
        self, folder: Path, *, watch: Watch, stop: trainer.Stop, begin: float, group: distributed.Group | None = None
    ) -> trainer.Trainer:
        """Return the trainer that keeps its checkpoints in a model folder and goes on from what it finds there.

        begin: when the command was started; group: the processes that take its steps.
        """
        from seqnlp.training import refit, trainer

        def fit(seconds: float) -> float:
            self.watched.fit_into(seconds)
            return self.evaluator.times(self.watched)

        self.evaluator.stop = self.watched.stop = stop
        return trainer.Trainer(
            self.model.networks[0],
            self.data,
            self.watched.evaluation,
            refit.first(self.training) if self.refits else self.training,
            folder / model_folder.CHECKPOINTS,
            device=self.model.device,
            watch=watch,
            stop=stop,
            begin=begin,
            fit=fit,
            usual_epochs=self.usual_epochs,
            group=group,
        )


def prepare(job: jobs.Job, parts: jobs.Opened | None = None, before: Mapping[str, Any] | None = None) -> Prepared:
    """Fit, build and encode, and read unless that is done already; nothing is written.

    before: how the run that is under way trains, where it is known; by default what the folder says.

    Torch's global generator is left as it was. The same job gives the same result, where the folder holds no run that
    is under way: that one's options count.
    """
    from seqnlp.training import defaults, precision
    from seqnlp.workflows import predict
    from seqnlp.workflows import start as starting

    parts = parts or jobs.opened(job)
    task, device, start = registry.get(job.task), precision.resolve_device(job.device), parts.start
    if start:
        job = replace(job, config=start.model.config)
    looking = watched.Watched(task, job.config)
    found = training_part.of(task, parts, looking)
    config = task.resolve(found.config, found.codec)
    network = starting.fresh(task, config, found.codec, found.rows, job.training.seed, start or parts.pretrained)
    model = predict.Model(task, config, found.codec, [network], device, "fp32", {})
    before = recorded(job) if before is None else before
    chosen = runs.going_on(before, job.training, model_folder.description(job.folder)) or defaults.resolved(
        training_part.planned(job.training, found.plan), found.rows.lengths, device=device
    )
    batches = task.batches(found.rows, config, found.codec, chosen, found.plan)
    usual = defaults.usual_epochs(chosen, batches.policy, epochs=task.min_epochs)
    chosen = defaults.with_epochs(chosen, batches.policy, epochs=task.min_epochs)
    evaluator = _evaluator(parts, model, found)
    task.fit_network(network, config, found.codec, found.rows, chosen)
    looking.all_of(evaluator.corpus, checks.DEV)
    looking.say(split=job.dev is None)
    refits = job.dev is None and chosen.refit
    remembered = looking.seen(start.seen if start else None, refits=refits)
    return Prepared(model, evaluator, found.rows, batches, chosen, usual, remembered, refits)


def _evaluator(parts: jobs.Opened, model: predict.Model, found: training_part.TrainingPart) -> evaluate.Evaluator:
    from seqnlp.workflows import evaluate

    if found.dev is not None:
        return evaluate.Evaluator.over(model, found.dev, parts.train.title)
    assert parts.dev is not None
    return evaluate.Evaluator.of(model, parts.dev, found.files, parts.train.title)


def recorded(job: jobs.Job) -> dict[str, Any] | None:
    """Return how the run in the folder trains, None where there is none."""
    before = None if job.overwrite else model_folder.content(job.folder)
    return None if before is None else dict(before["training"])
