"""tag: one tag for each token: names, parts of speech, chunks, slots."""

from __future__ import annotations

import collections
import functools
import itertools
import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from seqnlp import errors
from seqnlp.io import jsonl
from seqnlp.metrics import base, spans
from seqnlp.options import Training, option
from seqnlp.preprocess.batching import buckets, padding
from seqnlp.preprocess.corpora import conll, examples, formats, readers, schema
from seqnlp.preprocess.corpora.examples import Example
from seqnlp.preprocess.text import char_ngrams, labels, normalize, tag_schemes, tokenizer, word_vectors
from seqnlp.training import data

if TYPE_CHECKING:
    from torch import nn

    from seqnlp.tasks.tag import network as tagger

NAME = "tag"
ROLES = conll.ROLES
LINE = "text"
EPOCHS = 15
OPTIONS: dict[str, Any] = {"learning_rate": 8e-3, "ema": 0.99}
KERNELS = 1024
OUTPUTS = ("text", "conll", "conllu", "jsonl")
NOTES: dict[str, str] = {}
SHOWN = ("ids", "tags")
TOKENIZER, LABELS, WORDS = "tokenizer.json", "labels.json", "words.json"
PLAIN, INSIDE = "none", "BIOES"  # the scheme of tags that make no spans; the one that spans have inside the model


@dataclass(frozen=True)
class Config:
    """What makes the model."""

    column: str = option("upos", "Column of CoNLL-U to predict.", group="Text", choices=tuple(conll.UD), main=True)
    token_column: int = option(1, "Column of the token in .conll, from 1.", group="Text", low=1)
    tag_column: int = option(0, "Column of the tag in .conll, from 1; 0 is the last.", group="Text", low=0)
    normalize: str = option(
        "nfkc,lower",
        f"Steps of normalisation of known words, joined by commas: {', '.join(normalize.STEPS)}; or none.",
        group="Text",
    )
    vocab_size: int = option(50_000, "Most words in the vocabulary.", group="Text", low=5, main=True)
    min_count: int = option(1, "Occurrences that a word needs to be in the vocabulary.", group="Text", low=1)
    subwords: int = option(
        50_000, "Buckets of hashed n-grams, affixes and shapes; 0 for words alone.", group="Text", low=0
    )
    shortest_gram: int = option(2, "Characters of the shortest n-gram.", group="Text", low=1, high=10)
    longest_gram: int = option(5, "Characters of the longest n-gram.", group="Text", low=1, high=10)
    head: str = option(
        "auto",
        "crf scores sequences of tags, softmax each by itself; auto is crf where tags make spans.",
        choices=("auto", "crf", "softmax"),
        main=True,
    )
    vectors: str | None = option(
        None,
        "Pretrained word vectors to begin with, in the text format of word2vec or GloVe.",
        group="Text",
        metavar="FILE",
    )
    dimension: int = option(128, "Size of the word vectors; that of --vectors, if given.", low=1)
    gram_dimension: int = option(128, "Size of the n-grams' vectors.", low=1)
    surface_dimension: int = option(64, "Size of the affixes' and shapes' vectors.", low=1)
    characters: str = option(
        "none", "Read each word's characters too, by a BiLSTM or a CNN.", choices=("none", "lstm", "cnn")
    )
    character_dimension: int = option(32, "Size of the characters' vectors.", low=1)
    hidden: int = option(200, "Size of the LSTM, in each direction.", low=1, main=True)
    layers: int = option(2, "Layers of the encoder.", low=1, high=8)
    dropout: float = option(0.5, "Dropout of inputs, between layers and of outputs.", low=0.0, high=0.95)
    word_dropout: float = option(0.3, "Share of the words met once that are unknown in training.", low=0.0, high=0.95)
    smoothing: float = option(0.05, "Label smoothing of the softmax.", low=0.0, high=0.95)
    init: str = option("orthogonal", "Of the recurrent weights.", choices=("orthogonal", "xavier"))


@dataclass(frozen=True)
class Search:
    """What shapes a result."""

    tokenize: bool = option(
        False, "Split lines of text into tokens; by default they are parted by blanks.", group="Input"
    )
    top: int = option(1, "The K best sequences of tags, each with its probability, in jsonl.", group="Output", low=1)


