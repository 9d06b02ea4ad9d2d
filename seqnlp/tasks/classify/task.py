"""classify: one label, or several, for a sentence or a text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from seqnlp import errors
from seqnlp.metrics import base, classification
from seqnlp.options import Training, option
from seqnlp.preprocess.batching import buckets, padding
from seqnlp.preprocess.corpora import examples, formats, readers, schema
from seqnlp.preprocess.corpora.examples import Example
from seqnlp.preprocess.text import char_ngrams, labels, naive_bayes, normalize, tokenizer, word_vectors
from seqnlp.training import data

if TYPE_CHECKING:
    from torch import nn

    from seqnlp.tasks.classify import network as classifier

NAME = "classify"
ROLES = ("text", "label")
LINE = "text"
EPOCHS = 5
OPTIONS: dict[str, Any] = {"learning_rate": 4e-3, "ema": 0.99}
KERNELS = 1024
OUTPUTS = ("text", "jsonl")
NOTES: dict[str, str] = {}
SHOWN = ("ids", "labels")
TOKENIZER, LABELS, COUNTS = "tokenizer.json", "labels.json", "bayes.safetensors"
POOLS = ("last", "mean", "max", "attention", "mean+max", "attention+max")


@dataclass(frozen=True)
class Config:
    """What makes the model."""

    multi_label: bool = option(
        False, "Several labels an item, or none; joined by commas in .tsv and .csv.", group="Text", main=True
    )
    class_weights: str = option(
        "none", "balanced: rare classes count more, in inverse proportion.", choices=("none", "balanced")
    )
    normalize: str = option(
        "nfkc,lower", f"Steps of normalisation, joined by commas: {', '.join(normalize.STEPS)}; or none.", group="Text"
    )
    vocab_size: int = option(50_000, "Most words in the vocabulary.", group="Text", low=5, main=True)
    min_count: int = option(2, "Occurrences that a word needs to be in the vocabulary.", group="Text", low=1)
    max_length: int = option(512, "Words of a text that are read; the rest is cut off.", group="Text", low=1)
    bayes: int = option(
        2,
        "Words of the longest n-gram whose naive Bayes score is added to the network's; 0 for none.",
        group="Text",
        low=0,
        high=5,
    )
    subwords: int = option(50_000, "Buckets of hashed character n-grams; 0 for words alone.", group="Text", low=0)
    shortest_gram: int = option(3, "Characters of the shortest n-gram.", group="Text", low=1, high=10)
    longest_gram: int = option(6, "Characters of the longest n-gram.", group="Text", low=1, high=10)
    vectors: str | None = option(
        None,
        "Pretrained word vectors to begin with, in the text format of word2vec or GloVe.",
        group="Text",
        metavar="FILE",
    )
    dimension: int = option(128, "Size of the word vectors; that of --vectors, if given.", low=1)
    hidden: int = option(128, "Size of the LSTM, in each direction.", low=1, main=True)
    layers: int = option(1, "Layers of the encoder.", low=1, high=8)
    pool: str = option("mean+max", "From the words' outputs to one vector.", choices=POOLS)
    dropout: float = option(0.6, "Dropout of inputs, between layers and of outputs.", low=0.0, high=0.95)
    word_dropout: float = option(0.1, "Share of the words left out in training.", low=0.0, high=0.95)
    smoothing: float = option(0.1, "Label smoothing, where items have one label.", low=0.0, high=0.95)
    init: str = option("orthogonal", "Of the recurrent weights.", choices=("orthogonal", "xavier"))


@dataclass(frozen=True)
class Search:
    """What shapes a result."""

    scores: bool = option(False, "Print the probability behind each label.", group="Output")
    top: int = option(1, "The K best labels, each with its probability.", group="Output", low=1)
    threshold: float = option(
        0.5, "Probability that a label needs, where items have several.", group="Search", low=0.0, high=1.0
    )


@dataclass(frozen=True)
class Prediction:
    """The labels chosen, every label's probability, best first, and what the attention looked at, word by word."""

    labels: tuple[str, ...]
    ranked: list[tuple[str, float]]
    attention: list[tuple[str, float]] | None = None

    def share(self, label: str) -> float:
        """Return a label's probability, 0 for one that training never saw."""
        return dict(self.ranked).get(label, 0.0)


