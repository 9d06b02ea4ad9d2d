"""The decoder: recurrent layers over a target under way, with attention to a memory between the first and the others.

One function serves training and search: a whole target takes one run a layer, a single token one step. Both give equal
results.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import torch
from torch import nn
from torch.nn import functional

from seqnlp.nn import attention as attentions
from seqnlp.nn import cells, recurrent
from seqnlp.nn import dropout as dropouts
from seqnlp.nn import embedding as embeddings

State = dict[str, torch.Tensor]  # "source..." (B, ...) of each sentence, all others (N, ...) of each hypothesis


@dataclass(frozen=True)
class Config:
    """What a decoder is made of.

    layers: the first is below the attention, the others are above; memory: the size D of what is attended to; tie: the
    output matrix is that of the embeddings.
    """

    vocabulary: int
    embedding_size: int
    hidden_size: int
    memory: int
    cell: str = "lstm"
    attention: str = "additive"
    layers: int = 2
    dropout: float = 0.0
    residual: bool = False
    layer_norm: bool = False
    init: str = "orthogonal"
    tie: bool = True

    def __post_init__(self) -> None:
        assert self.layers >= 2, "the first layer is below the attention, the others are above"


class Decoder(nn.Module):
    """From target tokens and a memory to logits (after Bahdanau et al. 2015, A.2.2, with any cell of `cells.CELLS`).

    The state that `begin` gives holds "source.memory", "source.mask" and, where the attention has them, "source.keys",
    one row a sentence; and one row a hypothesis: the parts of each layer's state ("hidden.0", "cell.0" and so on for
    LSTMs), and "coverage" (N, S), the attention's weights summed over the steps so far. `forward` adds "attention"
    (N, T, S), the weights of its steps. Each sentence has one hypothesis, unless "source.rows" (B, K), the rows of
    each one's hypotheses, and "place" (N,), where each row stands among these B x K, say otherwise.

    embedding: that of the target tokens, None for one of its own.
    """

    def __init__(self, config: Config, embedding: nn.Embedding | None = None) -> None:
        super().__init__()
        vocabulary, size, hidden, memory = config.vocabulary, config.embedding_size, config.hidden_size, config.memory
        self.hidden_size, self.parts = hidden, cells.CELLS[config.cell].parts
        self.own = embeddings.TiedEmbedding(vocabulary, size) if embedding is None else None
        self.shared = (embedding,)  # in a tuple, so that its weights are listed and saved once, by who gave it
        self.attention = attentions.ATTENTIONS[config.attention](hidden, memory)
        self.bridge = nn.Linear(memory, config.layers * len(self.parts) * hidden)
        inputs = [size, hidden + memory, *[hidden] * (config.layers - 2)]
        self.layers = nn.ModuleList(cells.layer(config.cell, width, hidden, init=config.init) for width in inputs)
        self.connections = nn.ModuleList(
            recurrent.Connection(width, hidden, residual=config.residual, layer_norm=config.layer_norm)
            for width in inputs
        )
        self.readout = nn.Linear(hidden + memory + size, size)
        self.dropout = dropouts.LockedDropout(config.dropout)
        self.untied = None if config.tie else nn.Parameter(torch.randn(vocabulary, size) * size**-0.5)
        self.bias = nn.Parameter(torch.zeros(vocabulary))

    @property
    def embedding(self) -> nn.Embedding:
        """The embedding of target tokens, its own or the one that was given."""
        return cast(nn.Embedding, self.own or self.shared[0])

    @property
    def output(self) -> torch.Tensor:
        """The output matrix (V, F), which is that of the embeddings where they are tied (Press & Wolf 2017)."""
        return self.embedding.weight if self.untied is None else self.untied

    def begin(self, memory: torch.Tensor, lengths: torch.Tensor, summary: torch.Tensor) -> State:
        """Return the state before the first token, one hypothesis a sentence.

        memory: (B, S, D), the encoder's outputs; lengths: (B,), each from 1 to S; summary: (B, D), of each sentence.
        """
        state = {"source.memory": memory, "source.mask": recurrent.step_mask(lengths, memory.size(1))}
        keys = self.attention.keys(memory)
        if keys is not memory:
            state["source.keys"] = keys
        names = [f"{part}.{number}" for number in range(len(self.layers)) for part in self.parts]
        values = torch.tanh(self.bridge(summary)).chunk(len(names), 1)  # (B, H) each
        state.update(zip(names, values, strict=True))
        state["coverage"] = memory.new_zeros(memory.shape[:2], dtype=torch.float32)
        return state

    def forward(self, tokens: torch.Tensor, state: State) -> tuple[torch.Tensor, State]:
        """Return features (N, T, F) for `logits`, and the state after the last token.

        tokens: (N, T), each step's input. Padding may only stand at the end, and the state after it means nothing.
        """
        state = dict(state)
        embedded = self.dropout(self.embedded(tokens, state))
        outputs = self._layer(0, embedded, state)
        embedded = embedded.to(outputs.dtype)
        context = self._attend(outputs, state)  # (N, T, D)
        outputs = torch.cat([outputs, context], dim=2)
        for number in range(1, len(self.layers)):
            outputs = self._layer(number, outputs, state)
        features = torch.tanh(self.readout(torch.cat([outputs, context, embedded], dim=2)))
        return self.dropout(features), state

    def embedded(self, tokens: torch.Tensor, state: State) -> torch.Tensor:
        """Return what the first layer reads of tokens (N, T), (N, T, F)."""
        vectors: torch.Tensor = self.embedding(tokens)
        return vectors

    def _layer(self, number: int, inputs: torch.Tensor, state: State) -> torch.Tensor:
        """A layer's outputs (N, T, H); the state goes on."""
        layer, mark, read = cast(cells.Layer, self.layers[number]), f".{number}", inputs
        inputs = self.dropout(read) if number else read
        own = {name.removesuffix(mark): part for name, part in state.items() if name.endswith(mark)}
        if inputs.size(1) == 1:
            outputs, own = layer.step(inputs.squeeze(1), own)
            outputs = outputs.unsqueeze(1)
        else:
            outputs, own = layer.run(inputs, None, own)
        state.update({name + mark: part for name, part in own.items()})
        joined: torch.Tensor = self.connections[number](read, outputs)
        return joined

    def _attend(self, queries: torch.Tensor, state: State) -> torch.Tensor:
        """The context (N, T, D) of queries (N, T, H): steps and hypotheses are all queries to their sentence."""
        memory = state["source.memory"]
        keys, mask = state.get("source.keys", memory), state["source.mask"]
        context, weights = (apart(part, state) for part in self.attention(together(queries, state), memory, keys, mask))
        state["coverage"] = state["coverage"] + weights.sum(1)
        state["attention"] = weights
        return context

    def logits(self, features: torch.Tensor) -> torch.Tensor:
        """Return the logits (N, T, V) of features (N, T, F), in fp32."""
        return functional.linear(features, self.output, self.bias).float()

    def attended(self, tokens: torch.Tensor, state: State) -> tuple[torch.Tensor, State]:
        """Return the features (N, F) after one more token each (N, 1), and the state with the step's attention."""
        with torch.inference_mode(False), torch.no_grad():  # in inference mode autocast casts the weights every time
            features, state = self(tokens, state)
            return features.squeeze(1), {**state, "attention": state["attention"].squeeze(1)}

    def step(self, tokens: torch.Tensor, state: State) -> tuple[torch.Tensor, State]:
        """Return the logits (N, V) after one more token each (N, 1), and the state, as a search wants them."""
        features, state = self.attended(tokens, state)
        with torch.inference_mode(False), torch.no_grad():
            logits = functional.linear(features, self.output)
            return logits.add_(self.bias.to(logits.dtype)), state  # apart: bf16 products with a bias are far slower


def together(parts: torch.Tensor, state: State) -> torch.Tensor:
    """Return what there is for each step of each hypothesis, (N, T, ...), by sentences, (B, K x T, ...)."""
    rows = state.get("source.rows")
    return parts if rows is None else parts[rows].flatten(1, 2)


def apart(parts: torch.Tensor, state: State) -> torch.Tensor:
    """Return what `together` put together as it was before, (N, T, ...)."""
    rows = state.get("source.rows")
    return parts if rows is None else parts.reshape(rows.numel(), -1, *parts.shape[2:])[state["place"]]
