"""Self-attention over recurrent outputs: a direct way between steps that are far apart (Merity 2019; Lei 2021).

The outputs know their place already, so there are no positions.
"""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

from seqnlp import errors

WINDOW = 512  # steps back that a causal layer sees: its time grows with the steps, not with their square


class SelfAttention(nn.Module):
    """Scaled dot products of several heads (Vaswani et al. 2017, section 3.2), added to what they read, normalised.

    causal: a step sees itself and the `WINDOW` - 1 before it; else each step sees all.
    """

    def __init__(self, size: int, heads: int, *, causal: bool) -> None:
        super().__init__()
        if size % heads:
            raise errors.UsageError(
                f"--self-attention {heads} over outputs of size {size}", "the heads share the outputs: choose a divisor"
            )
        self.heads, self.causal = heads, causal
        self.query, self.key, self.value = (nn.Linear(size, size, bias=False) for _ in range(3))
        self.output = nn.Linear(size, size, bias=False)
        self.norm = nn.LayerNorm(size)

    def forward(
        self, features: torch.Tensor, mask: torch.Tensor, memory: torch.Tensor | None = None
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return outputs (B, S, D), and the memory (B, M, D) for the steps that follow, none but where causal.

        features: (B, S, D); mask: (B, S), true at a row's steps, which come first; memory: what the call before gave.
        """
        past = features[:, :0] if memory is None or not self.causal else memory.to(features.dtype)
        seen = torch.cat([past, features], dim=1)  # (B, M + S, D)
        if self.causal:
            steps = range(0, features.size(1), WINDOW)
            found = torch.cat([self._window(seen, past.size(1) + first) for first in steps], dim=1)
        else:
            found = self._attend(features, features, mask[:, None, None] if not bool(mask.all()) else None)
        outputs: torch.Tensor = self.norm(features + self.output(found))
        return outputs, seen[:, max(seen.size(1) - WINDOW + 1, 0) :] if self.causal else past

    def _window(self, seen: torch.Tensor, first: int) -> torch.Tensor:
        """What up to `WINDOW` queries from step `first` find in the steps that they may see."""
        begin, end = max(first - WINDOW + 1, 0), min(first + WINDOW, seen.size(1))
        queries, keys = (torch.arange(start, end, device=seen.device) for start in (first, begin))
        back = queries.unsqueeze(1) - keys  # how many steps ago
        return self._attend(seen[:, first:end], seen[:, begin:end], (back >= 0) & (back < WINDOW))

    def _attend(self, queries: torch.Tensor, memory: torch.Tensor, mask: torch.Tensor | None) -> torch.Tensor:
        """The heads' means of the memory's values, side by side, (B, T, D)."""
        query, key, value = (
            layer(part).unflatten(2, (self.heads, -1)).transpose(1, 2)  # (B, heads, T or S, D / heads)
            for layer, part in ((self.query, queries), (self.key, memory), (self.value, memory))
        )
        found = functional.scaled_dot_product_attention(query, key, value, attn_mask=mask)
        return found.transpose(1, 2).flatten(2)
