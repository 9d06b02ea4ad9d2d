"""Fitting the n-grams: those of the training part, counted in one text."""

from __future__ import annotations

import logging

import numpy as np

from seqnlp.preprocess.corpora import arrow
from seqnlp.preprocess.text import kneser_ney, tokenizer
from seqnlp.training import data

MAX_TOKENS = 1 << 22  # whose n-grams are counted, in about 400 MB

log = logging.getLogger(__name__)


def fit(rows: data.Rows, order: int, vocabulary: int) -> dict[str, np.ndarray]:
    """Return the arrays of `nn.mixture` for the rows of a training part."""
    ngrams = kneser_ney.fit(beginning(rows), order, vocabulary)
    return {"keys": ngrams.keys.view(np.int64), "share": ngrams.share, "backoff": ngrams.backoff}


def beginning(rows: data.Rows) -> np.ndarray:
    """Return the text of rows as n-grams are counted in it, after a line's end; of a very long one its beginning."""
    parts, size = [np.array([tokenizer.END])], 0
    for start in range(0, len(rows.lengths), arrow.CHUNK):
        lines = rows.columns(np.arange(start, min(start + arrow.CHUNK, len(rows.lengths))))["ids"]
        parts += map(np.asarray, lines)
        size += sum(map(len, lines))
        if size > MAX_TOKENS:
            log.warning("n-grams are counted in the first %d tokens: all are too many", MAX_TOKENS)
            break
    return np.concatenate(parts)[: MAX_TOKENS + 1].astype(np.int64)
