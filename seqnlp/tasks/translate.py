"""translate: from a sentence in one language to one in another, or from any sequence of pieces to any other."""

from __future__ import annotations

import collections
import functools
import logging
import re
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from seqnlp import errors, textio
from seqnlp.metrics import base, rouge, translation
from seqnlp.options import option
from seqnlp.preprocess import batch as batches
from seqnlp.preprocess import examples, formats, normalize, pieces, readers, tokenizer
from seqnlp.preprocess.examples import Example

if TYPE_CHECKING:
    from torch import nn

    from seqnlp import search as searches
    from seqnlp.nn import translator

log = logging.getLogger(__name__)

NAME = "translate"
ROLES = ("source", "target")
LINE = "source"
EPOCHS = 20
OPTIONS: dict[str, Any] = {"learning_rate": 2e-3, "ema": 0.999}
OUTPUTS = ("text", "jsonl")
SHOWN = ("source", "target")
JOINT, SOURCE, TARGET, ABOUT = "tokenizer.json", "source.tokenizer.json", "target.tokenizer.json", "lengths.json"
WORDS_A_PIECE, SMALLEST, LARGEST = 90, 500, 16_000  # of the corpus for a piece of the vocabulary; its bounds
UNCUT = 10**9  # pieces
ALIKE = 0.5  # share of the characters that two languages have in common, from which on they share their pieces
MORE = 10  # pieces that a translation may have beyond its share of the source
LOOKED_AT = 0.1  # attention in all from which on a piece of the source was looked at
UNUSUAL, COVERED, FEW = 2.0, 0.5, 5  # factor of length, share of the source, pieces: beyond these it is suspicious
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
    longest: int = option(
        200, "Pairs with more pieces than this on either side are left out of training.", group="Text", low=1
    )
    dimension: int = option(256, "Size of the embeddings.", low=1)
    hidden: int = option(256, "Size of the encoder's LSTM, in each direction.", low=1, main=True)
    layers: int = option(1, "Layers of the encoder.", low=1, high=8)
    decoder_hidden: int = option(512, "Size of the decoder's LSTMs.", low=1)
    decoder_layers: int = option(2, "Layers of the decoder: one below the attention, the others above.", low=2, high=8)
    attention: str = option("general", "How the decoder looks at the source.", choices=("additive", "general", "dot"))
    dropout: float = option(0.3, "Dropout of inputs, between layers and of outputs.", low=0.0, high=0.95, main=True)
    smoothing: float = option(0.1, "Label smoothing.", low=0.0, high=0.95)
    init: str = option("orthogonal", "Of the recurrent weights.", choices=("orthogonal", "xavier"))


@dataclass(frozen=True)
class Search:
    """What shapes a result."""

    beam: int = option(5, "Hypotheses under way at once; 1 is greedy.", group="Search", low=1, high=100)
    nbest: int = option(1, "Translations of each input, best first; in text one is printed.", group="Output", low=1)
    length_penalty: float = option(0.6, "Alpha of the length penalty (Wu et al. 2016); 0 for none.", group="Search")
    coverage_penalty: float = option(0.0, "Beta of the coverage penalty; 0 for none.", group="Search", low=0.0)
    no_repeat: int = option(0, "An n-gram of so many pieces comes only once; 0 for no rule.", group="Search", low=0)
    least_ratio: float = option(0.0, "Fewest pieces of a translation, for each of the source.", group="Search", low=0.0)
    most_ratio: float = option(
        2.0, "Most pieces of a translation, for each of the source, and ten more.", group="Search", low=0.0
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
        1.0, "Sample from the fewest pieces with this probability.", group="Search", low=0.0, high=1.0
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
    tokenize: str
    limit: int | None = None  # pieces from which on a source is cut, where not twice the longest
    lowercase: bool = False

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
            "lengths": [max(map(len, parts)) + 1, len(target) + 1],
        }

    def parts(self, text: str) -> list[list[int]]:
        """Return the pieces of a text; of one that is too long those of its parts, cut at sentence ends or blanks."""
        whole = self.source.encode([text])[0]
        limit = self.limit or 2 * self.longest
        return [whole] if len(whole) <= limit else list(_cut(text, self.source, limit))

    def features(self) -> dict[str, Any]:
        """Return the Arrow types of a row."""
        import datasets

        numbers = datasets.List(datasets.Value("int32"))
        return {"source": datasets.List(numbers), "target": numbers, "lengths": numbers}

    def save(self, folder: Path) -> list[str]:
        """Write the tokenizers and what is known of lengths; return the files' names."""
        self.source.save(folder / (JOINT if self.joint else SOURCE))
        if not self.joint:
            self.target.save(folder / TARGET)
        about = {"longest": self.longest, "ratio": self.ratio, "tokenize": self.tokenize}
        textio.write_json(folder / ABOUT, about)
        return [ABOUT, *((JOINT,) if self.joint else (SOURCE, TARGET))]


