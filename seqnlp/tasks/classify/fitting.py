"""Fitting: the vocabulary, the labels and the naive Bayes counts of a training part, in one pass over it."""

from __future__ import annotations

import collections
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from seqnlp import errors
from seqnlp.preprocess.corpora import examples
from seqnlp.preprocess.text import labels, naive_bayes
from seqnlp.tasks.classify import codec as codecs
from seqnlp.tasks.classify.codec import Codec
from seqnlp.tasks.classify.options import Config
from seqnlp.tasks.words import vocabulary


def fit(corpus: examples.Examples, config: Config, given: Mapping[str, Any]) -> tuple[Config, Codec]:
    """Return the config and the codec fitted on the training part; see `Task.fit`."""
    config.check()
    if config.multi_label:
        config = replace(config, nb_ngrams=0)  # its classes exclude each other
    if "codec" in given:
        known = _known(collections.Counter(name for example in corpus for name in example.target))
        given["codec"].classes.require(known.names)
        return config, given["codec"]
    empty = vocabulary.splitter(config, given.get("tokenizers"), "classify")
    names, words = collections.Counter[str](), collections.Counter[str]()
    ngrams = naive_bayes.Counter(config.nb_ngrams, len(corpus)) if config.nb_ngrams else None
    for example in corpus:
        split = empty.words(example.source)
        names.update(example.target)
        words.update(split)
        if ngrams is not None:
            ngrams.add(codecs.read_words(split, config.max_length), example.target[0])
    known = _known(names)
    made, vectors = vocabulary.fitted(words, config, empty, given="tokenizers" in given)
    return config, Codec.of(config, made, known, ngrams.finish(known.names) if ngrams else None, vectors)


def _known(counts: Mapping[str, int]) -> labels.Labels:
    """Return the labels by how often each occurs; raises `DataError` for fewer than two."""
    if not counts:
        raise errors.DataError("the training part is empty: no labelled examples")
    if len(counts) == 1:
        (name,) = counts
        raise errors.DataError(
            f"the training part has only one class ({name})", "a classifier needs examples of at least two"
        )
    return labels.Labels.of(counts)
