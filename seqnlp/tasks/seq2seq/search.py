"""Searching: from a batch of sources to the best outputs for their parts, or to random ones."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from seqnlp import errors
from seqnlp.preprocess.text import tokenizer
from seqnlp.tasks import base
from seqnlp.tasks.seq2seq.codec import Codec
from seqnlp.tasks.seq2seq.options import Search

if TYPE_CHECKING:
    import torch

    from seqnlp.decoding import constraints, hypotheses
    from seqnlp.tasks.seq2seq import network as model

MAX_PARTS = 256  # of sources that are searched together


def answers(
    networks: Sequence[Any], codec: Codec, batch: model.Batch, columns: base.Columns, search: Search
) -> list[list[hypotheses.Hypothesis]]:
    """Return the hypotheses for each part of each source, best first; empty where none keeps the rules."""
    parts = [part for row in columns["source"] for part in row]
    prefixes = _prefixes(columns, codec, search)
    found: list[list[hypotheses.Hypothesis]] = []
    size = max(MAX_PARTS, len(columns["source"]))
    for first in range(0, len(parts), size):
        some = slice(first, first + size)
        found += _search(networks, codec, batch.source[some], batch.lengths[some], parts[some], prefixes[some], search)
    return found


def led_by_the_best(
    networks: Sequence[Any], codec: Codec, batch: model.Batch, columns: base.Columns, search: Search
) -> list[list[hypotheses.Hypothesis]]:
    """Return what `answers` does, with that first which a search for one finds.

    A search for more drops less on its way, and may come to something else.
    """
    found = answers(networks, codec, batch, columns, search)
    if search.nbest == 1 or search.sample:
        return found
    alone = answers(networks, codec, batch, columns, replace(search, nbest=1))
    led = []
    for best, several in zip((one[:1] for one in alone), found, strict=True):
        others = [one for one in several if all(one.tokens != first.tokens for first in best)]
        led.append([*best, *others][: search.nbest])
    return led


def _prefixes(columns: base.Columns, codec: Codec, search: Search) -> list[list[int]]:
    """The subwords that the answer to each part must begin with: --prefix at the beginning of a source."""
    if search.score_reference:
        return columns["target"]  # all of it; no source is in parts
    prefix = codec.target.encode([search.prefix])[0]
    if tokenizer.UNK in prefix:
        raise errors.UsageError("--prefix: the model's vocabulary lacks a word of it", "another prefix")
    return [[] if number else prefix for row in columns["source"] for number in range(len(row))]


def _search(
    networks: Sequence[Any],
    codec: Codec,
    source: torch.Tensor,
    lengths: torch.Tensor,
    parts: Sequence[Sequence[int]],
    prefixes: Sequence[Sequence[int]],
    search: Search,
) -> list[list[hypotheses.Hypothesis]]:
    """The hypotheses for each part of a source, best first."""
    from seqnlp.decoding import beam, ensemble, ranking, sampling

    states = [network.begin(source, lengths) for network in networks]
    steps = [network.step for network in networks]
    step, state = (steps[0], states[0]) if len(networks) == 1 else (ensemble.average(steps), ensemble.join(states))
    rules = _constraints(lengths, prefixes, codec, search)
    if search.sample:
        return sampling.sample(
            step,
            state,
            rules,
            samples=search.nbest,
            temperature=search.temperature,
            filters=(sampling.TopK(search.top_k), sampling.TopP(search.top_p)),
            seed=search.seed,
            numbers=[zlib.crc32(np.array(part).tobytes()) for part in parts],
            attention=True,
        )
    covered = ranking.repetition if search.may_leave_out else ranking.coverage
    return beam.search(
        step,
        state,
        rules,
        size=1 if search.score_reference else max(search.beam_size, search.nbest),
        nbest=search.nbest,
        ranking=ranking.Ranking(search.length_penalty, search.coverage_penalty, covered),
        prune_threshold=search.prune_threshold,
        attention=True,
    )


def _constraints(
    lengths: torch.Tensor, prefixes: Sequence[Sequence[int]], codec: Codec, search: Search
) -> constraints.Constraints:
    """What the answers to sources of these lengths may look like."""
    from seqnlp.decoding import constraints

    rules: list[constraints.Constraint] = [
        constraints.ForcedPrefix(prefixes, lengths.device),
        constraints.BannedTokens((tokenizer.PAD, tokenizer.UNK, tokenizer.START)),
    ]
    if search.score_reference:
        max_length = lengths.new_zeros(len(lengths))  # and what is forced
    else:
        min_length, max_length = codec.range(lengths, search)
        rules.append(constraints.MinLength(min_length))
        if search.no_repeat_ngram_size:
            rules.append(constraints.NoRepeatNgram(search.no_repeat_ngram_size))
    return constraints.Constraints(tokenizer.START, tokenizer.END, max_length, rules)
