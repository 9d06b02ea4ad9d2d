"""Answers: what is right and what was predicted, as labels, tags or texts, from whichever form of file they are in.

What a task's predict printed is read back by that task; a corpus is read as training reads it.
"""

from __future__ import annotations

import functools
import json
import logging
import os
import re
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from seqnlp import errors
from seqnlp.io import files
from seqnlp.preprocess.corpora import conll, detect, readers, schema, series, tables
from seqnlp.preprocess.text import labels as labelled
from seqnlp.preprocess.text import tag_schemes
from seqnlp.tasks import base, registry
from seqnlp.workflows import corpus_answers, printed, texts

log = logging.getLogger(__name__)

Labels = list[tuple[str, ...]]
Sentences = list[list[str]]  # of tags
Answers = TypeVar("Answers", Labels, Sentences)
UPOS = "upos"  # the column of CoNLL-U whose tags are meant where nothing is said
SCORE = re.compile(r"[01]\.\d{4}")  # as predict prints a probability


def roles() -> list[str]:
    """Return the roles of all corpora that references may come from."""
    return list(dict.fromkeys(role for task in map(registry.get, registry.REGISTRY) for role in task.roles))


@dataclass(frozen=True)
class Scoring:
    """What to score: a reference, and how to read it; the hypothesis, None where it was not named; more references."""

    reference: schema.Source
    hypothesis: str | None
    multi_label: bool = False
    further: tuple[str, ...] = ()  # files of further references

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
        every = (self.path, self.predicted, *self.further)
        own = [path for path in every if path not in self.reference.names]  # and no copies
        paths = [path for path in own if os.path.isfile(path) or path.startswith(tables.HUB)]
        return schema.Source(tuple(paths)).hashes()


def labels(scoring: Scoring) -> tuple[Labels, Labels]:
    """Return the gold and the predicted labels of each item."""
    tasks = registry.that_predict("labels")
    config = tasks[0].Config(multi_label=scoring.multi_label)
    _check_fields(_for(scoring.reference, tasks[0]), _for(scoring.said, tasks[0]), tasks[0].roles)
    gold = corpus_answers.labels(tasks, _for(scoring.reference, tasks[0]), config)
    names = {name for labels in gold if labels is not None for name in labels}
    return _compared(*_side_by_side(gold, _predicted_labels(scoring, tasks, config, names)), "label")


def _compared(gold: Answers, found: Answers, what: str) -> tuple[Answers, Answers]:
    """Both as they are; a warning where they have nothing in common, O besides."""
    right, said = ({name for names in part for name in names} - {tag_schemes.OUTSIDE} for part in (gold, found))
    if sum(map(len, gold)) > 1 and right and said and right.isdisjoint(said):
        examples = f"{labelled.shown(right)}; {labelled.shown(said)}"
        log.warning("gold and predicted have no %s in common: %s", what, examples)
    return gold, found


def _check_fields(reference: schema.Source, said: schema.Source, roles: tuple[str, ...]) -> None:
    """Raise `UsageError` where a field is named, and there are none on either side."""
    both = (reference, said)
    if reference.columns and all(readers.format_of(one, roles) == "text" for one in both):
        names = " nor ".join(one.name(one.paths[0]) for one in both)
        raise errors.UsageError(f"--{next(iter(reference.columns))}-field has no effect: neither {names} has fields")


def _side_by_side(
    gold: Sequence[tuple[str, ...] | None], found: Sequence[tuple[str, ...] | None]
) -> tuple[Labels, Labels]:
    """Gold and predicted labels without those of blank texts, for which predict prints blank lines.

    A blank line may also say that there is no label, or none that is sure: the places tell, where they are the same.
    """
    filled = [labels for labels in gold if labels is not None]
    if len(found) == len(gold) and not any(said for right, said in zip(gold, found, strict=True) if right is None):
        found = [labels for right, labels in zip(gold, found, strict=True) if right is not None]
    elif len(found) != len(filled):
        found = [labels for labels in found if labels is not None]
    return filled, [() if labels is None else labels for labels in found]


