"""Reading: what summaries look like beside their documents, and what may be wrong with them."""

from __future__ import annotations

from seqnlp.checks import base as checking
from seqnlp.checks import duplicates, lengths, words
from seqnlp.checks import pairs as pair_checks
from seqnlp.preprocess.text import tokenizer
from seqnlp.tasks.summarize.options import Config

DOCUMENT, SUMMARY = ROLES = ("document", "summary")


def checks(config: Config) -> list[checking.Check]:
    """Return what is looked for in a corpus; see `Task.checks`."""
    splitter = tokenizer.vocabulary({}, level="word", normalization=config.normalize)
    sides = {DOCUMENT: words.once(splitter.words, "source"), SUMMARY: words.once(splitter.words, "target")}
    return [
        duplicates.Duplicates("pair", varied=True),
        lengths.Lengths(
            {DOCUMENT: lambda one: len(sides[DOCUMENT](one)), SUMMARY: lambda one: len(sides[SUMMARY](one))}, "words"
        ),
        pair_checks.Copies("were they left as they were?"),
        words.UnknownWords(sides),
    ]
