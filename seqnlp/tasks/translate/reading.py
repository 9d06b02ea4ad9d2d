"""Reading: what translations look like, and what may be wrong with them."""

from __future__ import annotations

from collections.abc import Sequence

from seqnlp.checks import base as checking
from seqnlp.checks import duplicates, lengths, words
from seqnlp.checks import pairs as pair_checks
from seqnlp.preprocess.corpora.examples import Example
from seqnlp.preprocess.text import tokenizer
from seqnlp.tasks.seq2seq import reading as pairs
from seqnlp.tasks.translate.options import Config

SOURCE, TARGET = ROLES = ("source", "target")
SENTENCE = 8  # characters, on average


def is_usual(corpus: Sequence[Example]) -> bool:
    """Return whether most targets are their own, and as long as sentences are: classes are neither."""
    if pairs.are_summaries(corpus):
        return False
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
