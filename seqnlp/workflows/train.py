"""Train: from a job to a model folder; a stopped run goes on, a finished one gives its result."""

from __future__ import annotations

import dataclasses
import datetime
import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seqnlp import errors, options
from seqnlp.io import ranks
from seqnlp.training import budget, schedules
from seqnlp.training import progress as progresses
from seqnlp.workflows import encoded, jobs, model_folder, refit
from seqnlp.workflows import prepare as preparation

if TYPE_CHECKING:
    from seqnlp.training import distributed
    from seqnlp.training import trainer as trainers

log = logging.getLogger(__name__)

OPTIMISTIC = "dev has chosen these weights, so its score is a little too good: report that of eval on a test part"


def train(
    job: jobs.Job, *, watch: preparation.Watch = lambda what, progress: None, stop: trainers.Stop = lambda: 0
) -> dict[str, Any]:
    """Train a model, go on with a run that was stopped, or find it finished; return the result.

    Raises `SeqnlpError` of the kind that fits; on `Stopped` the folder has a checkpoint, from which the same job goes
    on, and which `predict.load` takes the best weights so far from. Where torchrun has started several processes, all
    but the first one follow it, and return nothing.
    """
    if ranks.size() == 1:
        return _train(job, watch, stop)
    from seqnlp.workflows import follow

    with follow.joined(job, stop) as group:
        if group.leads:
            return _train(job, watch, group.asked, group)
        follow.follow(job, group, watch)
        return {}


def _train(
    job: jobs.Job, watch: preparation.Watch, stop: trainers.Stop, group: distributed.Group | None = None
) -> dict[str, Any]:
    """Train a model as `train` does; group: whose first process this one is."""
    options.check(job.config)
    options.check(job.training)
    model_folder.claim(job.folder, {}, overwrite=True)  # what is in the way is told before the work
    parts = jobs.opened(job)
    run = _identity(job, parts)
    finished = model_folder.claim(job.folder, run, overwrite=job.overwrite)
    if group:
        group.tell(None if finished else {"recorded": preparation.recorded(job)})
    if finished is not None:
        model_folder.tidy(job.folder)
        log.info("%s: this run is finished already", job.folder)
        return _result(finished, job.folder)
    prepared = preparation.prepare(job, parts)
    with model_folder.make(job.folder):
        if model_folder.claim(job.folder, run, overwrite=job.overwrite) is not None:
            raise errors.UsageError(f"{job.folder}: another process has finished this run meanwhile")
        before = None if job.overwrite else model_folder.content(job.folder)
        if before is not None and before["finished"]:
            _reopen(job.folder, before, prepared.model.task.criterion)
        content = _content(job, run, parts, prepared)
        if parts.start is not None:
            content["start"] = before["start"] if before else parts.start.scores(prepared.watched)
        content["files"] = model_folder.begin(job.folder, content, prepared.save, anew=job.overwrite)
        if group:
            from seqnlp.workflows import follow

            group.tell(follow.likeness(prepared))
        trainer = prepared.trainer(job.folder, watch=watch, stop=stop, begin=job.begin, group=group)
        trainer.run()
        content = _scored(trainer, prepared, content)
        weights = refit.weights(job, parts, prepared, trainer) if prepared.refits else None
        content |= {"refit": weights is not None, "seconds": round(trainer.seconds, 1), "date": _now()}
        model_folder.publish(job.folder, content, weights or trainer.best, trainer.progress.history)
        model_folder.finish(job.folder)
        if parts.start is not None and prepared.watched is prepared.evaluator:  # else it is another part, or search
            parts.start.compare(content["start"]["scores"], content["scores"])
    return _result(content, job.folder)


def _identity(job: jobs.Job, parts: jobs.Opened) -> dict[str, Any]:
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
            "settings": parts.settings,
        },
        "train": train.digests,
        "dev": parts.dev.digests if parts.dev else None,
        "init_from": parts.start and parts.start.weights,
        "pretrained": parts.pretrained and parts.pretrained.weights,
    }


