"""The network: an encoder that reads the source both ways, a decoder that attends to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from seqnlp.nn import decoder as decoders
from seqnlp.nn import dropout as dropouts
from seqnlp.nn import embedding as embeddings
from seqnlp.nn import loss
from seqnlp.tasks import base
from seqnlp.tasks import encoder as encoders
from seqnlp.tasks.seq2seq.options import Network


@dataclass(frozen=True)
class Batch(base.Batch):
    """Pairs as tensors; the target as the decoder reads it, start first, and as it is to write it, end last."""

    source: torch.Tensor  # (B, S)
    lengths: torch.Tensor  # (B,)
    inputs: torch.Tensor  # (B, T)
    outputs: torch.Tensor  # (B, T), IGNORED past the end


class EncoderDecoder(nn.Module):
    """Attentional encoder-decoder of LSTMs (after Bahdanau et al. 2015).

    shared: source and target have one vocabulary, and so one embedding, which is the output matrix too.
    """

    def __init__(self, config: Network, *, source_vocabulary: int, target_vocabulary: int, shared: bool) -> None:
        super().__init__()
        self.label_smoothing = config.label_smoothing
        self.embedding = embeddings.TiedEmbedding(source_vocabulary, config.embedding_size)
        self.dropout = dropouts.LockedDropout(config.dropout)
        self.encoder = encoders.encoder(config.embedding_size, config)
        decoder = decoders.Config(
            vocabulary=target_vocabulary,
            embedding_size=config.embedding_size,
            hidden_size=config.decoder_hidden_size,
            memory=self.encoder.outputs,
            cell=config.cell,
            attention=config.attention,
            layers=config.decoder_layers,
            dropout=config.dropout,
            residual=config.residual,
            layer_norm=config.layer_norm,
            init=config.init,
        )
        self.decoder = self._decoder(decoder, self.embedding if shared else None)

    def _decoder(self, config: decoders.Config, embedding: nn.Embedding | None) -> decoders.Decoder:
        return decoders.Decoder(config, embedding)

    def begin(self, source: torch.Tensor, lengths: torch.Tensor) -> decoders.State:
        """Return the decoder's state before the first token; source: (B, S); lengths: (B,)."""
        embedded = self.dropout(self.embedding(source))
        memory, state = self.encoder(embedded, lengths)
        return self.decoder.begin(self.dropout(memory), lengths, state["hidden"][:, -1])

    def step(self, tokens: torch.Tensor, state: decoders.State) -> tuple[torch.Tensor, decoders.State]:
        """Return the logits (N, V) after one more token each (N, 1), and the state."""
        return self.decoder.step(tokens, state)

    def forward(self, batch: Batch, carry: Any = None) -> loss.Loss:
        """Return the loss of a batch, its weight the number of target tokens."""
        features, _ = self.decoder(batch.inputs, self.begin(batch.source, batch.lengths))
        decoder = self.decoder
        return loss.linear_cross_entropy(
            features, decoder.output, decoder.bias, batch.outputs, label_smoothing=self.label_smoothing
        )
