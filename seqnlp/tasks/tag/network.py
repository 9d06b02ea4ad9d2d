"""The tagger's network: words, their hashed features and characters; recurrent layers; a CRF over the tags."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import nn
from torch.nn import functional

from seqnlp import errors
from seqnlp.nn import crf, loss, recurrent
from seqnlp.nn import dropout as dropouts
from seqnlp.preprocess.text import tokenizer
from seqnlp.tasks import base
from seqnlp.tasks import encoder as encoders
from seqnlp.tasks.tag.options import Config


@dataclass(frozen=True)
class Batch(base.Batch):
    """Sentences as tensors; what is known of a word's form stands once for each of the U distinct ones."""

    words: torch.Tensor  # (B, S)
    lengths: torch.Tensor  # (B,)
    forms: torch.Tensor  # (B, S), each word's number among the distinct ones
    char_ngrams: torch.Tensor  # those of the distinct words, flat
    char_ngram_offsets: torch.Tensor  # (U,)
    affixes: torch.Tensor  # affixes and shapes of the distinct words, flat
    affix_offsets: torch.Tensor  # (U,)
    characters: torch.Tensor  # (U, L), or none where nobody reads them
    sizes: torch.Tensor  # (U,), characters of each distinct word
    tags: torch.Tensor | None = None  # (B, S)


