"""The codec: words and what their forms say, and tags in the scheme that they have inside the model."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seqnlp import options
from seqnlp.io import jsonl
from seqnlp.preprocess.corpora.examples import Example
from seqnlp.preprocess.text import char_ngrams, labels, tag_schemes, tokenizer, word_vectors
from seqnlp.tasks import base
from seqnlp.tasks.tag.options import Config
from seqnlp.tasks.words import vocabulary

TOKENIZER, LABELS, WORDS = "tokenizer.json", "labels.json", "words.json"
PLAIN, INSIDE = (
    tag_schemes.NONE,
    "BIOES",
)  # the scheme of tags that make no spans; the one that spans have inside the model


@dataclass(frozen=True)
class About:
    """What words.json holds."""

    scheme: str = options.option(PLAIN, "Scheme of the tags.", choices=(PLAIN, *tag_schemes.SCHEMES))
    rare: int = options.option(tokenizer.END + 1, "The first id of a word seen once.", low=tokenizer.END + 1)


@dataclass(frozen=True)
class Codec(base.Codec):
    """Words and what their forms say, and tags. rare: words from this id on were seen once in training."""

    words: tokenizer.Tokenizer
    forms: char_ngrams.Hashed
    affixes: char_ngrams.Hashed
    classes: labels.Labels
    scheme: str
    rare: int
    column: str
    reads_characters: bool
    vectors: word_vectors.Vectors | None

    @classmethod
    def of(
        cls,
        config: Config,
        words: tokenizer.Tokenizer,
        classes: labels.Labels,
        scheme: str,
        rare: int,
        vectors: word_vectors.Vectors | None,
    ) -> Codec:
        """Return the codec with what the config says of forms."""
        buckets = max(config.char_ngram_buckets, 1)
        ngrams = char_ngrams.CharNgrams(config.min_char_ngram, config.max_char_ngram, buckets)
        affixes = char_ngrams.Hashed(char_ngrams.affixes, buckets)
        characters = config.char_encoder != "none"
        return cls(words, ngrams, affixes, classes, scheme, rare, config.column, characters, vectors)

    @property
    def sources(self) -> list[str]:
        return [self.vectors.digest] if self.vectors else []

    @property
    def labels(self) -> dict[str, int]:
        """Return the counts of the tags; where they make spans, those of each type of span."""
        counts = self.classes.by_name
        if self.scheme == PLAIN:
            return counts
        found: dict[str, int] = {}
        for tag, number in counts.items():
            prefix, label = tag_schemes.split(tag)
            if prefix in ("B", "S"):  # each span has one
                found[label] = found.get(label, 0) + number
        return found

    def labels_of(self, example: Example) -> list[str]:
        """Return the tags of an example, or the types of its spans."""
        if self.scheme == PLAIN:
            return list(example.target)
        return [span.label for span in tag_schemes.spans(example.target)]

    @functools.cached_property
    def normal(self) -> Any:
        """Return the function from a token to the word that is looked up."""
        return functools.lru_cache(maxsize=char_ngrams.CACHED_WORDS)(self.words.normal)

    def encode(self, example: Example, *, fitted: bool = False) -> base.Row:
        """Return a row: word ids, the tokens for what their forms say, tag numbers."""
        tags = inside(example.target, self.scheme) if example.target else ()
        return {
            "ids": self.words.lookup(map(self.normal, example.source)),
            "words": list(example.source),
            "tags": [self.classes.number(tag) for tag in tags],
            "lengths": [len(example.source)],
        }

    def outside(self, numbers: Iterable[int]) -> tuple[str, ...]:
        """Return tags as the training data has them."""
        tags = [self.classes.names[number] for number in numbers]
        return tuple(tags if self.scheme == PLAIN else tag_schemes.convert(tags, self.scheme))

    def features(self) -> dict[str, Any]:
        """Return the Arrow types of a row."""
        import pyarrow

        numbers, words = pyarrow.list_(pyarrow.int32()), pyarrow.list_(pyarrow.string())
        return {"ids": numbers, "words": words, "tags": numbers, "lengths": numbers}

    def save(self, folder: Path) -> list[str]:
        """Write tokenizer.json, labels.json, words.json and the vectors; return the files' names."""
        self.words.save(folder / TOKENIZER)
        self.classes.save(folder / LABELS)
        jsonl.write_json(folder / WORDS, options.to_dict(About(self.scheme, self.rare)))
        return [TOKENIZER, LABELS, WORDS, *vocabulary.save(self.vectors, folder)]

    @classmethod
    def load(cls, folder: Path, config: Config) -> Codec:
        """Return the codec of a model folder."""
        about = options.from_dict(About, jsonl.read_json(folder / WORDS), folder / WORDS)
        words, classes = tokenizer.Tokenizer.own(folder / TOKENIZER), labels.Labels.load(folder / LABELS)
        vectors = vocabulary.load(folder, config)
        return cls.of(config, words, classes, about.scheme, about.rare, vectors)


def inside(tags: Sequence[str], scheme: str) -> Sequence[str]:
    """Return tags as the model has them."""
    return tags if scheme == PLAIN else tag_schemes.convert(tags, INSIDE)
