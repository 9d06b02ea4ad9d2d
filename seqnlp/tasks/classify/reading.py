"""Reading: from the records of a corpus to texts with their labels, and what may be wrong with these."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from seqnlp import errors
from seqnlp.checks import base as checking
from seqnlp.checks import duplicates, lengths, words
from seqnlp.checks import labels as label_checks
from seqnlp.preprocess.corpora import formats
from seqnlp.preprocess.corpora.examples import Example
from seqnlp.preprocess.text import labels
from seqnlp.tasks.classify.options import Config
from seqnlp.tasks.words import vocabulary

TEXT, LABEL = ROLES = ("text", "label")
HINT = "--multi-label, if items have several, or none"


def labelled(record: formats.Record, multi_label: bool) -> Example:
    """Return the text of a record with the tuple of its labels."""
    return Example(record.text(TEXT), _labels(record, multi_label), record.raw, record.file, record.line)


def _labels(record: formats.Record, multi_label: bool) -> tuple[str, ...]:
    value = record.values[LABEL]
    if multi_label and isinstance(value, str):
        return labels.parted(value)
    single = not isinstance(value, list)
    names = tuple(dict.fromkeys(_name(record, part, single) for part in ([value] if single else value)))
    if not multi_label and len(names) != 1:
        what = "no label" if not names else f"{len(names)} labels"
        raise errors.DataError(f"{record.where}: {what}, expected one", HINT)
    return names


def _name(record: formats.Record, part: Any, single: bool) -> str:
    """A label as it is printed; raises `DataError` for one that is missing, however that is written."""
    if part is None or (isinstance(part, float) and not math.isfinite(part)):
        what = "null" if part is None else "NaN" if math.isnan(part) else "infinite"
        raise errors.DataError(
            f"{record.where}: the label is {what}", "every row needs a label: give it one, or leave it out"
        )
    if not isinstance(part, str | int | float):
        raise errors.DataError(f"{record.where}: a label is a string or a number, or a list of them")
    name = labels.printed(str(part))
    if not name:
        what = "no label, expected one" if single else "an empty label in the list"
        raise errors.DataError(f"{record.where}: {what}", HINT if single else None)
    return name


def stratum(example: Example) -> tuple[str, ...]:
    """Return by what a split is stratified: the label, or all of them."""
    return tuple(sorted(example.target))


def is_usual(corpus: Sequence[Example]) -> bool:
    """Return whether labels recur as classes do, and are shorter than the texts."""
    distinct = {example.target for example in corpus}
    texts = sum(len(example.source) for example in corpus)
    names = sum(len(name) for example in corpus for name in example.target)
    return 2 * len(distinct) <= len(corpus) and names < texts


def checks(config: Config) -> list[checking.Check]:
    """Return what is looked for in a corpus; see `Task.checks`."""
    split = words.once(vocabulary.splitter(config, None, "classify").words)
    option = None if config.multi_label else "--class-weights balanced"
    limit = ("--max-length", config.max_length)
    return [
        duplicates.Duplicates("text"),
        lengths.Lengths({TEXT: lambda one: len(split(one))}, "words", limit, "training cuts them off there"),
        label_checks.Labels(_names, "class", option=option),
        label_checks.OnlyInDev(_names),
        words.UnknownWords({TEXT: split}),
    ]


def _names(example: Example) -> tuple[str, ...]:
    names: tuple[str, ...] = example.target
    return names
