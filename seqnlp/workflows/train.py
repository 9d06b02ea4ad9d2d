"""Train and evaluate, the same way for every task.

Both read with the same readers, encode with the same codec and predict with `prediction.Model.run_rows`, which is what
predict uses too: the dev score of training, `eval` and `predict` cannot drift apart.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from torch import nn

from seqnlp import errors, options
from seqnlp.io import files
from seqnlp.metrics import base as metrics
from seqnlp.preprocess.batching import buckets
from seqnlp.preprocess.corpora import arrow, examples, schema
from seqnlp.tasks import base, registry
from seqnlp.training import data, defaults, precision, randomness, trainer
from seqnlp.workflows import corpora, encode, encoded, model_folder
from seqnlp.workflows import predict as prediction

log = logging.getLogger(__name__)

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


@dataclass
class Judge:
    """The dev or test part, encoded, and the way from a network to its scores."""

    model: prediction.Model
    corpus: Sequence[examples.Example]
    rows: data.Rows
    warned: bool = False

    @classmethod
    def of(cls, model: prediction.Model, corpus: corpora.Corpus, files: Mapping[str, str], whose: str) -> Judge:
        """Return the judge over a corpus; files: the hashes of the codec's, `whose` it is, for what is encoded already.

        Raises `DataError` if the corpus was encoded otherwise.
        """
        if isinstance(corpus, corpora.Text):
            return cls.over(model, corpus.examples, corpus.title)
        corpus.check_codec(files, model.config, whose)
        if corpus.fitted:  # its rows are those of training, which see the naive Bayes counts without themselves
            return cls.over(model, corpus.examples, corpus.title)
        return cls(model, list(corpus.examples), corpus.rows())

    @classmethod
    def over(cls, model: prediction.Model, part: examples.Examples, title: str) -> Judge:
        """Return the judge over examples; raises `DataError` with the files' title if there are none."""
        kept = list(part)
        if not kept:
            raise errors.DataError(f"{title}: no examples", "is this the right file?")
        return cls(model, kept, arrow.in_memory(map(model.codec.encode, kept), model.codec.features()))

    def predictions(self, search: Any, limits: buckets.Limits) -> list[Any]:
        """Return a prediction for each example."""
        return self.model.run_rows(self.rows, search, limits)

    def score(self, found: Sequence[Any], *, intervals: bool = True) -> tuple[list[metrics.Score], dict[str, Any]]:
        """Return scores and details of predictions; says once how many labels training never saw."""
        scores, details = self.model.task.score(self.corpus, found, self.model.codec, intervals=intervals)
        if details.get("unseen") and not self.warned:
            log.warning("%d labels that training never saw: counted as wrong", details["unseen"])
            self.warned = True
        return scores, details

    def scores(self, *, intervals: bool = True) -> tuple[list[metrics.Score], dict[str, Any]]:
        """Return scores and details under default search."""
        return self.score(self.predictions(self.model.task.Search(), buckets.Limits()), intervals=intervals)

    def evaluation(self, network: nn.Module) -> trainer.Evaluation:
        """Return the scores as the training loop takes them; the network is the model's own."""
        found, _ = self.scores(intervals=False)
        values = {score.name: round(score.value, 4) for score in found}
        return trainer.Evaluation(found[0].value, values, found[0].higher_is_better)


@dataclass(frozen=True)
class Ready:
    """Everything before the first step: a model with fresh weights, the judge, rows in batches, and how to train."""

    model: prediction.Model
    judge: Judge
    rows: arrow.Rows
    data: data.Batches
    chosen: options.Training

    def trainer(self, folder: Path, *, watch: Watch, stop: trainer.Stop, spent: float) -> trainer.Trainer:
        """Return the trainer that keeps its checkpoints in a model folder and goes on from what it finds there."""
        return trainer.Trainer(
            self.model.networks[0],
            self.data,
            self.judge.evaluation,
            self.chosen,
            folder / model_folder.CHECKPOINTS,
            device=self.model.device,
            watch=watch,
            stop=stop,
            spent=spent,
        )