@dataclass(frozen=True)
class Prediction:
    """The tags, in the scheme of the training data, the probability of each, and the best sequences if asked for."""

    tags: tuple[str, ...]
    shares: tuple[float, ...]
    nbest: tuple[tuple[tuple[str, ...], float], ...] = ()


class Split(tuple[str, ...]):
    """Tokens that remember the text they were split from."""

    text: str


@dataclass(frozen=True)
class Codec:
    """Words and what their forms say, and tags. rare: from this id on a word was met once in training."""

    words: tokenizer.Tokenizer
    grams: char_ngrams.Hashed
    surface: char_ngrams.Hashed
    classes: labels.Labels
    scheme: str
    rare: int
    column: str
    spelled: bool  # whether the characters of words are read

    @classmethod
    def of(cls, config: Config, words: tokenizer.Tokenizer, classes: labels.Labels, scheme: str, rare: int) -> Codec:
        """Return the codec with what the config says of forms."""
        buckets = max(config.subwords, 1)
        grams = char_ngrams.Subwords(config.shortest_gram, config.longest_gram, buckets)
        surface = char_ngrams.Hashed(char_ngrams.surface, buckets)
        return cls(words, grams, surface, classes, scheme, rare, config.column, config.characters != "none")

    @functools.cached_property
    def normal(self) -> Any:
        """Return the function from a token to the word that is looked up."""
        return functools.lru_cache(maxsize=char_ngrams.CACHED_WORDS)(self.words.normal)

    def encode(self, example: Example, *, fitted: bool = False) -> dict[str, Any]:
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
        import datasets

        numbers, words = datasets.List(datasets.Value("int32")), datasets.List(datasets.Value("string"))
        return {"ids": numbers, "words": words, "tags": numbers, "lengths": numbers}

    def save(self, folder: Path) -> list[str]:
        """Write tokenizer.json, labels.json and words.json; return their names."""
        self.words.save(folder / TOKENIZER)
        self.classes.save(folder / LABELS)
        jsonl.write_json(folder / WORDS, {"scheme": self.scheme, "rare": self.rare})
        return [TOKENIZER, LABELS, WORDS]


def inside(tags: Sequence[str], scheme: str) -> Sequence[str]:
    """Return tags as the model has them."""
    return tags if scheme == PLAIN else tag_schemes.convert(tags, INSIDE)


def load_codec(folder: Path, config: Config) -> Codec:
    """Return the codec of a model folder."""
    about = jsonl.read_json(folder / WORDS)
    words, classes = tokenizer.Tokenizer.load(folder / TOKENIZER), labels.Labels.load(folder / LABELS)
    return Codec.of(config, words, classes, about["scheme"], about["rare"])


def read(source: schema.Source, config: Config) -> examples.Examples:
    """Return sentences with their tags; those without tokens are left out."""
    source = replace(source, layout=_layout(config))

    def make() -> Iterator[Example]:
        for record in readers.records(source, ROLES, targets=True):
            tokens, tags = (_strings(record, role) for role in ROLES)
            _check(record, tokens, tags)
            if tokens:
                yield Example(tokens, tags, record.raw, record.file, record.line)

    return examples.Examples(make)


def _check(record: formats.Record, tokens: Sequence[str], tags: Sequence[str]) -> None:
    if len(tokens) != len(tags):
        what = f"{record.where}: {_count(tokens, 'token')}, {_count(tags, 'tag')}"
        raise errors.DataError(what, "every token needs a tag")
    for tag in set(tags):
        if not tag or re.search(r"\s", tag):
            raise errors.DataError(f"{record.where}: not a tag: {tag!r}", "tags are not empty and hold no blanks")


def _count(items: Sequence[str], name: str) -> str:
    return f"{len(items)} {name}{'' if len(items) == 1 else 's'}"


def read_inputs(source: schema.Source, config: Config, search: Search) -> Iterable[Example]:
    """Yield sentences to tag."""
    for record in readers.records(replace(source, layout=_layout(config)), ROLES, targets=False):
        yield example(record, search)


