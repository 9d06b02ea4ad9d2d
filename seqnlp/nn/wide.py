"""The wide part: a linear layer over the TF-IDF features of a text, beside the network (Cheng et al. 2016, section 3).

It is fitted by itself (`fitted`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch.nn import functional

from seqnlp.nn import fitted
from seqnlp.preprocess.text import tfidf


class Wide(fitted.Fitted):
    """Margins of the classes by a linear model.

    Of two classes that exclude each other the weights are those of the second; the first has the opposite margin.
    """

    keys: torch.Tensor  # (F,), the features' hashes, sorted, their bits taken for int32
    idf: torch.Tensor  # (F,)
    weight: torch.Tensor  # (F, C), or (F, 1)
    bias: torch.Tensor  # (C,), or (1,)

    def __init__(self, classes: int, *, multi_label: bool) -> None:
        columns = 1 if classes == 2 and not multi_label else classes
        empty = {
            "keys": torch.zeros(0, dtype=torch.int32),
            "idf": torch.zeros(0),
            "weight": torch.zeros(0, columns, dtype=torch.float16),
            "bias": torch.zeros(columns),
        }
        super().__init__(empty)
        self.opposite = columns < classes
        self._features: tfidf.Features | None = None

    @property
    def features(self) -> tfidf.Features:
        """Return the features, with the words whose features are known already."""
        if self._features is None:
            self._features = tfidf.Features(self.keys.cpu().numpy().view(np.uint32), self.idf.cpu().numpy())
        return self._features

    def __getstate__(self) -> dict[str, Any]:
        """Return what a copy, or a pickle, holds: not what is remembered of words."""
        return {**self.__dict__, "_features": None}

    def put(self, tensors: Mapping[str, torch.Tensor]) -> None:
        super().put(tensors)
        self._features = None

    def forward(self, texts: Sequence[Sequence[str]]) -> torch.Tensor:
        """Return the margins of texts, each a list of words, (B, C)."""
        found, device = self.features.matrix(texts), self.bias.device
        ids, values, offsets = (
            torch.from_numpy(part).to(device) for part in (found.features, found.values, found.offsets)
        )
        margins = functional.embedding_bag(
            ids,
            self.weight,
            offsets,
            mode="sum",
            per_sample_weights=values.to(self.weight.dtype),
            include_last_offset=True,
        )
        margins = margins.float() + self.bias
        return torch.cat([-margins, margins], dim=1) if self.opposite else margins
