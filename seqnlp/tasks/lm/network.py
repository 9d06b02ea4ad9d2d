"""The language model's network: embeddings that are the output matrix too, recurrent layers between them; and n-grams.

After Merity et al. 2018 (AWD-LSTM): locked dropout, embedding dropout, weight dropout, activation penalties.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional

from seqnlp.nn import dropout as dropouts
from seqnlp.nn import embedding as embeddings
from seqnlp.nn import loss, mixture, recurrent
from seqnlp.tasks import base
from seqnlp.tasks import encoder as encoders
from seqnlp.tasks.lm.options import Config

STEPS = 64  # that are predicted at a time: a line may have millions
TOKENS = 4096  # that make more steps of few lines: each call costs time
LOGITS = 512  # rows of logits that are held at a time


@dataclass(frozen=True)
class Batch(base.Batch):
    """Chunks of text as tensors."""

    inputs: torch.Tensor  # (B, T)
    targets: torch.Tensor  # (B, T), the token after each input, IGNORED where there is none
    lengths: torch.Tensor  # (B,)


class LanguageModel(nn.Module):
    """What token comes next; and, where `backward` is there, what came before."""

    def __init__(self, config: Config, vocabulary: int) -> None:
        super().__init__()
        size = config.embedding_size
        self.label_smoothing = config.label_smoothing
        self.penalties = (config.activation_penalty or 0.0, config.change_penalty or 0.0)
        self.embedding = embeddings.TiedEmbedding(vocabulary, size)
        self.embedding_dropout = dropouts.EmbeddingDropout(config.embedding_dropout or 0.0)
        self.dropout = dropouts.LockedDropout(config.dropout)
        ways = [False, *([True] if config.direction == "both" else [])]
        made = [encoders.forward(size, config, config.weight_dropout) for _ in ways]
        self.encoder = made[0]
        self.backward_encoder = made[1] if len(made) > 1 else None
        self.readout = nn.Linear(config.hidden_size, size) if config.hidden_size != size else nn.Identity()
        self.bias = nn.Parameter(torch.zeros(vocabulary))
        self.mixture = mixture.Mixture(config.ngrams, vocabulary) if config.ngrams else None

    def outputs(
        self, encoder: recurrent.Encoder, tokens: torch.Tensor, lengths: torch.Tensor, carry: recurrent.State | None
    ) -> tuple[torch.Tensor, recurrent.State]:
        """Return an encoder's outputs (B, T, H) over tokens (B, T), and its state."""
        embedded = self.embedding_dropout(self.embedding(tokens), tokens, len(self.bias))
        found: tuple[torch.Tensor, recurrent.State] = encoder(self.dropout(embedded), lengths, carry)
        return found

    def forward(self, batch: Batch, carry: recurrent.State | None = None) -> loss.Loss:
        """Return the loss of a chunk, its weight the number of tokens, and the state that the next one begins with."""
        outputs, state = self.outputs(self.encoder, batch.inputs, batch.lengths, carry)
        found = self._loss(outputs, batch.targets)
        if self.backward_encoder is not None:  # over the chunk alone: the text that follows is not there yet
            known = batch.targets != loss.IGNORED
            after = torch.where(known, batch.targets, batch.inputs)
            outputs, _ = self.outputs(self.backward_encoder, after.flip(1), batch.lengths, None)
            before = torch.where(known, batch.inputs, loss.IGNORED)
            found = found._replace(sum=found.sum + self._loss(outputs, before.flip(1)).sum)
        return found._replace(carry=state)

    def _loss(self, outputs: torch.Tensor, targets: torch.Tensor) -> loss.Loss:
        """The cross-entropy of outputs, and penalties on their size and change (Merity et al. 2018, section 4.4)."""
        dropped = self.dropout(outputs)
        features = self.readout(dropped)
        found = loss.linear_cross_entropy(
            features, self.embedding.weight, self.bias, targets, label_smoothing=self.label_smoothing
        )
        size, change = self.penalties
        if not self.training or not (size or change):
            return found
        extra = size * dropped.float().square().mean()
        if outputs.size(1) > 1:
            extra = extra + change * (outputs[:, 1:] - outputs[:, :-1]).float().square().mean()
        return found._replace(sum=found.sum + extra * targets.numel())  # of every step: rows add up

    def scores(self, outputs: torch.Tensor) -> torch.Tensor:
        """Return the log-probabilities (N, V) of what follows outputs (N, H), in fp32."""
        logits = functional.linear(self.readout(outputs), self.embedding.weight, self.bias)
        return logits.float().log_softmax(1)


def foreseen(
    network: LanguageModel,
    inputs: torch.Tensor,
    targets: torch.Tensor,
    lengths: torch.Tensor,
    carry: recurrent.State | None,
) -> tuple[torch.Tensor, recurrent.State]:
    """Return the network's log-probabilities of targets (B, T), 0 where there is none, and the state to go on from."""
    counted = targets != loss.IGNORED  # (B, T)
    outputs, state = network.outputs(network.encoder, inputs, lengths, carry)
    pairs = zip(torch.split(outputs[counted], LOGITS), torch.split(targets[counted], LOGITS), strict=True)
    logs = torch.cat([network.scores(row).gather(1, ids.unsqueeze(1))[:, 0] for row, ids in pairs])
    return torch.zeros(targets.shape, device=targets.device).masked_scatter(counted, logs), state


def of_lines(network: LanguageModel, batch: Batch) -> torch.Tensor:
    """Return the log-probabilities of the targets of lines (B, T), each from a fresh state, some steps at a time."""
    carry: recurrent.State | None = None
    parts, steps = [], max(STEPS, TOKENS // len(batch.inputs))
    for start in range(0, batch.inputs.size(1), steps):
        part = slice(start, start + steps)
        inputs, targets = batch.inputs[:, part], batch.targets[:, part]
        # Rows that end earlier read on over padding, so that all carry a whole state: nobody looks at the results.
        lengths = torch.full_like(batch.lengths, inputs.size(1))
        logs, carry = foreseen(network, inputs, targets, lengths, carry)
        parts.append(logs)
    return torch.cat(parts, dim=1)