def example(record: formats.Record, search: Search) -> Example:
    """Return the sentence of a record: its tokens, or a line of text, split."""
    tokens, text = _strings(record, ROLES[0]), record.values[ROLES[0]]
    if isinstance(text, str):
        tokens = Split(_splitter().split(text) if search.tokenize else tokens)
        tokens.text = text
    return Example(tokens, None, record.raw, record.file, record.line)


def _layout(config: Config) -> dict[str, str]:
    return {"tokens": str(config.token_column), "tags": str(config.tag_column), "column": config.column}


@functools.cache
def _splitter() -> tokenizer.Tokenizer:
    return tokenizer.vocabulary({}, level="word", normalization="none")


def _strings(record: formats.Record, role: str) -> tuple[str, ...]:
    value = record.values[role]
    if isinstance(value, str):
        return tuple(part for part in re.split("[ \t]+", value) if part)
    if not isinstance(value, list | tuple) or not all(isinstance(part, str) for part in value):
        raise errors.DataError(f"{record.where}: the {role} are no list of strings", f'as in: "{role}": ["a", "b"]')
    return tuple(value)


split = examples.random_split


def fit(corpus: examples.Examples, config: Config, given: Mapping[str, Any]) -> tuple[Config, Codec]:
    """Return the config and the codec fitted on the training part.

    given: `codec`, to go on with another model's vocabulary and tags; or `tokenizers`, a single one. Raises `DataError`
    where there is nothing to learn.
    """
    if config.subwords and config.shortest_gram > config.longest_gram:
        raise errors.UsageError("--shortest-gram is greater than --longest-gram")
    scheme = given["codec"].scheme if "codec" in given else tag_schemes.recognise(example.target for example in corpus)
    known = _tags(corpus, scheme)
    if "codec" in given:
        given["codec"].classes.require(known.names)
        return replace(config, vectors=None), given["codec"]  # the weights hold what vectors there were
    words, rare = _vocabulary(corpus, config, given.get("tokenizers"))
    return config, Codec.of(config, words, known, scheme, rare)


def _tags(corpus: examples.Examples, scheme: str) -> labels.Labels:
    """Return the tags that the model has to know; among those of spans is `O`, so that any sentence can be tagged."""
    found = {tag for example in corpus for tag in example.target}
    if not found:
        raise errors.DataError("the training part is empty: no tagged sentences")
    if len(found) == 1:
        raise errors.DataError(f"the training part has one tag only ({found.pop()})", "there is nothing to learn")
    more = [] if scheme == PLAIN else sorted({tag_schemes.OUTSIDE} - found)
    every = (tag for example in corpus for tag in inside(example.target, scheme))
    return labels.Labels.fit(itertools.chain(more, every))


def _vocabulary(
    corpus: examples.Examples, config: Config, given: Sequence[tokenizer.Tokenizer] | None
) -> tuple[tokenizer.Tokenizer, int]:
    """Return the vocabulary, most frequent words first, and the first id of a word that was met once."""
    if given is not None and len(given) != 1:
        raise errors.UsageError(f"{len(given)} tokenizers, but {NAME} needs one")
    normal = (given or [tokenizer.vocabulary({}, level="word", normalization=config.normalize)])[0].normal
    counts = collections.Counter(normal(token) for example in corpus for token in example.source)
    words = (
        given[0]
        if given
        else tokenizer.from_counts(
            counts,
            normalization=config.normalize,
            size=config.vocab_size,
            min_count=config.min_count,
            more=word_vectors.words(config.vectors, normal, counts) if config.vectors else (),
        )
    )
    often = [number for word, number in words.vocabulary.items() if counts[word] > 1]
    return words, max(often, default=tokenizer.END) + 1


def fits(row: Mapping[str, Any], config: Config) -> bool:
    """Return whether a row can be learnt from: any can."""
    return True


def suited(codec: Codec, search: Search) -> Codec:
    """Return the codec: it suits every search."""
    return codec


