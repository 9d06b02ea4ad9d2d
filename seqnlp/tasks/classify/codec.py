"""The codec: words and their character n-grams, labels; fitted in one pass over the texts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from seqnlp.preprocess.corpora.examples import Example
from seqnlp.preprocess.text import char_ngrams, labels, tokenizer, word_vectors
from seqnlp.tasks import base
from seqnlp.tasks.classify.options import Config
from seqnlp.tasks.words import vocabulary

TOKENIZER, LABELS = "tokenizer.json", "labels.json"


@dataclass(frozen=True)
class Codec(base.Codec):
    """Words and their n-grams, and labels."""

    words: tokenizer.Tokenizer
    forms: char_ngrams.CharNgrams | None
    classes: labels.Labels
    multi_label: bool
    max_length: int
    vectors: word_vectors.Vectors | None

    @classmethod
    def of(
        cls,
        config: Config,
        words: tokenizer.Tokenizer,
        known: labels.Labels,
        vectors: word_vectors.Vectors | None,
    ) -> Codec:
        """Return the codec with what the config says of n-grams and lengths."""
        buckets = config.char_ngram_buckets
        ngrams = char_ngrams.CharNgrams(config.min_char_ngram, config.max_char_ngram, buckets) if buckets else None
        return cls(words, ngrams, known, config.multi_label, config.max_length, vectors)

    @property
    def sources(self) -> list[str]:
        return [self.vectors.digest] if self.vectors else []

    def grown(self, classes: labels.Labels) -> Codec:
        """Return the codec with more classes behind its own."""
        return self if classes is self.classes else replace(self, classes=classes)

    @property
    def labels(self) -> dict[str, int]:
        return self.classes.by_name

    def encode(self, example: Example, *, fitted: bool = False) -> base.Row:
        """Return a row: word ids, the words themselves for their n-grams, label numbers."""
        whole = self.words.words(example.source)
        words = read_words(whole, self.max_length)
        return {
            "ids": self.words.lookup(words),
            "words": words,
            "labels": [self.classes.number(name) for name in example.target or ()],
            "cut": len(whole) > self.max_length,
            "lengths": [len(words)],
        }

    def features(self) -> dict[str, Any]:
        """Return the Arrow types of a row."""
        import pyarrow

        numbers, words = pyarrow.list_(pyarrow.int32()), pyarrow.list_(pyarrow.string())
        return {
            "ids": numbers,
            "words": words,
            "labels": numbers,
            "cut": pyarrow.bool_(),
            "lengths": numbers,
        }

    def save(self, folder: Path) -> list[str]:
        """Write tokenizer.json, labels.json and the vectors; return the files' names."""
        self.words.save(folder / TOKENIZER)
        self.classes.save(folder / LABELS)
        return [TOKENIZER, LABELS, *vocabulary.save(self.vectors, folder)]

    @classmethod
    def load(cls, folder: Path, config: Config) -> Codec:
        """Return the codec of a model folder."""
        words = tokenizer.Tokenizer.own(folder / TOKENIZER)
        return cls.of(config, words, labels.Labels.load(folder / LABELS), vocabulary.load(folder, config))


def read_words(words: list[str], max_length: int) -> list[str]:
    """Return the words of a text that are read: at least one and at most `max_length`."""
    return words[:max_length] or [""]
