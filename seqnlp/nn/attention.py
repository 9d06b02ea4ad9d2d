"""Attention: for every query a distribution over the source, and the mean of the memory under it.

What depends on the source alone is computed once, by `keys`; queries come in any number, the steps of a target or the
hypotheses of a beam, and the memory is never repeated for them.
"""

from __future__ import annotations

import torch
from torch import nn

from seqnlp import errors

UNITS = 128  # A, of the small network: each is computed for every pair of query and source step, so more are slow


class Attention(nn.Module):
    """The inner product of query and memory, and the way from energies to weights to context; other kinds change it."""

    def keys(self, memory: torch.Tensor) -> torch.Tensor:
        """Return what the energies need of the memory, (B, S, H); the memory itself where nothing is to be done."""
        return memory

    def energies(self, queries: torch.Tensor, keys: torch.Tensor) -> torch.Tensor:
        """Return how well each query fits each source step, (B, T, S)."""
        return queries @ keys.transpose(1, 2)

    def forward(
        self, queries: torch.Tensor, memory: torch.Tensor, keys: torch.Tensor, mask: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the context (B, T, D) and the weights (B, T, S), in fp32 and zero outside the mask.

        queries: (B, T, H); memory: (B, S, D); keys: of that memory; mask: (B, S), true at one source step at least.
        """
        energies = self.energies(queries, keys).float()  # (B, T, S)
        weights = energies.masked_fill(~mask.unsqueeze(1), -torch.inf).softmax(2)
        return weights.to(memory.dtype) @ memory, weights


class Additive(Attention):
    """A small network over query and memory (Bahdanau et al. 2015, A.1.2): v tanh(W q + U m).

    Of the kinds it learns soonest where to look.
    """

    def __init__(self, queries: int, memory: int) -> None:
        super().__init__()
        self.query = nn.Linear(queries, UNITS)
        self.memory = nn.Linear(memory, UNITS, bias=False)
        self.energy = nn.Linear(UNITS, 1, bias=False)

    def keys(self, memory: torch.Tensor) -> torch.Tensor:
        """Return U m, (B, S, A)."""
        keys: torch.Tensor = self.memory(memory)
        return keys

    def energies(self, queries: torch.Tensor, keys: torch.Tensor) -> torch.Tensor:
        """Return v tanh(W q + U m), (B, T, S), but for a constant, which the softmax takes away.

        tanh(x) is 2 sigmoid(2x) - 1, and a sigmoid in bf16 takes a fifth of the time.
        """
        sums = (2 * self.query(queries)).unsqueeze(2) + (2 * keys).unsqueeze(1)  # (B, T, S, A)
        energies: torch.Tensor = self.energy(torch.sigmoid(sums)).squeeze(3)
        return 2 * energies


class General(Attention):
    """A bilinear form (Luong et al. 2015, section 3.1, "general"): q W m.

    W begins as the identity, so that equal vectors match from the first step on; from random numbers it learns later.
    """

    def __init__(self, queries: int, memory: int) -> None:
        super().__init__()
        self.memory = nn.Linear(memory, queries, bias=False)
        nn.init.eye_(self.memory.weight)

    def keys(self, memory: torch.Tensor) -> torch.Tensor:
        """Return W m, (B, S, H)."""
        keys: torch.Tensor = self.memory(memory)
        return keys


class Dot(Attention):
    """The inner product (Luong et al. 2015, section 3.1, "dot"): q m, both of one size."""

    def __init__(self, queries: int, memory: int) -> None:
        super().__init__()
        if queries != memory:
            raise errors.UsageError(
                f"dot attention between a decoder of {queries} and an encoder of {memory}",
                "make them of one size, or choose general or additive attention",
            )


ATTENTIONS: dict[str, type[Additive | General | Dot]] = {"additive": Additive, "general": General, "dot": Dot}
