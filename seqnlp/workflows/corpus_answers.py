"""Answers in a corpus: what is scored need not be what predict printed, but may be a corpus itself.

Labels behind their texts, translations behind their sources, tags in the last two columns as conlleval takes them.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterable, Sequence, Set
from dataclasses import replace
from typing import Any

from seqnlp import errors
from seqnlp.metrics import registry as metrics
from seqnlp.preprocess.corpora import (
    conll,
    detect,
    formats,
    readers,
    schema,
)
from seqnlp.tasks import base, registry
from seqnlp.workflows import printed

PROBABILITY = re.compile(r"[01]?\.\d+(e-\d+)?")  # as it stands behind a label that predict prints
COLUMNS = ("conll", "conllu")


def inputs(metric: metrics.Metric, reference: schema.Source, hypothesis: str | None) -> metrics.Inputs:
    """Return what a metric takes of these files: one of labels takes tags where the corpus holds such."""
    if metric.inputs != "labels":
        return metric.inputs
    named = hypothesis and detect.by_name(hypothesis, schema.Source(()))
    return "tags" if named in COLUMNS or _holds_tags(reference) else "labels"


def _holds_tags(source: schema.Source) -> bool:
    """Return whether a corpus is tokens in columns, or objects that have tokens and tags, and no text with a label."""
    (path,) = source.paths
    kind = detect.by_name(path, source)
    if kind is None and os.path.exists(path):
        kind = readers.format_of(source, conll.ROLES)
    if kind in (None, "text", "fasttext", "label-text", *schema.TABLES, *COLUMNS):
        return kind in COLUMNS
    return _has(source, conll.ROLES) and not _has(source, registry.that_predict("labels")[0].roles)


def _has(source: schema.Source, roles: Sequence[str]) -> bool:
    """Return whether the first record of a corpus has these roles."""
    columns = {role: name for role, name in source.columns.items() if role in roles}
    with contextlib.suppress(errors.SeqnlpError):
        return any(True for _ in readers.records(replace(source, columns=columns, schemas={}), roles, targets=True))
    return False


def kind_of_tags(source: schema.Source) -> str:
    """Return the format of a corpus of tags: columns, where nothing else is told."""
    kind = readers.format_of(source, conll.ROLES)
    return "conll" if kind == "text" else kind


def labels(
    tasks: Sequence[base.AnyTask], source: schema.Source, config: Any, known: Set[str] = frozenset()
) -> list[tuple[str, ...] | None]:
    """Return the labels of each row of a corpus, or of each line, None of a blank text.

    tasks: those that predict labels. known: the labels that may be expected, if that is known.
    """
    task, source = tasks[0], replace(schema.copied(source), schemas={})
    (path,), (text, label) = source.paths, task.roles
    if not detect.is_table(path, source) and _are_answers(source, task, config, known):
        source = replace(source, format="text", columns={})
    found: list[tuple[bool, tuple[str, ...] | None]] = []
    for record in readers.records(source, task.roles, targets=True, answers=True):
        if text in record.values:
            example = task.labelled(record, config)
            found.append((example.blank, example.target))
        else:  # blank lines say that there are none of several labels
            line = record.values[label]
            found.append((False, printed.in_line(line, record.where, tasks, config, empty=config.multi_label)))
    labels_alone = all(blank for blank, _ in found)
    return [None if blank and not labels_alone else names for blank, names in found]


def _are_answers(source: schema.Source, task: base.AnyTask, config: Any, known: Set[str]) -> bool:
    """Return whether each line is an answer as predict prints it, and no row of a corpus, whatever it looks like.

    That is where most begin with labels that are known, or all are labels with probabilities, none of them a label. The
    first line of what is named like a table may be a header.
    """
    (path,) = source.paths
    lines = [line for line in source.lines(path) if line.strip()]
    answers = [task.output.parse(line, config) for line in lines]
    familiar = [bool(answer) and known >= set(answer) for answer in answers]
    if sum(familiar) * 2 > len(lines):
        return familiar[0] or detect.by_name(path, source) not in schema.TABLES
    rows = [line.split("\t") for line in lines]
    scored = all(len(row) % 2 == 0 and all(map(PROBABILITY.fullmatch, row[1::2])) for row in rows)
    return bool(rows) and scored and not any(row[-1].strip() in known for row in rows)


def two_columns(lines: Iterable[str], name: str) -> tuple[list[list[str]], list[list[str]]]:
    """Return gold and predicted tags, the last two columns of one file, as conlleval takes it.

    Comments and document marks are no sentences, as in any corpus in columns.
    """
    file = formats.File(name, (line.rstrip() for line in lines), conll.ROLES, len(conll.ROLES), schema.Schema("conll"))
    sentences = [_cells(record) for record in conll.conll(file) if record.raw.tokens]
    gold, predicted = ([[row[place] for row in sentence] for sentence in sentences] for place in (-2, -1))
    return gold, predicted


def _cells(record: formats.Record) -> list[list[str]]:
    lines = [record.raw.lines[place] for place in record.raw.tokens]
    cells = [line.split("\t") if "\t" in line else line.split() for line in lines]
    if len(cells[0]) < 3:
        what = f"{record.where}: {formats.count(cells[0])}, expected a token, its gold tag and the predicted one"
        raise errors.DataError(what, "or name the predictions as HYPOTHESIS, - for stdin")
    return cells


def slashed(lines: Iterable[str]) -> bool:
    """Return whether lines are `word/TAG word/TAG`, as predict prints them, and not columns of words with slashes.

    In columns some tag, which is the last word of its line, has no slash.
    """
    words = [_words(line) for line in lines if line.strip()]
    return bool(words) and all("/" in word for word in words[0]) and all("/" in line[-1] for line in words if line)


def _words(line: str) -> list[str]:
    """The words of a line; columns that are parted by tabs are one, unless they hold probabilities, which are none."""
    text, *cells = line.split("\t")
    scored = all(map(PROBABILITY.fullmatch, " ".join(cells).split()))
    return [word for word in text.split(" ") if word] if scored else [" ".join(cells)]
