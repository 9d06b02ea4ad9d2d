"""Embeddings: a vector a token; or a vector a word, its own and those of its hashed character n-grams together."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn
from torch.nn import functional


@torch.no_grad()
def put(module: nn.Embedding, rows: np.ndarray, vectors: np.ndarray) -> None:
    """Put vectors (N, D) of unit deviation into rows (N,) of an embedding, scaled as its others are."""
    scale = module.weight.std()
    module.weight[torch.from_numpy(rows)] = torch.from_numpy(vectors).to(module.weight) * scale


class TiedEmbedding(nn.Embedding):
    """An embedding that can be the output matrix too: rows of length 1, read times the root of their size.

    As in Vaswani et al. 2017, section 3.4. Read as they are, such rows are so small that a recurrent layer takes far
    longer to tell one from the other.
    """

    def __init__(self, vocabulary: int, embedding_size: int) -> None:
        super().__init__(vocabulary, embedding_size)
        nn.init.normal_(self.weight, std=embedding_size**-0.5)

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        """Return vectors (B, S, D) of tokens (B, S)."""
        vectors: torch.Tensor = super().forward(tokens) * self.embedding_dim**0.5
        return vectors


class WordEmbedding(nn.Module):
    """The sum of a word's own vector and the mean of its n-grams' vectors (after Bojanowski et al. 2017, section 3.2).

    A word outside the vocabulary, `unknown`, has its n-grams only. buckets: of n-grams, 0 for none; scale: the standard
    deviation that the vectors begin with.
    """

    def __init__(self, vocabulary: int, embedding_size: int, *, buckets: int, scale: float, unknown: int) -> None:
        super().__init__()
        self.unknown = unknown
        self.words = nn.Embedding(vocabulary, embedding_size, sparse=True)
        nn.init.normal_(self.words.weight, std=scale)
        self.char_ngrams = nn.EmbeddingBag(buckets, embedding_size, mode="mean", sparse=True) if buckets else None
        if self.char_ngrams is not None:
            nn.init.normal_(self.char_ngrams.weight, std=scale)

    def forward(
        self, words: torch.Tensor, forms: torch.Tensor, char_ngrams: torch.Tensor, offsets: torch.Tensor
    ) -> torch.Tensor:
        """Return (B, S, D).

        words: (B, S) ids; forms: (B, S), each word's number among the U distinct ones; char_ngrams: the n-grams of all
        distinct words, flat; offsets: (U,), where each one's begin.
        """
        vectors: torch.Tensor = self.words(words)
        if self.char_ngrams is None:
            return vectors
        vectors = vectors.masked_fill((words == self.unknown).unsqueeze(2), 0.0)
        return vectors + functional.embedding(forms, self.char_ngrams(char_ngrams, offsets))
