"""Sampling: random sentences, from all tokens or from those that filters leave."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from seqnlp.decoding.constraints import Constraints
from seqnlp.decoding.hypotheses import Candidates, Choice, Hypothesis
from seqnlp.decoding.ranking import BY_PROBABILITY
from seqnlp.decoding.running import Running
from seqnlp.decoding.state import State, Step

# From scores (A, K, V) to the same with those that are not to be drawn at minus infinity.
Filter = Callable[[torch.Tensor], torch.Tensor]


def sample(
    step: Step,
    state: State,
    constraints: Constraints,
    *,
    samples: int = 1,
    temperature: float = 1.0,
    filters: Sequence[Filter] = (),
    seed: int = 0,
    numbers: Sequence[int] | None = None,
    attention: bool = False,
) -> list[list[Hypothesis]]:
    """Return for each sentence `samples` random hypotheses, most probable first; scores are log-probabilities.

    filters: what is left out, one after the other, once scores are divided by the temperature. numbers: the sentences'
    own (by default their places); a sentence's draws depend on the seed and its number alone. attention: whether the
    hypotheses are to have it.
    """
    numbers = range(len(constraints)) if numbers is None else numbers
    uniform = _uniform(constraints.max_length.tolist(), samples, seed, numbers)
    draw = _Draw(uniform.to(constraints.max_length.device), temperature, filters, constraints.end)
    running = Running(constraints, BY_PROBABILITY, size=samples, nbest=samples, attention=attention)
    return running.to_the_end(step, state, draw)


@dataclass(frozen=True)
class TopK:
    """Leaves the k most probable tokens."""

    k: int  # 0: all

    def __call__(self, scores: torch.Tensor) -> torch.Tensor:
        if not self.k:
            return scores
        lowest = scores.topk(min(self.k, scores.size(2)), dim=2).values[..., -1:]
        return scores.masked_fill(scores < lowest, -torch.inf)


@dataclass(frozen=True)
class TopP:
    """Leaves the fewest tokens whose probabilities come to p, the nucleus (Holtzman et al. 2020, section 3.1)."""

    p: float  # 1: all tokens

    def __call__(self, scores: torch.Tensor) -> torch.Tensor:
        if self.p >= 1:
            return scores
        values, order = scores.sort(dim=2, descending=True)
        before = values.softmax(2).cumsum(2).roll(1, 2)
        before[..., 0] = 0.0  # the first one always stays
        return scores.masked_fill((before >= self.p).gather(2, order.argsort(2)), -torch.inf)


@dataclass(frozen=True)
class MinP:
    """Leaves the tokens with at least a part p of the most probable one's probability (Nguyen et al. 2024)."""

    p: float  # 0: all tokens

    def __call__(self, scores: torch.Tensor) -> torch.Tensor:
        if not self.p:
            return scores
        lowest = scores.amax(2, keepdim=True) + math.log(self.p)
        return scores.masked_fill(scores < lowest, -torch.inf)


def drawn(scores: torch.Tensor, uniform: torch.Tensor) -> torch.Tensor:
    """Return the tokens (...) that numbers between 0 and 1 (...) draw by scores (..., V), in fp64."""
    sums = scores.softmax(-1, dtype=torch.float64).cumsum(-1)
    tokens = torch.searchsorted(sums, uniform.unsqueeze(-1) * sums[..., -1:], right=True)
    return tokens.squeeze(-1).clamp(max=scores.size(-1) - 1)


def _uniform(lengths: Sequence[int], samples: int, seed: int, numbers: Sequence[int]) -> torch.Tensor:
    """Numbers between 0 and 1 for the tokens and the end of each sample, (B, T + 1, K)."""
    uniform = np.ones((len(lengths), max(lengths, default=0) + 1, samples))
    for row, (number, length) in enumerate(zip(numbers, lengths, strict=True)):
        uniform[row, : length + 1] = np.random.default_rng((seed, number)).random((length + 1, samples))
    return torch.from_numpy(uniform)


@dataclass(frozen=True)
class _Draw:
    """The choice of random tokens, each by one number that is uniform between 0 and 1."""

    uniform: torch.Tensor  # (B, T + 1, K)
    temperature: float
    filters: Sequence[Filter]
    end: int

    def __call__(self, candidates: Candidates) -> Choice:
        logs, rows, totals, sentences, length = candidates
        logs = logs[rows]  # (A, W, V)
        wanted = self.uniform.size(2) if length == 0 else totals.size(1)  # all begin as the one hypothesis there is
        parents = torch.arange(wanted, device=logs.device).clamp(max=totals.size(1) - 1).expand(len(logs), -1)
        logs, totals = logs.expand(-1, wanted, -1), totals.expand(-1, wanted)
        scores = logs / self.temperature
        for leave in self.filters:
            scores = leave(scores)
        tokens = drawn(scores, self.uniform[sentences, length, :wanted])  # (A, K)
        taken = totals + logs.gather(2, tokens.unsqueeze(2)).squeeze(2)
        ends = tokens == self.end
        gone_on, ended = taken.masked_fill(ends, -torch.inf), taken.masked_fill(~ends, -torch.inf)
        return Choice(gone_on, parents, tokens, ended, parents)
