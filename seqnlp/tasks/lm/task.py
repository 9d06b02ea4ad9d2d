"""The task lm: how probable a text is, and what comes next in it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from seqnlp import options
from seqnlp.checks import base as checking
from seqnlp.preprocess.batching import buckets, padding, stream
from seqnlp.preprocess.corpora import examples, formats, readers, schema, seen
from seqnlp.preprocess.corpora.examples import Example
from seqnlp.preprocess.text import tokenizer
from seqnlp.tasks import base
from seqnlp.tasks.lm import fitting, mixing, reading
from seqnlp.tasks.lm import options as options_of_lm
from seqnlp.tasks.lm.codec import Codec
from seqnlp.tasks.lm.options import Config, Search
from seqnlp.tasks.lm.output import Output, Prediction
from seqnlp.tasks.words import vocabulary
from seqnlp.training import data

if TYPE_CHECKING:
    import torch
    from torch import nn

    from seqnlp.preprocess.corpora import arrow
    from seqnlp.tasks.lm import network as lm

log = logging.getLogger(__name__)


class LanguageModel(base.Task[Config, Search, Codec, Prediction]):
    """Foresee a text."""

    name = "lm"
    roles = reading.ROLES
    answers = "likelihoods"
    training = options.Training(batch_size=32, learning_rate=3e-3, ema_decay=0.999, max_grad_norm=0.25)
    min_epochs = 10
    preview_columns = ("ids",)
    independent = False
    pipeline_tag = "text-generation"
    ending = "txt"
    output = Output()
    Generation = options_of_lm.Generation
    calibrated = ("mixture.weight",)

    def labelled(self, record: formats.Record, config: Config) -> Example:
        return reading.labelled(record)

    def read(self, source: schema.Source, config: Config) -> Iterator[Example]:
        """Yield every line, blank ones too: they are part of a text."""
        return map(reading.labelled, readers.records(source, self.roles, targets=True))

    def split(
        self, corpus: examples.Examples, config: Config, seed: int, before: seen.Seen | None = None
    ) -> tuple[examples.Examples, examples.Examples]:
        return reading.last_tenth(corpus)

    def checks(self, config: Config) -> list[checking.Check]:
        """Return nothing: lines recur in a text."""
        return []

    def fit(self, corpus: examples.Examples, config: Config, given: Mapping[str, Any]) -> tuple[Config, Codec]:
        return fitting.fit(corpus, config, given)

    def batches(
        self,
        rows: arrow.Rows,
        config: Config,
        codec: Codec,
        training: options.Training,
        plan: buckets.Plan | None,
    ) -> data.Batches:
        """Return the rows as one stream, read in parallel, a chunk at a time."""
        from seqnlp.nn import loss

        data.refuse_plan(plan, "a language model reads a text in its own order")
        ids = stream.Concatenation(rows.parts("ids"))
        policy = stream.Stream(len(ids), training.batch_size, config.bptt, training.seed, varying=True)
        return data.Batches(policy, lambda chunk: _batch(*chunk.read(ids, loss.IGNORED)))

    def resolve(self, config: Config, codec: Codec) -> Config:
        return options_of_lm.resolved(config)

    def collate(self, columns: base.Columns, widths: padding.Edge, codec: Codec) -> lm.Batch:
        from seqnlp.nn import loss

        (width,) = widths
        inputs = padding.pad([[tokenizer.END, *ids[:-1]] for ids in columns["ids"]], width)
        targets = padding.pad(columns["ids"], width, loss.IGNORED)
        return _batch(inputs, targets)

    def build(self, config: Config, codec: Codec) -> nn.Module:
        from seqnlp.tasks.lm import network as lm

        return lm.LanguageModel(config, len(codec.tokens))

    def initialise(
        self, network: nn.Module, config: Config, codec: Codec, rows: data.Rows, source: base.Pretrained | None = None
    ) -> None:
        """Put vectors from the words' neighbours into the embedding: a small text teaches too few by itself."""
        if config.level == "word":
            vocabulary.put_own_vectors(cast("lm.LanguageModel", network).embedding, rows)

    def predict(
        self, networks: Sequence[nn.Module], codec: Codec, batch: lm.Batch, columns: base.Columns, search: Search
    ) -> list[Prediction]:
        from seqnlp.nn import loss
        from seqnlp.tasks.lm import network as lm

        lines = columns["ids"]
        own = batch.targets != loss.IGNORED
        logs = [lm.of_lines(one, batch)[own].cpu().numpy() for one in cast("Sequence[lm.LanguageModel]", networks)]
        before = np.concatenate([np.arange(1, len(ids) + 1) for ids in lines])
        return _predictions(networks, codec, lines, logs, before)

    def predict_corpus(
        self,
        networks: Sequence[nn.Module],
        codec: Codec,
        rows: data.Rows,
        search: Search,
        device: torch.device,
        watch: Callable[[float], None],
    ) -> list[Prediction] | None:
        """Return the predictions of a text that is read on from line to line."""
        from seqnlp.tasks.lm import stream as reader

        if search.lines:
            return None
        lines = rows.columns(np.arange(len(rows.lengths)))["ids"]
        ids = np.concatenate([np.asarray(line) for line in lines])
        logs = []
        for number, one in enumerate(cast("Sequence[lm.LanguageModel]", networks)):

            def step(share: float, number: int = number) -> None:
                watch((number + share) / len(networks))

            if search.adapt:
                logs.append(reader.adapted(one, ids, device, search, step))
            else:
                logs.append(reader.log_probabilities(one, ids, device, step))
        return _predictions(networks, codec, lines, logs, np.arange(1, len(ids) + 1))

    def fit_network(
        self, network: nn.Module, config: Config, codec: Codec, rows: data.Rows, training: options.Training
    ) -> None:
        """Count the n-grams; where a model begins with another, those of the larger text count."""
        import torch

        from seqnlp.tasks.lm import ngram_fitting

        mixture = cast("lm.LanguageModel", network).mixture
        if mixture is None:
            return
        arrays = ngram_fitting.fit(rows, mixture.order, mixture.vocabulary)
        if len(mixture.keys) > len(arrays["keys"]):
            log.info("n-grams: those of the model that this one begins with, which has more of them")
            return
        log.info("n-grams: %d of up to %d tokens", len(arrays["keys"]), mixture.order)
        mixture.put({name: torch.from_numpy(array) for name, array in arrays.items()})

    def calibrate(
        self, network: nn.Module, codec: Codec, corpus: Sequence[Example], predictions: Sequence[Prediction]
    ) -> list[Prediction]:
        """Fit how much the n-grams count."""
        import torch

        from seqnlp.tasks.lm import network as lm

        mixture, found = cast(lm.LanguageModel, network).mixture, [one.parts for one in predictions if one.parts]
        if mixture is None or not found:
            return list(predictions)
        mixture.weight.copy_(torch.from_numpy(mixing.fit(mixing.together(found), len(mixture.weight))))
        return [
            replace(one, logs=mixing.mixed(one.parts, mixture.weights).tolist()) if one.parts else one
            for one in predictions
        ]

    def generate(
        self, networks: Sequence[nn.Module], codec: Codec, generation: options_of_lm.Generation, device: torch.device
    ) -> Iterator[Iterator[str]]:
        """Yield texts, each as its parts come."""
        from seqnlp.tasks.lm import generation as generator

        return generator.texts(networks, codec, generation, device)


