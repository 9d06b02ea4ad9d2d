"""The task classify: from a text to one label, or several."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from seqnlp import options
from seqnlp.checks import base as checking
from seqnlp.preprocess.batching import padding
from seqnlp.preprocess.corpora import examples, formats, splits
from seqnlp.preprocess.corpora.examples import Example
from seqnlp.preprocess.text import labels
from seqnlp.tasks import base
from seqnlp.tasks.classify import fitting, reading
from seqnlp.tasks.classify.codec import Codec
from seqnlp.tasks.classify.options import Config, Search
from seqnlp.tasks.classify.output import Output, Prediction
from seqnlp.tasks.words import pretrained, vocabulary
from seqnlp.training import data

if TYPE_CHECKING:
    from torch import nn

    from seqnlp.preprocess.corpora import seen
    from seqnlp.tasks.classify import network as classifier


class Classify(base.Task[Config, Search, Codec, Prediction]):
    """Label sentences or texts."""

    name = "classify"
    pipeline_tag = "text-classification"
    roles = reading.ROLES
    answers = "labels"
    training = options.Training(learning_rate=8e-3, ema_decay=0.99, refit=True)
    reading_options = ("multi_label",)
    min_epochs = 5
    criterion = "log_loss"  # of some hundred rows the accuracy is chance by a point or two
    calibrated = ("fusion", "fusion_bias", "thresholds")
    preview_columns = ("ids", "labels")
    output = Output()

    def labelled(self, record: formats.Record, config: Config) -> Example:
        return reading.labelled(record, config.multi_label)

    def split(
        self, corpus: examples.Examples, config: Config, seed: int, before: seen.Seen | None = None
    ) -> tuple[examples.Examples, examples.Examples]:
        return vocabulary.split(splits.split(corpus, seed, before=before, stratum=reading.stratum), "class")

    def recognises(self, corpus: Sequence[Example]) -> bool:
        return reading.is_usual(corpus)

    def checks(self, config: Config) -> list[checking.Check]:
        return reading.checks(config)

    def fit(self, corpus: examples.Examples, config: Config, given: Mapping[str, Any]) -> tuple[Config, Codec]:
        return fitting.fit(corpus, config, given)

    def resolve(self, config: Config, codec: Codec) -> Config:
        return vocabulary.resolved(config, codec.vectors)

    def files(self, config: Config) -> list[str]:
        return vocabulary.files(config)

    def collate(self, columns: base.Columns, widths: padding.Edge, codec: Codec) -> classifier.Batch:
        import torch

        from seqnlp.tasks.classify import network as classifier

        (width,), nothing = widths, np.zeros(0, dtype=np.int64)
        ngrams = codec.forms
        forms, flat, offsets = ngrams.of_batch(columns["words"]) if ngrams else ([], nothing, nothing)
        arrays = {
            "words": padding.pad(columns["ids"], width),
            "lengths": np.array([len(ids) for ids in columns["ids"]]),
            "forms": padding.pad(forms, width),
            "char_ngrams": flat,
            "offsets": offsets,
            "targets": _targets(columns["labels"], codec),
        }
        return classifier.Batch(**{name: torch.from_numpy(array) for name, array in arrays.items()})

    def build(self, config: Config, codec: Codec) -> nn.Module:
        from seqnlp.tasks.classify import network as classifier

        weights = labels.balanced(codec.classes.counts) if config.class_weights == "balanced" else None
        return classifier.Classifier(
            config, vocabulary=len(codec.words), classes=len(codec.classes), class_weights=weights
        )

    def fit_network(
        self, network: nn.Module, config: Config, codec: Codec, rows: data.Rows, training: options.Training
    ) -> None:
        import torch

        from seqnlp.tasks.classify import wide_fitting

        if config.wide:
            arrays = wide_fitting.fit(
                rows,
                len(codec.classes),
                multi_label=codec.multi_label,
                balanced=config.class_weights == "balanced",
                seed=training.seed,
            )
            wide = cast("classifier.Classifier", network).wide
            assert wide is not None
            wide.put({name: torch.from_numpy(array) for name, array in arrays.items()})

    def initialise(
        self,
        network: nn.Module,
        config: Config,
        codec: Codec,
        rows: data.Rows,
        source: base.Pretrained | None = None,
    ) -> None:
        own = cast("classifier.Classifier", network)
        embedding = own.embedding.words
        if config.own_vectors and not codec.vectors:
            vocabulary.put_own_vectors(embedding, rows)
        vocabulary.put_vectors(embedding, codec.vectors)
        if source:
            pretrained.put(embedding, own.encoder, codec.words, config, source)

    def pretrained(self, config: Config) -> tuple[str, str] | None:
        return vocabulary.source(config)

    def cuts(self, row: base.Row) -> bool:
        return bool(row["cut"])

    def predict(
        self,
        networks: Sequence[nn.Module],
        codec: Codec,
        batch: classifier.Batch,
        columns: base.Columns,
        search: Search,
    ) -> list[Prediction]:
        from seqnlp.tasks.classify import network as classifier

        words = columns["words"]
        found = classifier.scores(networks, batch, words, multi_label=codec.multi_label)
        looked = [None] * len(words) if found.attention is None else _looked_at(words, found.attention)
        cut = [("cut",) if long else () for long in columns["cut"]]
        rows = zip(found.probabilities.tolist(), found.parts.swapaxes(0, 1), looked, cut, strict=True)
        least = _least(codec, search, found.thresholds)
        return [_prediction(*row, codec, search, least) for row in rows]

    def calibrate(
        self, network: nn.Module, codec: Codec, corpus: Sequence[Example], predictions: Sequence[Prediction]
    ) -> list[Prediction]:
        import torch

        from seqnlp.tasks.classify import fusion, thresholds
        from seqnlp.tasks.classify import network as classifier

        own = cast("classifier.Classifier", network)
        numbers = [[codec.classes.number(name) for name in example.target] for example in corpus]
        known = [place for place, row in enumerate(numbers) if codec.multi_label or row != [labels.MISSING]]
        parts, targets = np.stack([one.parts for one in predictions], axis=1), _targets(numbers, codec)
        for buffer, found in zip(
            (own.fusion, own.fusion_bias), fusion.fit(parts[:, known], targets[known]), strict=True
        ):
            buffer.copy_(torch.from_numpy(found))
        fitted = own.fusion.cpu(), own.fusion_bias.cpu()
        fused = classifier.probabilities(*fitted, torch.from_numpy(parts), multi_label=codec.multi_label)
        if own.thresholds is not None:
            own.thresholds.copy_(torch.from_numpy(thresholds.fit(fused.numpy(), targets)))
        least = _least(codec, Search(), None if own.thresholds is None else own.thresholds.cpu().numpy())
        pairs = zip(fused.tolist(), predictions, strict=True)
        return [_prediction(row, old.parts, old.attention, old.warnings, codec, Search(), least) for row, old in pairs]


def _least(codec: Codec, search: Search, thresholds: np.ndarray | None) -> np.ndarray:
    """The probabilities from which on labels are given, (C,): as a search wants it, or else the labels' own."""
    wanted = search.threshold if codec.multi_label else search.min_score
    return thresholds if wanted is None and thresholds is not None else np.full(len(codec.classes), wanted or 0.0)


