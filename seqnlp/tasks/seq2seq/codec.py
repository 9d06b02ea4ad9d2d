"""What a search asks of a codec: the subwords of both sides, and how long outputs may be."""

from __future__ import annotations

import abc
from typing import TYPE_CHECKING

from seqnlp.preprocess.text import tokenizer
from seqnlp.tasks import base
from seqnlp.tasks.seq2seq.options import Search

if TYPE_CHECKING:
    import torch


class Codec(base.Codec):
    """Subwords of source and target."""

    source: tokenizer.Tokenizer
    target: tokenizer.Tokenizer

    @property
    @abc.abstractmethod
    def glue(self) -> str:
        """Return what stands between the outputs for the parts of a source."""

    @abc.abstractmethod
    def range(self, lengths: torch.Tensor, search: Search) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the least and the greatest subwords of outputs (B,) for sources of these lengths (B,)."""
