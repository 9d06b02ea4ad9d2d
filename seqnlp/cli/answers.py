"""Answers: what is right and what was predicted, as labels, texts or tags, from whichever form of file they are in."""

from __future__ import annotations

import itertools
import json
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from seqnlp import errors
from seqnlp.cli import flags, show
from seqnlp.io import files, jsonl
from seqnlp.preprocess.corpora import conll, detect, formats, readers, schema, tables

LABELLED, PAIRED = ("text", "label"), ("source", "target")  # roles of the corpora that references may come from
ROLES = (*LABELLED, *PAIRED, *conll.ROLES)
WRITERS = ("translate", "summarize")  # the tasks that predict a text

Labels = list[tuple[str, ...]]
Sentences = list[list[str]]  # of tags
T = TypeVar("T")


@dataclass(frozen=True)
class Job:
    """What to score. values: the command's other options."""

    metric: str
    reference: str
    hypothesis: str | None  # None where it was not named
    values: Mapping[str, Any]

    @property
    def said(self) -> str:
        """Return where the predictions are."""
        return files.STDIN if self.hypothesis is None else self.hypothesis

    def lines(self, path: str) -> list[str]:
        """Return the lines of a file."""
        return list(files.lines(path, self.values["encoding"]))

    def hashes(self) -> dict[str, str]:
        """Return the SHA-256 of every file by name; stdin and pipes are gone once read."""
        paths = [path for path in (self.reference, self.said) if os.path.isfile(path) or path.startswith(tables.HUB)]
        return schema.Source(tuple(paths)).hashes()


def labels(job: Job) -> tuple[Labels, Labels]:
    """Return the gold and the predicted labels of each item."""
    several = job.values["multi_label"]
    return _gold_labels(job, several), _predicted_labels(job, several)


def _gold_labels(job: Job, several: bool) -> Labels:
    """One label a line, or the labels of a corpus."""
    source = schema.copied(flags.source((job.reference,), LABELLED, job.values))
    (path,) = source.paths
    if detect.format_of(path, source, targets=True) == "text":
        return [_labels(line, several) for line in job.lines(path) if several or line.strip()]
    from seqnlp.tasks.classify import task as classify

    return [example.target for example in classify.read(source, classify.Config(multi_label=several))]


def _predicted_labels(job: Job, several: bool) -> Labels:
    """What predict printed: labels, with or without probabilities, or JSON; a blank line stands for a blank text."""
    found = []
    for number, line in enumerate(job.lines(job.said), 1):
        if line.startswith("{"):
            where = f"{files.name(job.said)}:{number}"
            labels = _from_json(line, where, _label_field, "lines of seqnlp classify predict")
            found += [] if labels is None else [labels]
        elif several or line.strip():
            cells = line.split("\t")
            found.append(_labels(",".join(cells[::2]) if several else cells[0], several))
    return found


def _labels(line: str, several: bool) -> tuple[str, ...]:
    return tuple(part.strip() for part in line.split(",") if part.strip()) if several else (line.strip(),)


def _label_field(record: Any) -> tuple[str, ...] | None:
    value = record["classify"]
    if value is None:  # of a blank text
        return None
    return tuple(value["labels"]) if "labels" in value else (value["label"],)


def texts(job: Job) -> tuple[list[str], list[str]]:
    """Return references and hypotheses, one for each segment.

    A corpus has no blank lines between its records, but predict answers each that it finds there with another.
    """
    values = dict(job.values)
    values["source_field"] = values["source_field"] or values["target_field"]  # nobody looks at the source
    source = flags.source((job.reference,), PAIRED, values)
    if detect.format_of(job.reference, source, targets=False) == "text":
        return job.lines(job.reference), _written(job)
    references = [_target(record) for record in readers.records(source, PAIRED, targets=True)]
    hypotheses = _written(job)
    if len(hypotheses) != len(references):
        hypotheses = [text for text in hypotheses if text.strip()]
    return references, hypotheses


def _target(record: formats.Record) -> str:
    target = record.values[PAIRED[1]]
    if not isinstance(target, str):
        raise errors.DataError(f"{record.where}: the target is no text", "name its field with --target-field")
    return target


def _written(job: Job) -> list[str]:
    """Return the predicted texts: plain lines, or the JSON of predict."""
    lines = job.lines(job.said)
    if not _is_json(lines, job.said):
        return lines
    hint = "lines of seqnlp translate predict --to jsonl, or plain text"
    named = [(f"{files.name(job.said)}:{number}", line) for number, line in enumerate(lines, 1)]
    return [_from_json(line, where, _text_field, hint) if line.strip() else "" for where, line in named]