def _predicted_labels(
    scoring: Scoring, tasks: Sequence[base.AnyTask], config: Any, known: Set[str]
) -> Sequence[tuple[str, ...] | None]:
    """What predict printed, None for a blank line, or the labels in a corpus; known: those of the references."""
    said = _for(scoring.said, tasks[0])
    (path,) = said.paths
    lines = [] if detect.is_table(path, said) else list(said.lines(path))
    if (table := printed.in_table(lines, said.name(path), tasks, config)) is not None:
        return table
    if printed.is_json(lines, detect.by_name(path, said) or ""):
        return printed.in_lines(lines, said.name(path), tasks, config)
    return corpus_answers.labels(tasks, said, config, known)


def _for(source: schema.Source, task: base.AnyTask) -> schema.Source:
    """Return the source with the columns of the task's roles only."""
    return replace(source, columns={role: name for role, name in source.columns.items() if role in task.roles})


def text_pairs(scoring: Scoring) -> tuple[list[str], list[str]]:
    """Return references and hypotheses, one for each segment."""
    _check_fields(scoring.reference, scoring.said, texts.roles(scoring.reference))
    gold, is_corpus = texts.of_references(scoring.reference, scoring.path)
    return gold, texts.hypotheses(scoring.said, len(gold) if is_corpus else 0)


def tags(scoring: Scoring) -> tuple[Sentences, Sentences]:
    """Return the gold and the predicted tags of each sentence.

    Where no hypothesis is named and nothing comes from stdin, both are in the reference.
    """
    predicted = _given(scoring)
    if predicted is None:
        return _compared(*_two_columns(scoring), "tag")
    task = registry.that_predict("tags")[0]
    gold = schema.copied(_for(scoring.reference, task))
    kind = corpus_answers.kind_of_tags(gold)
    column = gold.columns.get("tags", UPOS) if kind == "conllu" else UPOS
    return _compared(_in_corpus(task, gold, kind, column=column), _predicted_tags(task, predicted, column), "tag")


def _given(scoring: Scoring) -> schema.Source | None:
    """Return the hypothesis; None where there is none, neither by name nor on stdin."""
    if scoring.hypothesis is None and (scoring.path == files.STDIN or os.isatty(0)):
        return None
    source = schema.copied(schema.Source((scoring.predicted,), encoding=scoring.reference.encoding))
    return source if scoring.hypothesis is not None or os.path.getsize(source.paths[0]) else None


def _two_columns(scoring: Scoring) -> tuple[Sentences, Sentences]:
    """Gold and predicted tags are the last two columns of one file."""
    return corpus_answers.two_columns(scoring.lines(scoring.path), files.name(scoring.path))


def _in_corpus(
    task: base.AnyTask, source: schema.Source, kind: str, place: int = 0, *, column: str = UPOS
) -> Sentences:
    """The tags of a corpus; column: the one of CoNLL-U, which has no fields besides; place: that of other columns."""
    source = replace(source, format=kind, columns={} if kind == "conllu" else source.columns)
    return [list(example.target) for example in task.read(source, task.Config(tag_column=place, column=column))]


def _predicted_tags(task: base.AnyTask, source: schema.Source, column: str) -> Sentences:
    """What predict printed, JSON, `word/TAG word/TAG`, or columns; or the tags in a table."""
    (path,) = source.paths
    lines = [] if detect.is_table(path, source) else list(source.lines(path))
    named = detect.by_name(path, source)
    numbered = [(f"{source.name(path)}:{number}", line) for number, line in enumerate(lines, 1) if line.strip()]
    if printed.is_json(lines, named or ""):
        found = [printed.from_json(line, where, [task], None) for where, line in numbered]
        return [list(tags) for tags in found if tags]  # none of a blank text
    if (table := printed.in_table(lines, source.name(path), [task], None)) is not None:
        return [list(tags) for tags in table if tags]
    if named is None and corpus_answers.slashed(lines):
        return [list(printed.from_text(line, where, task, None)) for where, line in numbered]
    kind = corpus_answers.kind_of_tags(source)
    return _in_corpus(task, source, kind, _tag_column(lines) if kind == "conll" else 0, column=column)


