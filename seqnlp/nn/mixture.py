"""The mixture: n-grams beside a network, weighed by the kind of context (Jelinek & Mercer 1980)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from seqnlp.nn import fitted
from seqnlp.preprocess.text import kneser_ney


class Mixture(fitted.Fitted):
    """The n-grams, and how much they count; the network has the rest."""

    keys: torch.Tensor  # (G,), the n-grams' keys, sorted, their bits taken for int64
    share: torch.Tensor  # (G,)
    backoff: torch.Tensor  # (G,)
    weight: torch.Tensor  # (K,), the n-grams' part for each kind of context, fitted to dev

    def __init__(self, order: int, vocabulary: int) -> None:
        super().__init__(
            {"keys": torch.zeros(0, dtype=torch.int64), "share": torch.zeros(0), "backoff": torch.zeros(0)}
        )
        self.order, self.vocabulary = order, vocabulary
        self.register_buffer("weight", torch.zeros(kneser_ney.kinds(order)))
        self._ngrams: kneser_ney.NGrams | None = None

    @property
    def ngrams(self) -> kneser_ney.NGrams:
        """Return the n-grams as arrays."""
        if self._ngrams is None:
            keys, share, backoff = (self.get_buffer(name).cpu().numpy() for name in self.empty)
            self._ngrams = kneser_ney.NGrams(keys.view(np.uint64), share, backoff, self.order, self.vocabulary)
        return self._ngrams

    @property
    def weights(self) -> np.ndarray:
        """Return how much the n-grams count, (K,)."""
        found: np.ndarray = self.weight.double().cpu().numpy()
        return found

    def __getstate__(self) -> dict[str, Any]:
        """Return what a copy, or a pickle, holds: the arrays are those of the tensors."""
        return {**self.__dict__, "_ngrams": None}

    def put(self, tensors: Mapping[str, torch.Tensor]) -> None:
        super().put(tensors)
        self._ngrams = None

    def misfit(self, tensors: Mapping[str, torch.Tensor]) -> str:
        """Return what does not fit in tensors by name: sizes, the keys' order, shares and backoffs that are none."""
        if wrong := super().misfit(tensors):
            return wrong
        keys = tensors["keys"].cpu().numpy().view(np.uint64)
        if (keys[1:] <= keys[:-1]).any():
            return "keys are not sorted"
        share, backoff = tensors["share"], tensors["backoff"]
        if not ((share >= 0) & (share <= 1)).all():
            return "share is no probability"
        return "" if ((backoff > 0) & (backoff <= 1)).all() else "backoff is no probability"

    def _load_from_state_dict(self, state_dict: Any, prefix: str, *others: Any, **more: Any) -> None:
        weight = state_dict.get(f"{prefix}weight", self.weight)
        if not ((weight >= 0) & (weight <= 1)).all():
            raise ValueError(f"{prefix}weight is no probability")
        super()._load_from_state_dict(state_dict, prefix, *others, **more)
