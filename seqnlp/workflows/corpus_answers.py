"""Answers in a corpus: what is scored need not be what predict printed, but may be a corpus itself.

Labels behind their texts, translations behind their sources, tags in the last two columns as conlleval takes them.
"""

from __future__ import annotations

import itertools
import json
import logging
import os
import re
from collections.abc import Iterable, Sequence, Set
from dataclasses import replace
from typing import Any

from seqnlp import errors
from seqnlp.metrics import registry as metrics
from seqnlp.preprocess.corpora import (
    conll,
    content,
    delimiter,
    detect,
    formats,
    look,
    names,
    objects,
    readers,
    schema,
)
from seqnlp.tasks import base
from seqnlp.workflows import printed

log = logging.getLogger(__name__)

PROBABILITY = re.compile(r"[01]?\.\d+(e-\d+)?")  # as it stands behind a label that predict prints
COLUMNS = ("conll", "conllu")


def inputs(metric: metrics.Metric, reference: schema.Source, hypothesis: str | None) -> metrics.Inputs:
    """Return what a metric takes of these files: one of labels takes tags where the corpus holds such."""
    if metric.inputs != "labels":
        return metric.inputs
    (path,) = reference.paths
    kinds = {detect.by_name(path, reference), hypothesis and detect.by_name(hypothesis, schema.Source(()))}
    return "tags" if kinds & {*COLUMNS} or in_columns(path, reference) or _holds_tags(path, reference) else "labels"


def in_columns(path: str, source: schema.Source) -> str | None:
    """Return which kind of columns the tokens of a file stand in, whose name says nothing; None if in none."""
    if not os.path.isfile(path) or detect.is_table(path, source) or detect.by_name(path, source) is not None:
        return None
    head = list(itertools.islice(source.lines(path), look.LINES))
    return "conllu" if content.is_conllu(head) else "conll" if content.is_conll(head) else None


def _holds_tags(path: str, source: schema.Source) -> bool:
    """Return whether the first record of a file has the field of the tags, and not that of a label."""
    if not os.path.isfile(path) or detect.by_name(path, source) != "jsonl":
        return False
    record = _record(source.lines(path))
    return isinstance(record, dict) and all(
        (objects.nested(record, source.columns.get(role, role)) is not None) is (role == "tags")
        for role in ("tags", "label")
    )


def _record(lines: Iterable[str]) -> Any:
    try:
        return json.loads(printed.first(lines))
    except (ValueError, RecursionError):
        return None


def labels(
    task: base.AnyTask, source: schema.Source, config: Any, known: Set[str] = frozenset()
) -> list[tuple[str, ...]] | None:
    """Return the labels in a corpus, None where it is none but what predict printed.

    source: a file, or its copy. known: the labels that may be expected, if that is known.
    """
    if (form := _form(source, known, source.columns.get("label", "label") if config.multi_label else None)) is None:
        return None
    found = [task.labelled(record, config) for record in readers.records(form, task.roles, targets=True)]
    return [example.target for example in found if not example.blank] or [example.target for example in found]


def _form(source: schema.Source, known: Set[str], header: str | None) -> schema.Source | None:
    """Return the source with its format, None where it holds one answer a line.

    header: the name that must stand in a header of .csv, where lines of answers may hold commas; None where a second
    column says enough.
    """
    (path,) = source.paths
    if detect.is_table(path, source):
        return source
    kind = detect.by_name(path, source)
    lines = [line for line in source.lines(path) if line.strip()]
    if kind == "jsonl" or content.is_json(lines):  # is what predict printed, or is refused
        return None
    if lines and lines[0].startswith(formats.FASTTEXT_MARK):
        marked = any(name.startswith(formats.FASTTEXT_MARK) for name in known)
        return None if marked else replace(source, format="fasttext")
    if kind == "csv" or _names_roles(lines, source):
        parted = delimiter.rows(lines, delimiter.of(lines[: look.LINES])[0])
        first = [cell.strip() for cell in parted[0]] if parted else []
        return replace(source, format="csv") if header in first or (header is None and len(first) > 1) else None
    if content.is_label_first(lines) and len(set(lines)) * 2 > len(lines) and not known & set(lines):
        return replace(source, format="label-text")
    return replace(source, format="tsv") if _is_tsv(lines, known) else None


def _names_roles(lines: Sequence[str], source: schema.Source) -> bool:
    """Return whether the first line of a file without an ending is a header of a .csv: of text and label."""
    (path,) = source.paths
    if not lines or "\t" in lines[0] or detect.by_name(path, source) is not None:
        return False
    first = delimiter.rows(lines[:1], delimiter.of(lines[:1])[0])
    wanted = [source.columns.get(role) for role in ("text", "label")]
    found = [
        name.split(",")[0] in cells if name else bool(names.usual(role, cells))
        for cells in first[:1]
        for role, name in zip(("text", "label"), wanted, strict=True)
    ]
    return len(found) == 2 and all(found) and len(first[0]) > 1


def _is_tsv(lines: Sequence[str], known: Set[str]) -> bool:
    """Return whether lines are a text and a label, and not labels with probabilities or whatever stands behind them."""
    rows = [line.split("\t") for line in lines]
    if not any(len(row) > 1 for row in rows) or all(row[0].strip() in known for row in rows):
        return False
    if any(row[-1].strip() in known for row in rows):
        return True
    return not all(len(row) % 2 == 0 and all(map(PROBABILITY.fullmatch, row[1::2])) for row in rows)


def two_columns(lines: Iterable[str], name: str) -> tuple[list[list[str]], list[list[str]]]:
    """Return gold and predicted tags, the last two columns of one file, as conlleval takes it.

    Comments and document marks are no sentences, as in any corpus in columns.
    """
    file = formats.File(name, (line.rstrip() for line in lines), conll.ROLES, len(conll.ROLES), schema.Schema("conll"))
    sentences = [_cells(record) for record in conll.conll(file) if record.raw.tokens]
    gold, predicted = ([[row[place] for row in sentence] for sentence in sentences] for place in (-2, -1))
    kinds = [{tag for tags in part for tag in tags} - {"O"} for part in (gold, predicted)]
    if all(kinds) and kinds[0].isdisjoint(kinds[1]):
        log.warning("the last two columns have no tag in common: are they gold and predicted?")
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
