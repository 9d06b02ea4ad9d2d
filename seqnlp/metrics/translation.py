"""BLEU, chrF and TER through sacrebleu (Post 2018): its values, its signatures, and intervals over segments."""

from __future__ import annotations

import dataclasses
import functools
import logging
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from seqnlp import errors
from seqnlp.metrics import base, bootstrap, bounds, registry

log = logging.getLogger(__name__)

NAMES = ("bleu", "chrf", "ter")
TOKENIZERS = registry.TOKENIZERS
TER_WORDS = 500  # of a segment: a table of so many by so many is filled anew for each word that may be moved
SPLIT_STOPS = 100  # lines that end in " .", for a warning: sacrebleu's own measure


def score(
    hypotheses: Sequence[str],
    references: Sequence[str],
    *,
    others: Sequence[Sequence[str]] = (),
    tokenize: str = "13a",
    lowercase: bool = False,
    names: Sequence[str] = NAMES,
    intervals: bool = True,
) -> list[base.Score]:
    """Return the scores of `names`, in that order.

    others: further references of all segments.
    tokenize: of BLEU alone, one of TOKENIZERS; lowercase: of BLEU and chrF, as TER ignores case anyway. Values and
    signatures are those of the `sacrebleu` command, which say nothing of the intervals: `bootstrap.interval` does.
    Raises `DataError` where the numbers of segments differ, or there are none; `UsageError` for a tokenizer that
    does not exist. TER compares the first `TER_WORDS` words of a segment; its signature says where any was longer.
    """
    check(hypotheses, references, others)
    metrics = {name: _metric(name, tokenize, lowercase) for name in names}
    return [_score(name, metric, hypotheses, [references, *others], intervals) for name, metric in metrics.items()]


def measure(
    names: Sequence[str],
    gold: Sequence[str],
    predicted: Sequence[str],
    *,
    others: Sequence[Sequence[str]] = (),
    tokenize: str = "13a",
    lowercase: bool = False,
) -> tuple[list[base.Score], dict[str, Any]]:
    """Return the scores of `names`, for the registry; warns where BLEU is given what it is not meant for."""
    stops = sum(text.endswith(" .") for text in predicted)
    if "bleu" in names and stops >= SPLIT_STOPS:
        log.warning('%d lines end in " .": BLEU is meant for text that is not split into tokens', stops)
    return score(predicted, gold, others=others, tokenize=tokenize, lowercase=lowercase, names=names), {}


def sentence(hypothesis: str, *references: str, tokenize: str = "13a") -> float:
    """Return the BLEU of one sentence, from 0 to 100, which is what mistakes are sorted by.

    It is sacrebleu's: of no more n-gram orders than the hypothesis has words, and each order without a match counts
    for half a match, the next for a quarter (Chen & Cherry 2014, method 3).
    """
    return float(_bleu(tokenize, False, True).sentence_score(hypothesis, references).score)


def check(hypotheses: Sequence[str], references: Sequence[str], others: Sequence[Sequence[str]] = ()) -> None:
    """Raise `DataError` unless there is one hypothesis for each reference, as many of the others, and anything at all.

    others: further references.
    """
    for further in others:
        if len(further) != len(references):
            what = f"{len(references)} references, {len(further)} further ones"
            raise errors.DataError(what, "each file must have one line for each segment")
    if len(hypotheses) != len(references):
        raise errors.DataError(
            f"{len(references)} references, {len(hypotheses)} hypotheses", "both must have one line for each segment"
        )
    if not references:
        raise errors.DataError("nothing to score: no segments")


def _score(
    name: str, metric: Any, hypotheses: Sequence[str], references: Sequence[Sequence[str]], intervals: bool
) -> base.Score:
    """The formula and the statistics of each segment are sacrebleu's; chrF has no public way to either."""
    bound = bounds.Bound(r"\S+", TER_WORDS)
    if name == "ter":  # it fills a table of the words of one by those of the other
        hypotheses, references = list(map(bound, hypotheses)), [list(map(bound, texts)) for texts in references]
    counts = bootstrap.Counts.of(metric._extract_corpus_statistics(hypotheses, references))

    def value(sums: np.ndarray) -> np.ndarray:
        rows = sums.reshape(-1, sums.shape[-1]).tolist()
        return np.array([metric._compute_score_from_stats(row).score for row in rows]).reshape(sums.shape[:-1])

    (found,) = base.from_counts({name: value}, counts, intervals=intervals)
    signature = str(metric.get_signature())
    if bound.cut:
        signature += f"|{bound.say('ter')}"
    return dataclasses.replace(found, signature=signature)


def _metric(name: str, tokenize: str, lowercase: bool) -> Any:
    import sacrebleu

    makers: dict[str, Callable[[], Any]] = {
        "bleu": lambda: _bleu(tokenize, lowercase, False),
        "chrf": lambda: sacrebleu.CHRF(lowercase=lowercase),
        "ter": sacrebleu.TER,
    }
    return makers[name]()


@functools.cache  # its tokenizer remembers lines: references are split once in a training
def _bleu(tokenize: str, lowercase: bool, effective_order: bool) -> Any:
    import sacrebleu

    if tokenize not in TOKENIZERS:
        raise errors.UsageError(f"no tokenizer {tokenize!r}", f"one of {', '.join(TOKENIZERS)}")
    try:  # force: it prints no warnings of its own
        return sacrebleu.BLEU(lowercase=lowercase, force=True, tokenize=tokenize, effective_order=effective_order)
    except RuntimeError:  # raised for want of MeCab only
        raise errors.UsageError(
            f"the tokenizer {tokenize} needs packages that are not installed", 'pip install "seqnlp[ja]"'
        ) from None
