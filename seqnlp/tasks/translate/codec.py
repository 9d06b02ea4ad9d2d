"""The codec: subwords of source and target, and what is known of their lengths."""

from __future__ import annotations

import functools
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from seqnlp import options
from seqnlp.io import jsonl
from seqnlp.metrics import registry
from seqnlp.options import option
from seqnlp.preprocess.corpora.examples import Example
from seqnlp.preprocess.text import bpe_dropout, segmentation, tokenizer
from seqnlp.tasks import base
from seqnlp.tasks.seq2seq import codec
from seqnlp.tasks.seq2seq import options as seq2seq
from seqnlp.tasks.translate.options import Config, Search

if TYPE_CHECKING:
    import torch

JOINT, SOURCE, TARGET, ABOUT = "tokenizer.json", "source.tokenizer.json", "target.tokenizer.json", "lengths.json"
MORE = 10  # subwords that a translation may have beyond its share of the source
MAX_SUBWORDS = 5_000  # of a source that are translated: ten pages in one line
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class About:
    """What lengths.json holds."""

    longest: int = option(1, "Subwords of the longest source in training.", low=0)
    ratio: float = option(1.0, "Subwords of a target to those of its source.", low=0.0)
    tokenize: str = option("13a", "Tokenisation of BLEU that suits the target.", choices=registry.TOKENIZERS)


@dataclass(frozen=True)
class Codec(codec.Codec):
    """Subwords of source and target; longest: those of the longest source in training; ratio: of target to source."""

    source: tokenizer.Tokenizer
    target: tokenizer.Tokenizer
    longest: int
    ratio: float
    bleu_tokenize: str  # as suits the target
    max_source_length: int | None = None  # from which on a source is cut, if not twice the longest
    scored_tokenize: str | None = None  # the tokenisation of BLEU that was asked for
    lowercase: bool = False
    merge_dropout: float = 0.0

    @property
    def joint(self) -> bool:
        """Return whether source and target have the same subwords."""
        return self.source is self.target

    @property
    def glue(self) -> str:
        """Return a blank for languages that part words by blanks."""
        return " " if self.bleu_tokenize == "13a" else ""

    def range(self, lengths: torch.Tensor, search: seq2seq.Search) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the least and the greatest subwords of translations, by the lengths of their sources."""
        ratios = cast(Search, search)
        return (lengths * ratios.min_length_ratio).long(), (lengths * ratios.max_length_ratio).long() + MORE

    def encode(self, example: Example, *, fitted: bool = False) -> base.Row:
        """Return a row: the subwords of the source, in parts if it is long, those of the target, and the lengths."""
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
        """What draws the subwords of a source and of a target in training."""
        source, target = (bpe_dropout.Sampler(side, self.merge_dropout) for side in (self.source, self.target))
        return source, target

    def parts(self, text: str) -> list[list[int]]:
        """Return the subwords of a text; of one that is too long those of its parts, each within the limit."""
        whole = self.source.encode([text])[0]
        max_length = self.max_source_length or 2 * self.longest
        if len(whole) <= max_length:
            return [whole]
        if len(whole) > MAX_SUBWORDS:
            log.warning("a source of %d subwords: the first %d are translated", len(whole), MAX_SUBWORDS)
            text = self.source.decode(whole[:MAX_SUBWORDS])
        normal = self.source.normal(text)  # no letter is cut from the accent that becomes one with it
        filled = [part.strip() for part in segmentation.parts(normal, self._sizes, max_length) if part.strip()]
        found = self.source.encode(filled)
        return [ids[start : start + max_length] for ids in found for start in range(0, len(ids), max_length)] or [[]]

    def _sizes(self, texts: Sequence[str]) -> list[int]:
        return list(map(len, self.source.encode(texts)))

    def features(self) -> dict[str, Any]:
        """Return the Arrow types of a row."""
        import pyarrow

        numbers, texts = pyarrow.list_(pyarrow.int32()), pyarrow.list_(pyarrow.string())
        return {"source": pyarrow.list_(numbers), "target": numbers, "texts": texts, "lengths": numbers}

    def save(self, folder: Path) -> list[str]:
        """Write the tokenizers and what is known of lengths; return the files' names."""
        self.source.save(folder / (JOINT if self.joint else SOURCE))
        if not self.joint:
            self.target.save(folder / TARGET)
        about = About(self.longest, self.ratio, self.bleu_tokenize)
        jsonl.write_json(folder / ABOUT, options.to_dict(about))
        return [ABOUT, *((JOINT,) if self.joint else (SOURCE, TARGET))]

    @classmethod
    def load(cls, folder: Path, config: Config) -> Codec:
        """Return the codec of a model folder."""
        about = options.from_dict(About, jsonl.read_json(folder / ABOUT), folder / ABOUT)
        if (folder / JOINT).exists():
            source = target = tokenizer.Tokenizer.own(folder / JOINT)
        else:
            source, target = (tokenizer.Tokenizer.own(folder / name) for name in (SOURCE, TARGET))
        return cls(source, target, about.longest, about.ratio, about.tokenize, merge_dropout=config.bpe_dropout)
