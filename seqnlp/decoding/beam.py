"""Beam search: the best sentences, each step going on with the best of all ways to continue."""

from __future__ import annotations

from functools import partial

import torch

from seqnlp.decoding.constraints import Constraints
from seqnlp.decoding.hypotheses import Candidates, Choice, Hypothesis
from seqnlp.decoding.ranking import BY_PROBABILITY, Ranking
from seqnlp.decoding.running import Running
from seqnlp.decoding.state import State, Step

BLOCK_SIZE = 100  # tokens whose greatest score is looked at first: about the square root of a large vocabulary


def search(
    step: Step,
    state: State,
    constraints: Constraints,
    *,
    size: int = 5,
    nbest: int = 1,
    ranking: Ranking = BY_PROBABILITY,
    prune_threshold: float = 0.0,
    attention: bool = False,
) -> list[list[Hypothesis]]:
    """Return for each sentence its `nbest` best hypotheses, best first; fewer where the constraints leave no more.

    Each step takes the `size` best of all ways to go on with the hypotheses of a sentence or to end them; a size of 1
    is greedy. Those that cannot come to more than the nbest-th finished one (`Ranking.bound`) are dropped, which
    changes no result, and a sentence is done when none is left. prune_threshold: also dropped are those whose
    log-probability is this much under that of the nbest-th under way (absolute threshold pruning, Freitag & Al-Onaizan
    2017, section 3); 0: none. attention: whether the hypotheses are to have it.
    """
    running = Running(
        constraints, ranking, size=size, nbest=nbest, prune_threshold=prune_threshold, attention=attention
    )
    return running.to_the_end(step, state, partial(_choose, size=size, end=constraints.end))


def _choose(candidates: Candidates, *, size: int, end: int) -> Choice:
    """The best ways to go on or to end."""
    logs, rows, totals, *_ = candidates
    ended = totals + logs[:, end][rows]  # (A, W)
    logs[:, end] = -torch.inf
    values, parents, tokens = top_sums(logs, rows, totals, size)  # (A, K)
    together = torch.cat([values, ended], dim=1)
    bar = together.topk(min(size, together.size(1)), dim=1).values[:, -1:]
    values, ended = (logs.masked_fill(logs < bar, -torch.inf) for logs in (values, ended))
    places = torch.arange(totals.size(1), device=totals.device).expand_as(totals)
    return Choice(values, parents, tokens, ended, places)


def top_sums(
    logs: torch.Tensor, rows: torch.Tensor, totals: torch.Tensor, size: int
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return the greatest sums of logs (N, V) and totals (A, W) of each sentence: values, places, tokens, (A, K) each.

    They are in the K blocks of tokens with the greatest maxima: finding those is several times as fast as sorting.
    """
    vocabulary = logs.size(1)
    maxima = _block_maxima(logs)[rows] + totals.unsqueeze(2)  # (A, W, blocks)
    blocks = maxima.flatten(1).topk(min(size, maxima[0].numel()), dim=1, sorted=False).indices  # (A, K)
    places, firsts = blocks // maxima.size(2), blocks % maxima.size(2) * BLOCK_SIZE
    tokens = firsts.unsqueeze(2) + torch.arange(BLOCK_SIZE, device=logs.device)  # (A, K, BLOCK_SIZE)
    outside, tokens = tokens >= vocabulary, tokens.clamp(max=vocabulary - 1)
    flat = rows.gather(1, places).unsqueeze(2) * vocabulary + tokens
    values = logs.take(flat) + totals.gather(1, places).unsqueeze(2)
    values = values.masked_fill(outside, -torch.inf).flatten(1)
    values, best = values.topk(min(size, totals.size(1) * vocabulary), dim=1)
    return values, places.gather(1, best // BLOCK_SIZE), tokens.flatten(1).gather(1, best)


def _block_maxima(logs: torch.Tensor) -> torch.Tensor:
    """The greatest of each block of tokens, (N, blocks)."""
    whole = logs.size(1) // BLOCK_SIZE * BLOCK_SIZE
    parts = [logs[:, :whole].view(len(logs), -1, BLOCK_SIZE).amax(2)] if whole else []
    if whole < logs.size(1):
        parts.append(logs[:, whole:].amax(1, keepdim=True))
    return torch.cat(parts, dim=1)
