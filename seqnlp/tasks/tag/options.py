"""Options of tag: what makes the model, what shapes a result."""

from __future__ import annotations

from dataclasses import dataclass

from seqnlp.options import option, redeclared
from seqnlp.preprocess.text import normalize
from seqnlp.tasks.words.options import WordOptions


@dataclass(frozen=True)
class Config(WordOptions):
    """What makes the model."""

    column: str = option("upos", "Column of CoNLL-U to predict, or of CoNLL-U Plus, by name.", group="Text", main=True)
    token_column: int = option(1, "Column of the token in .conll, from 1.", group="Text", low=1)
    tag_column: int = option(0, "Column of the tag in .conll, from 1; 0 is the last.", group="Text", low=0)
    head: str = option(
        "auto",
        "crf scores whole sequences of tags, softmax each tag by itself; auto is crf if the tags form spans.",
        choices=("auto", "crf", "softmax"),
        main=True,
    )
    normalize: str = redeclared(
        WordOptions,
        "normalize",
        "nfkc,lower",
        f"Normalisation steps for known words, separated by commas: {', '.join(normalize.STEPS)}; or none.",
    )
    char_ngram_buckets: int = redeclared(
        WordOptions, "char_ngram_buckets", 50_000, "Buckets of hashed n-grams, affixes and shapes; 0 for words alone."
    )
    min_char_ngram: int = redeclared(WordOptions, "min_char_ngram", 2)
    max_char_ngram: int = redeclared(WordOptions, "max_char_ngram", 5)
    char_ngram_embedding_size: int = option(128, "Size of the n-gram vectors.", low=1)
    affix_embedding_size: int = option(64, "Size of the affix and shape vectors.", low=1)
    char_encoder: str = option(
        "none", "Read the characters of each word too, with a BiLSTM or a CNN.", choices=("none", "lstm", "cnn")
    )
    char_embedding_size: int = option(32, "Size of the character vectors.", low=1)
    hidden_size: int = redeclared(WordOptions, "hidden_size", 200)
    layers: int = redeclared(WordOptions, "layers", 2)
    word_dropout: float = redeclared(
        WordOptions, "word_dropout", 0.3, "Probability that a word seen once is unknown in training."
    )
    label_smoothing: float = redeclared(WordOptions, "label_smoothing", 0.05, "Label smoothing of the softmax.")


@dataclass(frozen=True)
class Search:
    """What shapes a result."""

    tokenize: bool = option(
        False,
        "Split lines of text into tokens as treebanks do; by default they are separated by spaces.",
        group="Input",
    )
    scores: bool = option(False, "Print the probability of each tag.", group="Output")
    nbest: int = option(1, "The N best sequences of tags, each with its probability.", group="Output", low=1, high=100)
