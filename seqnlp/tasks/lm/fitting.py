"""Fitting: the vocabulary of a training part."""

from __future__ import annotations

import collections
import logging
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from seqnlp import errors
from seqnlp.preprocess.corpora import examples
from seqnlp.preprocess.text import subword, tokenizer
from seqnlp.tasks.lm import codec as codecs
from seqnlp.tasks.lm.codec import Codec
from seqnlp.tasks.lm.options import Config

EMPTY = "the training part is empty: no text"
log = logging.getLogger(__name__)


def fit(corpus: examples.Examples, config: Config, given: Mapping[str, Any]) -> tuple[Config, Codec]:
    """Return the config and the codec fitted on the training part; see `Task.fit`."""
    if "codec" in given:
        return config, given["codec"]
    if tokenizers := given.get("tokenizers"):
        if len(tokenizers) != 1:
            raise errors.UsageError(f"{len(tokenizers)} tokenizers, but lm needs one")
        return config, Codec(tokenizers[0], config.level)
    if config.level == "bpe":
        words = sum(len(example.source.split()) for example in corpus)
        if not words:
            raise errors.DataError(EMPTY)
        size = config.vocab_size or subword.size(words)
        made = subword.train((e.source for e in corpus), size=size, normalization=config.normalize)
        return replace(config, vocab_size=size), Codec(made, config.level)
    return config, Codec(_counted(corpus, config), config.level)


def _counted(corpus: examples.Examples, config: Config) -> tokenizer.Tokenizer:
    """Return the vocabulary of words or characters; says how many are left out."""
    level = "char" if config.level == "char" else {"words": "word", "blanks": "blank"}[config.split]
    empty = tokenizer.vocabulary({}, level=level, normalization=config.normalize)
    counts = collections.Counter[str]()
    for example in corpus:
        counts.update(codecs.split(empty, config.level, example.source))
    if not counts:
        raise errors.DataError(EMPTY)
    made = tokenizer.from_counts(
        counts, level=level, normalization=config.normalize, size=config.vocab_size, min_count=config.min_count
    )
    lost = sum(number for word, number in counts.items() if word not in made.vocabulary)
    if lost:
        log.info("%d of %d words are unknown (--vocab-size, --min-count)", lost, counts.total())
    return made
