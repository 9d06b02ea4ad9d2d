"""Constraints: what a sentence may look like."""

from __future__ import annotations

from collections.abc import Sequence

import torch


class Rules:
    """What the B sentences of a batch may look like."""

    def __init__(
        self,
        sentences: int,
        *,
        start: int,
        end: int,
        most: torch.Tensor,
        least: torch.Tensor | None = None,
        prefix: Sequence[Sequence[int] | None] | None = None,
        no_repeat: int = 0,
        banned: Sequence[int] = (),
    ) -> None:
        """Keep the rules, on the device of `most`.

        most, least: (B,), numbers of tokens, without start and end; most goes before least. prefix: the tokens that
        each sentence begins with, whatever the other rules say. no_repeat: no n-gram of this length comes twice; 0: no
        rule. banned: tokens that do not come.
        """
        rows = [list(row or ()) for row in (prefix or [()] * sentences)]
        width = max(map(len, rows), default=0)
        padded = [row + [-1] * (width - len(row)) for row in rows]
        self.start, self.end, self.no_repeat, self.banned = start, end, no_repeat, list(banned)
        self.prefix = torch.tensor(padded, dtype=torch.long, device=most.device).view(sentences, width)
        self.most = most.maximum((self.prefix >= 0).sum(1))
        self.least = torch.zeros_like(most) if least is None else least.to(most.device)

    def apply(self, logs: torch.Tensor, sentences: torch.Tensor, number: int, history: torch.Tensor) -> None:
        """Set what token `number` (from 0) may not be to minus infinity; what must be goes before what may not.

        logs: (N, V); sentences: (N,), their numbers; history: (N, number), the tokens so far.
        """
        must = torch.where(number >= self.most[sentences], self.end, -1)  # (N,)
        if number < self.prefix.size(1):
            forced = self.prefix[sentences, number]
            must = torch.where(forced >= 0, forced, must)
        rows = (must >= 0).nonzero()[:, 0]
        tokens = must[rows].unsqueeze(1)
        kept = logs[rows].gather(1, tokens)
        for token in self.banned:
            logs[:, token] = -torch.inf
        if 0 < self.no_repeat <= number:
            self._no_repeat(logs, history)
        logs[:, self.end].masked_fill_(number < self.least[sentences], -torch.inf)
        if len(rows):
            logs[rows] = torch.full_like(logs[rows], -torch.inf).scatter_(1, tokens, kept)

    def _no_repeat(self, logs: torch.Tensor, history: torch.Tensor) -> None:
        """Rule out the tokens that would end an n-gram that was there before (Paulus et al. 2018, section 2.5)."""
        grams = history.unfold(1, self.no_repeat, 1)  # (N, number of n-grams, n)
        last = history[:, history.size(1) - self.no_repeat + 1 :].unsqueeze(1)  # (N, 1, n - 1)
        rows, places = (grams[..., :-1] == last).all(2).nonzero(as_tuple=True)
        logs[rows, grams[rows, places, -1]] = -torch.inf
