"""Constraints: what a sentence may look like. A rule is a class; a search takes all of them as one object.

A rule names tokens that may not come next (`forbid`) or the one that must (`force`). What must come does so whatever
else is forbidden; of two rules that force, the first in the list wins.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch

FREE = -1  # in place of a forced token: any may come


class Partial(NamedTuple):
    """The hypotheses, N of one length, whose next token is asked for."""

    sentences: torch.Tensor  # (N,), the number in the batch of each one's sentence
    length: int  # t, tokens so far, without the start
    tokens: torch.Tensor  # (N, t), if any rule `reads_tokens`
    end: int


class Constraint:
    """A rule that allows everything; subclasses override what they restrict."""

    reads_tokens = False  # whether the tokens so far have to be kept for it

    def forbid(self, logs: torch.Tensor, partial: Partial) -> None:
        """Set the log-probabilities (N, V) of tokens that may not come next to minus infinity."""

    def force(self, partial: Partial) -> torch.Tensor | None:
        """Return the tokens that must come next, (N,), `FREE` where any may; None: any may everywhere."""
        return None

    def lengthen(self, max_length: torch.Tensor) -> torch.Tensor:
        """Return the maximum lengths (B,), greater where it forces more tokens than they allow."""
        return max_length


class ForcedPrefix(Constraint):
    """Each sentence begins with tokens of its own."""

    def __init__(self, prefixes: Sequence[Sequence[int]], device: torch.device | None = None) -> None:
        """Keep the tokens of the B sentences; an empty prefix is none."""
        width = max(map(len, prefixes), default=0)
        padded = [[*prefix, *[FREE] * (width - len(prefix))] for prefix in prefixes]
        self.tokens = torch.tensor(padded, dtype=torch.long, device=device).view(len(prefixes), width)

    def force(self, partial: Partial) -> torch.Tensor | None:
        return self.tokens[partial.sentences, partial.length] if partial.length < self.tokens.size(1) else None

    def lengthen(self, max_length: torch.Tensor) -> torch.Tensor:
        return max_length.maximum((self.tokens != FREE).sum(1))


class MinLength(Constraint):
    """No sentence ends before it has this many tokens, (B,), without start and end."""

    def __init__(self, lengths: torch.Tensor) -> None:
        self.lengths = lengths

    def forbid(self, logs: torch.Tensor, partial: Partial) -> None:
        logs[:, partial.end].masked_fill_(partial.length < self.lengths[partial.sentences], -torch.inf)


class BannedTokens(Constraint):
    """Some tokens are never chosen."""

    def __init__(self, tokens: Sequence[int]) -> None:
        self.tokens = tokens

    def forbid(self, logs: torch.Tensor, partial: Partial) -> None:
        for token in self.tokens:  # each a view: faster than all of them by an index
            logs[:, token] = -torch.inf


class NoRepeatNgram(Constraint):
    """No n-gram of a size comes twice in a sentence (Paulus et al. 2018, section 2.5)."""

    reads_tokens = True

    def __init__(self, size: int) -> None:
        self.size = size

    def forbid(self, logs: torch.Tensor, partial: Partial) -> None:
        if partial.length < self.size:
            return
        ngrams = partial.tokens.unfold(1, self.size, 1)  # (N, number of n-grams, n)
        last = partial.tokens[:, partial.length - self.size + 1 :].unsqueeze(1)  # (N, 1, n - 1)
        rows, places = (ngrams[..., :-1] == last).all(2).nonzero(as_tuple=True)
        logs[rows, ngrams[rows, places, -1]] = -torch.inf


class Constraints:
    """All that constrains the B sentences of a batch."""

    def __init__(self, start: int, end: int, max_length: torch.Tensor, rules: Sequence[Constraint] = ()) -> None:
        """Keep the tokens that sentences start and end with, their rules, and their greatest lengths.

        max_length: (B,), numbers of tokens without start and end, on the device of the search; it goes before all
        rules but those that force more tokens, and raise it.
        """
        self.start, self.end, self.rules, self.max_length = start, end, rules, max_length
        for rule in rules:
            self.max_length = rule.lengthen(self.max_length)
        self.reads_tokens = any(rule.reads_tokens for rule in rules)

    def __len__(self) -> int:
        return len(self.max_length)

    def apply(self, logs: torch.Tensor, sentences: torch.Tensor, tokens: torch.Tensor, length: int) -> None:
        """Set the log-probabilities (N, V) of all that may not come next to minus infinity.

        sentences: (N,), their numbers; tokens: (N, t), those so far, if any rule reads them; length: t.
        """
        partial = Partial(sentences, length, tokens, self.end)
        forced = self._forced(partial)
        rows = (forced != FREE).nonzero()[:, 0]
        forced = forced[rows]
        kept = logs[rows, forced]
        for rule in self.rules:
            rule.forbid(logs, partial)
        if len(rows):
            logs[rows] = -torch.inf
            logs[rows, forced] = kept

    def _forced(self, partial: Partial) -> torch.Tensor:
        """The token that must come next, (N,), or `FREE`."""
        forced = torch.where(partial.length >= self.max_length[partial.sentences], self.end, FREE)
        for rule in reversed(self.rules):
            wanted = rule.force(partial)
            if wanted is not None:
                forced = torch.where(wanted != FREE, wanted, forced)
        return forced
