"""The task summarize: from a document to what it says in fewer words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from seqnlp import options
from seqnlp.checks import base as checking
from seqnlp.preprocess.corpora import examples
from seqnlp.preprocess.corpora.examples import Example
from seqnlp.tasks import base
from seqnlp.tasks.seq2seq import reading as pairs
from seqnlp.tasks.seq2seq import task as seq2seq
from seqnlp.tasks.seq2seq.prediction import Prediction
from seqnlp.tasks.summarize import fitting, reading
from seqnlp.tasks.summarize.codec import Codec
from seqnlp.tasks.summarize.options import Config, Search
from seqnlp.tasks.summarize.output import Output

if TYPE_CHECKING:
    from torch import nn

    from seqnlp.tasks.seq2seq import network


class Summarize(seq2seq.Task[Config, Search, Codec]):
    """Summarise documents."""

    name = "summarize"
    pipeline_tag = "summarization"
    roles = reading.ROLES
    least = "min-length"
    training = options.Training(ema_decay=0.999)
    min_epochs = 16
    preview_columns = ("source", "target")
    output = Output()

    def recognises(self, corpus: Sequence[Example]) -> bool:
        return pairs.are_summaries(corpus)

    def checks(self, config: Config) -> list[checking.Check]:
        return reading.checks(config)

    def fit(self, corpus: examples.Examples, config: Config, given: Mapping[str, Any]) -> tuple[Config, Codec]:
        return fitting.fit(corpus, config, given)

    def is_trainable(self, row: base.Row, config: Config) -> bool:
        return len(row["target"]) <= config.max_summary_length

    def cuts(self, row: base.Row) -> bool:
        return bool(row["cut"])

    def build(self, config: Config, codec: Codec) -> nn.Module:
        from seqnlp.tasks.summarize import network

        return network.PointerGenerator(config, len(codec.source))

    def predict(
        self,
        networks: Sequence[nn.Module],
        codec: Codec,
        batch: network.Batch,
        columns: base.Columns,
        settings: Search,
    ) -> list[Prediction]:
        found = super().predict(networks, codec, batch, columns, settings)
        return [replace(one, warnings=("cut",)) if cut else one for one, cut in zip(found, columns["cut"], strict=True)]


TASK = Summarize()
