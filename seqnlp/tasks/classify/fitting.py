"""Fitting: the vocabulary and the labels of a training part, in one pass over it."""

from __future__ import annotations

import collections
import logging
from collections.abc import Mapping
from typing import Any

from seqnlp import errors
from seqnlp.preprocess.corpora import examples
from seqnlp.preprocess.text import labels
from seqnlp.tasks.classify.codec import Codec
from seqnlp.tasks.classify.options import Config
from seqnlp.tasks.words import pretrained, vocabulary

log = logging.getLogger(__name__)


def fit(corpus: examples.Examples, config: Config, given: Mapping[str, Any]) -> tuple[Config, Codec]:
    """Return the config and the codec fitted on the training part; see `Task.fit`."""
    config.check()
    if source := given.get("pretrained"):
        pretrained.check(config, source)
    empty = (
        given["codec"].words if "codec" in given else vocabulary.splitter(config, given.get("tokenizers"), "classify")
    )
    names, words = collections.Counter[str](), collections.Counter[str]()
    cut = 0
    for example in corpus:
        split = empty.words(example.source)
        names.update(example.target)
        words.update(split)
        cut += len(split) > config.max_length
    known = _known(names)
    _say(names, len(corpus), cut, config)
    if "codec" in given:
        more = vocabulary.grown(given["codec"].classes, known, new=given.get("new_labels", False))
        return config, given["codec"].grown(more)
    made, vectors = vocabulary.fitted(words, config, empty, given="tokenizers" in given, source=source)
    return config, Codec.of(config, made, known, vectors)


def _say(names: Mapping[str, int], rows: int, cut: int, config: Config) -> None:
    """Say what can be, but looks wrong, and what is lost."""
    for doubt in labels.doubts(names, rows):
        log.warning(doubt)
    if cut:
        log.warning(
            "%d of %d texts have more than %d words: the rest is cut off (--max-length)", cut, rows, config.max_length
        )


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
