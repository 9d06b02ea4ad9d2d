"""The classifier's network: word embedding, recurrent encoder, pooling, one linear layer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
import torch
from torch import nn

from seqnlp.nn import dropout as dropouts
from seqnlp.nn import embedding, loss, pooling
from seqnlp.preprocess.text import tokenizer
from seqnlp.tasks import base
from seqnlp.tasks import encoder as encoders
from seqnlp.tasks.classify.options import Config

NB_WEIGHT = 0.5  # of the naive Bayes scores beside the network's, to begin with


@dataclass(frozen=True)
class Batch(base.Batch):
    """Sentences as tensors; `targets` (B,) numbers of classes, or (B, C) of zeros and ones for several labels."""

    words: torch.Tensor  # (B, S)
    lengths: torch.Tensor  # (B,)
    forms: torch.Tensor  # (B, S), each word's number among the U distinct ones
    char_ngrams: torch.Tensor  # those of the distinct words, flat
    offsets: torch.Tensor  # (U,)
    nb_scores: torch.Tensor  # (B, C), the classes' scores by naive Bayes
    targets: torch.Tensor | None = None


class Classifier(nn.Module):
    """One label or several for a sentence: a BiLSTM over words, pooled (after Lin et al. 2017, section 2)."""

    def __init__(
        self, config: Config, *, vocabulary: int, classes: int, class_weights: list[float] | None = None
    ) -> None:
        super().__init__()
        self.label_smoothing, self.multi_label = config.label_smoothing, config.multi_label
        size, buckets = config.embedding_size, config.char_ngram_buckets
        self.embedding = embedding.WordEmbedding(vocabulary, size, buckets=buckets, scale=0.1, unknown=tokenizer.UNK)
        self.word_dropout = dropouts.WordDropout(config.word_dropout)
        self.input_dropout = dropouts.LockedDropout(config.dropout)
        self.encoder = encoders.encoder(size, config)
        self.pooling = pooling.Pooling(self.encoder.outputs, config.pooling)
        self.dropout = nn.Dropout(config.dropout)
        self.output = nn.Linear(self.pooling.outputs, classes)
        self.nb_weight = nn.Parameter(torch.tensor(NB_WEIGHT)) if config.nb_ngrams else None
        self.class_weights: torch.Tensor | None
        weights = torch.tensor(class_weights) if class_weights else None
        self.register_buffer("class_weights", weights, persistent=False)

    def logits(self, batch: Batch) -> tuple[torch.Tensor, torch.Tensor | None]:
        """Return the classes' logits (B, C), and the attention weights (B, S) where the pooling has them."""
        features = self.embedding(batch.words, batch.forms, batch.char_ngrams, batch.offsets)  # (B, S, D)
        features = self.input_dropout(self.word_dropout(features))
        outputs, state = self.encoder(features, batch.lengths)
        pooled, attention = self.pooling(outputs, batch.lengths, state["hidden"][:, -1])
        with torch.autocast(pooled.device.type, enabled=False):  # logits in fp32
            logits = self.output(self.dropout(pooled.float()))
        return logits if self.nb_weight is None else logits + self.nb_weight * self._nb_scores(
            batch.nb_scores
        ), attention

    def _nb_scores(self, scores: torch.Tensor) -> torch.Tensor:
        """The naive Bayes scores; in training left out of half of the rows, so that the network learns without them."""
        if not self.training:
            return scores
        return scores * scores.new_empty(len(scores), 1).bernoulli_(0.5)

    def forward(self, batch: Batch, carry: None = None) -> loss.Loss:
        """Return the loss of a batch with targets."""
        assert batch.targets is not None
        logits, _ = self.logits(batch)
        if self.multi_label:
            return loss.binary_cross_entropy(logits, batch.targets, weights=self.class_weights)
        return loss.cross_entropy(
            logits, batch.targets, label_smoothing=self.label_smoothing, weights=self.class_weights
        )


def mean_probabilities(
    networks: Sequence[nn.Module], batch: Batch, *, multi_label: bool
) -> tuple[np.ndarray, np.ndarray | None]:
    """Return the mean of the distributions (B, C) of networks, in fp32, and of their attention (B, S), if any."""
    logits, attention = zip(*(cast(Classifier, network).logits(batch) for network in networks), strict=True)
    squash = torch.sigmoid if multi_label else (lambda row: torch.softmax(row, dim=1))
    probabilities = torch.stack([squash(row.float()) for row in logits]).mean(0).cpu().numpy()
    if attention[0] is None:
        return probabilities, None
    return probabilities, torch.stack(list(attention)).mean(0).cpu().numpy()
