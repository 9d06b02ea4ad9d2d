"""The codec: a line to the ids of its words, subwords or characters, its end among them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seqnlp.preprocess.corpora.examples import Example
from seqnlp.preprocess.text import tokenizer
from seqnlp.tasks import base
from seqnlp.tasks.lm.options import Config

TOKENIZER = "tokenizer.json"
SEGMENT = 100_000  # characters that are given to the tokenizer at a time: it keeps a record of each token


@dataclass(frozen=True)
class Codec(base.Codec):
    """A vocabulary; `tokenizer.END` is the end of a line."""

    tokens: tokenizer.Tokenizer
    level: str

    def encode(self, example: Example, *, fitted: bool = False) -> base.Row:
        """Return a row: ids with that of the line's end, and how many are unknown."""
        ids = self.ids(example.source)
        return {"ids": [*ids, tokenizer.END], "unknown": ids.count(tokenizer.UNK), "lengths": [len(ids) + 1]}

    def ids(self, text: str) -> list[int]:
        """Return the ids of a text without line ends."""
        if self.level == "bpe":
            parts = [text[start : start + SEGMENT] for start in range(0, len(text), SEGMENT)]
            return [i for ids in self.tokens.encode(parts) for i in ids]
        return self.tokens.lookup(split(self.tokens, self.level, text))

    def text(self, ids: list[int]) -> str:
        """Return the text of ids, line ends too."""
        lines: list[list[int]] = [[]]
        for i in ids:
            lines.append([]) if i == tokenizer.END else lines[-1].append(i)
        return "\n".join(self._line(line) for line in lines)

    def _line(self, ids: list[int]) -> str:
        if self.level == "bpe":
            return self.tokens.decode(ids)
        names = self.tokens.names
        return ("" if self.level == "char" else " ").join(names[i] for i in ids)

    def features(self) -> dict[str, Any]:
        """Return the Arrow types of a row."""
        import pyarrow

        numbers = pyarrow.list_(pyarrow.int32())
        return {"ids": numbers, "unknown": pyarrow.int64(), "lengths": numbers}

    def save(self, folder: Path) -> list[str]:
        """Write the tokenizer; return the file's name."""
        self.tokens.save(folder / TOKENIZER)
        return [TOKENIZER]

    @classmethod
    def load(cls, folder: Path, config: Config) -> Codec:
        """Return the codec of a model folder."""
        return cls(tokenizer.Tokenizer.own(folder / TOKENIZER), config.level)


def split(tokens: tokenizer.Tokenizer, level: str, text: str) -> list[str]:
    """Return the words or characters of a text, normalised."""
    return list(tokens.normal(text)) if level == "char" else tokens.words(text)
