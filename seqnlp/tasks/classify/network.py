"""The classifier: word embedding, recurrent encoder, pooling, one linear layer; and the wide part beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
import torch
from torch import nn

from seqnlp.nn import adversarial, embedding, loss, pooling, wide
from seqnlp.nn import dropout as dropouts
from seqnlp.preprocess.text import tokenizer
from seqnlp.tasks import base
from seqnlp.tasks import encoder as encoders
from seqnlp.tasks.classify.options import Config


@dataclass(frozen=True)
class Batch(base.Batch):
    """Sentences as tensors; `targets` (B,) numbers of classes, or (B, C) of zeros and ones for several labels."""

    words: torch.Tensor  # (B, S)
    lengths: torch.Tensor  # (B,)
    forms: torch.Tensor  # (B, S), each word's number among the U distinct ones
    char_ngrams: torch.Tensor  # those of the distinct words, flat
    offsets: torch.Tensor  # (U,)
    targets: torch.Tensor | None = None


class Classifier(nn.Module):
    """One label or several for a sentence: a BiLSTM over words, pooled (after Lin et al. 2017, section 2)."""

    def __init__(
        self, config: Config, *, vocabulary: int, classes: int, class_weights: list[float] | None = None
    ) -> None:
        super().__init__()
        self.label_smoothing, self.multi_label = config.label_smoothing, config.multi_label
        self.adversarial = config.adversarial
        size, buckets = config.embedding_size, config.char_ngram_buckets
        self.embedding = embedding.WordEmbedding(vocabulary, size, buckets=buckets, scale=0.1, unknown=tokenizer.UNK)
        self.word_dropout = dropouts.WordDropout(config.word_dropout)
        self.input_dropout = dropouts.LockedDropout(config.dropout)
        self.encoder = encoders.encoder(size, config)
        self.pooling = pooling.Pooling(self.encoder.outputs, config.pooling)
        self.dropout = dropouts.Dropout(config.dropout)
        self.output = nn.Linear(self.pooling.outputs, classes)
        self.wide = wide.Wide(classes, multi_label=config.multi_label) if config.wide else None
        self.fusion: torch.Tensor  # (P,), how much each part counts, the recurrent one last
        self.register_buffer("fusion", torch.tensor([0.0, 1.0] if config.wide else [1.0]))
        self.thresholds: torch.Tensor | None  # (C,), the probabilities from which on labels are given
        self.register_buffer("thresholds", torch.full((classes,), 0.5) if config.multi_label else None)
        self.class_weights: torch.Tensor | None
        weights = torch.tensor(class_weights) if class_weights else None
        self.register_buffer("class_weights", weights, persistent=False)

    def logits(self, batch: Batch) -> tuple[torch.Tensor, torch.Tensor | None]:
        """Return the classes' logits (B, C), and the attention weights (B, S) where the pooling has them."""
        return self.read(self.embed(batch), batch.lengths)

    def embed(self, batch: Batch) -> torch.Tensor:
        """Return the vectors of the words, (B, S, D)."""
        vectors: torch.Tensor = self.embedding(batch.words, batch.forms, batch.char_ngrams, batch.offsets)
        return vectors

    def read(self, features: torch.Tensor, lengths: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor | None]:
        """Return what `logits` does, from the vectors of the words (B, S, D) on."""
        features = self.input_dropout(self.word_dropout(features))
        outputs, state = self.encoder(features, lengths)
        pooled, attention = self.pooling(outputs, lengths, state["hidden"][:, -1])
        with torch.autocast(pooled.device.type, enabled=False):  # logits in fp32
            logits = self.output(self.dropout(pooled.float()))
        return logits, attention

    def parts(self, batch: Batch, texts: Sequence[Sequence[str]]) -> tuple[torch.Tensor, torch.Tensor | None]:
        """Return the scores of the classes by each part (P, B, C), and the attention weights.

        texts: the lists of words.
        """
        logits, attention = self.logits(batch)
        parts = [logits.float()] if self.wide is None else [self.wide(texts), logits.float()]
        return torch.stack(parts), attention

    def forward(self, batch: Batch, carry: None = None) -> loss.Loss:
        """Return the loss of a batch with targets; in training, of its perturbed form too, where that is wanted."""
        features = self.embed(batch)
        if not (self.training and self.adversarial):
            return self._loss(features, batch)
        below = set(self.embedding.parameters())
        above = [p for p in self.parameters() if p.requires_grad and p not in below]
        return adversarial.trained(
            features, batch.lengths, self.adversarial, lambda vectors: self._loss(vectors, batch), above
        )

    def _loss(self, features: torch.Tensor, batch: Batch) -> loss.Loss:
        assert batch.targets is not None
        logits, _ = self.read(features, batch.lengths)
        if self.multi_label:
            return loss.binary_cross_entropy(logits, batch.targets, weights=self.class_weights)
        return loss.cross_entropy(
            logits, batch.targets, label_smoothing=self.label_smoothing, weights=self.class_weights
        )


@dataclass(frozen=True)
class Scores:
    """What networks say of a batch, on average: the distributions, each part behind them, the attention, if any.

    thresholds: those of the labels, where items have several.
    """

    probabilities: np.ndarray  # (B, C)
    parts: np.ndarray  # (P, B, C)
    attention: np.ndarray | None  # (B, S)
    thresholds: np.ndarray | None  # (C,)


def scores(networks: Sequence[nn.Module], batch: Batch, texts: Sequence[Sequence[str]], *, multi_label: bool) -> Scores:
    """Return what networks say of a batch, in fp32; texts are lists of words."""
    classifiers = [cast(Classifier, network) for network in networks]
    parts, attention = zip(*(classifier.parts(batch, texts) for classifier in classifiers), strict=True)
    pairs = zip(classifiers, parts, strict=True)
    fused = [probabilities(one.fusion, own, multi_label=multi_label) for one, own in pairs]
    thresholds = [one.thresholds for one in classifiers if one.thresholds is not None]
    looked = [weights for weights in attention if weights is not None]
    return Scores(
        _mean(fused), _mean(parts), _mean(looked) if looked else None, _mean(thresholds) if thresholds else None
    )


def probabilities(weights: torch.Tensor, parts: torch.Tensor, *, multi_label: bool) -> torch.Tensor:
    """Return the classes' probabilities (B, C) by the weighted sum of the parts' scores, (P, B, C)."""
    fused = (weights[:, None, None] * parts).sum(0)
    return torch.sigmoid(fused) if multi_label else torch.softmax(fused, dim=1)


def _mean(tensors: Sequence[torch.Tensor]) -> np.ndarray:
    mean: np.ndarray = torch.stack(list(tensors)).mean(0).cpu().numpy()
    return mean