class Forms(nn.Module):
    """What a word's form says: a vector for each distinct word from its n-grams, its surface, its characters."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        buckets, sizes = config.char_ngram_buckets, (config.char_ngram_embedding_size, config.affix_embedding_size)
        self.char_ngrams, self.affixes = (_bag(buckets, size) if buckets else None for size in sizes)
        read = CHAR_ENCODERS.get(config.char_encoder)
        self.characters = read(config.char_embedding_size) if read else None
        self.outputs: int = sum(sizes) * bool(buckets) + (self.characters.outputs if self.characters else 0)

    def forward(self, batch: Batch) -> torch.Tensor:
        """Return (U, F)."""
        parts = []
        if self.char_ngrams is not None and self.affixes is not None:
            parts.append(self.char_ngrams(batch.char_ngrams, batch.char_ngram_offsets))
            parts.append(self.affixes(batch.affixes, batch.affix_offsets))
        if self.characters is not None:
            parts.append(self.characters(batch.characters, batch.sizes).float())
        return torch.cat(parts, dim=1)


def _bag(buckets: int, size: int) -> nn.EmbeddingBag:
    bag = nn.EmbeddingBag(buckets, size, mode="mean", sparse=True)
    nn.init.normal_(bag.weight, std=0.3)
    return bag


ALPHABET = 2048  # buckets of characters, by code point
MAX_CHARACTERS = 100  # of a word that are read: one of thousands would make the others wait


def characters(words: Sequence[str]) -> list[list[int]]:
    """Return the buckets of the characters of each word, at least one."""
    return [[ord(c) % ALPHABET for c in word[:MAX_CHARACTERS]] or [0] for word in words]


class CharLstm(nn.Module):
    """A word read by a bidirectional LSTM over its characters (Lample et al. 2016, section 4.1)."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(ALPHABET, size)
        self.encoder = recurrent.Encoder(size, size)
        self.outputs = self.encoder.outputs

    def forward(self, characters: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        """Return (U, F); characters: (U, L)."""
        state: recurrent.State = self.encoder(self.embedding(characters), lengths)[1]
        return state["hidden"][:, -1]


class CharCnn(nn.Module):
    """A word seen through windows of three characters, the strongest of each kind (Ma & Hovy 2016, section 2.1)."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(ALPHABET, size)
        self.outputs = 2 * size
        self.window = nn.Conv1d(size, self.outputs, kernel_size=3, padding=1)

    def forward(self, characters: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        """Return (U, F); characters: (U, L)."""
        mask = recurrent.step_mask(lengths, characters.size(1)).unsqueeze(2)
        seen = self.window((self.embedding(characters) * mask).transpose(1, 2)).transpose(1, 2)  # (U, L, F)
        return torch.tanh(seen.masked_fill(~mask, -torch.inf).amax(1))


CHAR_ENCODERS: dict[str, Any] = {"lstm": CharLstm, "cnn": CharCnn}


def _fix(chain: crf.Crf) -> None:
    """Make a CRF's scores zeros that are not learnt: it then knows only what is legal."""
    for name, scores in list(chain.named_parameters()):
        delattr(chain, name)
        chain.register_buffer(name, torch.zeros(scores.shape), persistent=False)


def joined(networks: Sequence[nn.Module], batch: Batch) -> tuple[Tagger, torch.Tensor]:
    """Return a tagger and emissions for it: of several networks the mean of all scores.

    Raises `ModelError` where some have a chain and others have none: their scores cannot be added.
    """
    taggers = [cast(Tagger, network) for network in networks]
    if len({tagger.chain for tagger in taggers}) > 1:
        raise errors.ModelError("an ensemble of --head crf and softmax", "all of its models need the same head")
    emissions = torch.stack([tagger.emissions(batch) for tagger in taggers]).mean(0)
    first = taggers[0]
    if len(taggers) == 1:
        return first, emissions
    if not first.chain:
        return first, emissions.log_softmax(2)
    mean = copy.copy(first)
    mean._modules = {**first._modules, "crf": copy.deepcopy(first.crf)}
    for name, scores in mean.crf.named_parameters():
        scores.data = torch.stack([dict(tagger.crf.named_parameters())[name] for tagger in taggers]).mean(0)
    return mean, emissions


class Tagger(nn.Module):
    """A tag for each word: stacked BiLSTMs and a linear-chain CRF (Huang et al. 2015), or a softmax for each word."""

    def __init__(
        self,
        config: Config,
        *,
        vocabulary: int,
        tags: int,
        rare: int,
        legal: tuple[torch.Tensor, torch.Tensor, torch.Tensor],
    ) -> None:
        """Build the network: rare: words from this id on were seen once; legal: see `Crf`, tags, begin and end."""
        super().__init__()
        self.rare, self.word_dropout, self.label_smoothing = rare, config.word_dropout, config.label_smoothing
        self.chain = config.head == "crf"
        forms = Forms(config)
        self.words = nn.Embedding(vocabulary, config.embedding_size, sparse=True)
        nn.init.normal_(self.words.weight, std=0.1)
        self.forms = forms
        self.input_dropout = dropouts.LockedDropout(config.dropout)
        self.encoder = encoders.encoder(config.embedding_size + self.forms.outputs, config)
        self.dropout = dropouts.LockedDropout(config.dropout)
        self.output = nn.Linear(self.encoder.outputs, tags)
        self.crf = crf.Crf(tags, legal=legal[0], begin=legal[1], end=legal[2])
        self.free = bool(torch.cat([part.flatten() for part in legal]).all()) and not self.chain
        if not self.chain:
            _fix(self.crf)

    def emissions(self, batch: Batch) -> torch.Tensor:
        """Return the tags' scores for each word (B, S, C), in fp32; without a chain they are log-probabilities."""
        words = self._words(batch.words)
        forms = functional.embedding(batch.forms, self.forms(batch)) if self.forms.outputs else words[..., :0]
        features = self.input_dropout(torch.cat([words, forms], dim=2))  # (B, S, D + F)
        outputs, _ = self.encoder(features, batch.lengths)
        with torch.autocast(outputs.device.type, enabled=False):
            scores: torch.Tensor = self.output(self.dropout(outputs).float())
        return scores if self.chain else scores.log_softmax(2)

    def _words(self, words: torch.Tensor) -> torch.Tensor:
        """The words' vectors; in training a rare word is unknown now and then, so that the unknown one is learnt."""
        if self.training and self.word_dropout:
            kept = dropouts.kept(self.words.weight, words.shape, self.word_dropout)
            words = words.masked_fill((kept == 0) & (words >= self.rare), tokenizer.UNK)
        vectors: torch.Tensor = self.words(words)
        return vectors

    def decode(self, emissions: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        """Return the best legal tags (B, S), 0 past the lengths."""
        if self.free:
            return emissions.argmax(2) * recurrent.step_mask(lengths, emissions.size(1))
        return self.crf.decode(emissions, lengths)[0]

    def marginals(self, emissions: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        """Return the tags' probabilities at each word (B, S, C)."""
        return emissions.exp() if self.free else self.crf.marginals(emissions, lengths)

    def forward(self, batch: Batch, carry: None = None) -> loss.Loss:
        """Return the loss of a batch with tags, its weight the number of words."""
        assert batch.tags is not None
        scores = self.emissions(batch)
        if not self.chain:
            return loss.cross_entropy(scores.flatten(0, 1), batch.tags.flatten(), label_smoothing=self.label_smoothing)
        return loss.Loss(self.crf(scores, batch.tags, batch.lengths), batch.lengths.sum().to(scores.dtype))
