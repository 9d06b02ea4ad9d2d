"""Reading: from the records of a corpus to sources with their targets, and what may be wrong with these."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from seqnlp import errors
from seqnlp.checks import base as checking
from seqnlp.checks import duplicates, lengths, words
from seqnlp.checks import pairs as pair_checks
from seqnlp.io import files
from seqnlp.preprocess.corpora import formats, readers, references, schema
from seqnlp.preprocess.corpora.examples import Example
from seqnlp.preprocess.text import tokenizer
from seqnlp.tasks.translate.options import Config

log = logging.getLogger(__name__)

SOURCE, TARGET = ROLES = ("source", "target")
SENTENCE = 8  # characters, on average


def labelled(record: formats.Record) -> Example:
    """Return the source of a record with its target."""
    return Example(record.text(SOURCE), record.text(TARGET), record.raw, record.file, record.line)


def pairs(source: schema.Source) -> Iterator[Example]:
    """Yield pairs; those with a blank side are left out, and counted at the end."""
    blank = 0
    records = map(labelled, readers.records(source, ROLES, targets=True))
    for pair in _with_others(records, source) if source.references else records:
        if pair.source.strip() and pair.target.strip():
            yield pair
        else:
            blank += bool(pair.source.strip() or pair.target.strip())
    if blank:
        log.warning("%s: %d pairs with one blank side are left out", source.title, blank)


def _with_others(pairs: Iterable[Example], source: schema.Source) -> Iterator[Example]:
    """Yield each pair with its further references, which are as many in every file as there are pairs."""
    further = [references.read(replace(source, references=()), path, ROLES)[0] for path in source.references]
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


def is_usual(corpus: Sequence[Example]) -> bool:
    """Return whether most targets are their own, and as long as sentences are: classes are neither."""
    size = sum(len(example.target) for example in corpus)
    return 2 * len({example.target for example in corpus}) > len(corpus) and size >= SENTENCE * len(corpus)


def checks(config: Config) -> list[checking.Check]:
    """Return what is looked for in a corpus; see `Task.checks`."""
    splitter = tokenizer.vocabulary({}, level="word", normalization=config.normalize)
    sides = {SOURCE: words.once(splitter.words, "source"), TARGET: words.once(splitter.words, "target")}
    return [
        duplicates.Duplicates("pair", varied=True),
        lengths.Lengths(
            {SOURCE: lambda one: len(sides[SOURCE](one)), TARGET: lambda one: len(sides[TARGET](one))}, "words"
        ),
        pair_checks.Lengths(),
        pair_checks.Copies(),
        pair_checks.Sides(),
        words.UnknownWords(sides),
    ]