def _batch(inputs: np.ndarray, targets: np.ndarray) -> lm.Batch:
    import torch

    from seqnlp.tasks.lm import network as lm

    lengths = torch.full((len(inputs),), inputs.shape[1])
    return lm.Batch(torch.from_numpy(inputs), torch.from_numpy(targets), lengths)


def _predictions(
    networks: Sequence[nn.Module],
    codec: Codec,
    lines: Sequence[Sequence[int]],
    logs: Sequence[np.ndarray],
    before: np.ndarray,
) -> list[Prediction]:
    """The predictions for lines of ids, by each network's log-probabilities of all, (N,), and its n-grams'.

    before: (N,), how many tokens before each may be looked at. Of several models the probabilities' mean counts.
    """
    ends = np.cumsum([len(line) for line in lines])[:-1]
    text = np.concatenate([[tokenizer.END], *map(np.asarray, lines)])
    found, parts = [], []
    for one, own in zip(cast("Sequence[lm.LanguageModel]", networks), logs, strict=True):
        if one.mixture is not None and len(one.mixture.keys):
            parts.append(mixing.parts(one.mixture.ngrams, text, before, own))
            own = mixing.mixed(parts[-1], one.mixture.weights)
        found.append(own)
    several = len(parts) == len(networks)
    by_line = mixing.average(parts).split(ends) if several else [None] * len(lines)
    names = codec.tokens.names
    return [
        Prediction([names[i] for i in ids], row.tolist(), [i == tokenizer.UNK for i in ids], parts=part)
        for ids, row, part in zip(lines, np.split(mixing.mean(np.stack(found)), ends), by_line, strict=True)
    ]


TASK = LanguageModel()
