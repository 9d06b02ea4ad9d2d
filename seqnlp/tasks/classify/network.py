"""The classifier's network: word embedding, recurrent encoder, pooling, one linear layer."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import torch
from torch import nn

from seqnlp.nn import dropout as dropouts
from seqnlp.nn import embedding, loss, pooling, recurrent


@dataclass(frozen=True)
class Batch:
    """Sentences as tensors; `targets` (B,) numbers of classes, or (B, C) of zeros and ones for several labels."""

    words: torch.Tensor  # (B, S)
    lengths: torch.Tensor  # (B,)
    forms: torch.Tensor  # (B, S), each word's number among the U distinct ones
    grams: torch.Tensor  # n-grams of the distinct words, flat
    offsets: torch.Tensor  # (U,)
    evidence: torch.Tensor  # (B, C), the classes' scores by naive Bayes
    targets: torch.Tensor | None = None

    def to(self, device: torch.device) -> Batch:
        """Return the batch on a device."""
        moved = {f.name: v.to(device) for f in fields(self) if (v := getattr(self, f.name)) is not None}
        return replace(self, **moved)


class Classifier(nn.Module):
    """One label or several for a sentence: a BiLSTM over words, pooled (after Lin et al. 2017, section 2)."""

    def __init__(
        self,
        *,
        vocabulary: int,
        classes: int,
        dimension: int,
        buckets: int,
        unknown: int,
        hidden: int,
        layers: int,
        pool: str,
        dropout: float,
        word_dropout: float,
        init: str,
        cell: str = "lstm",
        trust: float = 0.0,
        smoothing: float = 0.0,
        several: bool = False,
        weights: list[float] | None = None,
    ) -> None:
        super().__init__()
        self.smoothing, self.several = smoothing, several
        self.embedding = embedding.WordEmbedding(vocabulary, dimension, buckets=buckets, scale=0.1, unknown=unknown)
        self.word_dropout = dropouts.WordDropout(word_dropout)
        self.input_dropout = dropouts.LockedDropout(dropout)
        self.encoder = recurrent.Encoder(dimension, hidden, cell=cell, layers=layers, dropout=dropout, init=init)
        self.pooling = pooling.Pooling(self.encoder.outputs, pool)
        self.dropout = nn.Dropout(dropout)
        self.output = nn.Linear(self.pooling.outputs, classes)
        self.trust = nn.Parameter(torch.tensor(trust)) if trust else None
        self.weights: torch.Tensor | None
        self.register_buffer("weights", torch.tensor(weights) if weights else None, persistent=False)

    def logits(self, batch: Batch) -> tuple[torch.Tensor, torch.Tensor | None]:
        """Return the classes' logits (B, C), and the attention weights (B, S) where the pooling has them."""
        features = self.embedding(batch.words, batch.forms, batch.grams, batch.offsets)  # (B, S, D)
        features = self.input_dropout(self.word_dropout(features))
        outputs, state = self.encoder(features, batch.lengths)
        pooled, attention = self.pooling(outputs, batch.lengths, state["hidden"][:, -1])
        with torch.autocast(pooled.device.type, enabled=False):  # logits in fp32
            logits = self.output(self.dropout(pooled.float()))
        return logits if self.trust is None else logits + self.trust * self._evidence(batch.evidence), attention

    def _evidence(self, scores: torch.Tensor) -> torch.Tensor:
        """The naive Bayes scores; in training left out of half of the rows, so that the network learns without them."""
        if not self.training:
            return scores
        return scores * scores.new_empty(len(scores), 1).bernoulli_(0.5)

    def forward(self, batch: Batch, carry: None = None) -> loss.Loss:
        """Return the loss of a batch with targets."""
        assert batch.targets is not None
        logits, _ = self.logits(batch)
        if self.several:
            return loss.binary_cross_entropy(logits, batch.targets, weights=self.weights)
        return loss.cross_entropy(logits, batch.targets, label_smoothing=self.smoothing, weights=self.weights)
