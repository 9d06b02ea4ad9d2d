"""Beam search: the best ways to go on."""

from __future__ import annotations

from functools import partial
from typing import Any

import torch

from seqnlp.decoding.constraints import Rules
from seqnlp.decoding.hypotheses import Choice, Hypothesis, Running
from seqnlp.decoding.ranking import Ranking
from seqnlp.decoding.state import State, Step

BLOCK = 100  # tokens whose greatest score is looked at first: about the square root of a large vocabulary


def beam(
    step: Step,
    state: State,
    sentences: int,
    *,
    size: int = 5,
    nbest: int = 1,
    length_penalty: float = 0.0,
    coverage_penalty: float = 0.0,
    prune: float = 0.0,
    attention: bool = False,
    **rules: Any,
) -> list[list[Hypothesis]]:
    """Return for each sentence its `nbest` best hypotheses, best first; fewer where the rules leave no more.

    Each step takes the `size` best of all ways to go on with the hypotheses of a sentence or to end them. Those that
    cannot come to more than the nbest-th finished one (`Ranking.bound`) are dropped, which changes no result, and a
    sentence is done when none is left. prune: also dropped are those whose log-probability is this much under that of
    the nbest-th under way (absolute threshold pruning, Freitag & Al-Onaizan 2017, section 3); 0: none. rules: what
    `Rules` takes.
    """
    bounds = Rules(sentences, **rules)
    running = Running(bounds, Ranking(length_penalty, coverage_penalty), sentences, size, nbest, prune, attention)
    return running.to_the_end(step, state, partial(_best, size=size, end=bounds.end))


def greedy(step: Step, state: State, sentences: int, **options: Any) -> list[list[Hypothesis]]:
    """Return for each sentence the hypothesis that takes the most probable token each time: a beam of 1."""
    return beam(step, state, sentences, size=1, **options)


def _best(
    logs: torch.Tensor,
    rows: torch.Tensor,
    totals: torch.Tensor,
    sentences: torch.Tensor,
    number: int,
    *,
    size: int,
    end: int,
) -> Choice:
    """The best ways to go on or to end."""
    ended = totals + logs[:, end][rows]  # (A, W)
    logs[:, end] = -torch.inf
    values, parents, tokens = _top(logs, rows, totals, size)  # (A, K)
    together = torch.cat([values, ended], dim=1)
    bar = together.topk(min(size, together.size(1)), dim=1).values[:, -1:]
    values, ended = (logs.masked_fill(logs < bar, -torch.inf) for logs in (values, ended))
    places = torch.arange(totals.size(1), device=totals.device).expand_as(totals)
    return Choice(values, parents, tokens, ended, places)


def _top(
    logs: torch.Tensor, rows: torch.Tensor, totals: torch.Tensor, size: int
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """The greatest sums of logs (N, V) and totals (A, W) of each sentence: values, hypotheses, tokens, (A, K) each.

    They are in the K blocks of tokens with the greatest maxima: finding those is several times as fast as sorting.
    """
    vocabulary = logs.size(1)
    whole = vocabulary // BLOCK * BLOCK
    parts = [logs[:, :whole].unflatten(1, (-1, BLOCK)).amax(2)] if whole else []
    if whole < vocabulary:
        parts.append(logs[:, whole:].amax(1, keepdim=True))
    maxima = torch.cat(parts, dim=1)[rows] + totals.unsqueeze(2)  # (A, W, blocks)
    blocks = maxima.flatten(1).topk(min(size, maxima[0].numel()), dim=1, sorted=False).indices  # (A, K)
    hypotheses, firsts = blocks // maxima.size(2), blocks % maxima.size(2) * BLOCK
    tokens = firsts.unsqueeze(2) + torch.arange(BLOCK, device=logs.device)  # (A, K, BLOCK)
    outside, tokens = tokens >= vocabulary, tokens.clamp(max=vocabulary - 1)
    flat = rows.gather(1, hypotheses).unsqueeze(2) * vocabulary + tokens
    values = logs.take(flat) + totals.gather(1, hypotheses).unsqueeze(2)
    values = values.masked_fill(outside, -torch.inf).flatten(1)
    values, places = values.topk(min(size, totals.size(1) * vocabulary), dim=1)
    return values, hypotheses.gather(1, places // BLOCK), tokens.flatten(1).gather(1, places)
