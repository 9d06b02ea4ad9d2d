"""Growth: the weights of a network in one that knows more labels."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import nn

from seqnlp.nn import fitted


@torch.no_grad()
def put(network: nn.Module, weights: Mapping[str, torch.Tensor]) -> None:
    """Give a network the weights of another; where its own tensor is larger, what is beyond the other stays fresh.

    What was fitted apart is taken where all of it fits.

    New labels stand behind the known ones, so that each known one keeps its row, and its column of a transition matrix.
    Raises `RuntimeError`, as `load_state_dict` does, where the two differ in anything else.
    """
    whole = dict(weights)
    for name, own in network.state_dict().items():
        given = weights.get(name, own)
        if not own.numel():  # it is fitted apart
            whole[name] = own
            continue
        larger = given.shape != own.shape and len(given.shape) == len(own.shape)
        if larger and all(old <= new for old, new in zip(given.shape, own.shape, strict=True)):
            whole[name] = own.clone()
            whole[name][tuple(map(slice, given.shape))] = given.to(own)
    network.load_state_dict(whole)
    for prefix, module in network.named_modules():
        if isinstance(module, fitted.Fitted):
            given = {name: weights[f"{prefix}.{name}"] for name in module.empty}
            if not module.misfit(given):
                module.put(given)
