"""What tasks from text to text have in common: pairs are read, batches made, and answers searched for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, ClassVar, TypeVar

import numpy as np

from seqnlp import errors
from seqnlp.preprocess.batching import padding
from seqnlp.preprocess.corpora import formats, schema
from seqnlp.preprocess.corpora.examples import Example
from seqnlp.preprocess.text import tokenizer
from seqnlp.tasks import base
from seqnlp.tasks.seq2seq import prediction as predictions
from seqnlp.tasks.seq2seq import reading, search
from seqnlp.tasks.seq2seq.codec import Codec
from seqnlp.tasks.seq2seq.options import Network, Search
from seqnlp.tasks.seq2seq.prediction import Prediction

if TYPE_CHECKING:
    from torch import nn

    from seqnlp.tasks.seq2seq import network

ConfigT = TypeVar("ConfigT", bound=Network)
SearchT = TypeVar("SearchT", bound=Search)
CodecT = TypeVar("CodecT", bound=Codec)


class Task(base.Task[ConfigT, SearchT, CodecT, Prediction]):
    """A task from text to text; `roles` are the names of its two sides."""

    least: ClassVar[str]  # the option of a search that says how long an output is at the least
    answers = "texts"
    kernel_cache = 4096  # pairs have many shapes

    def labelled(self, record: formats.Record, config: ConfigT) -> Example:
        return reading.labelled(record, self.roles)

    def read(self, source: schema.Source, config: ConfigT) -> Iterator[Example]:
        return reading.pairs(source, self.roles)

    def read_inputs(self, source: schema.Source, config: ConfigT, search: SearchT) -> Iterable[Example]:
        inputs = super().read_inputs(source, config, search)
        return reading.with_references(inputs, search.score_reference, source) if search.score_reference else inputs

    def collate(self, columns: base.Columns, widths: padding.Edge, codec: CodecT) -> network.Batch:
        import torch

        from seqnlp.nn import loss
        from seqnlp.tasks.seq2seq import network

        parts, targets = [part for row in columns["source"] for part in row], columns["target"]
        arrays = {
            "source": padding.pad(parts, widths[0]),
            "lengths": np.array([len(part) for part in parts]),
            "inputs": padding.pad([[tokenizer.START, *row] for row in targets], widths[1]),
            "outputs": padding.pad([[*row, tokenizer.END] for row in targets], widths[1], loss.IGNORED),
        }
        return network.Batch(**{name: torch.from_numpy(array) for name, array in arrays.items()})

    def predict(
        self,
        networks: Sequence[nn.Module],
        codec: CodecT,
        batch: network.Batch,
        columns: base.Columns,
        settings: SearchT,
    ) -> list[Prediction]:
        found = search.led_by_the_best(networks, codec, batch, columns, settings)
        if not all(found):
            hint = f"a smaller --{self.least} or --no-repeat-ngram-size"
            raise errors.UsageError("no output satisfies all constraints of the search", hint)
        rest, sources = iter(found), columns["source"]
        unknown = columns.get("unknown") or [()] * len(sources)
        return [
            predictions.of_hypotheses([next(rest) for _ in row], row, codec, settings, words)
            for row, words in zip(sources, unknown, strict=True)
        ]

    def quick_search(self) -> SearchT:
        return self.Search(beam_size=1)
