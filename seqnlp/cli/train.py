"""train: from a corpus, or what encode or pack made of it, to a model folder."""

from __future__ import annotations

import dataclasses
import functools
import os
from pathlib import Path
from typing import Any

import click

from seqnlp import errors, options
from seqnlp.cli import flags, show, watcher
from seqnlp.preprocess.corpora import schema
from seqnlp.tasks import base, registry


def of(task: base.AnyTask) -> click.Command:
    """Return the train command of a task."""
    name = task.name
    return flags.Command(
        "train",
        params=_params(task),
        callback=functools.partial(run, task),
        help=f"Train a model to {registry.REGISTRY[name]}. TRAIN is one or more corpora ({', '.join(task.roles)}).",
        epilog=flags.example(
            f"{task.name} train train.{task.ending} --dev dev.{task.ending} -o model --time-budget 5m"
        ),
    )


def _params(task: base.AnyTask) -> list[click.Parameter]:
    absent = () if task.training.refit else ("refit",)
    return [
        flags.Argument(
            "train_",
            "Files to learn from, or a folder of encode or pack; - is stdin.",
            "TRAIN...",
            nargs=-1,
            required=True,
        ),
        flags.Option(
            ["--dev"],
            multiple=True,
            metavar="FILE",
            help="Data by which the best weights are chosen; by default a part of TRAIN.",
        ),
        flags.Option(
            ["-o", "--output"],
            required=True,
            metavar="MODEL",
            help="Folder for the model; the same command resumes a stopped run, more --epochs make it longer.",
        ),
        flags.Option(["--overwrite"], is_flag=True, help="Start over if the folder holds another run."),
        flags.Option(
            ["--init-from"],
            metavar="MODEL",
            main=False,
            help="Start from the weights, vocabulary and settings of a trained model; labels may be new.",
        ),
        *(one for one in flags.of(options.Training, options.to_dict(task.training)) if one.name not in absent),
        *flags.of(task.Config),
        *flags.reading(task.roles),
        *flags.running(),
        flags.HELP_ALL,
    ]


def run(
    task: base.AnyTask,
    train_: tuple[str, ...],
    dev: tuple[str, ...],
    output: str,
    overwrite: bool,
    init_from: str | None,
    **values: Any,
) -> None:
    """Train a model, or resume a run."""
    show.set_up(values, talkative=True)
    if init_from is not None:
        _refuse_settings(task)
    source = flags.source(train_, task.roles, values)
    config = flags.take(task.Config, values)
    schema.Source(tuple(task.files(config))).check()
    dev_source = flags.source(dev, task.roles, values) if dev else None
    if source.encoded and (settled := flags.given(options.names(task.Config, options.TEXT))):
        raise errors.UsageError(f"{settled[0]} cannot be given with {source.encoded}: it was encoded already")
    os.environ.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", str(task.kernel_cache))
    from seqnlp.workflows import jobs, train  # they load pyarrow: after all that can be checked first

    job = jobs.Job(
        task=task.name,
        train=source,
        dev=dev_source,
        folder=Path(output),
        config=config,
        training=flags.take(options.Training, values),
        device=values["device"],
        overwrite=overwrite,
        init_from=init_from,
        begin=click.get_current_context().obj,
    )
    watching = watcher.Watcher()
    try:
        content = train.train(job, watch=watching, stop=watching.stopped)
    finally:
        watching.close()
    if content:  # else this process has followed another one, which says it
        show.result(content)


def _refuse_settings(task: base.AnyTask) -> None:
    """With --init-from the model has its own settings: one given beside it would contradict them."""
    for flag in flags.given([field.name for field in dataclasses.fields(task.Config)]):
        raise errors.UsageError(f"{flag} cannot be given with --init-from: the model has settings of its own")
