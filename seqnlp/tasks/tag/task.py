"""The task tag: from a sentence to a tag for each of its tokens."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from seqnlp import options
from seqnlp.checks import base as checking
from seqnlp.preprocess.batching import padding
from seqnlp.preprocess.corpora import examples, formats, splits
from seqnlp.preprocess.corpora.examples import Example
from seqnlp.preprocess.text import char_ngrams, tag_schemes
from seqnlp.tasks import base
from seqnlp.tasks.tag import codec as codecs
from seqnlp.tasks.tag import fitting, reading
from seqnlp.tasks.tag.codec import Codec
from seqnlp.tasks.tag.options import Config, Search
from seqnlp.tasks.tag.output import Output, Prediction
from seqnlp.tasks.words import pretrained, vocabulary
from seqnlp.training import data

if TYPE_CHECKING:
    import torch
    from torch import nn

    from seqnlp.preprocess.corpora import seen
    from seqnlp.tasks.tag import network as tagger


class Tag(base.Task[Config, Search, Codec, Prediction]):
    """Tag the tokens of sentences."""

    name = "tag"
    pipeline_tag = "token-classification"
    roles = reading.ROLES
    answers = "tags"
    training = options.Training(learning_rate=8e-3, ema_decay=0.99)
    reading_options = ("column", "token_column", "tag_column")
    min_epochs = 15
    ending = "conll"
    preview_columns = ("ids", "tags")
    output = Output()

    @property
    def text_key(self) -> str:
        return "text"

    def labelled(self, record: formats.Record, config: Config) -> Example:
        return reading.labelled(record)

    def example(self, record: formats.Record, search: Search) -> Example:
        return reading.unlabelled(record, search.tokenize)

    def layout(self, config: Config) -> Mapping[str, str]:
        return {"tokens": str(config.token_column), "tags": str(config.tag_column), "column": config.column}

    def split(
        self, corpus: examples.Examples, config: Config, seed: int, before: seen.Seen | None = None
    ) -> tuple[examples.Examples, examples.Examples]:
        return vocabulary.split(splits.split(corpus, seed, before=before), "tag")

    def recognises(self, corpus: Sequence[Example]) -> bool:
        return reading.is_usual(corpus)

    def checks(self, config: Config) -> list[checking.Check]:
        return reading.checks(config)

    def fit(self, corpus: examples.Examples, config: Config, given: Mapping[str, Any]) -> tuple[Config, Codec]:
        return fitting.fit(corpus, config, given)

    def resolve(self, config: Config, codec: Codec) -> Config:
        head = ("softmax" if codec.scheme == codecs.PLAIN else "crf") if config.head == "auto" else config.head
        return replace(vocabulary.resolved(config, codec.vectors), head=head)

    def files(self, config: Config) -> list[str]:
        return vocabulary.files(config)

    def collate(self, columns: base.Columns, widths: padding.Edge, codec: Codec) -> tagger.Batch:
        import torch

        from seqnlp.nn import loss
        from seqnlp.tasks.tag import network as tagger

        (width,) = widths
        forms, words = char_ngrams.distinct(columns["words"])
        ngrams, ngram_offsets = codec.forms.flat(words)
        affixes, affix_offsets = codec.affixes.flat(words)
        characters = tagger.characters(words) if codec.reads_characters else []
        arrays = {
            "words": padding.pad(columns["ids"], width),
            "lengths": np.array([len(ids) for ids in columns["ids"]]),
            "forms": padding.pad(forms, width),
            "char_ngrams": ngrams,
            "char_ngram_offsets": ngram_offsets,
            "affixes": affixes,
            "affix_offsets": affix_offsets,
            "characters": padding.pad(characters, max(map(len, characters), default=0)),
            "sizes": np.array([len(word) for word in characters], dtype=np.int64),
            "tags": padding.pad(columns["tags"], width, loss.IGNORED),
        }
        return tagger.Batch(**{name: torch.from_numpy(array) for name, array in arrays.items()})

    def build(self, config: Config, codec: Codec) -> nn.Module:
        import torch

        from seqnlp.tasks.tag import network as tagger

        scheme = codecs.PLAIN if codec.scheme == codecs.PLAIN else codecs.INSIDE
        legal, begin, end = map(torch.from_numpy, tag_schemes.transitions(codec.classes.names, scheme))
        return tagger.Tagger(
            config, vocabulary=len(codec.words), tags=len(codec.classes), rare=codec.rare, legal=(legal, begin, end)
        )

    def initialise(
        self,
        network: nn.Module,
        config: Config,
        codec: Codec,
        rows: data.Rows,
        source: base.Pretrained | None = None,
    ) -> None:
        own = cast("tagger.Tagger", network)
        vocabulary.put_vectors(own.words, codec.vectors)
        if source:
            pretrained.put(own.words, own.encoder, codec.words, config, source)

    def pretrained(self, config: Config) -> tuple[str, str] | None:
        return vocabulary.source(config)

    def predict(
        self, networks: Sequence[nn.Module], codec: Codec, batch: tagger.Batch, columns: base.Columns, search: Search
    ) -> list[Prediction]:
        from seqnlp.tasks.tag import network as tagger

        network, emissions = tagger.joined(networks, batch)
        best = network.decode(emissions, batch.lengths)
        probabilities = network.marginals(emissions, batch.lengths).gather(2, best.unsqueeze(2)).squeeze(2)
        rows = zip(best.tolist(), probabilities.tolist(), batch.lengths.tolist(), strict=True)
        found = [Prediction(codec.outside(tags[:n]), tuple(row[:n]), (), search.scores) for tags, row, n in rows]
        if search.nbest == 1:
            return found
        chains = _nbest(network, codec, emissions, batch.lengths, search.nbest)
        return [replace(one, nbest=_led_by(one.tags, chain)) for one, chain in zip(found, chains, strict=True)]


Chains = tuple[tuple[tuple[str, ...], float], ...]


def _led_by(best: tuple[str, ...], chains: Chains) -> Chains:
    """The sequences, that which is predicted alone first: others may be just as probable."""
    return tuple(sorted(chains, key=lambda chain: chain[0] != best))


def _nbest(
    network: tagger.Tagger, codec: Codec, emissions: torch.Tensor, lengths: torch.Tensor, number: int
) -> Iterator[Chains]:
    """Yield each row's best sequences with their probabilities."""
    tags, scores = network.crf.nbest(emissions, lengths, number)
    logs = scores - network.crf.partition(emissions, lengths).unsqueeze(1)  # -inf: there are fewer
    for chains, row, n in zip(tags.tolist(), logs.tolist(), lengths.tolist(), strict=True):
        ranked = zip(chains, row, strict=True)
        yield tuple((codec.outside(chain[:n]), math.exp(log)) for chain, log in ranked if log > -math.inf)


TASK = Tag()