@dataclass(frozen=True)
class Codec:
    """Words and their n-grams, and labels."""

    words: tokenizer.Tokenizer
    grams: char_ngrams.Subwords | None
    evidence: naive_bayes.Bayes | None
    classes: labels.Labels
    several: bool
    max_length: int

    @classmethod
    def of(
        cls, config: Config, words: tokenizer.Tokenizer, known: labels.Labels, evidence: naive_bayes.Bayes | None
    ) -> Codec:
        """Return the codec with what the config says of n-grams and lengths."""
        grams = (
            char_ngrams.Subwords(config.shortest_gram, config.longest_gram, config.subwords)
            if config.subwords
            else None
        )
        return cls(words, grams, evidence, known, config.multi_label, config.max_length)

    def encode(self, example: Example, *, fitted: bool = False) -> dict[str, Any]:
        """Return a row: word ids, the words themselves for their n-grams, label numbers.

        fitted: the example is one of those that the codec was fitted on.
        """
        words = self.split(example.source)
        return {
            "ids": self.words.lookup(words),
            "words": words,
            "ngrams": self.evidence.ids(words) if self.evidence else [],
            "labels": [self.classes.number(name) for name in example.target or ()],
            "fitted": fitted,
            "lengths": [len(words)],
        }

    def split(self, text: str) -> list[str]:
        """Return the words of a text, at least one and at most `max_length`."""
        return self.words.words(text)[: self.max_length] or [""]

    def features(self) -> dict[str, Any]:
        """Return the Arrow types of a row."""
        import datasets

        numbers = datasets.List(datasets.Value("int32"))
        words = datasets.List(datasets.Value("string"))
        fitted = datasets.Value("bool")
        return {
            "ids": numbers,
            "words": words,
            "ngrams": numbers,
            "labels": numbers,
            "fitted": fitted,
            "lengths": numbers,
        }

    def save(self, folder: Path) -> list[str]:
        """Write tokenizer.json, labels.json and the naive Bayes counts; return the files' names."""
        self.words.save(folder / TOKENIZER)
        self.classes.save(folder / LABELS)
        if self.evidence is None:
            return [TOKENIZER, LABELS]
        self.evidence.save(folder / COUNTS)
        return [TOKENIZER, LABELS, COUNTS]


def load_codec(folder: Path, config: Config) -> Codec:
    """Return the codec of a model folder."""
    words = tokenizer.Tokenizer.load(folder / TOKENIZER)
    evidence = naive_bayes.Bayes.load(folder / COUNTS, config.bayes) if config.bayes else None
    return Codec.of(config, words, labels.Labels.load(folder / LABELS), evidence)


def read(source: schema.Source, config: Config) -> examples.Examples:
    """Return texts with their tuples of labels; rows without text are left out, as predict leaves them blank."""
    several = config.multi_label

    def make() -> Iterator[Example]:
        for record in readers.records(source, ROLES, targets=True):
            example = Example(_text(record), _labels(record, several), record.raw, record.file, record.line)
            if not example.blank:
                yield example

    return examples.Examples(make)


def read_inputs(source: schema.Source, config: Config, search: Search) -> Iterable[Example]:
    """Yield texts to classify."""
    return (example(record, search) for record in readers.records(source, ROLES, targets=False))


def example(record: formats.Record, search: Search) -> Example:
    """Return the text of a record."""
    return Example(_text(record), None, record.raw, record.file, record.line)


def _text(record: formats.Record) -> str:
    text = record.values[ROLES[0]]
    if not isinstance(text, str):
        raise errors.DataError(f"{record.where}: the text is a {type(text).__name__}, expected a string")
    return text


def _labels(record: formats.Record, several: bool) -> tuple[str, ...]:
    value = record.values[ROLES[1]]
    if isinstance(value, str):
        parts = value.split(",") if several else [value]
    else:
        parts = value if isinstance(value, list) else [value]
    if not all(isinstance(part, str | int | float) for part in parts):
        raise errors.DataError(f"{record.where}: a label is a string or a number, or a list of them")
    # White space inside a label would break lines and columns of the output.
    names = tuple(dict.fromkeys(name for part in parts if (name := " ".join(str(part).split()))))
    if not several and len(names) != 1:
        what = "no label" if not names else f"{len(names)} labels"
        raise errors.DataError(f"{record.where}: {what}, expected one", "--multi-label, if items have several, or none")
    return names


split = examples.random_split


