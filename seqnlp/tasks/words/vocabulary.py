"""The words of a training part: counted, cut to a vocabulary, and joined by those that have pretrained vectors."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from seqnlp import errors
from seqnlp.preprocess.corpora import examples
from seqnlp.preprocess.text import labels, tokenizer, word_vectors
from seqnlp.tasks.words import options

if TYPE_CHECKING:
    from torch import nn

log = logging.getLogger(__name__)

ConfigT = TypeVar("ConfigT", bound=options.WordOptions)


def splitter(
    config: options.WordOptions, given: Sequence[tokenizer.Tokenizer] | None, task: str
) -> tokenizer.Tokenizer:
    """Return the tokenizer that was given, or one without words that normalises and splits as the config says."""
    if given is None:
        return tokenizer.vocabulary({}, level="word", normalization=config.normalize)
    if len(given) != 1:
        raise errors.UsageError(f"{len(given)} tokenizers, but {task} needs one")
    return given[0]


def from_counts(
    counts: Mapping[str, int], config: options.WordOptions, empty: tokenizer.Tokenizer
) -> tokenizer.Tokenizer:
    """Return the vocabulary of counted words, and of those that have a vector; empty: it normalises."""
    return tokenizer.from_counts(
        counts,
        normalization=config.normalize,
        size=config.vocab_size,
        min_count=config.min_count,
        more=word_vectors.words(config.vectors, empty.normal, counts) if config.vectors else (),
    )


def split(corpus: examples.Examples, seed: int, what: str) -> tuple[examples.Examples, examples.Examples]:
    """Return train and dev; says, or raises `DataError`, where one has only one label (what: class, tag)."""
    train, dev = examples.random_split(corpus, seed)
    for doubt in labels.after_split((e.target for e in train), (e.target for e in dev), what):
        log.warning(doubt)
    return train, dev


def resolved(config: ConfigT) -> ConfigT:
    """Return the config with the size of the pretrained vectors."""
    return replace(config, embedding_size=word_vectors.size(config.vectors)) if config.vectors else config


def put_vectors(embedding: nn.Embedding, config: options.WordOptions, words: tokenizer.Tokenizer) -> None:
    """Put pretrained vectors into an embedding, where there are such."""
    from seqnlp.nn import embedding as embeddings

    if config.vectors:
        embeddings.put(embedding, *word_vectors.rows(config.vectors, words.vocabulary, words.normal))


def files(config: options.WordOptions) -> list[str]:
    """Return the files that the settings name."""
    return [config.vectors] if config.vectors else []
