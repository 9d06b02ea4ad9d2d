"""Fitting: the scheme, the tags and the vocabulary of a training part, in one pass over it."""

from __future__ import annotations

import collections
import logging
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from seqnlp import errors
from seqnlp.preprocess.corpora import examples
from seqnlp.preprocess.text import labels, tag_schemes, tokenizer
from seqnlp.tasks.tag import codec as codecs
from seqnlp.tasks.tag.codec import Codec
from seqnlp.tasks.tag.options import Config
from seqnlp.tasks.words import pretrained, vocabulary

log = logging.getLogger(__name__)

ALONE = 0.9  # of the sentences may be one token long

Neighbours = tuple[str, str, str]  # the tag before, the tag itself, the one behind; `O` outside of the sentence


def fit(corpus: examples.Examples, config: Config, given: Mapping[str, Any]) -> tuple[Config, Codec]:
    """Return the config and the codec fitted on the training part; see `Task.fit`."""
    config.check()
    if source := given.get("pretrained"):
        pretrained.check(config, source)
    empty = vocabulary.splitter(config, given.get("tokenizers"), "tag")
    words, neighbours = collections.Counter[str](), collections.Counter[Neighbours]()
    places: dict[str, str] = {}  # where each tag stands first
    single = 0
    for example in corpus:
        single += len(example.source) == 1
        words.update(map(empty.normal, example.source))
        padded = (tag_schemes.OUTSIDE, *example.target, tag_schemes.OUTSIDE)
        neighbours.update(zip(padded, padded[1:], padded[2:], strict=False))
        new = {*example.target} - places.keys()
        places.update((tag, example.where_of(example.target.index(tag))) for tag in sorted(new))
    scheme = given["codec"].scheme if "codec" in given else _scheme(neighbours, places)
    known = _tags(neighbours, scheme)
    if single > ALONE * len(corpus) and len(corpus) >= labels.FEW_ROWS:
        log.warning("%d of %d sentences have one token only: does each row hold a token?", single, len(corpus))
    for doubt in labels.alike(places):
        log.warning(doubt)
    if "codec" in given:
        more = vocabulary.grown(given["codec"].classes, known, new=given.get("new_labels", False))
        return config, replace(given["codec"], classes=more)
    made, vectors = vocabulary.fitted(words, config, empty, given="tokenizers" in given, source=source)
    often = [number for word, number in made.vocabulary.items() if words[word] > 1]
    rare = max(often, default=tokenizer.END) + 1  # the first id of a word seen once
    return config, Codec.of(config, made, known, scheme, rare, vectors)


def _scheme(neighbours: Mapping[Neighbours, int], places: Mapping[str, str]) -> str:
    """Return the scheme of the tags; says where it looks as if they were meant to have one, and they have none."""
    pairs = {pair for before, tag, behind in neighbours for pair in ((before, tag), (tag, behind))}
    scheme = tag_schemes.recognise_pairs(places.keys(), pairs)
    if scheme == codecs.PLAIN:
        counts = collections.Counter[str]()
        for (_, tag, _), number in neighbours.items():
            counts[tag] += number
        if stranger := tag_schemes.stranger(counts):
            log.warning(
                "%s: the tag %s fits no scheme of spans (%s): all tags are taken as plain classes",
                places[stranger],
                stranger,
                ", ".join(tag_schemes.SCHEMES),
            )
    return scheme


def _tags(neighbours: Mapping[Neighbours, int], scheme: str) -> labels.Labels:
    """Return the tags that the model has to know; among those of spans is `O`, so that any sentence can be tagged.

    neighbours: how often each tag occurs between its neighbours, which suffice to convert it to the scheme inside.
    """
    found = {tag for _, tag, _ in neighbours}
    if not found:
        raise errors.DataError("the training part is empty: no tagged sentences")
    if len(found) == 1:
        raise errors.DataError(f"the training part has only one tag ({found.pop()})", "there is nothing to learn")
    counts = collections.Counter[str]()
    if scheme != codecs.PLAIN and tag_schemes.OUTSIDE not in found:
        counts[tag_schemes.OUTSIDE] = 1
    for triple, number in neighbours.items():
        counts[codecs.inside(triple, scheme)[1]] += number
    return labels.Labels.of(counts)