def train(job: Job, *, watch: Watch = lambda what, progress: None, stop: trainer.Stop = lambda: 0) -> dict[str, Any]:
    """Train a model, go on with a run that was stopped, or find it finished; return the result.

    Raises `SeqnlpError` of the kind that fits; on `Stopped` the folder has a checkpoint and the best model so far.
    """
    begin = time.monotonic()
    options.check(job.config)
    options.check(job.training)
    model_folder.claim(job.folder, {}, overwrite=True)  # what is in the way is told before the work
    parts = opened(job)
    run = _identity(job, parts)
    finished = model_folder.claim(job.folder, run, overwrite=job.overwrite)
    if finished is not None:
        model_folder.tidy(job.folder)
        log.info("%s: this run is finished already", job.folder)
        return _result(finished, job.folder)
    ready = prepare(job, parts)
    with model_folder.make(job.folder):
        if model_folder.claim(job.folder, run, overwrite=job.overwrite) is not None:
            raise errors.UsageError(f"{job.folder}: another process has finished this run meanwhile")
        content = _content(job, run, parts, ready)
        content["files"] = model_folder.begin(job.folder, content, ready.model.codec.save, anew=job.overwrite)
        trainer = ready.trainer(job.folder, watch=watch, stop=stop, spent=time.monotonic() - begin)
        try:
            trainer.run()
        except errors.Stopped:
            if trainer.best:
                _publish(job.folder, trainer, ready.judge, content, finished=False)
            raise
        content = _publish(job.folder, trainer, ready.judge, content, finished=True)
        model_folder.finish(job.folder)
    return _result(content, job.folder)


@dataclass(frozen=True)
class Parts:
    """What a job names, each opened once: its corpora, and the model that it begins with."""

    train: corpora.Corpus
    dev: corpora.Corpus | None
    start: prediction.Model | None
    start_weights: str | None  # their hash


def opened(job: Job) -> Parts:
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
        start = prediction.load(job.init_from, task=job.task)
    config = start.config if start else job.config
    train = corpora.opened(task, job.train, config)
    config = train.config(config) if isinstance(train, encoded.Encoded) else config
    return Parts(train, corpora.opened(task, job.dev, config) if job.dev else None, start, weights)


def _identity(job: Job, parts: Parts) -> dict[str, Any]:
    """What makes the model: two commands that agree in it are the same run."""
    source, train = job.train, parts.train
    config = train.config(job.config) if isinstance(train, encoded.Encoded) else job.config
    return {
        "task": job.task,
        "config": options.identity(config),
        "training": options.identity(job.training),
        "read": {
            "format": source.format,
            "encoding": source.encoding,
            "header": source.header,
            "columns": dict(source.columns),
            "settings": [files.sha256(name) for name in registry.get(job.task).files(config)],
        },
        "train": train.digests,
        "dev": parts.dev.digests if parts.dev else None,
        "init_from": parts.start_weights,
    }


@dataclass(frozen=True)
class Material:
    """The training part, encoded: from text, or as `encode` or `pack` left it."""

    config: Any
    codec: Any
    rows: arrow.Rows
    plan: buckets.Plan | None  # of a packed corpus
    files: Mapping[str, str]  # the hashes of the codec's files, of an encoded one
    dev: examples.Examples | None  # that was split off


def prepare(job: Job, parts: Parts | None = None) -> Ready:
    """Fit, build and encode, and read unless that is done already; nothing is written.

    Torch's global generator is left as it was. The same job gives the same result, where the folder holds no run that
    is under way: that one's options count.
    """
    parts = parts or opened(job)
    task, device, start = registry.get(job.task), precision.resolve_device(job.device), parts.start
    if start:
        job = replace(job, config=start.config)
    if isinstance(parts.train, corpora.Text):
        found = _from_text(job, task, parts.train, start)
    else:
        found = _from_folder(job, task, parts.train, start)
    config = task.resolve(found.config, found.codec)
    with randomness.first_weights(job.training.seed):
        network = task.build(config, found.codec)
        if start:
            network.load_state_dict(start.networks[0].state_dict())
        else:
            task.initialise(network, config, found.codec)
    model = prediction.Model(task, config, found.codec, [network], device, "fp32", {})
    chosen = _recorded(job) or defaults.resolved(_planned(job.training, found.plan), found.rows.lengths, device=device)
    batches = task.batches(found.rows, config, found.codec, chosen, found.plan)
    chosen = defaults.with_epochs(chosen, batches.policy, epochs=task.min_epochs)
    return Ready(model, _judge(parts, model, found), found.rows, batches, chosen)


def _from_text(job: Job, task: base.AnyTask, text: corpora.Text, start: prediction.Model | None) -> Material:
    part, dev = (text.examples, None) if job.dev else task.split(text.examples, job.training.seed)
    config, codec = encode.fit(task, text, part, job.config, {"codec": start.codec} if start else {})
    fitted = start is None  # a codec that is given was fitted on other examples
    rows = (codec.encode(example, fitted=fitted) for example in part)
    kept = arrow.in_memory((row for row in rows if task.is_trainable(row, config)), codec.features())
    return Material(config, codec, kept, None, {}, dev)


