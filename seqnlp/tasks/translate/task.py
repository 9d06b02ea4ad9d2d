"""The task translate: from a sentence in one language to one in another, or from any sequence to any other."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from seqnlp import options
from seqnlp.checks import base as checking
from seqnlp.preprocess.batching import padding
from seqnlp.preprocess.corpora import examples
from seqnlp.preprocess.corpora.examples import Example
from seqnlp.preprocess.text import tokenizer
from seqnlp.tasks import base
from seqnlp.tasks.seq2seq import task as seq2seq
from seqnlp.tasks.translate import fitting, reading
from seqnlp.tasks.translate.codec import Codec
from seqnlp.tasks.translate.options import Config, Search
from seqnlp.tasks.translate.output import Output

if TYPE_CHECKING:
    from torch import nn

    from seqnlp.tasks.seq2seq import network

UNCUT = 10**9  # subwords


class Translate(seq2seq.Task[Config, Search, Codec]):
    """Translate sentences."""

    name = "translate"
    pipeline_tag = "translation"
    roles = reading.ROLES
    least = "min-length-ratio"
    training = options.Training(ema_decay=0.999)
    min_epochs = 24
    preview_columns = ("source", "target")
    output = Output()

    def recognises(self, corpus: Sequence[Example]) -> bool:
        return reading.is_usual(corpus)

    def checks(self, config: Config) -> list[checking.Check]:
        return reading.checks(config)

    def fit(self, corpus: examples.Examples, config: Config, given: Mapping[str, Any]) -> tuple[Config, Codec]:
        return fitting.fit(corpus, config, given)

    def is_trainable(self, row: base.Row, config: Config) -> bool:
        return len(row["source"]) == 1 and max(row["lengths"]) <= config.max_train_length + 1

    def configured(self, codec: Codec, search: Search) -> Codec:
        limit = UNCUT if search.score_reference else search.max_source_length
        return replace(codec, max_source_length=limit, lowercase=search.lowercase, scored_tokenize=search.tokenize)

    def collate(self, columns: base.Columns, widths: padding.Edge, codec: Codec) -> network.Batch:
        if any(columns["texts"]):
            parts, targets = _drawn(columns["texts"], codec)
            widths = padding.round_up(max(map(len, parts))), padding.round_up(max(map(len, targets)) + 1)
            columns = {"source": [[part] for part in parts], "target": targets}
        return super().collate(columns, widths, codec)

    def build(self, config: Config, codec: Codec) -> nn.Module:
        from seqnlp.tasks.seq2seq import network

        sizes = {"source_vocabulary": len(codec.source), "target_vocabulary": len(codec.target)}
        return network.EncoderDecoder(config, **sizes, shared=codec.joint)


def _drawn(texts: Sequence[Sequence[str]], codec: Codec) -> tuple[list[list[int]], list[list[int]]]:
    """Pieces of sources and targets, drawn anew, each row by a seed of its own."""
    from seqnlp.training import randomness

    source, target = codec.samplers
    generators = map(random.Random, randomness.draw_seeds(len(texts)))
    drawn = [
        (source.encode(one, generator), target.encode(other, generator))
        for (one, other), generator in zip(texts, generators, strict=True)
    ]
    return [[*one, tokenizer.END] for one, _ in drawn], [other for _, other in drawn]


TASK = Translate()
