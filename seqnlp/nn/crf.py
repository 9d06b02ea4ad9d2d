"""A linear-chain conditional random field over batches of tag sequences (Lafferty et al. 2001).

A sequence scores start[first tag] + the sum of its emissions and transitions + stop[last tag]; its probability is
exp(score) over the sum of exp(score) of all legal sequences. What is illegal has probability 0: it never comes out of
decoding and never counts in that sum. Only the score of given tags counts each illegal step as `ILLEGAL`, so that gold
tags which break the rules cost much but not infinitely much, and the gradients stay finite.

The sum is found by `forward_backward`. Everything is in fp32, under autocast too.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Concatenate, ParamSpec, TypeVar

import torch
from torch import nn

from seqnlp.nn import forward_backward, recurrent
from seqnlp.nn import loss as losses
from seqnlp.nn.forward_backward import Scores

ILLEGAL = -1e4  # the score of one illegal step in given tags
NEVER = -1e30  # as good as minus infinity, but the difference of two is a number
CACHED = 2**18  # numbers that a CPU holds near it: pairs of tags are looked at in pieces of this size

P = ParamSpec("P")
R = TypeVar("R")


def _in_fp32(method: Callable[Concatenate[Crf, torch.Tensor, P], R]) -> Callable[Concatenate[Crf, torch.Tensor, P], R]:
    """Return a method of the emissions that computes in fp32 (in fp64 after `.double()`), whatever autocast is on."""

    @functools.wraps(method)
    def run(crf: Crf, emissions: torch.Tensor, /, *args: P.args, **options: P.kwargs) -> R:
        dtype = torch.promote_types(crf.start.dtype, torch.float32)
        with torch.autocast(emissions.device.type, enabled=False):
            return method(crf, emissions.to(dtype), *args, **options)

    return run


class Crf(nn.Module):
    """Scores of transitions between tags, and what follows from them and the emissions of an encoder.

    emissions: (B, S, C); lengths: (B,), each from 1 to S, on the same device; what stands past them never matters.
    legal: (C, C), whether tag j may follow tag i; begin, end: (C,), whether a tag may come first, last. Where they
    leave no sequence as long as a sentence, its loss is 0, its partition about `NEVER`, the best score -inf.
    """

    legal: torch.Tensor
    begin: torch.Tensor
    end: torch.Tensor

    def __init__(
        self,
        classes: int,
        *,
        legal: torch.Tensor | None = None,
        begin: torch.Tensor | None = None,
        end: torch.Tensor | None = None,
    ) -> None:
        super().__init__()
        self.transitions = nn.Parameter(torch.zeros(classes, classes))
        self.start = nn.Parameter(torch.zeros(classes))
        self.stop = nn.Parameter(torch.zeros(classes))
        rules = {"legal": (legal, self.transitions), "begin": (begin, self.start), "end": (end, self.stop)}
        for name, (rule, scores) in rules.items():
            mask = torch.ones_like(scores).bool() if rule is None else rule.bool()
            assert mask.shape == scores.shape, name
            self.register_buffer(name, mask, persistent=False)
        self._unreached = torch.empty(0)  # no buffer: it grows, at other times in other processes

    @_in_fp32
    def forward(self, emissions: torch.Tensor, tags: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        """Return the summed negative log-likelihood of the tags (B, S), `IGNORED` ones summed over; a scalar."""
        partition = self.partition(emissions, lengths)
        surprise = partition - self.score(emissions, tags, lengths)
        return surprise.masked_fill(partition < NEVER / 2, 0).sum()

    @_in_fp32
    def score(self, emissions: torch.Tensor, tags: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        """Return the score of the tags (B, S), (B,); with `IGNORED` ones the log of the sum over all in their place."""
        scores = self._scores(ILLEGAL)
        inside = recurrent.step_mask(lengths, tags.size(1))
        unknown = inside & (tags == losses.IGNORED)  # (B, S)
        result = _score(emissions, tags.masked_fill(unknown | ~inside, 0), inside, scores)
        if not bool(unknown.any()):
            return result
        rows = unknown.any(1).nonzero().squeeze(1)
        allowed = tags[rows].unsqueeze(2) == torch.arange(emissions.size(2), device=tags.device)  # (rows, S, C)
        known = emissions[rows].masked_fill(~(allowed | unknown[rows].unsqueeze(2)), NEVER)
        return result.index_copy(0, rows, forward_backward.log_partition_by_logs(known, scores, lengths[rows]))

    @_in_fp32
    def partition(self, emissions: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        """Return the log of the sum of exp(score) over all legal sequences, (B,)."""
        return self._partition(emissions, self._scores(NEVER), lengths)

    @_in_fp32
    def marginals(self, emissions: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        """Return each tag's probability at each step given the whole sentence, (B, S, C), 0 past the lengths.

        They are the gradient of the partition by the emissions.
        """
        with torch.no_grad():
            scores = self._scores(NEVER)
        with torch.inference_mode(False), torch.enable_grad():
            leaf = emissions.detach().clone().requires_grad_()
            return torch.autograd.grad(self._partition(leaf, scores, lengths.clone()).sum(), leaf)[0]

    @torch.no_grad()
    @_in_fp32
    def decode(self, emissions: torch.Tensor, lengths: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the best legal tags (B, S), 0 past the lengths, and their scores (B,) (Viterbi 1967)."""
        scores = self._scores(-torch.inf)
        best = _best_scores(emissions, scores)
        result, tag = (_ends(best, lengths) + scores.stop).max(1)
        tags = [tag]
        for step in range(len(best) - 2, -1, -1):
            _, before = (best[step] + scores.transitions.index_select(1, tag)).max(0)  # over (C, B)
            tag = torch.where(step < lengths - 1, before, tag)
            tags.append(tag)
        inside = recurrent.step_mask(lengths, len(best))
        return torch.stack(tags[::-1], dim=1).masked_fill(~inside, 0), result

    @torch.no_grad()
    @_in_fp32
    def nbest(self, emissions: torch.Tensor, lengths: torch.Tensor, n: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the n best legal sequences of tags (B, n, S), best first, and their scores (B, n).

        Where there are fewer, the rest scores -inf and has tags 0. From the end back the n best ways to go on are kept,
        each judged together with the best way to come there (tree-trellis search, Soong & Huang 1991).
        """
        scores = self._scores(-torch.inf)
        best = _best_scores(emissions, scores)
        ends = _ends(best, lengths) + scores.stop  # (B, C)
        none = ends.new_full((len(ends), n), -torch.inf)  # so that there are n to choose from
        behind, tag = torch.cat([_behind(ends), none], dim=1).topk(n)  # (B, n)
        tag = tag.clamp(max=ends.size(1) - 1)
        tags = tag.unsqueeze(2)  # (B, n, steps so far)
        for step in range(len(best) - 2, -1, -1):
            ways = _behind(best[step].t().unsqueeze(1) + scores.transitions.t()[tag])  # (B, n, C)
            lost, choice = (behind.unsqueeze(2) + ways).flatten(1).topk(n)
            early = (step < lengths - 1).unsqueeze(1)
            behind = torch.where(early, lost, behind)
            tag = torch.where(early, choice % ways.size(2), tag)
            origin = (choice // ways.size(2)).unsqueeze(2)  # what it says past the end changes nothing but padding
            tags = torch.cat([tag.unsqueeze(2), tags.gather(1, origin.expand_as(tags))], dim=2)
        inside = recurrent.step_mask(lengths, len(best)).unsqueeze(1) & behind.isfinite().unsqueeze(2)
        return tags.masked_fill(~inside, 0), ends.amax(1, keepdim=True) + behind

    def _scores(self, illegal: float) -> Scores:
        start = self.start.masked_fill(~self.begin, illegal)
        return Scores(
            start, self.transitions.masked_fill(~self.legal, illegal), self.stop.masked_fill(~self.end, illegal)
        )

    def _partition(self, emissions: torch.Tensor, scores: Scores, lengths: torch.Tensor) -> torch.Tensor:
        return forward_backward.log_partition(emissions, scores, lengths, self._unreachable(emissions.size(1)))

    def _unreachable(self, steps: int) -> torch.Tensor:
        """Return 1 where no legal path gets to a tag, from the first on and from the last back, (S, 2, 1, C)."""
        if len(self._unreached) < steps or self._unreached.device != self.legal.device:
            follows = torch.stack([self.legal, self.legal.t()]).float()  # (2, C, C)
            reached = [torch.stack([self.begin, self.end]).unsqueeze(1).float()]  # (2, 1, C)
            while len(reached) < steps:
                reached.append(torch.bmm(reached[-1], follows).clamp(max=1))
            self._unreached = 1 - torch.stack(reached)
        return self._unreached[:steps]


def _score(emissions: torch.Tensor, tags: torch.Tensor, inside: torch.Tensor, scores: Scores) -> torch.Tensor:
    """Return the score of the tags (B, S), (B,)."""
    emitted = emissions.gather(2, tags.unsqueeze(2)).squeeze(2)
    pairs = tags[:, :-1] * emissions.size(2) + tags[:, 1:]  # (B, S - 1), into the flattened transitions
    moved = scores.transitions.flatten().gather(0, pairs.flatten()).view_as(pairs)
    last = tags.gather(1, inside.sum(1, keepdim=True) - 1).squeeze(1)
    steps = emitted.masked_fill(~inside, 0).sum(1) + moved.masked_fill(~inside[:, 1:], 0).sum(1)
    return scores.start[tags[:, 0]] + steps + scores.stop[last]


def _best_scores(emissions: torch.Tensor, scores: Scores) -> list[torch.Tensor]:
    """Return for each step the score of the best way to each tag, (C, B).

    With the batch last and pairs of tags in pieces a CPU finds the maxima several times as fast. Steps past the end of
    a sentence come out too; nothing of them gets into another row or an earlier step.
    """
    emitted = emissions.permute(1, 2, 0).contiguous()  # (S, C, B)
    rows = emissions.size(2) if emissions.is_cuda else max(1, CACHED // max(1, emitted[0].numel()))
    pieces = torch.split(scores.transitions.t().unsqueeze(2), rows)  # of (C, C, 1), from tags second
    best = [scores.start.unsqueeze(1) + emitted[0]]
    for emission in emitted[1:]:
        best.append(torch.cat([(best[-1] + piece).amax(1) for piece in pieces]) + emission)
    return best


def _ends(best: list[torch.Tensor], lengths: torch.Tensor) -> torch.Tensor:
    """Return the scores of each row's last step, (B, C)."""
    return torch.stack(best)[lengths - 1, :, torch.arange(len(lengths), device=lengths.device)]


def _behind(ways: torch.Tensor) -> torch.Tensor:
    """Return how far each of the ways (..., C) is behind the best one: from 0 to -inf."""
    return ways - ways.amax(-1, keepdim=True).clamp(min=NEVER)
