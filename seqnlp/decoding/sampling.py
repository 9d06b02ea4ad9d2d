"""Sampling: random sentences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from seqnlp.decoding.constraints import Rules
from seqnlp.decoding.hypotheses import Choice, Hypothesis, Running
from seqnlp.decoding.ranking import Ranking
from seqnlp.decoding.state import State, Step


def sample(
    step: Step,
    state: State,
    sentences: int,
    *,
    samples: int = 1,
    temperature: float = 1.0,
    top_k: int = 0,
    top_p: float = 1.0,
    seed: int = 0,
    numbers: Sequence[int] | None = None,
    attention: bool = False,
    **rules: Any,
) -> list[list[Hypothesis]]:
    """Return for each sentence `samples` random hypotheses, most probable first; scores are log-probabilities.

    top_k, top_p: draw from the k most probable tokens, from the fewest whose probabilities come to p (Holtzman et al.
    2020, section 3.1); 0 and 1: from all. numbers: the sentences' own (by default their places); a sentence's draws
    depend on the seed and its number alone. rules: what `Rules` takes.
    """
    bounds = Rules(sentences, **rules)
    longest = bounds.most.tolist()
    uniform = np.ones((sentences, max(longest, default=0) + 1, samples))
    for row, (number, length) in enumerate(zip(range(sentences) if numbers is None else numbers, longest, strict=True)):
        uniform[row, : length + 1] = np.random.default_rng((seed, number)).random((length + 1, samples))
    draw = _Draw(torch.from_numpy(uniform).to(bounds.most.device), temperature, top_k, top_p, bounds.end)
    return Running(bounds, Ranking(), sentences, samples, samples, 0.0, attention).to_the_end(step, state, draw)


@dataclass(frozen=True)
class _Draw:
    """The choice of random tokens, each by one number that is uniform between 0 and 1."""

    uniform: torch.Tensor  # (B, T, K)
    temperature: float
    top_k: int
    top_p: float
    end: int

    def __call__(
        self, logs: torch.Tensor, rows: torch.Tensor, totals: torch.Tensor, sentences: torch.Tensor, number: int
    ) -> Choice:
        logs = logs[rows]  # (A, W, V)
        wanted = self.uniform.size(2) if number == 0 else totals.size(1)  # all begin as the one hypothesis there is
        parents = torch.arange(wanted, device=logs.device).clamp(max=totals.size(1) - 1).expand(len(logs), -1)
        logs, totals = logs.expand(-1, wanted, -1), totals.expand(-1, wanted)
        sums = self._truncated(logs / self.temperature).softmax(2, dtype=torch.float64).cumsum(2)
        aim = self.uniform[sentences, number, :wanted].unsqueeze(2) * sums[..., -1:]
        tokens = torch.searchsorted(sums, aim, right=True).clamp(max=logs.size(2) - 1)  # (A, K, 1)
        taken, tokens = totals + logs.gather(2, tokens).squeeze(2), tokens.squeeze(2)
        ends = tokens == self.end
        return Choice(
            taken.masked_fill(ends, -torch.inf), parents, tokens, taken.masked_fill(~ends, -torch.inf), parents
        )

    def _truncated(self, logs: torch.Tensor) -> torch.Tensor:
        """The scores with those outside top-k or the nucleus at minus infinity."""
        if self.top_k:
            least = logs.topk(min(self.top_k, logs.size(2)), dim=2).values[..., -1:]
            logs = logs.masked_fill(logs < least, -torch.inf)
        if self.top_p < 1:
            values, order = logs.sort(dim=2, descending=True)
            before = values.softmax(2).cumsum(2).roll(1, 2)
            before[..., 0] = 0.0  # the first one always stays
            logs = logs.masked_fill((before >= self.top_p).gather(2, order.argsort(2)), -torch.inf)
        return logs
