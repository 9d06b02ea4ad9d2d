"""translate: from a sentence in one language to one in another, or from any sequence of pieces to any other."""

from __future__ import annotations

import functools
import logging
import random
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from seqnlp import errors
from seqnlp.io import files, jsonl
from seqnlp.metrics import base, rouge, translation
from seqnlp.options import Training, option
from seqnlp.preprocess.batching import buckets, padding
from seqnlp.preprocess.corpora import examples, formats, readers, schema
from seqnlp.preprocess.corpora.examples import Example
from seqnlp.preprocess.text import bitext, bpe_dropout, normalize, segmentation, tokenizer
from seqnlp.training import data

if TYPE_CHECKING:
    import torch
    from torch import nn

    from seqnlp.decoding import constraints, hypotheses
    from seqnlp.tasks.translate import network as translator

log = logging.getLogger(__name__)

NAME = "translate"
ROLES = ("source", "target")
LINE = "source"
EPOCHS = 24
OPTIONS: dict[str, Any] = {"ema": 0.999}
KERNELS = 4096
OUTPUTS = ("text", "jsonl")
SHOWN = ("source", "target")
JOINT, SOURCE, TARGET, ABOUT = "tokenizer.json", "source.tokenizer.json", "target.tokenizer.json", "lengths.json"
UNCUT = 10**9  # pieces
AT_ONCE = 256  # parts of sources that are searched together
MORE = 10  # pieces that a translation may have beyond its share of the source
LOOKED_AT = 0.1  # attention in all from which on a piece of the source was looked at
UNUSUAL, COVERED, FEW = 2.0, 0.5, 5  # factor of length, share of the source, pieces: beyond these it is suspicious
TER_WORDS = 1000  # of a sentence from which on TER would take minutes
NOTES = {"cut": "inputs were longer than --max-length: cut, translated in parts, and joined"}


@dataclass(frozen=True)
class Config:
    """What makes the model."""

    vocabulary: str = option(
        "auto",
        "joint: source and target share pieces and embeddings; auto is joint where they share most characters.",
        choices=("auto", "joint", "separate"),
        group="Text",
    )
    vocab_size: int | None = option(
        None,
        "Pieces of a vocabulary; by default one for 90 words of the corpus, 500 to 16,000.",
        group="Text",
        low=300,
        main=True,
    )
    pieces: str = option("bpe", "Kind of the pieces.", choices=("bpe", "unigram"), group="Text")
    normalize: str = option(
        "nfc", f"Steps of normalisation, joined by commas: {', '.join(normalize.STEPS)}; or none.", group="Text"
    )
    bpe_dropout: float = option(
        0.0,
        "Share of the merges passed over in training, so that each time a text has other pieces; for bpe.",
        group="Text",
        low=0.0,
        high=0.9,
    )
    longest: int = option(
        200, "Pairs with more pieces than this on either side are left out of training.", group="Text", low=1
    )
    dimension: int = option(256, "Size of the embeddings.", low=1)
    hidden: int = option(256, "Size of the encoder's LSTM, in each direction.", low=1, main=True)
    layers: int = option(1, "Layers of the encoder.", low=1, high=8)
    decoder_hidden: int = option(512, "Size of the decoder's LSTMs.", low=1)
    decoder_layers: int = option(2, "Layers of the decoder: one below the attention, the others above.", low=2, high=8)
    attention: str = option("additive", "How the decoder looks at the source.", choices=("additive", "general", "dot"))
    dropout: float = option(0.3, "Dropout of inputs, between layers and of outputs.", low=0.0, high=0.95, main=True)
    smoothing: float = option(0.1, "Label smoothing.", low=0.0, high=0.95)
    init: str = option("orthogonal", "Of the recurrent weights.", choices=("orthogonal", "xavier"))


