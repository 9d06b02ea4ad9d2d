"""Fitting: the subwords of both sides, and the lengths of the pairs that can be learnt from."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from seqnlp import errors
from seqnlp.preprocess.corpora import examples
from seqnlp.preprocess.text import bitext, tokenizer
from seqnlp.tasks.translate.codec import Codec
from seqnlp.tasks.translate.options import Config

log = logging.getLogger(__name__)


def fit(corpus: examples.Examples, config: Config, given: Mapping[str, Any]) -> tuple[Config, Codec]:
    """Return the config and the codec fitted on the training part; see `Task.fit`.

    Learning subwords is a pass of its own, after the one that says how many they are to be, and so are the lengths.
    """
    if next(iter(corpus), None) is None:
        raise errors.DataError("the training part is empty: no pairs")
    if "codec" in given:
        known = given["codec"]
        lengths = _lengths(corpus, known.source, known.target, config)
        return config, replace(known, longest=max(known.longest, lengths.longest))
    if tokenizers := given.get("tokenizers"):
        source, target = tokenizers[0], tokenizers[-1]
        config = replace(config, vocabulary="joint" if len(tokenizers) == 1 else "separate")
    else:
        config, source, target = _subwords(corpus, config)
    lengths = _lengths(corpus, source, target, config)
    tokenize = bitext.tokenization(corpus)
    codec = Codec(source, target, lengths.longest, lengths.ratio, tokenize, merge_dropout=config.bpe_dropout)
    if config.bpe_dropout:
        _ = codec.samplers  # raises where the subwords are of another kind
    return config, codec


def _subwords(corpus: examples.Examples, config: Config) -> tuple[Config, tokenizer.Tokenizer, tokenizer.Tokenizer]:
    """Return the config with the kind and the size of the vocabulary, and the tokenizers of both sides."""
    vocabulary, size = bitext.settled(corpus)
    if config.vocabulary != "auto":
        vocabulary = config.vocabulary
    size = config.vocab_size or size
    both = bitext.trained(
        corpus, joint=vocabulary == "joint", kind=config.subwords, size=size, normalization=config.normalize
    )
    return replace(config, vocabulary=vocabulary, vocab_size=size), *both


def _lengths(
    corpus: examples.Examples, source: tokenizer.Tokenizer, target: tokenizer.Tokenizer, config: Config
) -> bitext.Lengths:
    """Return the lengths of the pairs that can be learnt from; says how many cannot."""
    limit = config.max_train_length
    found = bitext.lengths(corpus, source, target, limit)
    if not found.kept:
        raise errors.DataError(f"no pair has at most {limit} subwords on either side", "a greater --max-train-length")
    if found.left_out:
        log.warning("%d pairs have more than %d subwords on a side: left out of training", found.left_out, limit)
    return found