def _tag_column(lines: Sequence[str]) -> int:
    """The column of the tags: 0, the last, but where that holds probabilities the one before."""
    marks = (conll.DOCUMENT, "# ")  # how lines begin that are no tokens, which have no probability
    rows = [re.split("[\t ]", line.rstrip()) for line in lines if line.strip() and not line.startswith(marks)]
    probable = [row for row in rows if len(row) > 2 and SCORE.fullmatch(row[-1])]
    return len(rows[0]) - 1 if rows and len(probable) == len(rows) else 0


def likelihoods(scoring: Scoring) -> tuple[list[str], list[float]]:
    """Return the texts and the log-probability of each; pairs without one, as of blank lines, are left out."""
    tasks = registry.that_predict("likelihoods")
    task, said = tasks[0], scoring.said
    config, (path,) = task.Config(), said.paths
    texts = [example.source for example in task.read(_for(scoring.reference, task), config)]
    lines = list(said.lines(path))
    found = printed.in_table(lines, said.name(path), tasks, config)
    if found is None:
        found = printed.in_lines(lines, said.name(path), tasks, config)
    if len(found) != len(texts):
        raise errors.DataError(f"{len(found)} log-probabilities of {len(texts)} lines")
    pairs = [(text, log) for text, log in zip(texts, found, strict=True) if log is not None]
    return [text for text, _ in pairs], [log for _, log in pairs]


def numbers(scoring: Scoring) -> tuple[list[tuple[str, float]], list[float]]:
    """Return the values, each with the id of its series, and the one that was forecast for it.

    They belong together by id and time where both files say those, else by their order.
    """
    gold = _numbers(scoring.reference)
    try:
        said = _numbers(replace(scoring.said, columns={}))
    except errors.DataError:
        said = _numbers(scoring.said)  # its columns are called as those of the reference
    if gold and said and all(one.keys() == {"id", "time", "value"} for one in (gold[0], said[0])):
        places = {(one["id"], one["time"]): one["value"] for one in said}
        wanted = [(one["id"], one["time"]) for one in gold]
        if missing := next((pair for pair in wanted if pair not in places), None):
            name = scoring.reference.name(scoring.path)
            raise errors.DataError(f"{name}: no forecast for {' '.join(filter(None, missing))}")
        said = [{"value": places[pair]} for pair in wanted]
    if len(said) != len(gold):
        raise errors.DataError(f"{len(said)} forecasts of {len(gold)} values")
    return [(one.get("id", ""), one["value"]) for one in gold], [one["value"] for one in said]


def _numbers(source: schema.Source) -> list[dict[str, Any]]:
    """The values of a file with what it says of their series and times; those that are missing are left out."""
    task, source = registry.that_predict("numbers")[0], schema.copied(source)
    (path,), found = source.paths, []
    lines = [] if detect.is_table(path, source) else source.lines(path)
    if printed.is_json(lines, "") and task.name in json.loads(printed.first(source.lines(path))):
        return [
            one for number, line in enumerate(source.lines(path), 1) for one in _forecasts(line, number, task, source)
        ]
    for record in readers.records(_for(source, task), task.roles, targets=False):
        given = record.values.get("value")
        values = given.split() if isinstance(given, str) and len(record.values) == 1 else [given]
        known = {role: str(record.values[role]) for role in ("id", "time") if record.values.get(role) is not None}
        known = {**({"id": ""} if "time" in known else {}), **known}
        numbers = [series.number_of(value, record.where) for value in values]
        found += [{**known, "value": number} for number in numbers if number == number]
    return found


def _forecasts(line: str, number: int, task: base.AnyTask, source: schema.Source) -> list[dict[str, Any]]:
    """The values of a series as predict prints it in JSON, none of a blank line."""
    if not line.strip():
        return []
    values = printed.from_json(line, f"{source.title}:{number}", [task], None)
    record = json.loads(line)
    others = [str(value) for key, value in record.items() if key != task.name]
    pairs = zip(record[task.name]["time"], values or (), strict=True)
    return [{"id": others[0] if others else "", "time": time, "value": value} for time, value in pairs]


READERS: Mapping[str, Callable[[Scoring], tuple[list[Any], list[Any]]]] = {
    "labels": labels,
    "tags": tags,
    "texts": text_pairs,
    "likelihoods": likelihoods,
    "numbers": numbers,
}