@dataclass(frozen=True)
class Search:
    """What shapes a result."""

    beam: int = option(5, "Hypotheses under way at once; 1 is greedy.", group="Search", low=1, high=100)
    nbest: int = option(1, "Translations of each input, best first; in text one is printed.", group="Output", low=1)
    length_penalty: float = option(
        1.0, "Alpha of the length penalty (Wu et al. 2016); 0 for none.", group="Search", low=-10.0, high=10.0
    )
    coverage_penalty: float = option(0.0, "Beta of the coverage penalty; 0 for none.", group="Search", low=0.0)
    prune: float = option(
        1.0,
        "Hypotheses are dropped whose log-probability is this far under the best one's, or the --nbest-th's; 0: none.",
        group="Search",
        low=0.0,
    )
    no_repeat: int = option(0, "An n-gram of so many pieces comes only once; 0 for no rule.", group="Search", low=0)
    least_ratio: float = option(
        0.0, "Fewest pieces of a translation, for each of the source.", group="Search", low=0.0, high=100.0
    )
    most_ratio: float = option(
        2.0, "Most pieces of a translation, for each of the source, and ten more.", group="Search", low=0.0, high=100.0
    )
    max_length: int | None = option(
        None,
        "Pieces of a source from which on it is cut; by default twice the longest in training.",
        group="Search",
        low=2,
    )
    prefix: str = option("", "Text that every translation begins with.", group="Search")
    sample: bool = option(False, "Draw translations at random instead of searching the best.", group="Search")
    temperature: float = option(1.0, "Of sampling: under 1 nearer the most probable.", group="Search", low=0.01)
    top_k: int = option(0, "Sample from the K most probable pieces; 0 for all.", group="Search", low=0)
    top_p: float = option(
        1.0, "Sample from the fewest pieces with this probability.", group="Search", low=0.001, high=1.0
    )
    sampling_seed: int = option(1, "Seed of sampling.", group="Search", low=0)
    tokenize: str | None = option(
        None,
        "Tokenisation of BLEU in eval.",
        group="Scoring",
        choices=("13a", "zh", "char", "intl", "ja-mecab", "none"),
    )
    lowercase: bool = option(False, "Compare in lower case in eval.", group="Scoring")
    reference: str | None = option(
        None, "Score these translations, one a line, instead of searching.", group="Input", metavar="FILE"
    )
    attention: str | None = option(
        None, "Write a picture of each sentence's attention to this folder.", group="Output", metavar="DIR"
    )


@dataclass(frozen=True)
class Found:
    """One translation: its text and pieces, what it is ranked by, and where it looked, (T, S) for each part."""

    text: str
    score: float
    pieces: tuple[str, ...] = ()
    attention: tuple[np.ndarray, ...] = ()


@dataclass(frozen=True)
class Prediction:
    """The best translation and others, the pieces of the source, and what is to be noted of it."""

    best: Found
    others: tuple[Found, ...]
    source: tuple[str, ...]
    notes: tuple[str, ...] = ()
    coverage: float = 1.0  # share of the source's pieces that were looked at
    ratio: float = 1.0  # pieces of the translation for each of the source


@dataclass(frozen=True)
class Codec:
    """Pieces of source and target; longest: pieces of the longest source in training; ratio: of target to source."""

    source: tokenizer.Tokenizer
    target: tokenizer.Tokenizer
    longest: int
    ratio: float
    tokenize: str  # of BLEU, as suits the target
    limit: int | None = None  # pieces from which on a source is cut, where not twice the longest
    scored: str | None = None  # the tokenisation of BLEU that was asked for
    lowercase: bool = False
    merge_dropout: float = 0.0

    @property
    def joint(self) -> bool:
        """Return whether source and target have the same pieces."""
        return self.source is self.target

    def encode(self, example: Example, *, fitted: bool = False) -> dict[str, Any]:
        """Return a row: the pieces of the source, in parts if it is long, those of the target, and the lengths."""
        parts = self.parts(example.source)
        target = self.target.encode([example.target])[0] if example.target else []
        return {
            "source": [[*part, tokenizer.END] for part in parts],
            "target": target,
            "texts": [example.source, example.target] if fitted and self.merge_dropout else [],
            "lengths": [max(map(len, parts)) + 1, len(target) + 1],
        }

    @functools.cached_property
    def samplers(self) -> tuple[bpe_dropout.Sampler, bpe_dropout.Sampler]:
        """What draws the pieces of a source and of a target in training."""
        return bpe_dropout.Sampler(self.source, self.merge_dropout), bpe_dropout.Sampler(
            self.target, self.merge_dropout
        )

    def parts(self, text: str) -> list[list[int]]:
        """Return the pieces of a text; of one that is too long those of its parts, each within the limit."""
        whole = self.source.encode([text])[0]
        most = self.limit or 2 * self.longest
        if len(whole) <= most:
            return [whole]
        normal = self.source.normal(text)  # no letter is cut from the accent that becomes one with it
        filled = [part.strip() for part in segmentation.parts(normal, self._sizes, most) if part.strip()]
        found = self.source.encode(filled)
        return [ids[start : start + most] for ids in found for start in range(0, len(ids), most)] or [[]]

    def _sizes(self, texts: Sequence[str]) -> list[int]:
        return list(map(len, self.source.encode(texts)))

    def features(self) -> dict[str, Any]:
        """Return the Arrow types of a row."""
        import datasets

        numbers = datasets.List(datasets.Value("int32"))
        texts = datasets.List(datasets.Value("string"))
        return {"source": datasets.List(numbers), "target": numbers, "texts": texts, "lengths": numbers}

    def save(self, folder: Path) -> list[str]:
        """Write the tokenizers and what is known of lengths; return the files' names."""
        self.source.save(folder / (JOINT if self.joint else SOURCE))
        if not self.joint:
            self.target.save(folder / TARGET)
        about = {"longest": self.longest, "ratio": self.ratio, "tokenize": self.tokenize}
        jsonl.write_json(folder / ABOUT, about)
        return [ABOUT, *((JOINT,) if self.joint else (SOURCE, TARGET))]


