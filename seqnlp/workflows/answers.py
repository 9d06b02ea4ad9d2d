"""Answers: what is right and what was predicted, as labels, tags or texts, from whichever form of file they are in.

What a task's predict printed is read back by that task; a corpus is read as training reads it.
"""

from __future__ import annotations

import functools
import json
import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from seqnlp import errors
from seqnlp.io import files
from seqnlp.preprocess.corpora import detect, formats, readers, schema, tables
from seqnlp.tasks import base, registry
from seqnlp.workflows import corpus_answers

JSON = re.compile(r"\{\s*([\"}]|$)")  # how an object begins; a label may begin with a brace too
Labels = list[tuple[str, ...]]
Sentences = list[list[str]]  # of tags


def roles() -> list[str]:
    """Return the roles of all corpora that references may come from."""
    return list(dict.fromkeys(role for task in map(registry.get, registry.REGISTRY) for role in task.roles))


@dataclass(frozen=True)
class Scoring:
    """What to score: a reference, and how to read it; the hypothesis, None where it was not named."""

    reference: schema.Source
    hypothesis: str | None
    multi_label: bool = False

    @property
    def path(self) -> str:
        """Return where the reference is."""
        return self.reference.paths[0]

    @property
    def predicted(self) -> str:
        """Return where the predictions are."""
        return files.STDIN if self.hypothesis is None else self.hypothesis

    def lines(self, path: str) -> list[str]:
        """Return the lines of a file."""
        return list(files.lines(path, self.reference.encoding))

    @functools.cached_property
    def said(self) -> schema.Source:
        """Return the predictions, copied if they could be read only once; their columns are those of the reference."""
        return schema.copied(replace(self.reference, paths=(self.predicted,), format=None))

    def hashes(self) -> dict[str, str]:
        """Return the SHA-256 of every file by name; stdin and pipes are gone once read."""
        paths = [path for path in (self.path, self.predicted) if os.path.isfile(path) or path.startswith(tables.HUB)]
        return schema.Source(tuple(paths)).hashes()


def labels(scoring: Scoring) -> tuple[Labels, Labels]:
    """Return the gold and the predicted labels of each item."""
    task = registry.that_predict("labels")[0]
    config = task.Config(multi_label=scoring.multi_label)
    source = schema.copied(_for(scoring.reference, task))
    kind = detect.format_of(source.paths[0], source, targets=True)
    found = corpus_answers.labels(task, source, config) if kind in ("text", "fasttext") else None
    if found is not None:
        gold = found
    elif kind == "text":
        lines = (line for line in source.lines(source.paths[0]) if scoring.multi_label or line.strip())
        gold = [task.parse(line, config) for line in lines]
    else:
        gold = [example.target for example in task.read(source, config)]
    names = {name for labels in gold for name in labels}
    corpus = corpus_answers.labels(task, _for(scoring.said, task), config, names)
    return gold, _predicted(scoring, "labels", config, blank=scoring.multi_label) if corpus is None else corpus


def _for(source: schema.Source, task: base.AnyTask) -> schema.Source:
    """Return the source with the columns of the task's roles only."""
    return replace(source, columns={role: name for role, name in source.columns.items() if role in task.roles})


def _predicted(scoring: Scoring, answers: str, config: Any, *, blank: bool) -> list[Any]:
    """Return what predict printed, as text or as JSON; a blank line stands for a blank input, and counts if `blank`."""
    tasks = registry.that_predict(answers)
    found = []
    for number, line in enumerate(scoring.said.lines(scoring.said.paths[0]), 1):
        where = f"{files.name(scoring.predicted)}:{number}"
        if JSON.match(line):
            found.append(_from_json(line, where, tasks, config))
        elif line.strip() or blank:
            found.append(_from_text(line, where, tasks[0], config))
    return [answer for answer in found if answer is not None]


def _from_json(line: str, where: str, tasks: Sequence[base.AnyTask], config: Any) -> Any:
    """Return the answer of the last task that was at work in a line of JSON, None of a blank input."""
    known = {task.name: task for task in tasks}
    try:
        record = json.loads(line)
        name = [name for name in record if name in known][-1]
        if record[name] is None:
            return None
        return known[name].parse(dict(record[name]), config)
    except (ValueError, LookupError, TypeError, RecursionError):
        hint = f"lines of seqnlp {tasks[0].name} predict"
        raise errors.DataError(f"{where}: no prediction in this JSON", hint) from None


def _from_text(line: str, where: str, task: base.AnyTask, config: Any) -> Any:
    """Return the answer in a line of text as predict prints it."""
    try:
        return task.parse(line, config)
    except ValueError as error:
        raise errors.DataError(f"{where}: {error}", f"as seqnlp {task.name} predict prints it") from None


