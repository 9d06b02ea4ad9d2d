"""Options of summarize: what makes the model, what shapes a result."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from seqnlp.options import option, redeclared
from seqnlp.tasks.seq2seq import options as seq2seq


@dataclass(frozen=True)
class Config(seq2seq.Network):
    """What makes the model."""

    level: str = option(
        "word",
        "What a text is read in: words, of which unknown ones can be copied as a whole, or subwords.",
        choices=("word", "bpe", "unigram"),
        group="Text",
    )
    vocab_size: int | None = option(
        None,
        "Maximum entries of the vocabulary; by default 16,000 words, or one subword per 90 words, from 500 to 16,000.",
        group="Text",
        low=300,
        main=True,
    )
    min_count: int = option(
        5, "Minimum occurrences of a word in the vocabulary; all others can be copied only.", group="Text", low=1
    )
    max_document_length: int = option(
        400, "Tokens of a document that are read, from its beginning.", group="Text", low=1, main=True
    )
    max_summary_length: int = option(
        150, "Pairs whose summary has more tokens than this are left out of training.", group="Text", low=1
    )
    coverage_loss: float = option(
        1.0, "Weight of the coverage loss, which is there in the last tenth of the steps; 0 for none.", low=0.0
    )


@dataclass(frozen=True)
class Search(seq2seq.Search):
    """What shapes a result."""

    may_leave_out: ClassVar[bool] = True
    no_repeat_ngram_size: int = redeclared(
        seq2seq.Search, "no_repeat_ngram_size", 3, "No n-gram of this many tokens occurs twice; 0 for no such rule."
    )
    coverage_penalty: float = redeclared(
        seq2seq.Search,
        "coverage_penalty",
        0.0,
        "Beta of the coverage penalty, on parts of a document that are told again (Gehrmann et al. 2018); 0 for none.",
    )
    min_length: int | None = option(
        None, "Minimum tokens of a summary; by default as hardly any in training has fewer.", group="Search", low=0
    )
    max_length: int | None = option(
        None, "Maximum tokens of a summary; by default as hardly any in training has more.", group="Search", low=1
    )
