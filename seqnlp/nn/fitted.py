"""What of a network is fitted by itself, before the first step: tensors of any size, to which no gradient goes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import nn


class Fitted(nn.Module):
    """Buffers by name; a size that is 0 before they are fitted is free, and the same for all of them."""

    def __init__(self, empty: Mapping[str, torch.Tensor]) -> None:
        super().__init__()
        self.empty = dict(empty)
        for name, tensor in empty.items():
            self.register_buffer(name, tensor)

    def put(self, tensors: Mapping[str, torch.Tensor]) -> None:
        """Take tensors by name in place of one's own; raises `ValueError` where they do not fit together."""
        if wrong := self.misfit(tensors):
            raise ValueError(wrong)
        device = next(self.buffers()).device
        for name in self.empty:
            setattr(self, name, tensors[name].to(device))

    def misfit(self, tensors: Mapping[str, torch.Tensor]) -> str:
        """Return what does not fit in tensors by name, their sizes first; nothing where all is well."""
        sizes = set[int]()
        for name, own in self.empty.items():
            new = tensors[name]
            pairs = list(zip(own.shape, new.shape, strict=False))
            sizes.update(size for free, size in pairs if free == 0)
            same = new.dim() == own.dim() and all(size in (0, other) for size, other in pairs)
            if new.dtype != own.dtype or not same or len(sizes) > 1:
                return f"{name} has another type or shape"
        return ""

    def _load_from_state_dict(self, state_dict: Any, prefix: str, *others: Any, **more: Any) -> None:
        """Take the tensors as they come: how many there are only they know."""
        if all(prefix + name in state_dict for name in self.empty):
            try:
                self.put({name: state_dict[prefix + name] for name in self.empty})
            except ValueError as error:
                raise ValueError(f"{prefix}{error}") from None
        super()._load_from_state_dict(state_dict, prefix, *others, **more)
