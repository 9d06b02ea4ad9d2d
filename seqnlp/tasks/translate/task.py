"""The task translate: from a sentence in one language to one in another, or from any sequence to any other."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from seqnlp import errors, options
from seqnlp.checks import base as checking
from seqnlp.preprocess.batching import padding
from seqnlp.preprocess.corpora import examples, formats, schema
from seqnlp.preprocess.corpora.examples import Example
from seqnlp.preprocess.text import tokenizer
from seqnlp.tasks import base
from seqnlp.tasks.translate import fitting, reading, search
from seqnlp.tasks.translate import prediction as predictions
from seqnlp.tasks.translate.codec import Codec
from seqnlp.tasks.translate.options import Config, Search
from seqnlp.tasks.translate.output import Output
from seqnlp.tasks.translate.prediction import Prediction

if TYPE_CHECKING:
    from torch import nn

    from seqnlp.tasks.translate import network as translator

UNCUT = 10**9  # subwords


class Translate(base.Task[Config, Search, Codec, Prediction]):
    """Translate sentences."""

    name = "translate"
    pipeline_tag = "translation"
    roles = reading.ROLES
    answers = "texts"
    training = options.Training(ema_decay=0.999)
    min_epochs = 24
    preview_columns = ("source", "target")
    kernel_cache = 4096  # pairs have many shapes
    output = Output()

    def labelled(self, record: formats.Record, config: Config) -> Example:
        return reading.labelled(record)

    def read(self, source: schema.Source, config: Config) -> Iterator[Example]:
        return reading.pairs(source)

    def read_inputs(self, source: schema.Source, config: Config, search: Search) -> Iterable[Example]:
        inputs = super().read_inputs(source, config, search)
        return reading.with_references(inputs, search.score_reference, source) if search.score_reference else inputs

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

    def collate(self, columns: base.Columns, widths: padding.Edge, codec: Codec) -> translator.Batch:
        import torch

        from seqnlp.nn import loss
        from seqnlp.tasks.translate import network as translator

        parts, targets = [part for row in columns["source"] for part in row], columns["target"]
        if any(columns["texts"]):
            parts, targets = _drawn(columns["texts"], codec)
            widths = padding.round_up(max(map(len, parts))), padding.round_up(max(map(len, targets)) + 1)
        arrays = {
            "source": padding.pad(parts, widths[0]),
            "lengths": np.array([len(part) for part in parts]),
            "inputs": padding.pad([[tokenizer.START, *row] for row in targets], widths[1]),
            "outputs": padding.pad([[*row, tokenizer.END] for row in targets], widths[1], loss.IGNORED),
        }
        return translator.Batch(**{name: torch.from_numpy(array) for name, array in arrays.items()})

    def build(self, config: Config, codec: Codec) -> nn.Module:
        from seqnlp.tasks.translate import network as translator

        sizes = {"source_vocabulary": len(codec.source), "target_vocabulary": len(codec.target)}
        return translator.Translator(config, **sizes, shared=codec.joint)

    def predict(
        self,
        networks: Sequence[nn.Module],
        codec: Codec,
        batch: translator.Batch,
        columns: base.Columns,
        settings: Search,
    ) -> list[Prediction]:
        found = search.led_by_the_best(networks, codec, batch, columns, settings)
        if not all(found):
            hint = "a smaller --min-length-ratio or --no-repeat-ngram-size"
            raise errors.UsageError("no translation satisfies all constraints of the search", hint)
        rest = iter(found)
        return [predictions.of_hypotheses([next(rest) for _ in row], row, codec, settings) for row in columns["source"]]

    def quick_search(self) -> Search:
        return Search(beam_size=1)


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