ENDS = (re.compile(r"(?<=[.!?…])\s+|(?<=[。！？])"), re.compile(r"\s+"))  # where a text is cut, best first


def _cut(text: str, source: tokenizer.Tokenizer, limit: int) -> Iterator[list[int]]:
    """Yield the pieces of the parts of a text: as many sentences as fit, of a long one as many words, else pieces."""

    def size(part: str) -> int:
        return len(source.encode([part])[0])

    for part in _grouped(text, size, limit, ENDS):
        ids = source.encode([part])[0]
        yield from (ids[start : start + limit] for start in range(0, len(ids), limit))


def _grouped(text: str, size: Any, limit: int, ends: Sequence[re.Pattern[str]]) -> Iterator[str]:
    """Yield parts of a text that fit the limit where its ends allow it."""
    if not ends or size(text) <= limit:
        yield text
        return
    gathered, held = "", 0
    for sentence in filter(None, ends[0].split(text)):
        more = size(sentence)
        if gathered and held + more > limit:
            yield gathered
            gathered, held = "", 0
        if more > limit:
            yield from _grouped(sentence, size, limit, ends[1:])
        else:
            gathered, held = f"{gathered} {sentence}".strip(), held + more
    if gathered:
        yield gathered


def load_codec(folder: Path, config: Config) -> Codec:
    """Return the codec of a model folder."""
    about = textio.read_json(folder / ABOUT)
    if (folder / JOINT).exists():
        source = target = tokenizer.Tokenizer.load(folder / JOINT)
    else:
        source, target = (tokenizer.Tokenizer.load(folder / name) for name in (SOURCE, TARGET))
    return Codec(source, target, about["longest"], about["ratio"], about["tokenize"])


def suited(codec: Codec, search: Search) -> Codec:
    """Return the codec as a search wants it."""
    tokenize = search.tokenize or codec.tokenize
    limit = UNCUT if search.reference else search.max_length
    return replace(codec, limit=limit, lowercase=search.lowercase, tokenize=tokenize)


def read(source: readers.Source, config: Config) -> examples.Examples:
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


def read_inputs(source: readers.Source, config: Config, search: Search) -> Iterator[Example]:
    """Yield sources to translate; with the translations to score, where there are such."""
    found = (example(record, search) for record in readers.records(source, ROLES[:1], targets=False))
    if search.reference is None:
        yield from found
        return
    lines = textio.lines(search.reference, source.encoding)
    number = 0
    for number, one in enumerate(found, 1):
        if (line := next(lines, None)) is None:
            raise errors.DataError(f"{search.reference}: has {number - 1} lines, fewer than {source.title}")
        yield replace(one, target=line, source=one.source if line.strip() else "")
    if next(lines, None) is not None:
        raise errors.DataError(f"{search.reference}: has more lines than {source.title}, which has {number}")


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
        return config, given["codec"]
    if tokenizers := given.get("tokenizers"):
        source, target = tokenizers[0], tokenizers[-1]
        config = replace(config, vocabulary="joint" if len(tokenizers) == 1 else "separate")
    else:
        config = _settled(corpus, config)
        source, target = _pieces(corpus, config)
    longest, ratio = _lengths(corpus, source, target, config.longest)
    return config, Codec(source, target, longest, ratio, _tokenization(corpus))