def resolve(config: Config, codec: Codec) -> Config:
    """Return the config with the head settled, a chain where tags make spans, and the size of pretrained vectors."""
    head = ("softmax" if codec.scheme == PLAIN else "crf") if config.head == "auto" else config.head
    return replace(
        config, head=head, dimension=word_vectors.size(config.vectors) if config.vectors else config.dimension
    )


def collate(columns: Mapping[str, list[Any]], widths: padding.Edge, codec: Codec) -> tagger.Batch:
    """Return a batch of sentences padded to so many words."""
    import torch

    from seqnlp.nn import loss
    from seqnlp.tasks.tag import network as tagger

    (width,) = widths
    forms, words = char_ngrams.distinct(columns["words"])
    grams, gram_offsets = codec.grams.flat(words)
    surface, surface_offsets = codec.surface.flat(words)
    spelled = words if codec.spelled else []
    characters = [[ord(c) % tagger.ALPHABET for c in word[: tagger.LONGEST]] or [0] for word in spelled]
    arrays = {
        "words": padding.pad(columns["ids"], width),
        "lengths": np.array([len(ids) for ids in columns["ids"]]),
        "forms": padding.pad(forms, width),
        "grams": grams,
        "gram_offsets": gram_offsets,
        "surface": surface,
        "surface_offsets": surface_offsets,
        "characters": padding.pad(characters, max(map(len, characters), default=0)),
        "sizes": np.array([len(word) for word in characters], dtype=np.int64),
        "tags": padding.pad(columns["tags"], width, loss.IGNORED),
    }
    return tagger.Batch(**{name: torch.from_numpy(array) for name, array in arrays.items()})


def batches(
    rows: data.Rows, config: Config, codec: Codec, training: Training, plan: buckets.Plan | None
) -> data.Batches:
    """Return the rows in buckets by length."""
    return data.in_buckets(rows, training, plan, lambda columns, widths: collate(columns, widths, codec))


def build(config: Config, codec: Codec) -> nn.Module:
    """Return the network of a config."""
    import torch

    from seqnlp.tasks.tag import network as tagger

    legal = tag_schemes.transitions(codec.classes.names, PLAIN if codec.scheme == PLAIN else INSIDE)
    forms = tagger.Forms(
        buckets=config.subwords,
        gram_size=config.gram_dimension,
        surface_size=config.surface_dimension,
        characters=config.characters,
        character_size=config.character_dimension,
    )
    return tagger.Tagger(
        vocabulary=len(codec.words),
        tags=len(codec.classes),
        unknown=tokenizer.UNK,
        rare=codec.rare,
        dimension=config.dimension,
        forms=forms,
        hidden=config.hidden,
        layers=config.layers,
        dropout=config.dropout,
        word_dropout=config.word_dropout,
        init=config.init,
        chain=config.head == "crf",
        smoothing=config.smoothing,
        legal=(torch.from_numpy(legal[0]), torch.from_numpy(legal[1]), torch.from_numpy(legal[2])),
    )


def initialise(network: nn.Module, config: Config, codec: Codec) -> None:
    """Put pretrained vectors into the word embedding."""
    from seqnlp.nn import embedding

    if config.vectors:
        embedding.put(network.words, *word_vectors.rows(config.vectors, codec.words.vocabulary, codec.normal))  # type: ignore[arg-type]


def predict(
    networks: Sequence[nn.Module],
    codec: Codec,
    batch: tagger.Batch,
    columns: Mapping[str, list[Any]],
    search: Search,
) -> list[Prediction]:
    """Return one prediction a row: the best legal tags, and how probable each is."""
    from seqnlp.tasks.tag import network as tagger

    network, emissions = tagger.joined(networks, batch)
    best = network.decode(emissions, batch.lengths)
    shares = network.marginals(emissions, batch.lengths).gather(2, best.unsqueeze(2)).squeeze(2)
    lengths = batch.lengths.tolist()
    rows = zip(best.tolist(), shares.tolist(), lengths, strict=True)
    found = [Prediction(codec.outside(tags[:n]), tuple(row[:n])) for tags, row, n in rows]
    if search.top == 1:
        return found
    chains = _nbest(network, codec, emissions, batch, search.top)
    return [replace(prediction, nbest=chain) for prediction, chain in zip(found, chains, strict=True)]


