"""The training part, encoded: from text, or as `encode` or `pack` left it."""

from __future__ import annotations

import itertools
import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from seqnlp import errors, options
from seqnlp.checks import base as checks
from seqnlp.preprocess.batching import buckets
from seqnlp.preprocess.corpora import arrow, examples, splits
from seqnlp.tasks import base
from seqnlp.workflows import corpora, encode, encoded, jobs, watched

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class TrainingPart:
    """Its config, codec and rows."""

    config: Any
    codec: Any
    rows: arrow.Rows
    plan: buckets.Plan | None  # of a packed corpus
    files: Mapping[str, str]  # the hashes of the codec's files, of an encoded one
    dev: examples.Examples | None  # that was split off


def of(task: base.AnyTask, parts: jobs.Opened, looking: watched.Watched) -> TrainingPart:
    """Return the training part of a job; looking: is shown its rows."""
    if isinstance(parts.train, corpora.Text):
        return _from_text(task, parts.fitted, looking, fitted=parts.start is None)
    return _from_folder(parts, task, parts.train, looking)


def _from_text(task: base.AnyTask, made: jobs.Fitted, looking: watched.Watched, *, fitted: bool) -> TrainingPart:
    """Return the rows of a text; fitted: the codec was fitted on them, and not given."""
    log.info("encoding %d examples", len(made.part))
    seen = looking.through(made.part, checks.TRAIN)
    rows = encode.rows(task, made.config, made.codec, seen, fitted=fitted)
    return TrainingPart(made.config, made.codec, rows, None, {}, made.dev)


def _from_folder(
    parts: jobs.Opened, task: base.AnyTask, folder: encoded.Encoded, looking: watched.Watched
) -> TrainingPart:
    start, wanted = parts.start, parts.job.config
    if start:
        wanted = start.model.config
        folder.check_codec(start.model.content["files"], wanted, start.name)
    config, codec, rows, plan = folder.config(wanted), folder.codec(), folder.rows(), folder.plan
    taken = np.ones(len(rows), bool)
    if start:
        taken = start.kept(folder.examples, parts.held_out(None), folder.title, given=True)
    if not folder.fitted:  # rows of any kind: what the codec does not know, what cannot be learnt from
        encode.fit(task, folder, folder.examples, config, {"codec": codec})
        taken &= np.fromiter((task.is_trainable(row, config) for row in rows), bool, len(rows))
    looking.all_of(splits.taken(folder.examples, taken), checks.TRAIN)
    if not taken.all():
        rows = arrow.in_memory(itertools.compress(rows, taken), codec.features())
        plan = plan and buckets.plan(rows.lengths, plan.limits)
    return TrainingPart(config, codec, rows, plan, folder.content["files"], None)


def planned(chosen: options.Training, plan: buckets.Plan | None) -> options.Training:
    """Return the options with what bounds a batch in a plan; raises `UsageError` where they ask for something else."""
    if plan is None:
        return chosen
    tokens, rows = plan.limits.max_tokens, plan.limits.batch_size
    if chosen.max_tokens not in (None, tokens) or chosen.batch_size not in (options.Training().batch_size, rows):
        raise errors.UsageError(f"the corpus is packed for --max-tokens {tokens} --batch-size {rows}", "pack it anew")
    return replace(chosen, max_tokens=tokens, batch_size=rows)
