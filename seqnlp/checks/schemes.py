"""Schemes: tags that break the scheme of spans that the others keep to, each with its line."""

from __future__ import annotations

import collections
import functools
import itertools
from collections.abc import Iterator, Mapping
from typing import Any

from seqnlp.checks import base
from seqnlp.preprocess.corpora import conll
from seqnlp.preprocess.corpora.examples import Example
from seqnlp.preprocess.text import tag_schemes


class Schemes(base.Check):
    """Recognises the scheme of the tags at the first look, and finds what breaks it at the second."""

    name, reviews = "scheme", True

    def __init__(self) -> None:
        self.tags, self.pairs = collections.Counter[str](), set[tuple[str, str]]()
        self.places: dict[str, str] = {}
        self.broken = {part: base.Places() for part in base.PARTS}

    def see(self, example: Example, part: str) -> None:
        if part == base.TRAIN:
            self.tags.update(example.target)
            self.pairs.update(itertools.pairwise((tag_schemes.OUTSIDE, *example.target, tag_schemes.OUTSIDE)))
            for place, tag in enumerate(example.target):
                if tag not in self.places:
                    self.places[tag] = where(example, place)

    @functools.cached_property
    def scheme(self) -> str:
        """Return the scheme of train, once all of it was seen."""
        return tag_schemes.recognise_pairs(self.tags.keys(), self.pairs)

    def review(self, example: Example, part: str) -> None:
        if self.scheme == tag_schemes.NONE:
            return
        before = tag_schemes.OUTSIDE
        for place, (tag, right) in enumerate(
            zip(example.target, tag_schemes.convert(example.target, self.scheme), strict=True)
        ):
            if tag != right:
                self.broken[part].add(f"{where(example, place)} {tag} behind {before}, as {right} in this scheme")
            before = tag

    def findings(self) -> Iterator[base.Finding]:
        scheme = self.scheme
        if scheme == tag_schemes.NONE and (stranger := tag_schemes.stranger(self.tags)):
            message = f"the tag {stranger} fits no scheme of spans: all tags are taken as plain classes"
            hint = f"if they are meant to be spans, write it as one of {', '.join(tag_schemes.SCHEMES)}"
            place = f"{self.places[stranger]} {stranger}"
            yield base.Finding(base.WARNING, self.name, message, hint, self.tags[stranger], [place])
        for part, broken in self.broken.items():
            if broken.count:
                message = f"{broken.count:,} tags of {part} break the scheme {scheme}"
                hint = "correct them: the spans that they make are read as conlleval does"
                yield base.Finding(base.WARNING, self.name, message, hint, broken.count, broken.first)

    def summary(self) -> Mapping[str, Any]:
        return {"scheme": self.scheme}


def where(example: Example, place: int) -> str:
    """Return the line of a token of a sentence in columns, else the place of the sentence and the token's number."""
    block = example.record
    if isinstance(block, conll.Block):
        return f"{example.file}:{example.line + block.tokens[place] - block.tokens[0]}"
    return f"{example.where} token {place + 1}"