def _nbest(network: Any, codec: Codec, emissions: Any, batch: tagger.Batch, number: int) -> Iterator[Any]:
    """Yield each row's best sequences with their probabilities."""
    tags, scores = network.crf.nbest(emissions, batch.lengths, number)
    logs = scores - network.crf.partition(emissions, batch.lengths).unsqueeze(1)  # -inf: there are not so many
    for chains, row, n in zip(tags.tolist(), logs.tolist(), batch.lengths.tolist(), strict=True):
        ranked = zip(chains, row, strict=True)
        yield tuple((codec.outside(chain[:n]), math.exp(log)) for chain, log in ranked if log > -math.inf)


def value(example: Example, prediction: Prediction, codec: Codec) -> dict[str, Any]:
    """Return what jsonl holds under the task's name: tokens, tags, and the spans that the tags make."""
    found: dict[str, Any] = {"tokens": list(example.source), "tags": list(prediction.tags)}
    if codec.scheme != PLAIN:
        places = _offsets(example)
        found["spans"] = [_span(span, prediction, places) for span in tag_schemes.spans(prediction.tags)]
    if prediction.nbest:
        found["nbest"] = [{"tags": list(tags), "score": round(share, 4)} for tags, share in prediction.nbest]
    return found


def _span(span: tag_schemes.Span, prediction: Prediction, places: Sequence[tuple[int, int]]) -> dict[str, Any]:
    """A span as jsonl holds it; its score is the least of its tags' probabilities."""
    score = round(min(prediction.shares[span.start : span.end]), 4)
    where = {"label": span.label, "start": span.start, "end": span.end, "score": score}
    if not places:
        return where
    return {**where, "start_char": places[span.start][0], "end_char": places[span.end - 1][1]}


def _offsets(example: Example) -> list[tuple[int, int]]:
    """Return where each token begins and ends in the text it comes from; none where the input was tokens."""
    if not isinstance(example.source, Split):
        return []
    found, end = [], 0
    for token in example.source:
        begin = example.source.text.index(token, end)
        end = begin + len(token)
        found.append((begin, end))
    return found


def write(example: Example, prediction: Prediction | None, output: str, search: Search, codec: Codec) -> str:
    """Return a tagged sentence: `word/TAG` parted by blanks, or lines in columns."""
    tags = prediction.tags if prediction else ()
    block = example.record if isinstance(example.record, conll.Block) else None
    if output == "conll":
        return conll.appended(block, example.source, tags)
    if output == "conllu":
        return conll.filled(block, example.source, tags, codec.column)
    tokens = (re.sub("[ \t\n]", "_", token) for token in example.source)  # those of a JSON list may hold any
    return " ".join(f"{token}/{tag}" for token, tag in zip(tokens, tags, strict=True))


def score(
    corpus: Sequence[Example], predictions: Sequence[Prediction], codec: Codec, *, intervals: bool = True
) -> tuple[list[base.Score], dict[str, Any]]:
    """Return F1 over spans, as conlleval counts them, or the accuracy of plain tags, and what stands beside it."""
    gold, found = [example.target for example in corpus], [prediction.tags for prediction in predictions]
    if codec.scheme == PLAIN:
        scores, details = spans.class_score(gold, found, intervals=intervals)
    else:
        marked = codec.scheme in ("BIOES", "BILOU")
        rules = tag_schemes.EXTENDED if marked else tag_schemes.rules_for(set().union(*gold))
        scores, details = spans.score(gold, found, intervals=intervals, rules=rules)
    unseen = sum(codec.classes.number(tag) == labels.MISSING for tags in gold for tag in inside(tags, codec.scheme))
    return scores, {**details, "unseen": unseen}


def mistakes(corpus: Sequence[Example], predictions: Sequence[Prediction], codec: Codec) -> list[dict[str, Any]]:
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
                    "gold": " ".join(f"{token}/{gold}" for token, gold, _ in wrong),
                    "predicted": " ".join(f"{token}/{tag}" for token, _, tag in wrong),
                    "text": " ".join(example.source),
                }
            )
    return sorted(found, key=lambda mistake: -mistake["errors"])
