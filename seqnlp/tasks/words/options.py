"""Options of the tasks that read words: the vocabulary, what words are made of, pretrained vectors."""

from __future__ import annotations

from dataclasses import dataclass

from seqnlp import errors
from seqnlp.options import option, redeclared
from seqnlp.tasks.network_options import NetworkOptions


@dataclass(frozen=True)
class WordOptions(NetworkOptions):
    """The options of a network that reads words."""

    vocab_size: int = option(50_000, "Maximum words in the vocabulary.", group="Text", low=5, main=True)
    min_count: int = option(1, "Minimum occurrences of a word in the vocabulary.", group="Text", low=1)
    char_ngram_buckets: int = option(
        50_000, "Buckets of hashed character n-grams; 0 for words alone.", group="Text", low=0
    )
    min_char_ngram: int = option(3, "Characters of the shortest n-gram.", group="Text", low=1, high=10)
    max_char_ngram: int = option(6, "Characters of the longest n-gram.", group="Text", low=1, high=10)
    vectors: str | None = option(
        None,
        "Pretrained word vectors to begin with: of word2vec, GloVe or fastText.",
        group="Text",
        metavar="FILE",
        run=True,  # its content makes the model, not its name
    )
    pretrained: str | None = option(
        None,
        "Language model of words to begin with: its embeddings and its layers.",
        metavar="MODEL",
        run=True,  # its weights make the model, not its name
    )
    embedding_size: int = redeclared(
        NetworkOptions, "embedding_size", 128, "Size of the word vectors; that of --vectors, if given."
    )
    word_dropout: float = option(0.1, "Probability that a word is left out in training.", low=0.0, high=0.95)

    def check(self) -> None:
        """Raise `UsageError` where options contradict each other."""
        if self.char_ngram_buckets and self.min_char_ngram > self.max_char_ngram:
            raise errors.UsageError("--min-char-ngram is greater than --max-char-ngram")
        if self.vectors and self.pretrained:
            raise errors.UsageError("--vectors and --pretrained exclude each other: both give words their vectors")
