"""Output: predictions, how they are written and read back, what they score, where they are wrong."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from seqnlp.metrics import spans
from seqnlp.preprocess.corpora import conll
from seqnlp.preprocess.corpora.examples import Example
from seqnlp.preprocess.text import labels, tag_schemes
from seqnlp.tasks import base
from seqnlp.tasks.tag import codec as codecs
from seqnlp.tasks.tag.codec import Codec
from seqnlp.tasks.tag.reading import SplitText


@dataclass(frozen=True)
class Prediction:
    """The tags, in the scheme of the training data, the probability of each, and the best sequences if asked for."""

    tags: tuple[str, ...]
    probabilities: tuple[float, ...]
    nbest: tuple[tuple[tuple[str, ...], float], ...] = ()


def value(example: Example, prediction: Prediction, codec: Codec) -> dict[str, Any]:
    """Return what jsonl holds under the task's name: tokens, tags, and the spans that the tags make."""
    found: dict[str, Any] = {"tokens": list(example.source), "tags": list(prediction.tags)}
    if codec.scheme != codecs.PLAIN:
        places = offsets(example)
        found["spans"] = [_span(span, prediction, places) for span in tag_schemes.spans(prediction.tags)]
    if prediction.nbest:
        found["nbest"] = [{"tags": list(tags), "score": round(score, 4)} for tags, score in prediction.nbest]
    return found


def _span(span: tag_schemes.Span, prediction: Prediction, places: Sequence[tuple[int, int]]) -> dict[str, Any]:
    """A span as jsonl holds it; its score is the lowest of its tags' probabilities."""
    score = round(min(prediction.probabilities[span.start : span.end]), 4)
    where = {"label": span.label, "start": span.start, "end": span.end, "score": score}
    if not places:
        return where
    return {**where, "start_char": places[span.start][0], "end_char": places[span.end - 1][1]}


def offsets(example: Example) -> list[tuple[int, int]]:
    """Return where each token begins and ends in the text it comes from; none where the input was tokens."""
    if not isinstance(example.source, SplitText):
        return []
    found, end = [], 0
    for token in example.source:
        begin = example.source.text.index(token, end)
        end = begin + len(token)
        found.append((begin, end))
    return found


def write(example: Example, prediction: Prediction | None, output: str, codec: Codec) -> str:
    """Return a tagged sentence: `word/TAG` separated by blanks, or lines in columns."""
    tags = prediction.tags if prediction else ()
    block = example.record if isinstance(example.record, conll.Block) else None
    if output == "conll":
        return conll.appended(block, example.source, tags)
    if output == "conllu":
        return conll.filled(block, example.source, tags, codec.column)
    return _joined(example.source, tags)


def _joined(tokens: Sequence[str], tags: Sequence[str]) -> str:
    """Tokens as `word/TAG`; one of a JSON list may hold blanks, and a slash inside a tag is %2F."""
    cells = (re.sub("[ \t\n]", "_", token) for token in tokens)
    return " ".join(f"{cell}/{labels.escaped(tag, '/')}" for cell, tag in zip(cells, tags, strict=True))


def parse(written: Any) -> tuple[str, ...] | None:
    """Return the tags in what `value` gave, or in a line of `word/TAG`; None where they are those of a blank text."""
    if isinstance(written, Mapping):
        tags = written["tags"]
        if not isinstance(tags, list) or not all(isinstance(tag, str) for tag in tags):
            raise ValueError(tags)
        return tuple(tags) or None
    words = [word for word in written.replace("\t", " ").split(" ") if word]  # other white space may be part of one
    if not all("/" in word for word in words):
        raise ValueError("a word without its tag")
    return tuple(labels.unescaped(word.rpartition("/")[2], "/") for word in words) or None


def score(
    corpus: Sequence[Example], predictions: Sequence[Prediction], codec: Codec, *, intervals: bool
) -> base.Result:
    """Return F1 over spans, as conlleval counts them, or the accuracy of plain tags, and what stands beside it."""
    gold, predicted = [example.target for example in corpus], [prediction.tags for prediction in predictions]
    scores, details = spans.spans_or_classes(gold, predicted, intervals=intervals)
    unseen = sum(
        codec.classes.number(tag) == labels.MISSING for tags in gold for tag in codecs.inside(tags, codec.scheme)
    )
    return scores, {**details, "unseen": unseen}


def mistakes(corpus: Sequence[Example], predictions: Sequence[Prediction]) -> list[dict[str, Any]]:
    """Return the sentences with wrong tags, those with the most first; the wrong ones, gold beside predicted."""
    found = []
    for example, prediction in zip(corpus, predictions, strict=True):
        triples = zip(example.source, example.target, prediction.tags, strict=True)
        wrong = [(token, gold, tag) for token, gold, tag in triples if gold != tag]
        if wrong:
            found.append(
                {
                    "where": example.where,
                    "errors": len(wrong),
                    "gold": _joined([token for token, _, _ in wrong], [gold for _, gold, _ in wrong]),
                    "predicted": _joined([token for token, _, _ in wrong], [tag for _, _, tag in wrong]),
                    "text": " ".join(example.source),
                }
            )
    return sorted(found, key=lambda mistake: -mistake["errors"])
