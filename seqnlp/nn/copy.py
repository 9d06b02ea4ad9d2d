"""Copying: the next token comes out of the vocabulary or is one of the source's (See et al. 2017, section 2.2).

P(w) = g P_vocabulary(w) + (1 - g) times the attention to all source steps that hold w. The mixture is made of
logarithms: where the gate g rounds to 0 or 1, what is left of the other part still has a gradient, and nothing becomes
NaN.

A source may hold words outside the vocabulary. In a batch they have ids of their own past its end, from V to W - 1,
which only copying gives.
"""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

from seqnlp.nn import decoder, loss

SOURCE = "source.tokens"  # in a state: the tokens that may be copied, (B, S)

MIN_ATTENTION = 1e-30  # to all steps that hold a token: less has no finite logarithm


def scores(
    logits: torch.Tensor, gate: torch.Tensor, attention: torch.Tensor, source: torch.Tensor, size: int
) -> torch.Tensor:
    """Return the log-probabilities (N, W) of all tokens, minus infinity for those that neither part gives.

    logits: (N, V), of the vocabulary; gate: (N,), the logit of g; attention: (N, S), summing up to 1; source: (N, S),
    the tokens that may be copied; size: W.
    """
    gate = gate.float().unsqueeze(1)
    logs = logits.log_softmax(1, dtype=torch.float32) + functional.logsigmoid(gate)
    mixed = functional.pad(logs, (0, size - logits.size(1)), value=-torch.inf)
    copied = attention.new_zeros(mixed.shape, dtype=torch.float32).scatter_add_(1, source, attention.float())
    held = copied.gather(1, source).log() + functional.logsigmoid(-gate)  # (N, S); equal tokens have equal sums
    return mixed.scatter(1, source, torch.logaddexp(mixed.gather(1, source), held))


def cross_entropy(
    logits: torch.Tensor,
    gate: torch.Tensor,
    attention: torch.Tensor,
    source: torch.Tensor,
    targets: torch.Tensor,
    *,
    label_smoothing: float = 0.0,
) -> loss.Loss:
    """Return the loss of the mixture; label smoothing asks for all of the vocabulary, of which copying gives nothing.

    logits: (N, V); gate: (N,); attention, source: (N, S); targets: (N,), below W, each from one part at least.
    """
    logs, gate = logits.float().log_softmax(1), gate.float()
    known = targets < logs.size(1)
    written = logs.gather(1, (targets * known).unsqueeze(1)).squeeze(1) + functional.logsigmoid(gate)
    held = source == targets.unsqueeze(1)  # (N, S)
    attended = (attention.float() * held).sum(1).clamp(min=MIN_ATTENTION)
    copied = attended.log() + functional.logsigmoid(-gate)
    mixed = torch.logaddexp(
        written.masked_fill(~known, -torch.inf), copied.masked_fill(~held.any(1), -torch.inf)
    )  # (N,)
    total = -(1 - label_smoothing) * mixed.sum() - label_smoothing * logs.mean(1).sum()
    return loss.Loss(total, torch.tensor(float(len(targets)), device=logits.device))


def coverage(attention: torch.Tensor, counted: torch.Tensor) -> torch.Tensor:
    """Return how much is attended to again, summed: of each step's attention what lies where earlier ones were.

    That is the coverage loss (See et al. 2017, section 2.3). attention: (B, T, S); counted: (B, T), the steps that
    count, padding after them.
    """
    before = attention.cumsum(1) - attention
    again: torch.Tensor = torch.minimum(attention, before).sum(2)[counted].sum()
    return again


class Decoder(decoder.Decoder):
    """A decoder that may copy; its state holds `SOURCE`.

    With each token it reads what the memory says where the source holds that token, on average (selective reading, Gu
    et al. 2016, section 3.3): so it knows which words come next. unknown: the id of tokens from V on as they are read.
    """

    def __init__(self, config: decoder.Config, embedding: nn.Embedding | None = None, *, unknown: int) -> None:
        super().__init__(config, embedding)
        self.unknown, self.vocabulary = unknown, config.vocabulary
        self.read = nn.Linear(config.memory, config.embedding_size, bias=False)
        self.gate = nn.Linear(config.embedding_size, 1)

    def known(self, tokens: torch.Tensor) -> torch.Tensor:
        """Return tokens as they are read."""
        return tokens.masked_fill(tokens >= self.vocabulary, self.unknown)

    def embedded(self, tokens: torch.Tensor, state: decoder.State) -> torch.Tensor:
        """Return what the first layer reads of tokens (N, T), (N, T, F)."""
        asked = decoder.together(tokens, state)  # (B, T)
        held = state[SOURCE].unsqueeze(1) == asked.unsqueeze(2)  # (B, T, S)
        shares = held / held.sum(2, keepdim=True).clamp(min=1)
        memory = state["source.memory"]
        read = self.read(shares.to(memory.dtype) @ memory)  # (B, T, F)
        return super().embedded(self.known(tokens), state) + decoder.apart(read, state)

    def mixed(self, tokens: torch.Tensor, state: decoder.State) -> tuple[torch.Tensor, decoder.State]:
        """Return the log-probabilities (N, W) after one more token each (N, 1), and the state."""
        features, state = self.attended(tokens, state)
        with torch.inference_mode(False), torch.no_grad():
            logits, gate = self.logits(features), self.gate(features).flatten()
        source = state[SOURCE]
        size = max(self.vocabulary, int(source.max()) + 1)
        rows, place = state.get("source.rows"), state.get("place")
        own = source if rows is None or place is None else source[place // rows.size(1)]  # (N, S)
        return scores(logits, gate, state["attention"], own, size), state
