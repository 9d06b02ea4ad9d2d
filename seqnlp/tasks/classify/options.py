"""Options of classify: what makes the model, what shapes a result."""

from __future__ import annotations

from dataclasses import dataclass

from seqnlp.options import option, redeclared
from seqnlp.tasks.words.options import WordOptions

POOLINGS = ("last", "mean", "max", "attention", "mean+max", "attention+max")


@dataclass(frozen=True)
class Config(WordOptions):
    """What makes the model."""

    multi_label: bool = option(
        False, "Any number of labels per text, separated by commas in .tsv and .csv.", group="Text", main=True
    )
    class_weights: str = option(
        "none",
        "balanced: the weight of a class is inversely proportional to its frequency.",
        choices=("none", "balanced"),
    )
    min_count: int = redeclared(WordOptions, "min_count", 2)
    max_length: int = option(512, "Maximum words that are read of a text; the rest is cut off.", group="Text", low=1)
    wide: bool = option(True, "Without the linear model beside the network.")
    own_vectors: bool = option(True, "Begin with random word vectors, not with those of the words of the corpus.")
    adversarial: float = option(
        0.5, "Adversarial perturbation of a text, in lengths of a word's vector; 0 for none.", low=0.0
    )
    pooling: str = option("mean+max", "How the words' outputs become one vector.", choices=POOLINGS)
    dropout: float = redeclared(WordOptions, "dropout", 0.6)
    label_smoothing: float = redeclared(WordOptions, "label_smoothing", 0.1, "Label smoothing, without --multi-label.")


@dataclass(frozen=True)
class Search:
    """What shapes a result."""

    scores: bool = option(False, "Print the probability after each label.", group="Output")
    top: int = option(1, "The N best labels, each with its probability.", group="Output", low=1, high=1000)
    min_score: float = option(
        0.0,
        "Minimum probability of a label, without --multi-label; below it there is none: an empty line.",
        group="Search",
        low=0.0,
        high=1.0,
    )
    otherwise: str | None = option(
        None, "The label of what does not reach --min-score, in place of none.", group="Search", metavar="LABEL"
    )
    threshold: float | None = option(
        None,
        "Minimum probability of a predicted label, with --multi-label; by default each label has that which suits dev.",
        group="Search",
        low=0.0,
        high=1.0,
    )
    want_accuracy: float | None = option(
        None,
        "In eval, show how many texts --min-score would answer, and propose one for this accuracy in percent.",
        group="Scoring",
        low=0.0,
        high=100.0,
    )
