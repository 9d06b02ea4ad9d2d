"""Scores of tagged sentences: precision, recall and F1 of spans as conlleval counts them, or of plain tags.

A corpus is a list of sentences, a sentence a list of tags. The bootstrap draws sentences, since the tags of one
sentence depend on each other.
"""

from __future__ import annotations

import collections
import logging
import operator
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from seqnlp import errors
from seqnlp.metrics import base, bootstrap, classification
from seqnlp.preprocess.text import tag_schemes

log = logging.getLogger(__name__)

Sentences = Sequence[Sequence[str]]
Pair = tuple[list[tag_schemes.Span], list[tag_schemes.Span]]  # gold and predicted spans of a sentence

ERRORS = ("boundary", "type", "missed", "spurious")


def score(
    gold: Sentences, predicted: Sentences, *, intervals: bool = True, rules: tag_schemes.Rules | None = None
) -> tuple[list[base.Score], dict[str, Any]]:
    """Return micro F1, precision and recall over spans, accuracy over tags, and the details.

    Details: "classes" (each type of span), "macro" (the means over the types), "errors" (`_errors` says which).
    rules: how spans are read off the tags; by default `tag_schemes.rules_for` all tags, and the signature names them.
    Raises `DataError` where numbers of sentences or tags differ, or there is nothing to score.
    """
    _check(gold, predicted)
    rules = rules or tag_schemes.rules_for(set().union(*gold, *predicted))
    pairs = [(tag_schemes.spans(g, rules), tag_schemes.spans(p, rules)) for g, p in zip(gold, predicted, strict=True)]
    counts = bootstrap.Counts.of(np.array([[len({*g} & {*p}), len(p), len(g)] for g, p in pairs]))
    how = ("average:micro", f"spans:{rules.name}")  # the mean over one class, to which all spans belong
    scores = base.from_counts(classification.MACRO, counts, *how, intervals=intervals)
    return [*scores, *_accuracy(gold, predicted, intervals)], {**_types(pairs), "errors": _errors(pairs)}


def spans_or_classes(
    gold: Sentences, predicted: Sentences, *, intervals: bool = True
) -> tuple[list[base.Score], dict[str, Any]]:
    """Return `score` where the gold tags make spans, `class_score` where they are plain classes."""
    made = tag_schemes.make_spans(collections.Counter(_flat(gold)))
    return (score if made else class_score)(gold, predicted, intervals=intervals)


def measure(names: Sequence[str], gold: Sentences, predicted: Sentences) -> tuple[list[base.Score], dict[str, Any]]:
    """Return all scores of spans, for the registry; those of plain classes where the gold tags make none, and says so.

    Says too which tag fits no scheme, though the others make spans.
    """
    counts = collections.Counter(_flat(gold))
    if not tag_schemes.make_spans(counts):
        tag = tag_schemes.stranger(counts) or counts.most_common(1)[0][0]
        log.warning("the tags make no spans (%s): scored as plain classes, by accuracy", tag)
    elif tag_schemes.recognise(gold) == tag_schemes.NONE and (stranger := tag_schemes.stranger(counts)):
        log.warning("the tag %s fits no scheme of spans; the others are read as conlleval does", stranger)
    return spans_or_classes(gold, predicted)


def class_score(
    gold: Sentences, predicted: Sentences, *, intervals: bool = True
) -> tuple[list[base.Score], dict[str, Any]]:
    """Return accuracy over tags and macro F1, precision and recall of tags that are plain classes, and the details.

    Details: "classes", "confusions" and "confusion", as those of `classification.score`.
    Raises `DataError` where numbers of sentences or tags differ, or there is nothing to score.
    """
    _check(gold, predicted)
    names = sorted(set().union(*gold, *predicted))
    counts = _tag_counts(gold, predicted, names)
    averages = base.from_counts(classification.MACRO, counts, "average:macro", intervals=intervals)
    details: dict[str, Any] = {"classes": classification.per_class(counts.total, names)}
    details |= classification.confusions(_flat(gold), _flat(predicted), names)
    return [*_accuracy(gold, predicted, intervals), *averages], details


