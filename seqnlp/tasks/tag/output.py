"""Output: predictions, how they are written and read back, what they score, where they are wrong."""

from __future__ import annotations

import collections
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from seqnlp import errors
from seqnlp.metrics import spans
from seqnlp.preprocess.corpora import conll
from seqnlp.preprocess.corpora.examples import Example
from seqnlp.preprocess.text import labels, tag_schemes, tokenizer
from seqnlp.tasks import outputs
from seqnlp.tasks.tag import codec as codecs
from seqnlp.tasks.tag.codec import Codec
from seqnlp.tasks.tag.options import Config, Search
from seqnlp.tasks.tag.reading import TAGS, TOKENS, SplitText

SCORES = re.compile(r"\t[01]\.\d{4}( [01]\.\d{4})*$")  # the probabilities behind a line


@dataclass(frozen=True)
class Prediction:
    """The tags, in the scheme of the training data, the probability of each, and the best sequences if asked for.

    scores: the probabilities are asked for.
    """

    tags: tuple[str, ...]
    probabilities: tuple[float, ...]
    nbest: tuple[tuple[tuple[str, ...], float], ...] = ()
    scores: bool = False


class Output(outputs.Output[Config, Search, Codec, Prediction]):
    """Sentences with a tag at each token, on a line or in columns."""

    formats = ("text", "conll", "conllu", "jsonl", "csv", "tsv")
    column = TAGS

    def check(self, search: Search, form: str, config: Config | None = None) -> None:
        if search.scores and form == "conllu":
            raise errors.UsageError("--scores has no place in conllu", "--to conll, jsonl or text")
        if search.nbest > 1 and form in ("conll", "conllu"):
            raise errors.UsageError(f"--nbest has no place in {form}", "--to text, jsonl, csv or tsv")

    def value(self, example: Example, prediction: Prediction, codec: Codec) -> dict[str, Any]:
        """Return tokens, tags, and the spans that the tags make."""
        found: dict[str, Any] = {"tokens": list(example.source), "tags": list(prediction.tags)}
        if codec.scheme != codecs.PLAIN:
            places = offsets(example)
            found["spans"] = [_span(span, prediction, places) for span in tag_schemes.spans(prediction.tags)]
        if prediction.scores:
            found["scores"] = [round(probability, 4) for probability in prediction.probabilities]
        if prediction.nbest:
            found["nbest"] = [{"tags": list(tags), "score": round(score, 4)} for tags, score in prediction.nbest]
        return found

    def write(self, example: Example, prediction: Prediction | None, form: str, search: Search, codec: Codec) -> str:
        """Return a tagged sentence: `word/TAG` separated by blanks, or lines in columns."""
        tags = prediction.tags if prediction else ()
        scored = prediction is not None and prediction.scores
        block = example.record if isinstance(example.record, conll.Block) else None
        if form == "conll":
            written = conll.appended(block, example.source, tags)
            return _with_column(written, block, _probabilities(prediction)) if scored else written
        if form == "conllu":
            return conll.filled(block, example.source, tags, codec.column, getattr(example.source, "text", None))
        line = tagged(example.source, tags)
        return f"{line}\t{' '.join(_probabilities(prediction))}" if scored else line

    def ranked(self, example: Example, prediction: Prediction, search: Search) -> list[tuple[str, float]] | None:
        if search.nbest == 1:
            return None
        return [(tagged(example.source, tags), score) for tags, score in prediction.nbest]

    def columns(self, given: Sequence[str] | None, search: Search) -> list[str]:
        """Return the tokens, where no column that came in has them; tags; probabilities; the n best."""
        has_tokens = given is None or TOKENS in given
        best, *others = outputs.ranked_columns(TAGS, search.nbest)
        found = [best, *(["scores"] if search.scores else []), *(others if search.nbest > 1 else [])]
        return found if has_tokens and not search.tokenize else [TOKENS, *found]

    def cells(self, example: Example, prediction: Prediction, search: Search, codec: Codec) -> dict[str, str]:
        """Return what may stand in the columns, the items of each separated by blanks."""
        found = {TOKENS: listed(example.source), TAGS: " ".join(prediction.tags)}
        found["scores"] = " ".join(_probabilities(prediction))
        nbest = ((" ".join(tags), f"{score:.4f}") for tags, score in prediction.nbest)
        return found | outputs.ranked_cells(TAGS, nbest)

    def listed(self, items: Sequence[str], codec: Codec) -> str:
        return listed(items)

    def parse(self, written: Any, config: Config) -> tuple[str, ...] | None:
        """Return the tags in what `value` gave, or in a line of `word/TAG`; None for those of a blank text."""
        if isinstance(written, Mapping):
            tags = written["tags"]
            if not isinstance(tags, list) or not all(isinstance(tag, str) for tag in tags):
                raise ValueError(tags)
            return tuple(tags) or None
        line = SCORES.sub("", written)
        words = [word for word in re.split("[ \t]+", line) if word]  # other white space may be in one
        if not all("/" in word for word in words):
            raise ValueError("a word without its tag")
        return tuple(labels.unescaped(word.rpartition("/")[2], "/") for word in words) or None

    def parse_cell(self, cell: str, config: Config) -> tuple[str, ...] | None:
        return tuple(cell.split()) or None

    def score(
        self, corpus: Sequence[Example], predictions: Sequence[Prediction], codec: Codec, *, intervals: bool = True
    ) -> outputs.Result:
        """Return F1 over spans, as conlleval counts them, or the accuracy of plain tags, and what stands beside it."""
        gold, predicted = [example.target for example in corpus], [prediction.tags for prediction in predictions]
        scores, details = spans.spans_or_classes(gold, predicted, intervals=intervals)
        if intervals:  # of a result, not of an evaluation in training
            details["words"] = _by_words(corpus, predictions, codec)
        unseen = codec.classes.unseen(tag for tags in gold for tag in codecs.inside(tags, codec.scheme))
        return outputs.Result(scores, details, unseen)

    def mistakes(
        self, corpus: Sequence[Example], predictions: Sequence[Prediction], codec: Codec
    ) -> list[dict[str, Any]]:
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
                        "gold": tagged([token for token, _, _ in wrong], [gold for _, gold, _ in wrong]),
                        "predicted": tagged([token for token, _, _ in wrong], [tag for _, _, tag in wrong]),
                        "text": " ".join(example.source),
                    }
                )
        return sorted(found, key=lambda mistake: -mistake["errors"])


