"""ROUGE (Lin 2004) through the rouge_score package, and words for it in every script."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence
from importlib import metadata
from typing import Any

from tokenizers import Regex, pre_tokenizers

from seqnlp.metrics import base, registry, translation
from seqnlp.preprocess.text import tokenizer

NAMES = registry.METRICS["rouge"].scores

# Letters and digits with the marks upon them, but each Han or kana character by itself.
_LETTER = rf"(?!{tokenizer.CJK})[\p{{L}}\p{{N}}]"
_MORE = rf"(?!{tokenizer.CJK})[\p{{L}}\p{{N}}\p{{M}}]"
WORD = rf"{tokenizer.CJK}|{_LETTER}(?:{_MORE})*"


def score(
    hypotheses: Sequence[str],
    references: Sequence[str],
    *,
    others: Sequence[Sequence[str]] = (),
    names: Sequence[str] = NAMES,
    stem: bool = False,
    intervals: bool = True,
) -> list[base.Score]:
    """Return the F-measures of `names`, in that order: the mean over the items.

    rouge_score's own tokenizer takes every letter beyond ASCII for a blank. Where any text has such letters or digits
    all are split by ours, which equals it on ASCII; the signature says tok:ascii or tok:unicode. stem: Porter's
    suffixes of English are cut off. rougeLsum takes a line for a sentence. others: further references, of which, for
    each kind, the one with the best F-measure counts.
    Raises `DataError` where the numbers of items differ, or there are none.
    """
    translation.check(hypotheses, references, others)
    from rouge_score import rouge_scorer  # a second, for all of nltk

    beyond = any(beyond_ascii(text) for texts in (references, *others, hypotheses) for text in texts)
    scorer = rouge_scorer.RougeScorer(list(names), use_stemmer=stem, tokenizer=Tokenizer(stem) if beyond else None)
    targets = zip(references, *others, strict=True)
    found = [scorer.score_multi(several, said) for said, several in zip(hypotheses, targets, strict=True)]
    details: tuple[str, ...] = (
        f"tok:{'unicode' if beyond else 'ascii'}",
        f"stem:{'yes' if stem else 'no'}",
        f"rouge-score:{metadata.version('rouge-score')}",
    )
    details = (f"nrefs:{1 + len(others)}", *details) if others else details
    columns = {name: [item[name].fmeasure for item in found] for name in names}
    return base.from_means(columns, *details, intervals=intervals)


def measure(
    names: Sequence[str],
    gold: Sequence[str],
    predicted: Sequence[str],
    *,
    others: Sequence[Sequence[str]] = (),
    stem: bool = False,
    lowercase: bool = True,
) -> tuple[list[base.Score], dict[str, Any]]:
    """Return the scores of `names`, for the registry; case never counts."""
    return score(predicted, gold, others=others, names=names, stem=stem), {}


def beyond_ascii(text: str) -> bool:
    """Return whether a text has letters or digits outside ASCII; a letter and its accent may be two code points."""
    return not text.isascii() and any(
        letter.isalnum() and not letter.isascii() for letter in unicodedata.normalize("NFC", text)
    )


class Tokenizer:
    """Lower-cased words of letters and digits in any script, in the shape that rouge_score asks for."""

    def __init__(self, stem: bool = False) -> None:
        self._split = pre_tokenizers.Split(Regex(WORD), behavior="removed", invert=True)
        self._stem: Callable[[str], Any] = str
        if stem:
            from rouge_score import tokenizers as own

            self._stem = own.porter.PorterStemmer().stem

    def tokenize(self, text: str) -> list[str]:
        """Return the words of a text; as in rouge_score those of up to three characters are never stemmed."""
        words = self._split.pre_tokenize_str(unicodedata.normalize("NFC", text.lower()))
        return [self._stem(word) if len(word) > 3 else word for word, _ in words]

    def end(self, text: str, number: int) -> int:
        """Return where a text's first words end, so many as there are."""
        found = self._split.pre_tokenize_str(text)[:number]
        return found[-1][1][1] if found else 0
