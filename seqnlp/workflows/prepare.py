"""Everything before the first step: corpora are opened, the codec is fitted, rows are encoded, the network is built.

Torch is imported where it is first needed: what is wrong with a corpus, and what it was recognised as, need not wait.
"""

from __future__ import annotations

import functools
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from seqnlp import errors, options
from seqnlp.checks import base as checks
from seqnlp.io import files
from seqnlp.preprocess.corpora import arrow, examples, schema, seen, splits
from seqnlp.tasks import base, registry
from seqnlp.training import data
from seqnlp.workflows import corpora, encode, encoded, model_folder, runs, training_part, watched

if TYPE_CHECKING:
    from seqnlp.training import distributed, progress, trainer
    from seqnlp.workflows import evaluate, predict
    from seqnlp.workflows import start as starting

log = logging.getLogger(__name__)

SHORT = 3600.0  # seconds of a time budget under which evaluations look at less

Watch: TypeAlias = "Callable[[str, progress.Progress], None]"


@dataclass(frozen=True)
class Job:
    """What a train command says."""

    task: str
    train: schema.Source
    dev: schema.Source | None
    folder: Path
    config: Any
    training: options.Training
    device: str = "auto"
    overwrite: bool = False
    init_from: str | None = None
    begin: float = field(default_factory=time.monotonic)  # when the command was started: a time budget counts from then


@dataclass(frozen=True)
class Opened:
    """What a job names, each opened once: its corpora, the model that it begins with, and what fitting reads."""

    job: Job
    train: corpora.Corpus
    dev: corpora.Corpus | None
    start: starting.Start | None
    pretrained: base.Pretrained | None = None  # whose weights a fresh network begins with

    @functools.cached_property
    def fitted(self) -> Fitted:
        """Return what the task fits on the training part, which is a text."""
        assert isinstance(self.train, corpora.Text)
        task, job, start, part, dev = registry.get(self.job.task), self.job, self.start, self.train.examples, None
        if start is None:
            log.info("building the vocabulary")
        if job.dev is None:
            part, dev = task.split(
                part, start.model.config if start else job.config, job.training.seed, start.seen if start else None
            )
        if start is None:
            given: dict[str, Any] = {"pretrained": self.pretrained}
            return Fitted(*encode.fit(task, self.train, part, job.config, given), part, dev)
        part = splits.taken(part, start.kept(part, self.held_out(dev), self.train.title, given=dev is None))
        given = {"codec": start.model.codec, "new_labels": True}
        return Fitted(*encode.fit(task, self.train, part, start.model.config, given), part, dev)

    def held_out(self, dev: examples.Examples | None) -> examples.Examples:
        """Return the dev part: what was split off, or the one that was given."""
        found = dev if dev is not None or self.dev is None else self.dev.examples
        assert found is not None
        return found

    @property
    def settings(self) -> list[str]:
        """Return the SHA-256 of each file besides the corpora that makes the model; encoded ones hold them."""
        named = self.start is None and registry.get(self.job.task).files(self.job.config)
        return list(self.fitted.codec.sources) if named and isinstance(self.train, corpora.Text) else []


@dataclass(frozen=True)
class Fitted:
    """What was fitted on a training part; and the dev part that was split off."""

    config: Any
    codec: Any
    part: examples.Examples
    dev: examples.Examples | None


def opened(job: Job) -> Opened:
    """Return the corpora of a job, and the model that it begins with; raises `SeqnlpError` of the kind that fits."""
    if job.init_from is not None and Path(job.init_from).resolve() == job.folder.resolve():
        raise errors.UsageError(f"{job.folder}: -o and --init-from are the same folder", "give -o a new one")
    if job.train.encoded and job.dev is None:
        raise errors.UsageError(
            f"{job.train.encoded}: an encoded corpus needs a --dev part; its codec has seen all of it",
            f"for example: seqnlp encode {job.task} DEV --codec {job.train.encoded} -o dev, then --dev dev",
        )
    if job.dev and job.dev.encoded and not job.train.encoded:
        raise errors.UsageError(f"{job.dev.encoded}: is encoded, {job.train.title} is not", "encode both, or neither")
    task = registry.get(job.task)
    if job.train.encoded or files.STDIN in job.train.paths:  # others are recognised at once, which is said
        log.info("reading %s", job.train.encoded or job.train.title)
    start = _start(job, task)
    config = start.model.config if start else job.config
    train = corpora.opened(task, job.train, config)
    config = train.config(config) if isinstance(train, encoded.Encoded) else config
    dev = corpora.opened(task, replace(job.dev, remembered=train.schema), config) if job.dev else None
    return Opened(job, train, dev, start, None if start else _pretrained(task, config))


def _start(job: Job, task: base.AnyTask) -> starting.Start | None:
    if job.init_from is None:
        return None
    log.info("reading %s", job.init_from)
    from seqnlp.workflows import start as starting

    return starting.Start.load(job.init_from, task, job.device)


def _pretrained(task: base.AnyTask, config: Any) -> base.Pretrained | None:
    if (named := task.pretrained(config)) is None:
        return None
    from seqnlp.workflows import start as starting

    return starting.pretrained(*named)


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


def prepare(job: Job, parts: Opened | None = None, before: Mapping[str, Any] | None = None) -> Prepared:
    """Fit, build and encode, and read unless that is done already; nothing is written.

    before: how the run that is under way trains, where it is known; by default what the folder says.

    Torch's global generator is left as it was. The same job gives the same result, where the folder holds no run that
    is under way: that one's options count.
    """
    from seqnlp.training import defaults, precision
    from seqnlp.workflows import predict
    from seqnlp.workflows import start as starting

    parts = parts or opened(job)
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


def _evaluator(parts: Opened, model: predict.Model, found: training_part.TrainingPart) -> evaluate.Evaluator:
    from seqnlp.workflows import evaluate

    if found.dev is not None:
        return evaluate.Evaluator.over(model, found.dev, parts.train.title)
    assert parts.dev is not None
    return evaluate.Evaluator.of(model, parts.dev, found.files, parts.train.title)


def recorded(job: Job) -> dict[str, Any] | None:
    """Return how the run in the folder trains, None where there is none."""
    before = None if job.overwrite else model_folder.content(job.folder)
    return None if before is None else dict(before["training"])
