"""The codec: the tokens that documents and summaries share, and what is known of the summaries' lengths."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from seqnlp import options
from seqnlp.io import jsonl
from seqnlp.options import option
from seqnlp.preprocess.corpora.examples import Example
from seqnlp.preprocess.text import tokenizer
from seqnlp.tasks import base
from seqnlp.tasks.seq2seq import codec
from seqnlp.tasks.seq2seq import options as seq2seq
from seqnlp.tasks.summarize.options import Config, Search

if TYPE_CHECKING:
    import torch

PIECES, ABOUT = "tokenizer.json", "lengths.json"
LETTERS = 100  # of a document for each token that is read: no more of it is looked at


@dataclass(frozen=True)
class About:
    """What lengths.json holds."""

    shortest: int = option(0, "Tokens of a summary that hardly any in training has fewer than.", low=0)
    longest: int = option(1, "Tokens of a summary that hardly any in training has more than.", low=0)
    words: float = option(1.0, "Words of a summary in training, on average.", low=0.0)


@dataclass(frozen=True)
class Codec(codec.Codec):
    """Tokens; shortest, longest: those of nearly all summaries in training; words: of one there, on average."""

    source: tokenizer.Tokenizer
    shortest: int
    longest: int
    words: float
    max_document_length: int

    @property
    def target(self) -> tokenizer.Tokenizer:  # type: ignore[override]
        """Return the tokenizer of summaries, which is that of documents: what is copied must have the same ids."""
        return self.source

    @property
    def glue(self) -> str:
        """Return what is between parts; a document has one part only."""
        return ""

    def range(self, lengths: torch.Tensor, search: seq2seq.Search) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the least and the greatest number of tokens of summaries."""
        asked = cast(Search, search)
        longest = self.longest if asked.max_length is None else asked.max_length
        shortest = min(self.shortest, longest) if asked.min_length is None else asked.min_length
        return lengths.new_full(lengths.shape, shortest), lengths.new_full(lengths.shape, longest)

    def encode(self, example: Example, *, fitted: bool = False) -> base.Row:
        """Return a row: the tokens of the document as far as it is read, those of the summary, and the lengths.

        Words that the vocabulary lacks have ids past its end, each document's own; `unknown` says which they are.
        """
        words: dict[str, int] = {}
        begin = example.source[: LETTERS * self.max_document_length]
        whole = self.source.encode_open(begin, words, grow=True)
        read = whole[: self.max_document_length]
        unknown = max(max(read, default=0) + 1 - len(self.source), 0)  # they are numbered as they come
        words = {word: place for word, place in words.items() if place < unknown}
        target = self.source.encode_open(example.target, words, grow=False) if example.target else []
        return {
            "source": [[*read, tokenizer.END]],
            "target": target,
            "unknown": list(words),
            "cut": len(read) < len(whole) or len(begin) < len(example.source),
            "lengths": [len(read) + 1, len(target) + 1],
        }

    def features(self) -> dict[str, Any]:
        """Return the Arrow types of a row."""
        import pyarrow

        numbers = pyarrow.list_(pyarrow.int32())
        return {
            "source": pyarrow.list_(numbers),
            "target": numbers,
            "unknown": pyarrow.list_(pyarrow.string()),
            "cut": pyarrow.bool_(),
            "lengths": numbers,
        }

    def save(self, folder: Path) -> list[str]:
        """Write the tokenizer and what is known of lengths; return the files' names."""
        self.source.save(folder / PIECES)
        about = About(self.shortest, self.longest, round(self.words, 2))
        jsonl.write_json(folder / ABOUT, options.to_dict(about))
        return [ABOUT, PIECES]

    @classmethod
    def load(cls, folder: Path, config: Config) -> Codec:
        """Return the codec of a model folder."""
        about = options.from_dict(About, jsonl.read_json(folder / ABOUT), folder / ABOUT)
        pieces = tokenizer.Tokenizer.own(folder / PIECES)
        return cls(pieces, about.shortest, about.longest, about.words, config.max_document_length)