def load_codec(folder: Path, config: Config) -> Codec:
    """Return the codec of a model folder."""
    about = jsonl.read_json(folder / ABOUT)
    if (folder / JOINT).exists():
        source = target = tokenizer.Tokenizer.load(folder / JOINT)
    else:
        source, target = (tokenizer.Tokenizer.load(folder / name) for name in (SOURCE, TARGET))
    known = about["longest"], about["ratio"], about["tokenize"]
    return Codec(source, target, *known, merge_dropout=config.bpe_dropout)


def suited(codec: Codec, search: Search) -> Codec:
    """Return the codec as a search wants it."""
    limit = UNCUT if search.reference else search.max_length
    return replace(codec, limit=limit, lowercase=search.lowercase, scored=search.tokenize)


def read(source: schema.Source, config: Config) -> examples.Examples:
    """Return pairs; those with a blank side are left out, and counted the first time."""
    told: list[int] = []

    def make() -> Iterator[Example]:
        blank = 0
        for record in readers.records(source, ROLES, targets=True):
            source_text, target = _text(record, ROLES[0]), _text(record, ROLES[1])
            if source_text.strip() and target.strip():
                yield Example(source_text, target, record.raw, record.file, record.line)
            else:
                blank += bool(source_text.strip() or target.strip())
        if blank and not told:
            told.append(blank)
            log.warning("%s: %d pairs with one blank side are left out", source.title, blank)

    return examples.Examples(make)


def read_inputs(source: schema.Source, config: Config, search: Search) -> Iterator[Example]:
    """Yield sources to translate; with the translations to score, where there are such."""
    found = (example(record, search) for record in readers.records(source, ROLES, targets=False))
    yield from found if search.reference is None else _with_references(found, search.reference, source)


def _with_references(found: Iterator[Example], path: str, source: schema.Source) -> Iterator[Example]:
    """Each source with its line of the references; with a blank one it counts as blank."""
    if path == files.STDIN and files.STDIN in source.paths:
        raise errors.UsageError("- (stdin) can be read once only")
    name, lines = files.name(path), files.lines(path, source.encoding)
    number = 0
    for number, one in enumerate(found, 1):
        if (line := next(lines, None)) is None:
            raise errors.DataError(f"{name}: has {number - 1} lines, fewer than {source.title}")
        yield replace(one, target=line, source=one.source if line.strip() else "")
    if next(lines, None) is not None:
        raise errors.DataError(f"{name}: has more lines than {source.title}, which has {number}")


def example(record: formats.Record, search: Search) -> Example:
    """Return the source of a record."""
    return Example(_text(record, ROLES[0]), None, record.raw, record.file, record.line)


def _text(record: formats.Record, role: str) -> str:
    text = record.values[role]
    if not isinstance(text, str):
        raise errors.DataError(f"{record.where}: the {role} is a {type(text).__name__}, expected a string")
    return text


split = examples.random_split


def fits(row: Mapping[str, Any], config: Config) -> bool:
    """Return whether a row can be learnt from: it is not too long."""
    return len(row["source"]) == 1 and max(row["lengths"]) <= config.longest + 1


