"""Options of lm: what makes the model, what shapes a result, how text is generated."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from seqnlp.options import option, redeclared
from seqnlp.tasks.network_options import NetworkOptions

LEVELS = ("word", "bpe", "char")

# What a level has by default: as in Merity et al. 2018 for words, and for characters as in "An analysis of neural
# language modeling at multiple scales" by the same authors, 2018.
BY_LEVEL: dict[str, dict[str, Any]] = {
    "word": {"embedding_dropout": 0.1, "activation_penalty": 1.0, "change_penalty": 1.0, "ngrams": 4},
    "bpe": {"embedding_dropout": 0.1, "activation_penalty": 1.0, "change_penalty": 1.0, "ngrams": 4},
    "char": {"embedding_dropout": 0.0, "activation_penalty": 0.0, "change_penalty": 0.0, "ngrams": 8},
}


@dataclass(frozen=True)
class Config(NetworkOptions):
    """What makes the model."""

    level: str = option("bpe", "What a text is read in: words, subwords or characters.", choices=LEVELS, group="Text")
    split: str = option(
        "words",
        "Where words end: words takes punctuation and each Chinese or Japanese character for words of their own, "
        "blanks splits at blanks only.",
        choices=("words", "blanks"),
        group="Text",
    )
    vocab_size: int | None = option(
        None,
        "Maximum entries of the vocabulary; of subwords by default one per 90 words, from 500 to 16,000.",
        group="Text",
        low=5,
        main=True,
    )
    min_count: int = option(
        1, "Minimum occurrences of a word or character; all others are one unknown word.", group="Text", low=1
    )
    normalize: str = redeclared(NetworkOptions, "normalize", "nfc")
    embedding_size: int = redeclared(NetworkOptions, "embedding_size", 256)
    hidden_size: int = redeclared(NetworkOptions, "hidden_size", 384)
    layers: int = redeclared(NetworkOptions, "layers", 2)
    direction: str = redeclared(
        NetworkOptions,
        "direction",
        "forward",
        "Direction in which a text is foreseen; both adds layers that read it backward.",
    )
    dropout: float = redeclared(NetworkOptions, "dropout", 0.3)
    label_smoothing: float = redeclared(NetworkOptions, "label_smoothing", 0.0)
    embedding_dropout: float | None = option(
        None,
        "Probability that a word is left out of a whole chunk; by default 0.1, of characters 0.",
        low=0.0,
        high=0.95,
    )
    weight_dropout: float = option(0.2, "Dropout of the recurrent matrices, of a whole chunk.", low=0.0, high=0.95)
    activation_penalty: float | None = option(
        None, "Weight of the outputs' mean square in the loss; by default 1, of characters 0.", low=0.0
    )
    change_penalty: float | None = option(
        None,
        "Weight of the mean square of the outputs' change from step to step; by default 1, of characters 0.",
        low=0.0,
    )
    ngrams: int | None = option(
        None,
        "Tokens of the longest n-grams that are counted beside the network; by default 4, of characters 8; 0 for none.",
        low=0,
        high=16,
        main=True,
    )
    bptt: int = option(64, "Steps of a chunk, through which gradients flow back.", low=1, high=10_000, main=True)


def resolved(config: Config) -> Config:
    """Return the config with what its level has by default."""
    default = BY_LEVEL[config.level]
    return replace(config, **{name: value for name, value in default.items() if getattr(config, name) is None})


@dataclass(frozen=True)
class Search:
    """What shapes a result."""

    rank: bool = option(
        False,
        "Print before each line's log-probability its rank, 1 the most probable; all lines are read first.",
        group="Output",
    )
    lines: bool = option(
        False, "In eval, read each line by itself, as predict does, and not on from the line before.", group="Scoring"
    )
    adapt: bool = option(False, "In eval, learn from each part of the text after it was scored.", group="Scoring")
    adapt_rate: float = option(0.1, "Learning rate of --adapt.", group="Scoring", low=0.0)
    adapt_decay: float = option(
        0.001,
        "Part of the way back to the trained weights that --adapt goes in a step.",
        group="Scoring",
        low=0,
        high=1,
    )
    adapt_steps: int = option(20, "Tokens that --adapt scores, then learns from, at a time.", group="Scoring", low=1)


@dataclass(frozen=True)
class Generation:
    """How text is generated."""

    prompt: str = option("", "Text to go on from; by default the beginning of a line.", metavar="TEXT", main=True)
    number: int = option(1, "Texts to generate.", low=1, main=True, short="n")
    max_tokens: int = option(500, "Maximum words, subwords or characters of a text.", low=1, main=True)
    one_line: bool = option(False, "End a text where its line ends.", main=True)
    temperature: float = option(1.0, "Below 1 favours what is probable.", low=0.01, main=True)
    top_k: int = option(0, "Draw from the K most probable tokens; 0 for all.", low=0, main=True)
    top_p: float = option(
        1.0, "Draw from the fewest tokens that have this probability together.", low=0.001, high=1.0, main=True
    )
    min_p: float = option(
        0.0, "Draw from tokens with at least this part of the best one's probability.", low=0.0, high=1.0, main=True
    )
    seed: int = option(1, "Seed of the draws.", low=0, main=True)
