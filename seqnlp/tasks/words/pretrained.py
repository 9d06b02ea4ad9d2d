"""A language model to begin with: its words join the vocabulary; its embeddings and layers are a network's first ones.

After Dai & Le 2015, section 2: what a recurrent network has learnt from text without labels is where training begins.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, cast

from seqnlp import errors
from seqnlp.preprocess.text import tokenizer
from seqnlp.tasks import base
from seqnlp.tasks.words import options

if TYPE_CHECKING:
    from torch import nn

    from seqnlp.nn import layer, recurrent

ALIKE = ("cell", "embedding_size", "hidden_size")  # the settings that weights depend on
log = logging.getLogger(__name__)


def check(config: options.WordOptions, source: base.Pretrained) -> None:
    """Raise `ModelError` where weights of a language model do not fit, with the flags by which they would."""
    if source.config.level != "word":
        raise errors.ModelError(
            f"{source.name}: --pretrained takes a language model of words, not of level {source.config.level}",
            "seqnlp lm train --level word",
        )
    other = [name for name in ALIKE if getattr(config, name) != getattr(source.config, name)]
    if other:
        flags = " ".join(f"--{name.replace('_', '-')} {getattr(source.config, name)}" for name in other)
        raise errors.ModelError(f"{source.name}: --pretrained takes a model of the same cell and sizes", flags)


def words(source: base.Pretrained, known: tokenizer.Tokenizer) -> list[str]:
    """Return the words of a language model as a vocabulary has them, normalised, the most frequent first."""
    names = source.codec.tokens.names[tokenizer.END + 1 :]
    return [form for form in dict.fromkeys(map(known.normal, names)) if form]


def put(
    embedding: nn.Embedding,
    encoder: recurrent.Encoder,
    known: tokenizer.Tokenizer,
    config: options.WordOptions,
    source: base.Pretrained,
) -> None:
    """Put a language model's vectors into the rows of the words that it knows, and its layers into an encoder.

    The vectors become as long as the others, and the matrix that reads them makes up for it: the layers give what they
    gave, and training moves all vectors alike, where those of a language model, so much longer, would hardly be moved.
    A layer that reads in both directions takes a layer of each, where there is one that reads backward. What follows
    it reads both, which no layer of a language model does, and stays fresh. Raises `ModelError` as `check` does.
    """
    import torch

    check(config, source)
    own, theirs = _rows(known, source.codec.tokens)
    with torch.no_grad():
        vectors = source.network.embedding(torch.tensor(theirs, dtype=torch.long))
        longer = float(vectors.std(correction=0) / embedding.weight.std(correction=0)) if own else 1.0
        embedding.weight[own] = vectors / longer
    layers = cast("list[layer.Layer]", list(encoder.layers))
    readers = [source.network.encoder, source.network.backward_encoder][: layers[0].directions]
    readers = [reader for reader in readers if reader is not None]
    depth = 1 if layers[0].bidirectional else min(len(layers), len(readers[0].layers))
    for number in range(depth):
        for direction, reader in enumerate(readers):
            _copy(layers[number], reader.layers[number], direction, 1.0 if number else longer)
    log.info(
        "%s: %d of %d words begin with its vectors; %d of %d layers with its weights, %s",
        source.name,
        len(own),
        len(known) - len(tokenizer.SPECIALS),
        depth,
        len(layers),
        "forward and backward" if len(readers) > 1 else "forward",
    )


def _rows(known: tokenizer.Tokenizer, tokens: tokenizer.Tokenizer) -> tuple[list[int], list[int]]:
    """The ids of words in a vocabulary, and in that of a language model: the same word, or one that becomes it."""
    found: dict[int, int] = {}
    for number, name in enumerate(tokens.names[tokenizer.END + 1 :], tokenizer.END + 1):
        if (own := known.vocabulary.get(name)) is not None:
            found[own] = number
        elif (own := known.vocabulary.get(known.normal(name))) is not None:
            found.setdefault(own, number)
    return list(found), list(found.values())


def _copy(own: layer.Layer, theirs: layer.Layer, direction: int, scale: float) -> None:
    """Put the weights of a forward layer into a direction of another; of more inputs the others' stay fresh.

    scale: of the matrix that reads the inputs.
    """
    from seqnlp.nn import growth

    names = own.of_direction(direction)
    scales = {name: scale if name.startswith("weight_ih") else 1.0 for name in names}
    weights = {names[name]: weight * scales[name] for name, weight in theirs.state_dict().items()}
    growth.put(own, {**own.state_dict(), **weights})
