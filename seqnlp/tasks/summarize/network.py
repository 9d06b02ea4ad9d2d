"""The network: an encoder and a decoder that may copy from what the encoder read (See et al. 2017)."""

from __future__ import annotations

from typing import Any

import torch

from seqnlp.nn import copy, loss
from seqnlp.nn import decoder as decoders
from seqnlp.preprocess.text import tokenizer
from seqnlp.tasks.seq2seq import network
from seqnlp.tasks.summarize.options import Config

COVERAGE_FROM = 0.9  # share of the steps: from the beginning on the coverage loss keeps the attention from settling


class PointerGenerator(network.EncoderDecoder):
    """An encoder-decoder whose attention is also the distribution of what it copies.

    Tokens from V on are words of a document that the vocabulary lacks: they are read as unknown, and can be copied.
    The coverage loss reads the same attention; unlike See et al. the attention does not read the coverage, so that
    training computes all steps at once.
    """

    decoder: copy.Decoder

    def __init__(self, config: Config, vocabulary: int) -> None:
        super().__init__(config, source_vocabulary=vocabulary, target_vocabulary=vocabulary, shared=True)
        self.coverage_loss = config.coverage_loss
        self.share = 0.0  # of the steps of training that is done

    def _decoder(self, config: decoders.Config, embedding: torch.nn.Embedding | None) -> copy.Decoder:
        return copy.Decoder(config, embedding, unknown=tokenizer.UNK)

    def begin(self, source: torch.Tensor, lengths: torch.Tensor) -> decoders.State:
        """Return the decoder's state before the first token, with the tokens that may be copied."""
        return {**super().begin(self.decoder.known(source), lengths), copy.SOURCE: source}

    def step(self, tokens: torch.Tensor, state: decoders.State) -> tuple[torch.Tensor, decoders.State]:
        """Return the log-probabilities (N, W) after one more token each (N, 1), and the state."""
        return self.decoder.mixed(tokens, state)

    def forward(self, batch: network.Batch, carry: Any = None) -> loss.Loss:
        """Return the loss of a batch, its weight the number of target tokens."""
        features, state = self.decoder(batch.inputs, self.begin(batch.source, batch.lengths))
        counted = batch.outputs != loss.IGNORED  # (B, T)
        attention = state["attention"]  # (B, T, S)
        features = features[counted]  # (N, F)
        found = copy.cross_entropy(
            self.decoder.logits(features),
            self.decoder.gate(features).squeeze(1),
            attention[counted],
            batch.source.unsqueeze(1).expand_as(attention)[counted],
            batch.outputs[counted],
            label_smoothing=self.label_smoothing,
        )
        if self.share < COVERAGE_FROM or not self.coverage_loss:
            return found
        return found._replace(sum=found.sum + self.coverage_loss * copy.coverage(attention, counted))