def texts(scoring: Scoring) -> tuple[list[str], list[str]]:
    """Return references and hypotheses, one for each segment.

    A corpus has no blank lines between its records, but predict answers each that it finds there with another.
    """
    task = registry.that_predict("texts")[0]
    source = _for(scoring.reference, task)
    target = task.roles[1]
    columns = {task.roles[0]: source.columns.get(target, target), **source.columns}  # nobody looks at the source
    source = replace(source, columns=columns if source.columns else {})
    if detect.format_of(scoring.path, source, targets=False) == "text":
        return scoring.lines(scoring.path), _written(scoring)
    references = [_text(record, target) for record in readers.records(source, task.roles, targets=True)]
    corpus = corpus_answers.texts(
        task, replace(source, paths=scoring.said.paths, names=scoring.said.names, format=None)
    )
    hypotheses = _written(scoring) if corpus is None else corpus
    if len(hypotheses) != len(references):
        hypotheses = [text for text in hypotheses if text.strip()]
    return references, hypotheses


def _text(record: formats.Record, role: str) -> str:
    text = record.values[role]
    if not isinstance(text, str):
        raise errors.DataError(f"{record.where}: the {role} is no text", f"name its field with --{role}-field")
    return text


def _written(scoring: Scoring) -> list[str]:
    """Return the predicted texts: plain lines, or the JSON of predict."""
    lines = list(scoring.said.lines(scoring.said.paths[0]))
    if not _is_json(lines, scoring.predicted):
        return lines
    tasks, name = registry.that_predict("texts"), files.name(scoring.predicted)
    found = [_from_json(line, f"{name}:{n}", tasks, None) if line.strip() else "" for n, line in enumerate(lines, 1)]
    return ["" if text is None else text for text in found]


def tags(scoring: Scoring) -> tuple[Sentences, Sentences]:
    """Return the gold and the predicted tags of each sentence.

    Where no hypothesis is named and nothing comes from stdin, both are in the reference.
    """
    predicted = _given(scoring)
    if predicted is None:
        return _two_columns(scoring)
    task = registry.that_predict("tags")[0]
    gold = schema.copied(_for(scoring.reference, task))
    kind = detect.format_of(gold.paths[0], gold, targets=False)
    return _in_corpus(task, gold, "conll" if kind == "text" else kind), _predicted_tags(task, predicted, kind)


def _given(scoring: Scoring) -> schema.Source | None:
    """Return the hypothesis; None where there is none, neither by name nor on stdin."""
    if scoring.hypothesis is None and (scoring.path == files.STDIN or os.isatty(0)):
        return None
    source = schema.copied(schema.Source((scoring.predicted,), encoding=scoring.reference.encoding))
    return source if scoring.hypothesis is not None or os.path.getsize(source.paths[0]) else None


def _two_columns(scoring: Scoring) -> tuple[Sentences, Sentences]:
    """Gold and predicted tags are the last two columns of one file."""
    return corpus_answers.two_columns(scoring.lines(scoring.path), files.name(scoring.path))


def _in_corpus(task: base.AnyTask, source: schema.Source, kind: str) -> Sentences:
    return [list(example.target) for example in task.read(replace(source, format=kind), task.Config())]


def _predicted_tags(task: base.AnyTask, source: schema.Source, gold: str) -> Sentences:
    """What predict printed: JSON, `word/TAG word/TAG`, or columns, which are those of CoNLL-U if the gold ones are."""
    (path,) = source.paths
    lines = list(files.lines(path, source.encoding))
    kind = detect.format_of(path, source, targets=False)
    numbered = [(f"{source.name(path)}:{number}", line) for number, line in enumerate(lines, 1) if line.strip()]
    if _is_json(lines, path):
        found = [_from_json(line, where, [task], None) for where, line in numbered]
        return [list(tags) for tags in found if tags]  # none of a blank text
    if kind == "text" and corpus_answers.slashed(lines):
        return [list(_from_text(line, where, task, None)) for where, line in numbered]
    return _in_corpus(task, source, kind if kind != "text" else gold if gold == "conllu" else "conll")


def _is_json(lines: Iterable[str], path: str) -> bool:
    """Return whether lines are JSON: by the name of the file, or if the first one is an object."""
    if detect.format_of(path, schema.Source((path,)), targets=False) == "jsonl":
        return True
    try:
        return isinstance(json.loads(corpus_answers.first(lines)), dict)
    except (ValueError, RecursionError):
        return False


READERS: Mapping[str, Callable[[Scoring], tuple[list[Any], list[Any]]]] = {
    "labels": labels,
    "tags": tags,
    "texts": texts,
}
