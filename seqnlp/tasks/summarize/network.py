"""The network: an encoder and a decoder that may copy from what the encoder read (See et al. 2017)."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from seqnlp.nn import copy, loss
from seqnlp.nn import decoder as decoders
from seqnlp.preprocess.text import tokenizer
from seqnlp.tasks.seq2seq import network
from seqnlp.tasks.summarize.options import Config

COVERAGE_FROM = 0.9  # share of the steps: from the beginning on the coverage loss keeps the attention from settling
COPIES = "source.copies"


class PointerGenerator(network.EncoderDecoder):
    """An encoder-decoder whose attention is also the distribution of what it copies.

    Tokens from V on are words of a document that the vocabulary lacks: they are read as unknown, and can be copied.
    The coverage loss reads the same attention; unlike See et al. the attention does not read the coverage, so that
    training computes all steps at once.
    """

    def __init__(self, config: Config, vocabulary: int) -> None:
        super().__init__(config, source_vocabulary=vocabulary, target_vocabulary=vocabulary, shared=True)
        self.vocabulary, self.coverage_loss = vocabulary, config.coverage_loss
        self.gate = nn.Linear(config.embedding_size, 1)
        self.share = 0.0  # of the steps of training that is done

    def _known(self, tokens: torch.Tensor) -> torch.Tensor:
        return tokens.masked_fill(tokens >= self.vocabulary, tokenizer.UNK)

    def begin(self, source: torch.Tensor, lengths: torch.Tensor) -> decoders.State:
        """Return the decoder's state before the first token, with the tokens that may be copied."""
        return {**super().begin(self._known(source), lengths), COPIES: source}

    def step(self, tokens: torch.Tensor, state: decoders.State) -> tuple[torch.Tensor, decoders.State]:
        """Return the log-probabilities (N, W) after one more token each (N, 1), and the state."""
        features, state = self.decoder.attended(self._known(tokens), state)
        with torch.inference_mode(False), torch.no_grad():
            logits = self.decoder.logits(features)
            gate = self.gate(features).flatten()
        copies = state[COPIES]
        size = max(self.vocabulary, int(copies.max()) + 1)
        rows, place = state.get("source.rows"), state.get("place")
        source = copies if rows is None or place is None else copies[place // rows.size(1)]
        return copy.scores(logits, gate, state["attention"], source, size), state

    def forward(self, batch: network.Batch, carry: Any = None) -> loss.Loss:
        """Return the loss of a batch, its weight the number of target tokens."""
        state = self.begin(batch.source, batch.lengths)
        features, state = self.decoder(self._known(batch.inputs), state)
        counted = batch.outputs != loss.IGNORED  # (B, T)
        attention = state["attention"]  # (B, T, S)
        source = batch.source.unsqueeze(1).expand_as(attention)
        features = features[counted]
        found = copy.cross_entropy(
            self.decoder.logits(features),
            self.gate(features).squeeze(1),
            attention[counted],
            source[counted],
            batch.outputs[counted],
            label_smoothing=self.label_smoothing,
        )
        if self.share < COVERAGE_FROM or not self.coverage_loss:
            return found
        return found._replace(sum=found.sum + self.coverage_loss * copy.coverage(attention, counted))
