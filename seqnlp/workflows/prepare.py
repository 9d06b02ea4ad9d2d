"""Everything before the first step: corpora are opened, the codec is fitted, rows are encoded, the network is built."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from seqnlp import errors, options
from seqnlp.preprocess.batching import buckets
from seqnlp.preprocess.corpora import arrow, examples, schema
from seqnlp.tasks import base, registry
from seqnlp.training import data, defaults, precision, randomness, trainer
from seqnlp.workflows import corpora, encode, encoded, evaluate, model_folder, predict

Watch = Callable[[str, trainer.Progress], None]


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


@dataclass(frozen=True)
class Opened:
    """What a job names, each opened once: its corpora, the model that it begins with, and what fitting reads."""

    job: Job
    train: corpora.Corpus
    dev: corpora.Corpus | None
    start: predict.Model | None
    start_weights: str | None  # their hash

    @functools.cached_property
    def fitted(self) -> Fitted:
        """Return what the task fits on the training part, which is a text."""
        assert isinstance(self.train, corpora.Text)
        task, job, start = registry.get(self.job.task), self.job, self.start
        part, dev = (self.train.examples, None) if job.dev else task.split(self.train.examples, job.training.seed)
        config, given = (start.config, {"codec": start.codec}) if start else (job.config, {})
        return Fitted(*encode.fit(task, self.train, part, config, given), part, dev)

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
    start, weights = None, None
    if job.init_from is not None:
        weights = model_folder.read_config(Path(job.init_from))["files"][model_folder.WEIGHTS]
        start = predict.load(job.init_from, task=job.task)
    config = start.config if start else job.config
    train = corpora.opened(task, job.train, config)
    config = train.config(config) if isinstance(train, encoded.Encoded) else config
    dev = corpora.opened(task, replace(job.dev, remembered=train.schema), config) if job.dev else None
    return Opened(job, train, dev, start, weights)


@dataclass(frozen=True)
class Prepared:
    """Everything before the first step: a model with fresh weights, its evaluator, rows in batches, how to train."""

    model: predict.Model
    evaluator: evaluate.Evaluator
    rows: arrow.Rows
    data: data.Batches
    training: options.Training

    def trainer(self, folder: Path, *, watch: Watch, stop: trainer.Stop, spent: float) -> trainer.Trainer:
        """Return the trainer that keeps its checkpoints in a model folder and goes on from what it finds there."""
        return trainer.Trainer(
            self.model.networks[0],
            self.data,
            self.evaluator.evaluation,
            self.training,
            folder / model_folder.CHECKPOINTS,
            device=self.model.device,
            watch=watch,
            stop=stop,
            spent=spent,
        )


@dataclass(frozen=True)
class TrainingPart:
    """The training part, encoded: from text, or as `encode` or `pack` left it."""

    config: Any
    codec: Any
    rows: arrow.Rows
    plan: buckets.Plan | None  # of a packed corpus
    files: Mapping[str, str]  # the hashes of the codec's files, of an encoded one
    dev: examples.Examples | None  # that was split off


def prepare(job: Job, parts: Opened | None = None) -> Prepared:
    """Fit, build and encode, and read unless that is done already; nothing is written.

    Torch's global generator is left as it was. The same job gives the same result, where the folder holds no run that
    is under way: that one's options count.
    """
    parts = parts or opened(job)
    task, device, start = registry.get(job.task), precision.resolve_device(job.device), parts.start
    if start:
        job = replace(job, config=start.config)
    if isinstance(parts.train, corpora.Text):
        found = _from_text(task, parts.fitted, start)
    else:
        found = _from_folder(job, task, parts.train, start)
    config = task.resolve(found.config, found.codec)
    with randomness.first_weights(job.training.seed):
        network = task.build(config, found.codec)
        if start:
            network.load_state_dict(start.networks[0].state_dict())
        else:
            task.initialise(network, config, found.codec, found.rows)
    model = predict.Model(task, config, found.codec, [network], device, "fp32", {})
    chosen = _recorded(job) or defaults.resolved(_planned(job.training, found.plan), found.rows.lengths, device=device)
    batches = task.batches(found.rows, config, found.codec, chosen, found.plan)
    chosen = defaults.with_epochs(chosen, batches.policy, epochs=task.min_epochs)
    evaluator = _evaluator(parts, model, found)
    task.fit_network(network, config, found.codec, found.rows, chosen)
    return Prepared(model, evaluator, found.rows, batches, chosen)


def _from_text(task: base.AnyTask, made: Fitted, start: predict.Model | None) -> TrainingPart:
    config, codec = made.config, made.codec
    fitted = start is None  # a codec that is given was fitted on other examples
    rows = (codec.encode(example, fitted=fitted) for example in made.part)
    kept = arrow.in_memory((row for row in rows if task.is_trainable(row, config)), codec.features())
    return TrainingPart(config, codec, kept, None, {}, made.dev)


def _from_folder(job: Job, task: base.AnyTask, folder: encoded.Encoded, start: predict.Model | None) -> TrainingPart:
    if start:
        folder.check_codec(start.content["files"], start.config, str(job.init_from))
    config, codec, rows, plan = folder.config(job.config), folder.codec(), folder.rows(), folder.plan
    if not folder.fitted:  # rows of any kind: what the codec does not know, what cannot be learnt from
        encode.fit(task, folder, folder.examples, config, {"codec": codec})
        kept = arrow.in_memory((row for row in rows if task.is_trainable(row, config)), codec.features())
        if len(kept) < len(rows):
            rows, plan = kept, plan and buckets.plan(kept.lengths, plan.limits)
    return TrainingPart(config, codec, rows, plan, folder.content["files"], None)


def _planned(chosen: options.Training, plan: buckets.Plan | None) -> options.Training:
    """Return the options with what bounds a batch in a plan; raises `UsageError` where they ask for something else."""
    if plan is None:
        return chosen
    tokens, rows = plan.limits.max_tokens, plan.limits.batch_size
    if chosen.max_tokens not in (None, tokens) or chosen.batch_size not in (options.Training().batch_size, rows):
        raise errors.UsageError(f"the corpus is packed for --max-tokens {tokens} --batch-size {rows}", "pack it anew")
    return replace(chosen, max_tokens=tokens, batch_size=rows)


def _evaluator(parts: Opened, model: predict.Model, found: TrainingPart) -> evaluate.Evaluator:
    if found.dev is not None:
        return evaluate.Evaluator.over(model, found.dev, parts.train.title)
    assert parts.dev is not None
    return evaluate.Evaluator.of(model, parts.dev, found.files, parts.train.title)


def _recorded(job: Job) -> options.Training | None:
    """Return how the run that is under way in the folder trains: going on elsewhere must not change it midway."""
    before = None if job.overwrite else model_folder.unfinished(job.folder)
    if before is None:
        return None
    recorded: options.Training = options.from_dict(
        options.Training, before["training"], model_folder.description(job.folder)
    )
    return recorded
