"""BLEU, chrF and TER through sacrebleu (Post 2018): its values, its signatures, and intervals over segments."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np

from seqnlp import errors
from seqnlp.metrics import base

NAMES = ("bleu", "chrf", "ter")
TOKENIZERS = ("13a", "zh", "char", "intl", "ja-mecab", "none")


def score(
    hypotheses: Sequence[str],
    references: Sequence[str],
    *,
    tokenize: str = "13a",
    lowercase: bool = False,
    names: Sequence[str] = NAMES,
    intervals: bool = True,
) -> list[base.Score]:
    """Return the scores of `names`, in that order; of TER, an error rate, less is better.

    tokenize: of BLEU alone, one of TOKENIZERS; lowercase: of BLEU and chrF, as TER ignores case anyway. Values and
    signatures are those of the `sacrebleu` command, which say nothing of the intervals: `base.interval` does.
    Raises `DataError` where the numbers of segments differ, or there are none; `UsageError` for a tokenizer that is
    not there.
    """
    check(hypotheses, references)
    metrics = {name: _metric(name, tokenize, lowercase) for name in names}
    return [_score(name, metric, hypotheses, references, intervals) for name, metric in metrics.items()]


def sentence(hypothesis: str, reference: str, *, tokenize: str = "13a") -> float:
    """Return the BLEU of one sentence, from 0 to 100, which is what mistakes are sorted by.

    It is sacrebleu's: of no more n-gram orders than the hypothesis has words, and each order without a match counts
    for half a match, the next for a quarter (Chen & Cherry 2014, method 3).
    """
    return float(_bleu(tokenize, False, True).sentence_score(hypothesis, [reference]).score)


def check(hypotheses: Sequence[str], references: Sequence[str]) -> None:
    """Raise `DataError` unless there is one hypothesis for each reference, and anything at all."""
    if len(hypotheses) != len(references):
        raise errors.DataError(
            f"{len(references)} references, {len(hypotheses)} hypotheses", "both must have one line for each segment"
        )
    if not references:
        raise errors.DataError("nothing to score: no segments")


def _score(name: str, metric: Any, hypotheses: Sequence[str], references: Sequence[str], intervals: bool) -> base.Score:
    """The formula and the statistics of each segment are sacrebleu's; chrF has no public way to either."""
    statistics = np.array(metric._extract_corpus_statistics(hypotheses, [references]), dtype=np.float64)  # (N, K)

    def value(sums: np.ndarray) -> np.ndarray:
        rows = sums.reshape(-1, sums.shape[-1]).tolist()
        return np.array([metric._compute_score_from_stats(row).score for row in rows]).reshape(sums.shape[:-1])

    total = float(value(statistics.sum(axis=0)))
    around = base.interval(statistics, value) if intervals else None
    return base.Score(name, total, around, str(metric.get_signature()), len(statistics))


def _metric(name: str, tokenize: str, lowercase: bool) -> Any:
    import sacrebleu

    makers = {
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
    try:  # force: no words of its own on stderr
        return sacrebleu.BLEU(lowercase=lowercase, force=True, tokenize=tokenize, effective_order=effective_order)
    except RuntimeError:  # of MeCab alone
        raise errors.UsageError(
            f"the tokenizer {tokenize} needs packages that are not installed", 'pip install "seqnlp[ja]"'
        ) from None
