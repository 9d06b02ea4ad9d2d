"""Reading: from the records of a corpus to texts with their labels."""

from __future__ import annotations

from seqnlp import errors
from seqnlp.preprocess.corpora import formats
from seqnlp.preprocess.corpora.examples import Example

TEXT, LABEL = ROLES = ("text", "label")


def labelled(record: formats.Record, multi_label: bool) -> Example:
    """Return the text of a record with the tuple of its labels."""
    return Example(_text(record), _labels(record, multi_label), record.raw, record.file, record.line)


def unlabelled(record: formats.Record) -> Example:
    """Return the text of a record."""
    return Example(_text(record), None, record.raw, record.file, record.line)


def _text(record: formats.Record) -> str:
    text = record.values[TEXT]
    if not isinstance(text, str):
        raise errors.DataError(f"{record.where}: the text is a {type(text).__name__}, expected a string")
    return text


def _labels(record: formats.Record, multi_label: bool) -> tuple[str, ...]:
    value = record.values[LABEL]
    if isinstance(value, str):
        parts = value.split(",") if multi_label else [value]
    else:
        parts = value if isinstance(value, list) else [value]
    if not all(isinstance(part, str | int | float) for part in parts):
        raise errors.DataError(f"{record.where}: a label is a string or a number, or a list of them")
    # White space inside a label would break lines and columns of the output.
    names = tuple(dict.fromkeys(name for part in parts if (name := " ".join(str(part).split()))))
    if not multi_label and len(names) != 1:
        what = "no label" if not names else f"{len(names)} labels"
        raise errors.DataError(f"{record.where}: {what}, expected one", "--multi-label, if items have several, or none")
    return names