def _check(gold: Sentences, predicted: Sentences) -> None:
    if len(gold) != len(predicted):
        raise errors.DataError(
            f"{len(gold)} sentences of references, {len(predicted)} of predictions", "both must have the same sentences"
        )
    if not gold:
        raise errors.DataError("nothing to score: no sentences")
    for number, (g, p) in enumerate(zip(gold, predicted, strict=True), 1):
        if len(g) != len(p):
            raise errors.DataError(
                f"sentence {number}: {len(g)} tags in the reference, {len(p)} in the prediction",
                "both must have one tag for each token",
            )


def _accuracy(gold: Sentences, predicted: Sentences, intervals: bool) -> list[base.Score]:
    rows = np.array([[sum(map(operator.eq, g, p)), len(g)] for g, p in zip(gold, predicted, strict=True)])
    return base.from_counts({"accuracy": _percentage}, bootstrap.Counts.of(rows), "of:tags", intervals=intervals)


def _percentage(sums: np.ndarray) -> np.ndarray:
    return 100 * classification.ratio(sums[..., 0], sums[..., 1])


def _types(pairs: Iterable[Pair]) -> dict[str, Any]:
    """The scores of each type of span, and their means."""
    right, said, true = (collections.Counter[str]() for _ in range(3))
    for g, p in pairs:
        right.update(span.label for span in {*g} & {*p})
        said.update(span.label for span in p)
        true.update(span.label for span in g)
    names = sorted({*said, *true})
    total = np.array([part[name] for part in (right, said, true) for name in names], dtype=np.float64)  # (3C,)
    means = {name: round(float(value(total)), 6) for name, value in classification.MACRO.items()}
    return {"classes": classification.per_class(total, names), "macro": means}


def _errors(pairs: Iterable[Pair]) -> dict[str, int]:
    """How many spans are wrong in which way.

    Each wrong predicted span counts once: "boundary" if it overlaps a gold span of its type, "type" if it overlaps
    only those of other types (with the same limits or not), "spurious" if it overlaps none. "missed" are the gold
    spans that no predicted one overlaps.
    """
    found = collections.Counter(dict.fromkeys(ERRORS, 0))
    for g, p in pairs:
        if g == p:
            continue
        right = {*g} & {*p}
        found.update(_error(span, touched) for span, touched in _overlaps(p, g) if span not in right)
        found["missed"] += sum(not touched for _, touched in _overlaps(g, p))
    return dict(found)


def _error(span: tag_schemes.Span, touched: set[tag_schemes.Span]) -> str:
    if not touched:
        return "spurious"
    return "boundary" if any(other.label == span.label for other in touched) else "type"


def _overlaps(
    spans: Iterable[tag_schemes.Span], others: Iterable[tag_schemes.Span]
) -> list[tuple[tag_schemes.Span, set[tag_schemes.Span]]]:
    """Each span with those of the others that share a token with it."""
    owner = {token: other for other in others for token in range(other.start, other.end)}
    return [(span, {owner[t] for t in range(span.start, span.end) if t in owner}) for span in spans]


def _tag_counts(gold: Sentences, predicted: Sentences, names: Sequence[str]) -> bootstrap.Counts:
    """How often each tag is right, predicted and gold in each sentence: 3C columns."""
    number = {name: i for i, name in enumerate(names)}
    true, said = (np.array([number[tag] for tag in _flat(part)], dtype=np.int64) for part in (gold, predicted))
    first = np.repeat(np.arange(len(gold)), [len(tags) for tags in gold]) * 3 * len(names)  # of each tag's sentence
    parts = (first + true)[true == said], first + len(names) + said, first + 2 * len(names) + true
    cells, count = np.unique(np.concatenate(parts), return_counts=True)
    kind, column = np.divmod(cells, 3 * len(names))
    return bootstrap.Counts.sparse(np.ones(len(gold), dtype=np.int64), kind, column, count, 3 * len(names))


def _flat(sentences: Sentences) -> list[str]:
    return [tag for tags in sentences for tag in tags]
