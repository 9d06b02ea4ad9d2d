"""The words of a training part: counted, cut to a vocabulary, and joined by those that have pretrained vectors."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from seqnlp import errors
from seqnlp.io import files as io_files
from seqnlp.preprocess.corpora import examples
from seqnlp.preprocess.text import cooccurrence, labels, tokenizer, word_vectors
from seqnlp.tasks import base
from seqnlp.tasks.words import options, pretrained
from seqnlp.training import data

if TYPE_CHECKING:
    from torch import nn

VECTORS = "vectors.safetensors"
MAX_TOKENS = 3_000_000  # that vectors of the corpus's own words are computed from: more takes long and tells little
log = logging.getLogger(__name__)

ConfigT = TypeVar("ConfigT", bound=options.WordOptions)


def splitter(
    config: options.WordOptions, given: Sequence[tokenizer.Tokenizer] | None, task: str
) -> tokenizer.Tokenizer:
    """Return the tokenizer that was given, or one without words that normalises and splits as the config says."""
    if given is None:
        return tokenizer.vocabulary({}, level="word", normalization=config.normalize)
    if len(given) != 1:
        raise errors.UsageError(f"{len(given)} tokenizers, but {task} needs one")
    return given[0]


def fitted(
    counts: Mapping[str, int],
    config: options.WordOptions,
    empty: tokenizer.Tokenizer,
    *,
    given: bool,
    source: base.Pretrained | None = None,
) -> tuple[tokenizer.Tokenizer, word_vectors.Vectors | None]:
    """Return the vocabulary of counted words, and of those that have a vector; and the vectors, where there are such.

    empty: it normalises; where it is `given` it is the vocabulary already. source: a language model whose words have
    vectors.
    """
    limits: dict[str, Any] = {
        "normalization": config.normalize,
        "size": config.vocab_size,
        "min_count": config.min_count,
    }
    made = empty if given else tokenizer.from_counts(counts, **limits)
    if source and not given:
        made = tokenizer.from_counts(counts, **limits, more=pretrained.words(source, empty))
    if not config.vectors:
        return made, None
    room = 0 if given else config.vocab_size - len(made)
    known = made.vocabulary if given else counts
    found = word_vectors.read(config.vectors, made.vocabulary, made.normal, room=room, known=known)
    if found.more:
        made = tokenizer.from_counts(counts, **limits, more=found.more)
    vectors = found.vectors(made.vocabulary)
    _report(config.vectors, vectors, made, found.passed_over)
    return made, vectors


def _report(path: str, vectors: word_vectors.Vectors, words: tokenizer.Tokenizer, passed_over: int) -> None:
    """Say in the log how many words have a vector; what was passed over is a warning."""
    with_vector = int((vectors.arrays[0] > tokenizer.END).sum())
    log.log(
        logging.WARNING if passed_over else logging.INFO,
        "%s: %d of %d words of the vocabulary have a vector of %d numbers%s",
        io_files.name(path),
        with_vector,
        len(words) - len(tokenizer.SPECIALS),
        vectors.size,
        f"; {passed_over} of its words passed over, not UTF-8" if passed_over else "",
    )


def split(parts: tuple[examples.Examples, examples.Examples], what: str) -> tuple[examples.Examples, examples.Examples]:
    """Return train and dev; says, or raises `DataError`, where one has only one label (what: class, tag)."""
    train, dev = parts
    for doubt in labels.after_split((e.target for e in train), (e.target for e in dev), what):
        log.warning(doubt)
    return train, dev


def grown(known: labels.Labels, found: labels.Labels, *, new: bool) -> labels.Labels:
    """Return the labels of a codec to go on with, and behind them those that were found besides, if `new` ones may be.

    Raises `DataError` where they may not.
    """
    more = [name for name in found.names if known.number(name) == labels.MISSING]
    if not new:
        known.require(found.names)
    if not more:
        return known
    log.info("labels that the model to start from does not know: %s; their weights start fresh", labels.shown(more))
    counts = dict(zip(found.names, found.counts, strict=True))
    return labels.Labels([*known.names, *more], [*known.counts, *(counts[name] for name in more)])


def resolved(config: ConfigT, vectors: word_vectors.Vectors | None) -> ConfigT:
    """Return the config with the size of the pretrained vectors."""
    return replace(config, embedding_size=vectors.size) if vectors else config


def put_vectors(embedding: nn.Embedding, vectors: word_vectors.Vectors | None) -> None:
    """Put pretrained vectors into an embedding, where there are such."""
    from seqnlp.nn import embedding as embeddings

    if vectors:
        embeddings.put(embedding, *vectors.arrays)


def put_own_vectors(embedding: nn.Embedding, rows: data.Rows) -> None:
    """Put vectors of the words into an embedding that follow from their neighbours in the rows, or in some of them."""
    from seqnlp.nn import embedding as embeddings
    from seqnlp.preprocess.corpora import arrow  # help need not wait for it

    step = math.ceil(int(rows.lengths.sum()) / MAX_TOKENS)
    chosen = np.arange(0, len(rows.lengths), step)
    parts = (chosen[start : start + arrow.CHUNK] for start in range(0, len(chosen), arrow.CHUNK))
    texts = (ids for part in parts for ids in rows.columns(part)["ids"])
    embeddings.put(embedding, *cooccurrence.vectors(texts, *embedding.weight.shape))


def save(vectors: word_vectors.Vectors | None, folder: Path) -> list[str]:
    """Write the vectors into a folder, where there are such; return the names of the files."""
    if vectors is None:
        return []
    vectors.save(folder / VECTORS)
    return [VECTORS]


def load(folder: Path, config: options.WordOptions) -> word_vectors.Vectors | None:
    """Return the vectors that `save` wrote, None where the config names none."""
    return word_vectors.Vectors.load(folder / VECTORS) if config.vectors else None


def source(config: options.WordOptions) -> tuple[str, str] | None:
    """Return the task and the folder of the model to begin with, where the settings name one."""
    return ("lm", config.pretrained) if config.pretrained else None


def files(config: options.WordOptions) -> list[str]:
    """Return the files that the settings name."""
    return [config.vectors] if config.vectors else []