def _targets(numbers: Sequence[Sequence[int]], codec: Codec) -> np.ndarray:
    """Numbers of classes, (B,), or for several labels zeros and ones, (B, C); unknown labels count for nothing."""
    if not codec.multi_label:
        return np.array([row[0] if row else labels.MISSING for row in numbers])
    targets = np.zeros((len(numbers), len(codec.classes)), dtype=np.float32)
    for i, row in enumerate(numbers):
        targets[i, [number for number in row if number != labels.MISSING]] = 1
    return targets


def _prediction(
    probabilities: Sequence[float],
    parts: np.ndarray,
    attention: list[tuple[str, float]] | None,
    warnings: tuple[str, ...],
    codec: Codec,
    search: Search,
    least: np.ndarray,
) -> Prediction:
    """least: (C,), the probabilities from which on labels are given."""
    found = zip(codec.classes.names, probabilities, least.tolist(), strict=True)
    every = sorted(found, key=lambda item: -item[1])
    ranked = [(label, probability) for label, probability, _ in every]
    chosen = tuple(label for label, probability, bound in every if probability >= bound)
    if not codec.multi_label:
        chosen = chosen[:1] or tuple(filter(None, [labels.printed(search.otherwise or "")]))
    return Prediction(chosen, ranked, attention, warnings, codec.multi_label, parts)


def _looked_at(words: Sequence[Sequence[str]], weights: np.ndarray) -> list[list[tuple[str, float]] | None]:
    """The words of each row with the attention's weights."""
    return [
        [(word, round(float(weight), 4)) for word, weight in zip(row, part, strict=False)]
        for row, part in zip(words, weights, strict=True)
    ]


TASK = Classify()