def _by_words(corpus: Sequence[Example], predictions: Sequence[Prediction], codec: Codec) -> dict[str, Any]:
    """The accuracy over tokens that are in the vocabulary, and over those that are not."""
    right, count = collections.Counter[str](), collections.Counter[str]()
    for example, prediction in zip(corpus, predictions, strict=True):
        ids = codec.words.lookup(map(codec.normal, example.source))
        for number, gold, tag in zip(ids, example.target, prediction.tags, strict=True):
            kind = "unknown" if number == tokenizer.UNK else "known"
            count[kind] += 1
            right[kind] += gold == tag
    return {kind: {"accuracy": round(100 * right[kind] / n, 6), "count": n} for kind, n in sorted(count.items())}


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


def tagged(tokens: Sequence[str], tags: Sequence[str]) -> str:
    """Return tokens with their tags as a line: `word/TAG` separated by blanks; a slash inside a tag is %2F."""
    return " ".join(f"{word}/{labels.escaped(tag, '/')}" for word, tag in zip(_words(tokens), tags, strict=True))


def listed(tokens: Sequence[str]) -> str:
    """Return tokens as a text, separated by blanks."""
    return " ".join(_words(tokens))


def _words(tokens: Sequence[str]) -> list[str]:
    """Tokens without what separates them; those of a JSON list may hold any."""
    return [re.sub("[ \t\n]", "_", token) for token in tokens]


def _probabilities(prediction: Prediction | None) -> list[str]:
    return [f"{probability:.4f}" for probability in prediction.probabilities] if prediction else []


def _with_column(written: str, block: conll.Block | None, cells: Sequence[str]) -> str:
    """A sentence in columns with another one behind."""
    lines = written.split("\n")
    places = block.tokens if block else tuple(range(len(cells)))
    return conll.appended(conll.Block(tuple(lines), places), (), cells)
