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

import torch
from torch import nn

from seqnlp import errors, modeldir, options, precision, prediction, tasks, textio, training
from seqnlp.metrics import base
from seqnlp.preprocess import batch as batches
from seqnlp.preprocess import corpus, examples, readers

log = logging.getLogger(__name__)

Watch = Callable[[str, training.Progress], None]


@dataclass(frozen=True)
class Job:
    """What a train command says."""

    task: str
    train: readers.Source
    dev: readers.Source | None
    folder: Path
    config: Any
    training: options.Training
    device: str = "auto"
    overwrite: bool = False
    init_from: str | None = None


class Batches:
    """The training part as `training.Data`: encoded rows, and the plan that puts them into batches."""

    def __init__(self, task: tasks.Task, codec: Any, rows: corpus.Corpus, chosen: options.Training) -> None:
        self.task, self.codec, self.rows, self.seed = task, codec, rows, chosen.seed
        limits = batches.Limits(chosen.max_tokens or training.SMALLEST, chosen.batch_size)
        self.plan = batches.plan(rows.lengths, limits)

    def epoch(self, number: int) -> list[batches.Batch]:
        """Return the batches of an epoch."""
        return batches.shuffled(self.rows.lengths, self.plan, seed=self.seed, epoch=number)

    def load(self, batch: batches.Batch) -> Any:
        """Return a batch's tensors."""
        numbers, width = batch
        return self.task.collate(self.rows.columns(numbers), width, self.codec)


@dataclass
class Judge:
    """The dev or test part, encoded, and the way from a network to its scores."""

    model: prediction.Model
    corpus: Sequence[examples.Example]
    rows: prediction.Rows
    warned: bool = False

    @classmethod
    def of(cls, model: prediction.Model, part: examples.Examples, title: str) -> Judge:
        """Return the judge over a part; raises `DataError` with the files' title if that is empty."""
        kept = list(part)
        if not kept:
            raise errors.DataError(f"{title}: no examples", "is this the right file?")
        return cls(model, kept, corpus.in_memory(map(model.codec.encode, kept), model.codec.features()))

    def predictions(self, search: Any, limits: batches.Limits) -> list[Any]:
        """Return a prediction for each example."""
        return self.model.run_rows(self.rows, search, limits)

    def score(self, found: Sequence[Any], *, intervals: bool = True) -> tuple[list[base.Score], dict[str, Any]]:
        """Return scores and details of predictions; says once how many labels training never saw."""
        scores, details = self.model.task.score(self.corpus, found, self.model.codec, intervals=intervals)
        if details.get("unseen") and not self.warned:
            log.warning("%d labels that training never saw: counted as wrong", details["unseen"])
            self.warned = True
        return scores, details

    def scores(self, *, intervals: bool = True) -> tuple[list[base.Score], dict[str, Any]]:
        """Return scores and details under default search."""
        return self.score(self.predictions(self.model.task.Search(), batches.Limits()), intervals=intervals)

    def evaluation(self, network: nn.Module) -> training.Evaluation:
        """Return the scores as the training loop takes them; the network is the model's own."""
        found, _ = self.scores(intervals=False)
        return training.Evaluation(found[0].value, {score.name: round(score.value, 4) for score in found})


@dataclass(frozen=True)
class Ready:
    """Everything before the first step: a model with fresh weights, the judge, the batches, and how to train."""

    model: prediction.Model
    judge: Judge
    data: Batches
    chosen: options.Training

    def trainer(self, folder: Path, *, watch: Watch, stop: training.Stop, spent: float) -> training.Trainer:
        """Return the trainer that keeps its checkpoints in a model folder and goes on from what it finds there."""
        return training.Trainer(
            self.model.networks[0],
            self.data,
            self.judge.evaluation,
            self.chosen,
            folder / modeldir.CHECKPOINTS,
            device=self.model.device,
            watch=watch,
            stop=stop,
            spent=spent,
        )


def train(job: Job, *, watch: Watch = lambda what, progress: None, stop: training.Stop = lambda: 0) -> dict[str, Any]:
    """Train a model, go on with a run that was stopped, or find it finished; return the result.

    Raises `SeqnlpError` of the kind that fits; on `Stopped` the folder has a checkpoint and the best model so far.
    """
    begin = time.monotonic()
    job = replace(job, train=readers.spooled(job.train), dev=readers.spooled(job.dev) if job.dev else None)
    run = _identity(job)
    finished = modeldir.claim(job.folder, run, overwrite=job.overwrite)
    if finished is not None:
        log.info("%s: this run is finished already", job.folder)
        return _result(finished, job.folder)
    ready = prepare(job)
    with modeldir.make(job.folder):
        if modeldir.claim(job.folder, run, overwrite=job.overwrite) is not None:
            raise errors.UsageError(f"{job.folder}: another process has finished this run meanwhile")
        content = _content(job, run, ready)
        # Before the codec's files: whoever finds these knows whose they are.
        modeldir.begin(job.folder, content, anew=job.overwrite)
        content["files"] = ready.model.codec.save(job.folder)
        modeldir.begin(job.folder, content)
        trainer = ready.trainer(job.folder, watch=watch, stop=stop, spent=time.monotonic() - begin)
        try:
            trainer.run()
        except errors.Stopped:
            if trainer.best:
                _publish(job.folder, trainer, ready.judge, content, finished=False)
            raise
        content = _publish(job.folder, trainer, ready.judge, content, finished=True)
        modeldir.finish(job.folder)
    return _result(content, job.folder)


