"""ROUGE (Lin 2004) through the rouge_score package, and words for it in every script."""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
import types
import unicodedata
from collections.abc import Callable, Sequence
from importlib import metadata
from typing import Any

from tokenizers import Regex, pre_tokenizers

from seqnlp.metrics import base, bounds, registry, translation
from seqnlp.preprocess.text import tokenizer

WORDS = 2000  # of a text, for those that fill a table: of 2,000 by 2,000 words it takes 32 MB and a second
TABLES = {"rougeL", "rougeLsum"}  # those that fill a table of the words of one text by those of the other
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
    suffixes of English are cut off. rougeLsum takes a line for a sentence. rougeL and rougeLsum compare the first
    `WORDS` words of a text; the signature says where any was longer. others: further references, of which, for
    each kind, the one with the best F-measure counts.
    Raises `DataError` where the numbers of items differ, or there are none.
    """
    translation.check(hypotheses, references, others)
    rouge_scorer = _rouge_scorer()
    beyond = any(beyond_ascii(text) for texts in (references, *others, hypotheses) for text in texts)
    splitter = Tokenizer(stem) if beyond else None
    targets = list(zip(references, *others, strict=True))
    bound = bounds.Bound(WORD, WORDS)
    columns: dict[str, list[float]] = {}
    for keep, own in ((str, set(names) - TABLES), (bound, TABLES & set(names))):
        scorer = rouge_scorer.RougeScorer(sorted(own), use_stemmer=stem, tokenizer=splitter)
        pairs = zip(hypotheses, targets, strict=True)
        found = [scorer.score_multi(list(map(keep, several)), keep(said)) for said, several in pairs] if own else []
        columns |= {name: [item[name].fmeasure for item in found] for name in own}
    details: tuple[str, ...] = (
        f"tok:{'unicode' if beyond else 'ascii'}",
        f"stem:{'yes' if stem else 'no'}",
        f"rouge-score:{metadata.version('rouge-score')}",
    )
    details = (f"nrefs:{1 + len(others)}", *details) if others else details
    if bound.cut:
        details = (*details, bound.say("rougeL and rougeLsum"))
    return base.from_means({name: columns[name] for name in names}, *details, intervals=intervals)


def _rouge_scorer() -> Any:
    """Return the module of rouge_score, which wants of nltk a stemmer and would load all of it: two seconds.

    Empty packages stand in for it meanwhile, below which its files are found.
    """
    names = [] if "nltk" in sys.modules or "rouge_score.rouge_scorer" in sys.modules else ["nltk", "nltk.stem"]
    found = importlib.util.find_spec("nltk") if names else None
    where = found.submodule_search_locations[0] if found and found.submodule_search_locations else ""
    for name in names:
        sys.modules[name] = stand_in = types.ModuleType(name)
        stand_in.__path__ = [os.path.join(where, *name.split(".")[1:])]
    try:
        return importlib.import_module("rouge_score.rouge_scorer")
    finally:
        for name in [name for name in sys.modules if names and name.split(".")[0] == "nltk"]:
            del sys.modules[name]


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
            _rouge_scorer()
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
