"""Shapes: what a network would hold, before a byte of it is allocated."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import nn
from torch.overrides import TorchFunctionMode

RANDOM = ("normal_", "uniform_")


class _Unfilled(TorchFunctionMode):
    """Leaves tensors without numbers as they are: to draw them would load the whole of torch's compiler."""

    def __torch_function__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if getattr(function, "__name__", "") in RANDOM:
            return args[0] if args else kwargs["tensor"]
        return function(*args, **(kwargs or {}))


def check(build: Callable[[], nn.Module], weights: Mapping[str, torch.Tensor]) -> None:
    """Raise `ValueError` unless the network that `build` makes has tensors of these names, shapes and types.

    One that is empty at first may have any size: it is fitted apart.
    """
    with torch.device("meta"), _Unfilled():
        expected = build().state_dict()
    if names := sorted(expected.keys() ^ weights.keys()):
        raise ValueError(f"the weights {'lack' if names[0] in expected else 'have'} {names[0]}")
    for name, tensor in expected.items():
        shape, found = tuple(tensor.shape), tuple(weights[name].shape)
        if len(found) != len(shape) or any(own not in (0, other) for own, other in zip(shape, found, strict=True)):
            raise ValueError(f"{name} has the shape {found}, expected {shape}")
        if weights[name].dtype != tensor.dtype:
            raise ValueError(f"{name} is {weights[name].dtype}, expected {tensor.dtype}")