def fit(corpus: examples.Examples, config: Config, given: Mapping[str, Any]) -> tuple[Config, Codec]:
    """Return the config and the codec fitted on the training part.

    given: `codec`, to go on with another model's pieces; or `tokenizers`, one for both sides, or one for each. Raises
    `DataError` where there is nothing to learn.
    """
    if next(iter(corpus), None) is None:
        raise errors.DataError("the training part is empty: no pairs")
    if "codec" in given:
        known = given["codec"]
        lengths = _lengths(corpus, known.source, known.target, config)
        return config, replace(known, longest=max(known.longest, lengths.longest))
    if tokenizers := given.get("tokenizers"):
        source, target = tokenizers[0], tokenizers[-1]
        config = replace(config, vocabulary="joint" if len(tokenizers) == 1 else "separate")
    else:
        config, source, target = _pieces(corpus, config)
    lengths = _lengths(corpus, source, target, config)
    known = lengths.longest, lengths.ratio, bitext.tokenization(corpus)
    codec = Codec(source, target, *known, merge_dropout=config.bpe_dropout)
    if config.bpe_dropout:
        _ = codec.samplers  # raises where the pieces are of another kind
    return config, codec


def _pieces(corpus: examples.Examples, config: Config) -> tuple[Config, tokenizer.Tokenizer, tokenizer.Tokenizer]:
    """Return the config with the kind and the size of the vocabulary, and the tokenizers of both sides."""
    vocabulary, size = bitext.settled(corpus)
    if config.vocabulary != "auto":
        vocabulary = config.vocabulary
    size = config.vocab_size or size
    both = bitext.trained(
        corpus, joint=vocabulary == "joint", kind=config.pieces, size=size, normalization=config.normalize
    )
    return replace(config, vocabulary=vocabulary, vocab_size=size), *both


def _lengths(
    corpus: examples.Examples, source: tokenizer.Tokenizer, target: tokenizer.Tokenizer, config: Config
) -> bitext.Lengths:
    """The lengths of the pairs that can be learnt from; says how many cannot."""
    found = bitext.lengths(corpus, source, target, config.longest)
    if not found.kept:
        raise errors.DataError(f"no pair has at most {config.longest} pieces on either side", "a greater --longest")
    if found.left_out:
        log.warning("%d pairs have more than %d pieces on a side: left out of training", found.left_out, config.longest)
    return found


def resolve(config: Config, codec: Codec) -> Config:
    """Return the config as it is: nothing in it is left open."""
    return config


def collate(columns: Mapping[str, list[Any]], widths: padding.Edge, codec: Codec) -> translator.Batch:
    """Return a batch of pairs; a source in parts is several sentences."""
    import torch

    from seqnlp.nn import loss
    from seqnlp.tasks.translate import network as translator

    parts, targets = [part for row in columns["source"] for part in row], columns["target"]
    if any(columns["texts"]):
        parts, targets = _drawn(columns["texts"], codec)
        widths = padding.round_up(max(map(len, parts))), padding.round_up(max(map(len, targets)) + 1)
    arrays = {
        "source": padding.pad(parts, widths[0]),
        "lengths": np.array([len(part) for part in parts]),
        "inputs": padding.pad([[tokenizer.START, *row] for row in targets], widths[1]),
        "outputs": padding.pad([[*row, tokenizer.END] for row in targets], widths[1], loss.IGNORED),
    }
    return translator.Batch(**{name: torch.from_numpy(array) for name, array in arrays.items()})


def _drawn(texts: Sequence[Sequence[str]], codec: Codec) -> tuple[list[list[int]], list[list[int]]]:
    """Pieces of sources and targets, drawn anew by the seed of the step."""
    from seqnlp.training import randomness

    generator = random.Random(randomness.draw_seed())
    source, target = codec.samplers
    drawn = [(source.encode(one, generator), target.encode(other, generator)) for one, other in texts]
    return [[*one, tokenizer.END] for one, _ in drawn], [other for _, other in drawn]


def batches(
    rows: data.Rows, config: Config, codec: Codec, training: Training, plan: buckets.Plan | None
) -> data.Batches:
    """Return the rows in buckets by length."""
    return data.in_buckets(rows, training, plan, lambda columns, widths: collate(columns, widths, codec))


def build(config: Config, codec: Codec) -> nn.Module:
    """Return the network of a config."""
    from seqnlp.tasks.translate import network as translator

    return translator.Translator(
        source_vocabulary=len(codec.source),
        target_vocabulary=len(codec.target),
        dimension=config.dimension,
        hidden=config.hidden,
        layers=config.layers,
        decoder_hidden=config.decoder_hidden,
        decoder_layers=config.decoder_layers,
        attention=config.attention,
        dropout=config.dropout,
        smoothing=config.smoothing,
        init=config.init,
        shared=codec.joint,
    )


