"""Summaries beside their documents: simple baselines, what is copied and what is new, lengths, repetitions."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from seqnlp.metrics import rouge

NGRAM = 3  # words that make a repetition
SHORT = 100  # words of a document, on average, up to which all of it is a baseline


@functools.cache
def _tokenizer() -> rouge.Tokenizer:
    return rouge.Tokenizer()


def words(text: str) -> list[str]:
    """Return the words of a text as ROUGE compares them."""
    return _tokenizer().tokenize(text)


def lead(document: str, number: int) -> str:
    """Return the beginning of a document up to the end of so many words."""
    return document[: _tokenizer().end(document, number)]


def baselines(
    documents: Sequence[str], references: Sequence[str], others: Sequence[Sequence[str]], usual: float
) -> dict[str, dict[str, float]]:
    """Return the ROUGE of what needs no model, by its name.

    That is the first `usual` words of each document; as many as its reference has; short documents as a whole.
    """
    number = max(round(usual), 1)
    lengths = [len(words(text)) for text in references]
    made = {
        f"first {number} words": [lead(text, number) for text in documents],
        "first words, as many as the reference has": [
            lead(text, length) for text, length in zip(documents, lengths, strict=True)
        ],
    }
    if np.mean([len(words(text)) for text in documents]) <= SHORT:
        made["whole document"] = [*documents]
    scores = {name: rouge.score(texts, references, others=others, intervals=False) for name, texts in made.items()}
    return {name: {score.name: round(score.value, 4) for score in found} for name, found in scores.items()}


def likeness(documents: Sequence[str], references: Sequence[str], summaries: Sequence[str]) -> dict[str, Any]:
    """Return what summaries are like: shares in percent, their length for each word of the references.

    copied: words that the document has; new_ngrams: those it has not, by their size; repeats: summaries in which
    three words come again.
    """
    found, read = [words(text) for text in summaries], [words(text) for text in documents]
    total = sum(len(words(text)) for text in references)
    new = {str(size): 100 - _share_in(found, read, size) for size in range(1, NGRAM + 1)}
    repeats = [len(grams) > len(set(grams)) for grams in (list(_ngrams(one, NGRAM)) for one in found)]
    return {
        "copied": round(100 - new["1"], 2),
        "new_ngrams": {size: round(share, 2) for size, share in new.items()},
        "length_ratio": round(sum(map(len, found)) / max(total, 1), 4),
        "repeats": round(100 * float(np.mean(repeats)), 2),
    }


def _share_in(found: Sequence[Sequence[str]], read: Sequence[Sequence[str]], size: int) -> float:
    """The share of the summaries' n-grams that are in their documents, in percent; all of none."""
    inside = total = 0
    for summary, document in zip(found, read, strict=True):
        known = set(_ngrams(document, size))
        grams = list(_ngrams(summary, size))
        inside, total = inside + sum(gram in known for gram in grams), total + len(grams)
    return 100 * inside / total if total else 100.0


def _ngrams(text: Sequence[str], size: int) -> Iterator[tuple[str, ...]]:
    return zip(*(text[start:] for start in range(size)), strict=False)