def _text_field(record: Any) -> str:
    value = record[[name for name in record if name in WRITERS][-1]]  # of the last task that was at work
    text = "" if value is None else value["text"]
    if not isinstance(text, str):
        raise TypeError
    return jsonl.without_surrogates(text)


def tags(job: Job) -> tuple[Sentences, Sentences]:
    """Return the gold and the predicted tags of each sentence.

    Where no hypothesis is named and nothing comes from stdin, both are in the reference.
    """
    said = _given(job)
    if said is None:
        return _two_columns(job)
    gold = schema.copied(flags.source((job.reference,), conll.ROLES, job.values))
    kind = detect.format_of(gold.paths[0], gold, targets=False)
    return _in_corpus(gold, "conll" if kind == "text" else kind), _predicted_tags(said, kind)


def _given(job: Job) -> schema.Source | None:
    """Return the hypothesis; None where there is none, neither by name nor on stdin."""
    if job.hypothesis is None and (job.reference == files.STDIN or os.isatty(0)):
        return None
    source = schema.copied(schema.Source((job.said,), encoding=job.values["encoding"]))
    return source if job.hypothesis is not None or os.path.getsize(source.paths[0]) else None


def _two_columns(job: Job) -> tuple[Sentences, Sentences]:
    """Gold and predicted tags are the last two columns of one file, as conlleval takes it."""
    name, rows = files.name(job.reference), enumerate(job.lines(job.reference), 1)
    blocks = itertools.groupby(rows, lambda row: bool(row[1].strip()))
    cells = [[_cells(line, f"{name}:{number}") for number, line in block] for filled, block in blocks if filled]
    gold, predicted = ([[row[place] for row in sentence] for sentence in cells] for place in (-2, -1))
    kinds = [{tag for tags in part for tag in tags} - {"O"} for part in (gold, predicted)]
    if all(kinds) and kinds[0].isdisjoint(kinds[1]):
        show.log.warning("the last two columns have no tag in common: are they gold and predicted?")
    return gold, predicted


def _cells(line: str, where: str) -> list[str]:
    cells = line.rstrip().split("\t") if "\t" in line.rstrip() else line.split()
    if len(cells) < 3:
        what = f"{where}: {formats.count(cells)}, expected a token, its gold tag and the predicted one"
        raise errors.DataError(what, "or name the predictions as HYPOTHESIS, - for stdin")
    return cells


def _in_corpus(source: schema.Source, kind: str) -> Sentences:
    from seqnlp.tasks.tag import task as tag

    return [list(example.target) for example in tag.read(replace(source, format=kind), tag.Config())]


def _predicted_tags(source: schema.Source, gold: str) -> Sentences:
    """What predict printed: JSON, `word/TAG word/TAG`, or columns, which are those of CoNLL-U if the gold ones are."""
    (path,) = source.paths
    lines = list(files.lines(path, source.encoding))
    numbered = [(f"{source.name(path)}:{number}", line) for number, line in enumerate(lines, 1) if line.strip()]
    if _is_json(lines, path):
        found = [_from_json(line, where, _tags_field, "lines of seqnlp tag predict") for where, line in numbered]
        return [tags for tags in found if tags]  # none of a blank text
    kind = detect.format_of(path, source, targets=False)
    if kind == "text" and (words := _first(lines).split()) and all("/" in word for word in words):
        return [_slashed(line, where) for where, line in numbered]
    return _in_corpus(source, kind if kind != "text" else gold if gold == "conllu" else "conll")


def _slashed(line: str, where: str) -> list[str]:
    words = line.split()
    if not all("/" in word for word in words):
        raise errors.DataError(f"{where}: a word without its tag", "as in: word/TAG word/TAG")
    return [word.rpartition("/")[2] for word in words]


def _tags_field(record: Any) -> list[str]:
    value = record["tag"]
    found = [] if value is None else value["tags"]
    if not isinstance(found, list) or not all(isinstance(tag, str) for tag in found):
        raise TypeError
    return found


def _from_json(line: str, where: str, pick: Callable[[Any], T], hint: str) -> T:
    try:
        return pick(json.loads(line))
    except (ValueError, LookupError, TypeError, RecursionError):
        raise errors.DataError(f"{where}: no prediction in this JSON", hint) from None


def _is_json(lines: Iterable[str], path: str) -> bool:
    """Return whether lines are JSON: by the name of the file, or if the first one is an object."""
    if detect.format_of(path, schema.Source((path,)), targets=False) == "jsonl":
        return True
    try:
        return isinstance(json.loads(_first(lines)), dict)
    except (ValueError, RecursionError):
        return False


def _first(lines: Iterable[str]) -> str:
    return next((line for line in lines if line.strip()), "")
