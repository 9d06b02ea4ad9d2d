"""Options of summarize: what makes the model, what shapes a result."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from seqnlp.options import option, redeclared
from seqnlp.tasks.seq2seq import options as seq2seq


@dataclass(frozen=True)
class Config(seq2seq.Network):
    """What makes the model."""

    max_document_length: int = option(
        400, "Subwords of a document that are read, from its beginning.", group="Text", low=1, main=True
    )
    max_summary_length: int = option(
        150, "Pairs whose summary has more subwords than this are left out of training.", group="Text", low=1
    )
    coverage_loss: float = option(
        1.0, "Weight of the coverage loss, which is there in the last tenth of the steps; 0 for none.", low=0.0
    )


@dataclass(frozen=True)
class Search(seq2seq.Search):
    """What shapes a result."""

    may_leave_out: ClassVar[bool] = True
    no_repeat_ngram_size: int = redeclared(seq2seq.Search, "no_repeat_ngram_size", 3)
    coverage_penalty: float = redeclared(
        seq2seq.Search,
        "coverage_penalty",
        0.0,
        "Beta of the coverage penalty, on parts of a document that are told again (Gehrmann et al. 2018); 0 for none.",
    )
    min_length: int | None = option(
        None, "Minimum subwords of a summary; by default as hardly any in training has fewer.", group="Search", low=0
    )
    max_length: int | None = option(
        None, "Maximum subwords of a summary; by default as hardly any in training has more.", group="Search", low=1
    )