def fit(corpus: examples.Examples, config: Config, given: Mapping[str, Any]) -> tuple[Config, Codec]:
    """Return the config and the codec fitted on the training part.

    given: `codec`, to go on with another model's vocabulary and labels; or `tokenizers`, a single one. Raises
    `DataError` where there is nothing to learn: no examples, or a single class.
    """
    if config.subwords and config.shortest_gram > config.longest_gram:
        raise errors.UsageError("--shortest-gram is greater than --longest-gram")
    known = labels.Labels.fit(name for example in corpus for name in example.target)
    if not len(known):
        raise errors.DataError("the training part is empty: no labelled examples")
    if len(known) == 1:
        raise errors.DataError(
            f"the training part has one class only ({known.names[0]})", "a classifier needs examples of at least two"
        )
    if "codec" in given:
        given["codec"].classes.require(known.names)
        return replace(config, vectors=None), given["codec"]  # the weights hold what vectors there were
    if config.multi_label:
        config = replace(config, bayes=0)  # its classes exclude each other
    codec = Codec.of(config, _vocabulary(corpus, config, given.get("tokenizers")), known, None)
    if not config.bayes:
        return config, codec

    def pairs() -> Iterator[tuple[list[str], int]]:
        return ((codec.split(example.source), known.number(example.target[0])) for example in corpus)

    return config, replace(codec, evidence=naive_bayes.Bayes.fit(examples.Again(pairs), len(known), config.bayes))


def _vocabulary(
    corpus: examples.Examples, config: Config, given: Sequence[tokenizer.Tokenizer] | None
) -> tokenizer.Tokenizer:
    if given is None:
        empty = tokenizer.vocabulary({}, level="word", normalization=config.normalize)
        counts = tokenizer.count((example.source for example in corpus), empty)
        return tokenizer.from_counts(
            counts,
            normalization=config.normalize,
            size=config.vocab_size,
            min_count=config.min_count,
            more=word_vectors.words(config.vectors, empty.normal, counts) if config.vectors else (),
        )
    if len(given) != 1:
        raise errors.UsageError(f"{len(given)} tokenizers, but {NAME} needs one")
    return given[0]


def fits(row: Mapping[str, Any], config: Config) -> bool:
    """Return whether a row can be learnt from: any can."""
    return True


def suited(codec: Codec, search: Search) -> Codec:
    """Return the codec: it suits every search."""
    return codec


def resolve(config: Config, codec: Codec) -> Config:
    """Return the config with the size of the pretrained vectors."""
    return replace(config, dimension=word_vectors.size(config.vectors)) if config.vectors else config


def collate(columns: Mapping[str, list[Any]], widths: padding.Edge, codec: Codec) -> classifier.Batch:
    """Return a batch of sentences padded to so many words."""
    import torch

    from seqnlp.tasks.classify import network as classifier

    (width,), nothing = widths, np.zeros(0, dtype=np.int64)
    forms, grams, offsets = codec.grams.of_batch(columns["words"]) if codec.grams else ([], nothing, nothing)
    arrays = {
        "words": padding.pad(columns["ids"], width),
        "lengths": np.array([len(ids) for ids in columns["ids"]]),
        "forms": padding.pad(forms, width),
        "grams": grams,
        "offsets": offsets,
        "evidence": _evidence(columns, codec),
        "targets": _targets(columns["labels"], codec),
    }
    return classifier.Batch(**{name: torch.from_numpy(array) for name, array in arrays.items()})


def _evidence(columns: Mapping[str, list[Any]], codec: Codec) -> np.ndarray:
    """The naive Bayes scores, (B, C); a text that is among the counts is taken out of them."""
    if codec.evidence is None:
        return np.zeros((len(columns["ids"]), len(codec.classes)), dtype=np.float32)
    pairs = zip(columns["labels"], columns["fitted"], strict=True)
    return codec.evidence.scores(columns["ngrams"], [row[0] if fitted else labels.MISSING for row, fitted in pairs])


def _targets(numbers: Sequence[Sequence[int]], codec: Codec) -> np.ndarray:
    """Numbers of classes, (B,), or for several labels zeros and ones, (B, C); unknown labels count for nothing."""
    if not codec.several:
        return np.array([row[0] if row else labels.MISSING for row in numbers])
    targets = np.zeros((len(numbers), len(codec.classes)), dtype=np.float32)
    for i, row in enumerate(numbers):
        targets[i, [number for number in row if number != labels.MISSING]] = 1
    return targets


def batches(
    rows: data.Rows, config: Config, codec: Codec, training: Training, plan: buckets.Plan | None
) -> data.Batches:
    """Return the rows in buckets by length."""
    return data.in_buckets(rows, training, plan, lambda columns, widths: collate(columns, widths, codec))


def build(config: Config, codec: Codec) -> nn.Module:
    """Return the network of a config."""
    from seqnlp.tasks.classify import network as classifier

    return classifier.Classifier(
        vocabulary=len(codec.words),
        classes=len(codec.classes),
        dimension=config.dimension,
        buckets=config.subwords,
        unknown=tokenizer.UNK,
        hidden=config.hidden,
        layers=config.layers,
        pool=config.pool,
        dropout=config.dropout,
        word_dropout=config.word_dropout,
        init=config.init,
        trust=0.5 if config.bayes else 0.0,
        smoothing=config.smoothing,
        several=config.multi_label,
        weights=_class_weights(codec.classes.counts) if config.class_weights == "balanced" else None,
    )