def initialise(network: nn.Module, config: Config, codec: Codec) -> None:
    """Leave the network as chance made it."""


def predict(
    networks: Sequence[nn.Module],
    codec: Codec,
    batch: translator.Batch,
    columns: Mapping[str, list[Any]],
    search: Search,
) -> list[Prediction]:
    """Return one prediction a row: the search's results, parts of one source joined."""
    parts = [part for row in columns["source"] for part in row]
    prefixes = _prefixes(columns, codec, search)
    found: list[list[hypotheses.Hypothesis]] = []
    size = max(AT_ONCE, len(columns["source"]))
    for first in range(0, len(parts), size):
        some = slice(first, first + size)
        found += _search(networks, batch.source[some], batch.lengths[some], parts[some], prefixes[some], search)
    if not all(found):
        raise errors.UsageError(
            "no translation keeps all rules of the search", "a smaller --least-ratio or --no-repeat"
        )
    rest = iter(found)
    return [_prediction([next(rest) for _ in row], row, codec) for row in columns["source"]]


def _prefixes(columns: Mapping[str, list[Any]], codec: Codec, search: Search) -> list[list[int]]:
    """The pieces that the translation of each part must begin with: --prefix at the beginning of a source."""
    if search.reference:
        return columns["target"]  # all of it; no source is in parts
    prefix = codec.target.encode([search.prefix])[0]
    return [[] if number else prefix for row in columns["source"] for number in range(len(row))]


def _search(
    networks: Sequence[Any],
    source: torch.Tensor,
    lengths: torch.Tensor,
    parts: Sequence[Sequence[int]],
    prefixes: Sequence[Sequence[int]],
    search: Search,
) -> list[list[hypotheses.Hypothesis]]:
    """The hypotheses for each part of a source, best first."""
    from seqnlp.decoding import beam, ensemble, ranking, sampling

    states = [network.begin(source, lengths) for network in networks]
    steps = [network.step for network in networks]
    step, state = (steps[0], states[0]) if len(networks) == 1 else (ensemble.average(steps), ensemble.join(states))
    rules = _constraints(lengths, prefixes, search)
    if search.sample:
        return sampling.sample(
            step,
            state,
            rules,
            samples=search.nbest,
            temperature=search.temperature,
            filters=(sampling.TopK(search.top_k), sampling.TopP(search.top_p)),
            seed=search.sampling_seed,
            numbers=[zlib.crc32(np.array(part).tobytes()) for part in parts],
            attention=True,
        )
    return beam.search(
        step,
        state,
        rules,
        size=1 if search.reference else max(search.beam, search.nbest),
        nbest=search.nbest,
        ranking=ranking.Ranking(search.length_penalty, search.coverage_penalty),
        prune_threshold=search.prune,
        attention=True,
    )


def _constraints(lengths: torch.Tensor, prefixes: Sequence[Sequence[int]], search: Search) -> constraints.Constraints:
    """What the translations of sources of these lengths may look like."""
    from seqnlp.decoding import constraints

    rules: list[constraints.Constraint] = [
        constraints.ForcedPrefix(prefixes, lengths.device),
        constraints.BannedTokens((tokenizer.PAD, tokenizer.UNK, tokenizer.START)),
    ]
    if search.reference:
        max_length = lengths.new_zeros(len(lengths))  # and what is forced
    else:
        max_length = (lengths * search.most_ratio).long() + MORE
        rules.append(constraints.MinLength((lengths * search.least_ratio).long()))
        if search.no_repeat:
            rules.append(constraints.NoRepeatNgram(search.no_repeat))
    return constraints.Constraints(tokenizer.START, tokenizer.END, max_length, rules)


def _prediction(
    parts: Sequence[Sequence[hypotheses.Hypothesis]], source: Sequence[Sequence[int]], codec: Codec
) -> Prediction:
    """A prediction from the hypotheses for each part of its source; of several parts only the best are joined."""
    names = codec.source.names
    found = _found([nbest[0] for nbest in parts], source, codec)
    looked = np.concatenate([weights.sum(0)[:-1] for weights in found.attention]) >= LOOKED_AT  # without the ends
    return Prediction(
        found,
        tuple(_found([one], source, codec) for one in parts[0][1:]) if len(parts) == 1 else (),
        tuple(names[i] for part in source for i in part),
        ("cut",) if len(parts) > 1 else (),
        round(float(looked.mean()), 4) if len(looked) else 1.0,
        round(len(found.pieces) / max(len(looked), 1), 4),
    )


