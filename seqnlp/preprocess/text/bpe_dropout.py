"""BPE-dropout: a text is split into other pieces each time, drawn from a seed.

A word is merged as the learnt pieces say, but each possible merge is skipped with some probability
(Provilkov et al. 2020, section 3.1). The tokenizers library does this too, but draws from a generator that no seed
reaches, and a run that is stopped and resumed must be the run that was not.
"""

from __future__ import annotations

import functools
import itertools
import json
import random

from seqnlp import errors
from seqnlp.preprocess.text.tokenizer import Tokenizer


class Sampler:
    """Draws pieces of texts; raises `UsageError` unless the tokenizer is a BPE."""

    def __init__(self, tokenizer: Tokenizer, dropout: float) -> None:
        model = json.loads(tokenizer.backend.to_str())["model"]
        if model["type"] != "BPE":
            raise errors.UsageError("--bpe-dropout needs a BPE tokenizer")
        self.tokenizer, self.dropout = tokenizer, dropout
        merges = (tuple(merge.split(" ")) if isinstance(merge, str) else tuple(merge) for merge in model["merges"])
        self.ranks = {merge: rank for rank, merge in enumerate(merges)}
        self.split = functools.lru_cache(maxsize=1 << 16)(self._split)

    def _split(self, text: str) -> list[str]:
        return self.tokenizer.split(self.tokenizer.normal(text))

    def encode(self, text: str, generator: random.Random) -> list[int]:
        """Return the ids of the pieces of a text, drawn anew."""
        return [number for word in self.split(text) for number in self._word(word, generator)]

    def _word(self, word: str, generator: random.Random) -> list[int]:
        pieces = list(word)
        while len(pieces) > 1:
            kept = [
                (rank, place)
                for place, pair in enumerate(itertools.pairwise(pieces))
                if (rank := self.ranks.get(pair)) is not None and generator.random() >= self.dropout
            ]
            if not kept:
                break
            _, place = min(kept)
            pieces[place : place + 2] = [pieces[place] + pieces[place + 1]]
        return self.tokenizer.lookup(pieces)