def _settled(corpus: examples.Examples, config: Config) -> Config:
    """Return the config with the kind and the size of the vocabulary."""
    letters: tuple[collections.Counter[str], ...] = (collections.Counter(), collections.Counter())
    words = 0
    for one in corpus:
        for counter, side in zip(letters, (one.source, one.target), strict=True):
            counter.update(side)
            words += side.count(" ") + 1
    totals = [sum(counter.values()) for counter in letters]
    alike = sum(min(letters[0][c] / totals[0], letters[1][c] / totals[1]) for c in letters[0])
    kind = ("joint" if alike >= ALIKE else "separate") if config.vocabulary == "auto" else config.vocabulary
    size = min(max(round(words / WORDS_A_PIECE, -2), SMALLEST), LARGEST)
    return replace(config, vocabulary=kind, vocab_size=config.vocab_size or int(size))


def _pieces(corpus: examples.Examples, config: Config) -> tuple[tokenizer.Tokenizer, tokenizer.Tokenizer]:
    assert config.vocab_size is not None
    train = functools.partial(pieces.train, kind=config.pieces, size=config.vocab_size, normalization=config.normalize)
    if config.vocabulary == "joint":
        both = train(side for one in corpus for side in (one.source, one.target))
        return both, both
    return train(one.source for one in corpus), train(one.target for one in corpus)


def _lengths(
    corpus: examples.Examples, source: tokenizer.Tokenizer, target: tokenizer.Tokenizer, most: int
) -> tuple[int, float]:
    """Return the pieces of the longest source that is learnt from, and of a target for each of its source's."""
    longest, totals = 1, [1, 1]
    for one in corpus:
        sizes = [len(source.encode([one.source])[0]), len(target.encode([one.target])[0])]
        if max(sizes) <= most:
            longest = max(longest, sizes[0])
            totals = [total + size for total, size in zip(totals, sizes, strict=True)]
    return longest, round(totals[1] / totals[0], 4)


def _tokenization(corpus: examples.Examples) -> str:
    """Return BLEU's tokenisation for the targets: by characters where there are no blanks between words."""
    seen = collections.Counter(c for _, one in zip(range(1000), corpus, strict=False) for c in one.target)
    han = sum(number for c, number in seen.items() if "\u3400" <= c <= "\u9fff")
    kana = sum(number for c, number in seen.items() if "\u3040" <= c <= "\u30ff")
    if 2 * (han + kana) < sum(seen.values()):
        return "13a"
    return "char" if kana > han / 10 else "zh"


def resolve(config: Config, codec: Codec) -> Config:
    """Return the config as it is: nothing in it is left open."""
    return config


def collate(columns: Mapping[str, list[Any]], widths: batches.Edge, codec: Codec) -> translator.Batch:
    """Return a batch of pairs; a source in parts is several sentences."""
    import torch

    from seqnlp.nn import loss, translator

    parts = [part for row in columns["source"] for part in row]
    arrays = {
        "source": batches.pad(parts, widths[0]),
        "lengths": np.array([len(part) for part in parts]),
        "inputs": batches.pad([[tokenizer.START, *row] for row in columns["target"]], widths[1]),
        "outputs": batches.pad([[*row, tokenizer.END] for row in columns["target"]], widths[1], loss.IGNORED),
    }
    return translator.Batch(**{name: torch.from_numpy(array) for name, array in arrays.items()})


def build(config: Config, codec: Codec) -> nn.Module:
    """Return the network of a config."""
    from seqnlp.nn import translator

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
    found = _search(networks, codec, batch, columns, search)
    predictions = []
    begin = 0
    for parts in columns["source"]:
        end = begin + len(parts)
        predictions.append(_prediction(found[begin:end], parts, codec))
        begin = end
    return predictions