def _found(parts: Sequence[hypotheses.Hypothesis], source: Sequence[Sequence[int]], codec: Codec) -> Found:
    """One translation from a hypothesis for each part of the source."""
    names, glue = codec.target.names, " " if codec.tokenize == "13a" else ""
    texts = [codec.target.decode(one.tokens).replace("\n", " ").strip() for one in parts]
    return Found(
        glue.join(filter(None, texts)),
        sum(one.score for one in parts),
        tuple(names[i] for one in parts for i in one.tokens),
        tuple(np.asarray(one.attention)[:, : len(part)] for one, part in zip(parts, source, strict=True)),
    )


def value(example: Example, prediction: Prediction, codec: Codec) -> dict[str, Any]:
    """Return what jsonl holds under the task's name: text, score, n-best, attention, and what is suspicious."""
    best = prediction.best
    attention = {
        "source": prediction.source,
        "target": best.pieces,
        "weights": [part.astype(np.float64).round(3).tolist() for part in best.attention],
    }
    return {
        "text": best.text,
        "score": round(best.score, 4),
        "nbest": [{"text": one.text, "score": round(one.score, 4)} for one in (best, *prediction.others)],
        "quality": {
            "length_ratio": prediction.ratio,
            "coverage": prediction.coverage,
            "flags": _flags(prediction, codec),
        },
        "attention": attention,
    }


def _flags(prediction: Prediction, codec: Codec) -> list[str]:
    """What makes a translation suspicious: its length, or a source that was hardly looked at."""
    usual = prediction.ratio / codec.ratio
    found = {"short": usual < 1 / UNUSUAL, "long": usual > UNUSUAL, "uncovered": prediction.coverage < COVERED}
    return [name for name, holds in found.items() if holds and len(prediction.source) > FEW]


def write(example: Example, prediction: Prediction | None, output: str, search: Search, codec: Codec) -> str:
    """Return the translation as a line; with --reference the score of the one that was given."""
    if prediction is None:
        return ""
    return f"{prediction.best.score:.6f}" if search.reference else prediction.best.text


def score(
    corpus: Sequence[Example], predictions: Sequence[Prediction], codec: Codec, *, intervals: bool = True
) -> tuple[list[base.Score], dict[str, Any]]:
    """Return BLEU, chrF, TER, ROUGE and exact matches; without intervals, as in training, only the first two."""
    found, gold = [prediction.best.text for prediction in predictions], [example.target for example in corpus]
    names = ("bleu", "chrf", "ter") if intervals and not _endless(found, gold) else ("bleu", "chrf")
    tokenize = codec.scored or codec.tokenize
    scores = translation.score(
        found, gold, tokenize=tokenize, lowercase=codec.lowercase, names=names, intervals=intervals
    )
    if not intervals:
        return scores, {}
    exact = base.from_means({"exact_match": [_equal(*pair, codec) for pair in zip(found, gold, strict=True)]})
    return [*scores, *rouge.score(found, gold), *exact], {}


def _endless(found: Sequence[str], gold: Sequence[str]) -> bool:
    """Whether a sentence is too long for TER, which is then left out."""
    longest = max(min(one.count(" "), other.count(" ")) + 1 for one, other in zip(found, gold, strict=True))
    if longest > TER_WORDS:
        log.warning("a sentence and its translation have %d words or more: TER would take too long", longest)
    return longest > TER_WORDS


def _equal(found: str, gold: str, codec: Codec) -> bool:
    found, gold = found.strip(), gold.strip()
    return found.lower() == gold.lower() if codec.lowercase else found == gold


def mistakes(corpus: Sequence[Example], predictions: Sequence[Prediction], codec: Codec) -> list[dict[str, Any]]:
    """Return the translations that are not the reference, those with the least sentence BLEU first."""
    tokenize = codec.scored or codec.tokenize
    wrong = [
        {
            "where": example.where,
            "bleu": round(translation.sentence(prediction.best.text, example.target, tokenize=tokenize), 2),
            "gold": example.target,
            "predicted": prediction.best.text,
            "source": example.source,
        }
        for example, prediction in zip(corpus, predictions, strict=True)
        if not _equal(prediction.best.text, example.target, codec)
    ]
    return sorted(wrong, key=lambda mistake: float(str(mistake["bleu"])))