def _content(
    job: jobs.Job, run: Mapping[str, Any], parts: jobs.Opened, prepared: preparation.Prepared
) -> dict[str, Any]:
    """Return what config.json will hold, as far as it is known before the first step; says it in the log."""
    parameters = sum(p.numel() for p in prepared.model.networks[0].parameters())
    sizes = {"train": len(prepared.rows), "dev": len(prepared.evaluator.corpus), "parameters": parameters}
    if job.dev is None:
        log.warning("no --dev: a part of the training data is split off, by --seed %d", job.training.seed)
    log.info("train %d, dev %d examples; %d parameters", *sizes.values())
    log.info("%s on %s; %s", prepared.training.precision, prepared.model.device, prepared.data.policy.summary())
    if prepared.watched is not prepared.evaluator:
        log.info("evaluations look at %d dev examples, by a quicker search", len(prepared.watched.corpus))
    for name, settings in (("model", prepared.model.config), ("training", prepared.training)):
        log.debug("%s: %s", name, json.dumps(options.to_dict(settings)))
    log.debug("an epoch: %d batches of about %d items", len(prepared.data.epoch(0)), prepared.data.policy.batch)
    return {
        "task": run["task"],
        "finished": False,
        "config": options.to_dict(prepared.model.config),
        "training": options.to_dict(prepared.training),
        "data": {**parts.train.data, **(parts.dev.data if parts.dev else {})},
        "schema": None if parts.train.schema is None else parts.train.schema.to_dict(),
        "run": run,
        "sizes": sizes,
        "labels": dict(prepared.model.codec.labels),
        "date": _now(),
    }


def _reopen(folder: Path, content: Mapping[str, Any], criterion: str | None) -> None:
    """Write a checkpoint from which a finished run goes on: its best weights, at its last step.

    The moments of the optimiser are gone; they start afresh, a warm restart (Loshchilov & Hutter 2017, section 3).
    Weights that have learnt from the rows of dev too are of no use: the run begins anew.
    """
    if content["refit"]:
        log.warning("%s: was trained once more on all rows, those of dev too: the longer run begins anew", folder)
        return
    from seqnlp.training import checkpoint

    weights = checkpoint.load_tensors(folder / model_folder.WEIGHTS)
    history = [json.loads(line) for line in (folder / model_folder.HISTORY).read_text(encoding="utf-8").splitlines()]
    training, kept = content["training"], next(row for row in history if row["step"] == content["step"])
    halved = training["schedule"] in schedules.HALVING and history
    progress = progresses.Progress(
        step=content["steps"],
        best=kept[criterion or content["scores"][0]["name"]],  # as evaluations in training find it, with their search
        best_step=content["step"],
        scale=history[-1]["learning_rate"] / training["learning_rate"] if halved else 1.0,
        seconds=content["seconds"],
        evaluating_seconds=budget.SHARE * content["seconds"],  # of which there is no record; more are not allowed
        history=history,
    )
    groups = {"weights": weights, "average": weights, "best": weights, "moments": {}}
    (folder / model_folder.CHECKPOINTS).mkdir(exist_ok=True)
    checkpoint.save(folder / model_folder.CHECKPOINTS, groups, {**dataclasses.asdict(progress), "options": training})


def _now() -> str:
    return datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds")


def _scored(trainer: trainers.Trainer, prepared: preparation.Prepared, content: Mapping[str, Any]) -> dict[str, Any]:
    """Score the best weights once more, with intervals; return what config.json will hold."""
    progress, evaluator = trainer.progress, prepared.evaluator if trainer.has_full_scoring else prepared.watched
    log.info("scoring the weights of step %d on %d dev examples", progress.best_step, len(evaluator.corpus))
    log.info(OPTIMISTIC)
    trainer.watch("scoring", progress)
    evaluator.model.networks[0].eval().load_state_dict(trainer.best)
    latest = evaluator is prepared.watched and progress.best_step == progress.step
    scores, details = evaluator.scores(latest=latest)
    return {
        **content,
        "finished": True,
        "scores": [score.to_dict() for score in scores],
        "details": details,
        "step": progress.best_step,
        "steps": progress.step,
    }


def _result(content: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    keys = ("scores", "details", *(key for key in ("refit", "start") if content.get(key)))
    seed, seconds = content["training"]["seed"], content["seconds"]
    return {
        "task": content["task"],
        "model": str(folder),
        **{key: content[key] for key in keys},
        "seed": seed,
        "seconds": seconds,
        "data": content["data"],
    }
