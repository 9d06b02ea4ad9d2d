"""Reading: from the records of a corpus to sources with their targets."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from seqnlp import errors
from seqnlp.io import files
from seqnlp.preprocess.corpora import formats, readers, references, schema
from seqnlp.preprocess.corpora.examples import Example

SHORTER, SAME = 0.8, 0.5  # at most this many letters for each of the document, at least this share of its words in it

log = logging.getLogger(__name__)


def labelled(record: formats.Record, roles: Sequence[str]) -> Example:
    """Return the source of a record with its target; roles: what the corpus calls these."""
    source, target = map(record.text, roles)
    return Example(source, target, record.raw, record.file, record.line)


def pairs(source: schema.Source, roles: Sequence[str]) -> Iterator[Example]:
    """Yield pairs; those with a blank side are left out, and counted at the end."""
    blank = 0
    records = (labelled(record, roles) for record in readers.records(source, roles, targets=True))
    for pair in _with_others(records, source, roles) if source.references else records:
        if pair.source.strip() and pair.target.strip():
            yield pair
        else:
            blank += bool(pair.source.strip() or pair.target.strip())
    if blank:
        log.warning("%s: %d pairs with one blank side are left out", source.title, blank)


def _with_others(pairs: Iterable[Example], source: schema.Source, roles: Sequence[str]) -> Iterator[Example]:
    """Yield each pair with its further references, which are as many in every file as there are pairs."""
    further = [references.read(replace(source, references=()), path, roles)[0] for path in source.references]
    number = 0
    for number, pair in enumerate(pairs, 1):
        yield replace(pair, others=tuple(texts[number - 1] if number <= len(texts) else "" for texts in further))
    for path, texts in zip(source.references, further, strict=True):
        if len(texts) != number:
            raise errors.DataError(
                f"{files.name(path)}: {len(texts)} references, {source.title} has {number}", "one for each segment"
            )


def with_references(inputs: Iterable[Example], path: str, source: schema.Source) -> Iterator[Example]:
    """Yield each source with its line of the references; with a blank one it counts as blank."""
    if path == files.STDIN and files.STDIN in source.paths:
        raise errors.UsageError("- (stdin) can be read once only")
    name, lines = files.name(path), files.lines(path, source.encoding)
    number = 0
    for number, one in enumerate(inputs, 1):
        if (line := next(lines, None)) is None:
            raise errors.DataError(f"{name}: has {number - 1} lines, fewer than {source.title}")
        yield replace(one, target=line, source=one.source if line.strip() else "")
    if next(lines, None) is not None:
        raise errors.DataError(f"{name}: has more lines than {source.title}, which has {number}")


def are_summaries(corpus: Sequence[Example]) -> bool:
    """Return whether most targets are shorter than their sources, and say it mostly in their words."""
    like = 0
    for one in corpus:
        known, told = set(one.source.casefold().split()), one.target.casefold().split()
        shorter = len(one.target) <= SHORTER * len(one.source)
        like += shorter and sum(word in known for word in told) >= SAME * len(told)
    return 2 * like > len(corpus)
