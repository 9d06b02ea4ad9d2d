"""Options of translate: what makes the model, what shapes a result."""

from __future__ import annotations

from dataclasses import dataclass

from seqnlp.metrics import registry
from seqnlp.options import option
from seqnlp.tasks.seq2seq import options as seq2seq


@dataclass(frozen=True)
class Config(seq2seq.Network):
    """What makes the model."""

    vocabulary: str = option(
        "auto",
        "joint: source and target share subwords and embeddings; auto is joint if they share most characters.",
        choices=("auto", "joint", "separate"),
        group="Text",
    )
    vocab_size: int | None = option(
        None,
        "Subwords in a vocabulary; by default one per 90 words of the corpus, from 500 to 16,000.",
        group="Text",
        low=300,
        main=True,
    )
    subwords: str = option("bpe", "Kind of the subwords.", choices=("bpe", "unigram"), group="Text")
    bpe_dropout: float = option(
        0.0,
        "Probability that a merge is skipped in training, so that a text is split differently each time; for bpe.",
        group="Text",
        low=0.0,
        high=0.9,
    )
    max_train_length: int = option(
        200, "Pairs with more subwords than this on either side are left out of training.", group="Text", low=1
    )


@dataclass(frozen=True)
class Search(seq2seq.Search):
    """What shapes a result."""

    min_length_ratio: float = option(
        0.0, "Minimum subwords of a translation per subword of the source.", group="Search", low=0.0, high=100.0
    )
    max_length_ratio: float = option(
        2.0,
        "Maximum subwords of a translation per subword of the source, plus ten.",
        group="Search",
        low=0.0,
        high=100.0,
    )
    max_source_length: int | None = option(
        None,
        "Maximum subwords of a source, a longer one is translated in parts; by default twice the longest in training.",
        group="Search",
        low=2,
    )
    tokenize: str | None = option(None, "Tokenisation of BLEU in eval.", group="Scoring", choices=registry.TOKENIZERS)
    lowercase: bool = option(False, "Ignore case in eval.", group="Scoring")
