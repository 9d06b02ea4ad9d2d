"""Fitting: the tokens of documents and summaries, and how long summaries are."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from seqnlp import errors
from seqnlp.metrics import summaries
from seqnlp.preprocess.corpora import examples
from seqnlp.preprocess.text import bitext, subword, tokenizer
from seqnlp.tasks.summarize.codec import Codec
from seqnlp.tasks.summarize.options import Config

log = logging.getLogger(__name__)

NEARLY_ALL = (0.01, 0.99)  # quantiles of the summaries' lengths


def fit(corpus: examples.Examples, config: Config, given: Mapping[str, Any]) -> tuple[Config, Codec]:
    """Return the config and the codec fitted on the training part; see `Task.fit`."""
    if next(iter(corpus), None) is None:
        raise errors.DataError("the training part is empty: no pairs")
    if "codec" in given:
        _lengths(corpus, given["codec"].source, config)
        return config, given["codec"]
    if tokenizers := given.get("tokenizers"):
        if len(tokenizers) > 1:
            hint = "give one --tokenizer: what is copied must be the same on both sides"
            raise errors.UsageError("documents and summaries share one vocabulary", hint)
        (pieces,) = tokenizers
    else:
        config, pieces = _vocabulary(corpus, config)
    lengths = _lengths(corpus, pieces, config)
    shortest, longest = np.quantile(lengths, NEARLY_ALL, method="nearest").tolist()
    words = float(np.mean([len(summaries.words(one.target)) for one in corpus]))
    return config, Codec(pieces, shortest, longest, words, config.max_document_length)


def _vocabulary(corpus: examples.Examples, config: Config) -> tuple[Config, tokenizer.Tokenizer]:
    """Return the config with the size of the vocabulary, and the tokenizer."""
    if config.level != "word":
        size = config.vocab_size or bitext.settled(corpus)[1]
        kind, normal = config.level, config.normalize
        pieces, _ = bitext.trained(corpus, joint=True, kind=kind, size=size, normalization=normal)
        return replace(config, vocab_size=size), pieces
    size = config.vocab_size or subword.LARGEST
    texts = (side for one in corpus for side in (one.source, one.target))
    words = tokenizer.train_vocabulary(
        texts, level="spaced", normalization=config.normalize, size=size, min_count=config.min_count
    )
    return replace(config, vocab_size=size), words


def _lengths(corpus: examples.Examples, pieces: tokenizer.Tokenizer, config: Config) -> list[int]:
    """Return the lengths of the summaries that can be learnt from; says how many cannot."""
    limit = config.max_summary_length
    every = [len(pieces.encode([one.target])[0]) for one in corpus]
    kept = [length for length in every if length <= limit]
    if not kept:
        raise errors.DataError(f"no summary has at most {limit} tokens", "a greater --max-summary-length")
    if len(kept) < len(every):
        log.warning("%d summaries have more than %d tokens: left out of training", len(every) - len(kept), limit)
    return kept