def _class_weights(counts: Sequence[int]) -> list[float]:
    """Each class's weight: inversely proportional to its count, 1 on average over the examples (as in scikit-learn)."""
    return [sum(counts) / (len(counts) * count) for count in counts]


def initialise(network: nn.Module, config: Config, codec: Codec) -> None:
    """Put pretrained vectors into the word embedding."""
    from seqnlp.nn import embedding

    if config.vectors:
        found = word_vectors.rows(config.vectors, codec.words.vocabulary, codec.words.normal)
        embedding.put(network.embedding.words, *found)  # type: ignore[arg-type, union-attr]


def predict(
    networks: Sequence[nn.Module],
    codec: Codec,
    batch: classifier.Batch,
    columns: Mapping[str, list[Any]],
    search: Search,
) -> list[Prediction]:
    """Return one prediction a row: the mean of the networks' distributions, in fp32."""
    import torch

    results = [network.logits(batch) for network in networks]  # type: ignore[operator]
    squash = torch.sigmoid if codec.several else (lambda logits: torch.softmax(logits, dim=1))
    shares = torch.stack([squash(logits.float()) for logits, _ in results]).mean(0).cpu().numpy()
    attention = (
        None if results[0][1] is None else torch.stack([weights for _, weights in results]).mean(0).cpu().numpy()
    )
    predictions = []
    for i, row in enumerate(shares.tolist()):
        ranked = sorted(zip(codec.classes.names, row, strict=True), key=lambda item: -item[1])
        best = [ranked[0]] if not codec.several else [item for item in ranked if item[1] >= search.threshold]
        looked = None if attention is None else _looked_at(columns["words"][i], attention[i])
        predictions.append(Prediction(tuple(label for label, _ in best), ranked, looked))
    return predictions


def _looked_at(words: Sequence[str], weights: np.ndarray) -> list[tuple[str, float]]:
    return [(word, round(float(weight), 4)) for word, weight in zip(words, weights, strict=False)]


def value(example: Example, prediction: Prediction, codec: Codec) -> dict[str, Any]:
    """Return label and score (or labels), and the whole distribution, best first."""
    scores = {label: round(share, 4) for label, share in prediction.ranked}
    if codec.several:
        chosen: dict[str, Any] = {"labels": list(prediction.labels)}
    else:
        chosen = {"label": prediction.labels[0], "score": scores[prediction.labels[0]]}
    attention = {} if prediction.attention is None else {"attention": prediction.attention}
    return {**chosen, "scores": scores, **attention}


def write(example: Example, prediction: Prediction | None, output: str, search: Search, codec: Codec) -> str:
    """Return the labels of one item as a line: joined by commas, or each with its probability, parted by tabs."""
    if prediction is None:
        return ""
    if search.top > 1:
        shown = prediction.ranked[: search.top]
    elif search.scores:
        shown = [(label, prediction.share(label)) for label in prediction.labels]
    else:
        return ",".join(prediction.labels)
    return "\t".join(f"{label}\t{share:.4f}" for label, share in shown)


def score(
    corpus: Sequence[Example], predictions: Sequence[Prediction], codec: Codec, *, intervals: bool = True
) -> tuple[list[base.Score], dict[str, Any]]:
    """Return accuracy (F1 where items have several labels) and what stands beside it."""
    gold, found = [example.target for example in corpus], [prediction.labels for prediction in predictions]
    scores, details = classification.score(gold, found, multi_label=codec.several, intervals=intervals)
    unseen = sum(codec.classes.number(name) == labels.MISSING for example in corpus for name in example.target)
    return scores, {**details, "unseen": unseen}


def mistakes(corpus: Sequence[Example], predictions: Sequence[Prediction], codec: Codec) -> list[dict[str, Any]]:
    """Return the wrong predictions, those with the least probability for the gold labels first."""
    wrong = [
        {
            "where": example.where,
            "gold": ",".join(example.target),
            "predicted": ",".join(prediction.labels),
            "gold_score": round(min((prediction.share(label) for label in example.target), default=0.0), 4),
            "text": example.source,
        }
        for example, prediction in zip(corpus, predictions, strict=True)
        if set(example.target) != set(prediction.labels)
    ]
    return sorted(wrong, key=lambda mistake: mistake["gold_score"])