def _search(
    networks: Sequence[Any], codec: Codec, batch: translator.Batch, columns: Mapping[str, list[Any]], search: Search
) -> list[list[searches.Hypothesis]]:
    """The hypotheses for each part of each source, best first."""
    from seqnlp import search as searches

    states = [network.begin(batch.source, batch.lengths) for network in networks]
    steps = [network.step for network in networks]
    step, state = (steps[0], states[0]) if len(networks) == 1 else (searches.ensemble(steps), searches.join(states))
    rules: dict[str, Any] = {
        "start": tokenizer.START,
        "end": tokenizer.END,
        "least": (batch.lengths * search.least_ratio).long(),
        "most": (batch.lengths * search.most_ratio).long() + MORE,
        "prefix": [codec.target.encode([search.prefix])[0]] * len(batch.lengths) if search.prefix else None,
        "no_repeat": search.no_repeat,
        "banned": (tokenizer.PAD, tokenizer.UNK, tokenizer.START),
        "attention": True,
    }
    if search.reference:
        sizes = [len(row) for row in columns["target"]]
        rules.update(prefix=columns["target"], most=batch.lengths.new_tensor(sizes), least=None, no_repeat=0)
    if search.sample:
        numbers = [zlib.crc32(np.array(part).tobytes()) for row in columns["source"] for part in row]
        rules.update(temperature=search.temperature, top_k=search.top_k, top_p=search.top_p)
        rules.update(seed=search.sampling_seed, numbers=numbers, samples=search.nbest)
        return searches.sample(step, state, len(batch.lengths), **rules)
    return searches.beam(
        step,
        state,
        len(batch.lengths),
        size=1 if search.reference else max(search.beam, search.nbest),
        nbest=search.nbest,
        length_penalty=search.length_penalty,
        coverage_penalty=search.coverage_penalty,
        **rules,
    )


def _prediction(
    parts: Sequence[Sequence[searches.Hypothesis]], source: Sequence[Sequence[int]], codec: Codec
) -> Prediction:
    """A prediction from the hypotheses for each part of its source; of several parts only the best are joined."""
    best = [hypotheses[0] for hypotheses in parts]
    names = codec.source.names
    pieces = tuple(names[i] for part in source for i in part)
    found = _found(best, source, codec)
    looked = np.concatenate([weights.sum(0) for weights in found.attention]) >= LOOKED_AT
    return Prediction(
        found,
        tuple(_found([one], source, codec) for one in parts[0][1:]) if len(parts) == 1 else (),
        pieces,
        ("cut",) if len(parts) > 1 else (),
        round(float(looked.mean()), 4),
        round(len(found.pieces) / len(pieces), 4),
    )


def _found(hypotheses: Sequence[searches.Hypothesis], source: Sequence[Sequence[int]], codec: Codec) -> Found:
    names, glue = codec.target.names, " " if codec.tokenize == "13a" else ""
    return Found(
        glue.join(codec.target.decode(one.tokens).replace("\n", " ").strip() for one in hypotheses),
        sum(one.score for one in hypotheses),
        tuple(names[i] for one in hypotheses for i in one.tokens),
        tuple(np.asarray(one.attention)[:, : len(part)] for one, part in zip(hypotheses, source, strict=True)),
    )


def value(example: Example, prediction: Prediction, codec: Codec) -> dict[str, Any]:
    """Return what jsonl holds under the task's name: text, score, n-best, attention, and what is suspicious."""
    best = prediction.best
    attention = {
        "source": prediction.source,
        "target": best.pieces,
        "weights": [part.round(3).tolist() for part in best.attention],
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
    names = ("bleu", "chrf", "ter") if intervals else ("bleu", "chrf")
    scores = translation.score(
        found, gold, tokenize=codec.tokenize, lowercase=codec.lowercase, names=names, intervals=intervals
    )
    if not intervals:
        return scores, {}
    equal = np.array([[one.strip() == other.strip()] for one, other in zip(found, gold, strict=True)], dtype=np.float64)
    exact = base.from_counts("exact_match", equal, lambda sums: 100 * sums[..., 0] / len(equal))
    return [*scores, *rouge.score(found, gold), exact], {}


def mistakes(corpus: Sequence[Example], predictions: Sequence[Prediction], codec: Codec) -> list[dict[str, Any]]:
    """Return the translations that are not the reference, those with the least sentence BLEU first."""
    wrong = [
        {
            "where": example.where,
            "bleu": round(translation.sentence(prediction.best.text, example.target, tokenize=codec.tokenize), 2),
            "gold": example.target,
            "predicted": prediction.best.text,
            "source": example.source,
        }
        for example, prediction in zip(corpus, predictions, strict=True)
        if prediction.best.text.strip() != example.target.strip()
    ]
    return sorted(wrong, key=lambda mistake: float(str(mistake["bleu"])))