def _identity(job: Job) -> dict[str, Any]:
    """What makes the model: two commands that agree in it are the same run."""
    source, dev = job.train, job.dev
    if job.init_from is not None and Path(job.init_from).resolve() == job.folder.resolve():
        raise errors.UsageError(f"{job.folder}: -o and --init-from are the same folder", "give -o a new one")
    start = None if job.init_from is None else modeldir.read_config(Path(job.init_from))["files"][modeldir.WEIGHTS]
    return {
        "task": job.task,
        "config": options.identity(job.config),
        "training": options.identity(job.training),
        "read": {
            "format": source.format,
            "encoding": source.encoding,
            "header": source.header,
            "columns": dict(source.columns),
        },
        "train": [textio.sha256(path) for path in source.paths],
        "dev": [textio.sha256(path) for path in dev.paths] if dev else None,
        "init_from": start,
    }


def prepare(job: Job) -> Ready:
    """Read, fit, build and encode: a pure function of the job, which writes nothing."""
    task, device = tasks.get(job.task), precision.resolve_device(job.device)
    start = None if job.init_from is None else prediction.load(job.init_from, task=job.task)
    if start:
        job = replace(job, config=start.config)
    part, dev = _parts(job, task)
    try:
        config, codec = task.fit(part, job.config, {"codec": start.codec} if start else {})
    except errors.DataError as error:
        raise errors.DataError(f"{job.train.title}: {error.message}", error.hint) from None
    torch.manual_seed(job.training.seed)
    network = task.build(config, codec)
    if start:
        network.load_state_dict(start.networks[0].state_dict())
    model = prediction.Model(task, config, codec, [network], device, "fp32", {})
    fitted = start is None  # a codec that is given was fitted on other examples
    rows = corpus.in_memory((codec.encode(example, fitted=fitted) for example in part), codec.features())
    chosen = _recorded(job) or training.resolved(job.training, rows.lengths, epochs=task.EPOCHS, device=device)
    judge = Judge.of(model, dev, (job.dev or job.train).title)
    return Ready(model, judge, Batches(task, codec, rows, chosen), chosen)


def _recorded(job: Job) -> options.Training | None:
    """Return how the run that is under way in the folder trains: going on elsewhere must not change it midway."""
    before = None if job.overwrite else modeldir.unfinished(job.folder)
    if before is None:
        return None
    recorded: options.Training = options.from_dict(options.Training, before["training"])
    return recorded


def _parts(job: Job, task: tasks.Task) -> tuple[examples.Examples, examples.Examples]:
    """Return train and dev, a part of train split off where no dev was given."""
    part = task.read(job.train, job.config)
    if next(iter(part), None) is None:
        raise errors.DataError(f"{job.train.title}: no examples", "is this the right file?")
    if job.dev is not None:
        return part, task.read(job.dev, job.config)
    return task.split(part, job.training.seed)


def _content(job: Job, run: Mapping[str, Any], ready: Ready) -> dict[str, Any]:
    """Return what config.json will hold, as far as it is known before the first step; and tell it."""
    rows = ready.data.rows
    parameters = sum(p.numel() for p in ready.model.networks[0].parameters())
    sizes = {"train": len(rows), "dev": len(ready.judge.corpus), "parameters": parameters}
    share = batches.padding_share(rows.lengths, ready.data.epoch(0))
    if job.dev is None:
        log.warning("no --dev: a part of the training data is split off, by --seed %d", job.training.seed)
    log.info("train %d, dev %d examples; %d parameters", *sizes.values())
    log.info("%s on %s; %.1f%% padding", ready.chosen.precision, ready.model.device, 100 * share)
    return {
        "task": run["task"],
        "finished": False,
        "config": options.to_dict(ready.model.config),
        "training": options.to_dict(ready.chosen),
        "data": {**job.train.hashes(), **(job.dev.hashes() if job.dev else {})},
        "run": run,
        "sizes": sizes,
    }


def _publish(
    folder: Path, trainer: training.Trainer, judge: Judge, content: Mapping[str, Any], *, finished: bool
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
    modeldir.publish(folder, whole, trainer.best, progress.history)
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
    model: prediction.Model, folder: str, source: readers.Source, search: Any, limits: batches.Limits
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return the result of a model on a test part, and its mistakes, worst first."""
    begin = time.monotonic()
    source = readers.spooled(source)
    judge = Judge.of(model, model.task.read(source, model.config), source.title)
    found = judge.predictions(search, limits)
    scores, details = judge.score(found)
    result = {
        "task": model.task.NAME,
        "model": folder,
        "scores": [score.to_dict() for score in scores],
        "details": details,
        "seed": model.content["training"]["seed"],
        "seconds": round(time.monotonic() - begin, 1),
        "data": source.hashes(),
    }
    return result, model.task.mistakes(judge.corpus, found, model.codec)