def _from_folder(job: Job, task: base.AnyTask, folder: encoded.Encoded, start: prediction.Model | None) -> Material:
    if start:
        folder.check_codec(start.content["files"], start.config, str(job.init_from))
    config, codec, rows, plan = folder.config(job.config), folder.codec(), folder.rows(), folder.plan
    if not folder.fitted:  # rows of any kind: what the codec does not know, what cannot be learnt from
        encode.fit(task, folder, folder.examples, config, {"codec": codec})
        kept = arrow.in_memory((row for row in rows if task.is_trainable(row, config)), codec.features())
        if len(kept) < len(rows):
            rows, plan = kept, plan and buckets.plan(kept.lengths, plan.limits)
    return Material(config, codec, rows, plan, folder.content["files"], None)


def _planned(chosen: options.Training, plan: buckets.Plan | None) -> options.Training:
    """Return the options with what bounds a batch in a plan; raises `UsageError` where they ask for something else."""
    if plan is None:
        return chosen
    tokens, rows = plan.limits.max_tokens, plan.limits.batch_size
    if chosen.max_tokens not in (None, tokens) or chosen.batch_size not in (options.Training().batch_size, rows):
        raise errors.UsageError(f"the corpus is packed for --max-tokens {tokens} --batch-size {rows}", "pack it anew")
    return replace(chosen, max_tokens=tokens, batch_size=rows)


def _judge(parts: Parts, model: prediction.Model, found: Material) -> Judge:
    if found.dev is not None:
        return Judge.over(model, found.dev, parts.train.title)
    assert parts.dev is not None
    return Judge.of(model, parts.dev, found.files, parts.train.title)


def _recorded(job: Job) -> options.Training | None:
    """Return how the run that is under way in the folder trains: going on elsewhere must not change it midway."""
    before = None if job.overwrite else model_folder.unfinished(job.folder)
    if before is None:
        return None
    recorded: options.Training = options.from_dict(
        options.Training, before["training"], model_folder.description(job.folder)
    )
    return recorded


def _content(job: Job, run: Mapping[str, Any], parts: Parts, ready: Ready) -> dict[str, Any]:
    """Return what config.json will hold, as far as it is known before the first step; and tell it."""
    parameters = sum(p.numel() for p in ready.model.networks[0].parameters())
    sizes = {"train": len(ready.rows), "dev": len(ready.judge.corpus), "parameters": parameters}
    if job.dev is None:
        log.warning("no --dev: a part of the training data is split off, by --seed %d", job.training.seed)
    log.info("train %d, dev %d examples; %d parameters", *sizes.values())
    log.info("%s on %s; %s", ready.chosen.precision, ready.model.device, ready.data.policy.summary())
    return {
        "task": run["task"],
        "finished": False,
        "config": options.to_dict(ready.model.config),
        "training": options.to_dict(ready.chosen),
        "data": {**parts.train.data, **(parts.dev.data if parts.dev else {})},
        "run": run,
        "sizes": sizes,
    }


def _publish(
    folder: Path, trainer: trainer.Trainer, judge: Judge, content: Mapping[str, Any], *, finished: bool
) -> dict[str, Any]:
    """Score the best weights once more, with intervals, and write the model's files."""
    judge.model.networks[0].eval().load_state_dict(trainer.best)
    scores, details = judge.scores()
    progress = trainer.progress
    whole = {
        **content,
        "finished": finished,
        "scores": [score.to_dict() for score in scores],
        "details": details,
        "step": progress.best_step,
        "steps": progress.step,
        "seconds": round(progress.seconds, 1),
    }
    model_folder.publish(folder, whole, trainer.best, progress.history)
    return whole


def _result(content: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    keys = ("scores", "details")
    seed, seconds = content["training"]["seed"], content["seconds"]
    return {
        "task": content["task"],
        "model": str(folder),
        **{key: content[key] for key in keys},
        "seed": seed,
        "seconds": seconds,
        "data": content["data"],
    }


def evaluate(
    model: prediction.Model, folder: str, source: schema.Source, search: Any, limits: buckets.Limits
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return the result of a model on a test part, and its mistakes, worst first."""
    begin = time.monotonic()
    corpus = corpora.opened(model.task, source, model.config)
    model = replace(model, codec=model.task.configured(model.codec, search))
    judge = Judge.of(model, corpus, model.content["files"], folder)
    found = judge.predictions(search, limits)
    scores, details = judge.score(found)
    result = {
        "task": model.task.name,
        "model": folder,
        "scores": [score.to_dict() for score in scores],
        "details": details,
        "seed": model.content["training"]["seed"],
        "seconds": round(time.monotonic() - begin, 1),
        "data": dict(corpus.data),
    }
    return result, model.task.mistakes(judge.corpus, found, model.codec)
