"""A job, as a train command names it, and its corpora and models, each opened once."""

from __future__ import annotations

import functools
import logging
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seqnlp import errors, options
from seqnlp.io import files
from seqnlp.preprocess.corpora import examples, schema, splits
from seqnlp.tasks import base, registry
from seqnlp.workflows import corpora, encode, encoded

if TYPE_CHECKING:
    from seqnlp.workflows import start as starting

log = logging.getLogger(__name__)


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
