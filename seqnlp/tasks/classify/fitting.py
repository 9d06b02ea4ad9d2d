"""Fitting: the vocabulary, the labels and the naive Bayes counts of a training part."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from seqnlp import errors
from seqnlp.preprocess.corpora import examples
from seqnlp.preprocess.text import labels, naive_bayes, tokenizer
from seqnlp.tasks.classify.codec import Codec
from seqnlp.tasks.classify.options import Config
from seqnlp.tasks.words import vocabulary


def fit(corpus: examples.Examples, config: Config, given: Mapping[str, Any]) -> tuple[Config, Codec]:
    """Return the config and the codec fitted on the training part; see `Task.fit`."""
    config.check()
    known = labels.Labels.fit(name for example in corpus for name in example.target)
    if not len(known):
        raise errors.DataError("the training part is empty: no labelled examples")
    if len(known) == 1:
        raise errors.DataError(
            f"the training part has only one class ({known.names[0]})", "a classifier needs examples of at least two"
        )
    if "codec" in given:
        given["codec"].classes.require(known.names)
        return replace(config, vectors=None), given["codec"]  # the weights hold what vectors there were
    if config.multi_label:
        config = replace(config, nb_ngrams=0)  # its classes exclude each other
    empty = vocabulary.splitter(config, given.get("tokenizers"), "classify")
    words = empty
    if "tokenizers" not in given:
        counts = tokenizer.count((example.source for example in corpus), empty)
        words = vocabulary.from_counts(counts, config, empty)
    codec = Codec.of(config, words, known, None)
    if not config.nb_ngrams:
        return config, codec

    def pairs() -> Iterator[tuple[list[str], int]]:
        return ((codec.split(example.source), known.number(example.target[0])) for example in corpus)

    counted = naive_bayes.NaiveBayes.fit(examples.Again(pairs), len(known), config.nb_ngrams)
    return config, replace(codec, counts=counted)
