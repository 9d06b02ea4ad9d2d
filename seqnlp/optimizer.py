"""The optimiser: AdamW for dense weights, its lazy form for embeddings, and the moving average of all of them.

A step touches a few hundred of an embedding's rows. Dense AdamW would go over all of them each time, which takes
longer than the network itself and lets rows that were not seen drift along; SparseAdam updates the rows that were.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from seqnlp.options import Training

BETAS = (0.9, 0.99)
AVERAGE_EVERY = 10  # steps: going over all weights costs time, and neighbours differ little


class Optimizer:
    """Gradients to new weights. `rows` are the names of the parameters with sparse gradients."""

    def __init__(self, network: nn.Module, options: Training) -> None:
        self.options = options
        self.parameters = {name: p for name, p in network.named_parameters() if p.requires_grad}
        self.rows = {
            f"{name}.weight" if name else "weight"
            for name, module in network.named_modules()
            if isinstance(module, nn.Embedding | nn.EmbeddingBag) and module.sparse
        }
        self.average = {n: p.detach().clone() for n, p in self.parameters.items()} if options.ema else None
        dense = {name: p for name, p in self.parameters.items() if name not in self.rows}
        self.dense = list(dense.values())
        self.sparse = [self.parameters[name] for name in sorted(self.rows)]
        groups = [
            {"params": [p for p in self.dense if p.dim() > 1], "weight_decay": options.weight_decay},
            {"params": [p for p in self.dense if p.dim() <= 1], "weight_decay": 0.0},
        ]
        # AdamW: Loshchilov & Hutter 2019; no decay of biases.
        self.parts: list[torch.optim.Optimizer] = [torch.optim.AdamW(groups, lr=1.0, betas=BETAS, fused=True)]
        if self.sparse:
            self.parts.append(torch.optim.SparseAdam(self.sparse, lr=1.0, betas=BETAS))

    def scale(self, weight: float) -> float:
        """Divide the gradients of a summed loss by its weight, clip the dense ones' norm, and return that norm.

        The norm before clipping; not finite where the loss was not.
        """
        gradients = [p.grad for p in self.dense if p.grad is not None]
        norm = float(torch.nn.utils.get_total_norm(gradients)) / max(weight, 1e-12)
        clip = self.options.clip
        factor = clip / norm if clip and math.isfinite(norm) and norm > clip else 1.0
        torch._foreach_mul_(gradients, factor / max(weight, 1e-12))
        for p in self.sparse:
            if p.grad is not None:
                p.grad = p.grad.coalesce() / max(weight, 1e-12)
                norm = norm if bool(p.grad.values().isfinite().all()) else math.inf
        return norm

    def step(self, number: int, rate: float) -> None:
        """Take step `number` (from 0) at a learning rate, and forget the gradients."""
        for part in self.parts:
            for group in part.param_groups:
                group["lr"] = rate
            part.step()
            part.zero_grad(set_to_none=True)
        if self.average is not None and (number < AVERAGE_EVERY or (number + 1) % AVERAGE_EVERY == 0):
            # The first weights are forgotten at once, the next ones soon.
            decay = min(self.options.ema**AVERAGE_EVERY, max(number - AVERAGE_EVERY, 0) / (number + 9 * AVERAGE_EVERY))
            torch._foreach_lerp_(list(self.average.values()), list(self.parameters.values()), 1 - decay)

    def weights(self) -> Mapping[str, torch.Tensor]:
        """Return the weights to evaluate and to keep: their average, where there is one."""
        return self.average or {name: p.detach() for name, p in self.parameters.items()}

    def swap(self) -> None:
        """Exchange the network's weights and their average, where there is one; a second time puts them back."""
        for name, other in (self.average or {}).items():
            parameter = self.parameters[name]
            parameter.data, other.data = other.data, parameter.data

    def state(self) -> dict[str, dict[str, torch.Tensor]]:
        """Return all that a checkpoint must hold, as named tensors in groups."""
        moments = {
            f"{name}/{key}": torch.as_tensor(value)
            for name, p in self.parameters.items()
            for part in self.parts
            for key, value in part.state.get(p, {}).items()
        }
        groups: dict[str, dict[str, Any]] = {"weights": self.parameters, "moments": moments}
        return groups if self.average is None else {**groups, "average": self.average}

    def restore(self, groups: Mapping[str, Mapping[str, torch.Tensor]]) -> None:
        """Take what `state` gave."""
        with torch.no_grad():
            for name, p in self.parameters.items():
                p.copy_(groups["weights"][name])
                if self.average is not None:
                    self.average[name].copy_(groups["average"][name])
        for key, value in groups["moments"].items():
            name, moment = key.rsplit("/", 1)
            p, sparse = self.parameters[name], name in self.rows
            kept: Any = value.to(p.device) if moment != "step" else int(value) if sparse else value
            self.parts[1 if sparse else 0].state[p][moment] = kept
