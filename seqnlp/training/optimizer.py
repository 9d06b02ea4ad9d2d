"""The optimiser: AdamW for dense weights, its lazy form for embeddings, and the moving average of all of them.

A step touches a few thousand of an embedding's rows. Dense AdamW would go over all of them each time, which takes
longer than the network itself and lets rows that were not seen drift along; the lazy form updates the rows that were.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import nn
from torch.optim import adamw, swa_utils

from seqnlp.options import Training

BETAS, EPSILON = (0.9, 0.99), 1e-8
CACHED_ROWS = 512  # of an embedding that are updated at once on a CPU: they stay in its cache
AVERAGE_EVERY = 10  # steps: going over all weights costs time, and neighbours differ little
moving_average: Callable[[float], Callable[..., None]] = swa_utils.get_ema_multi_avg_fn  # torch gives no types


Moments = dict[str, torch.Tensor]  # of a parameter: step, exp_avg, exp_avg_sq


def _begun(p: torch.Tensor, device: torch.device) -> Moments:
    """Return the moments before the first step; device: that of their counter."""
    return {
        "step": torch.zeros((), device=device),
        "exp_avg": torch.zeros_like(p),
        "exp_avg_sq": torch.zeros_like(p),
    }


def _adamw(parameters: list[torch.Tensor], moments: list[Moments], rate: float, decay: float) -> None:
    """Update dense parameters in place by AdamW (Loshchilov & Hutter 2019, algorithm 2).

    The function, not the class `torch.optim.AdamW`, which computes the same but takes a second to load a compiler.
    """
    steps, means, squares = ([each[key] for each in moments] for key in ("step", "exp_avg", "exp_avg_sq"))
    adamw.adamw(
        parameters,
        [p.grad for p in parameters if p.grad is not None],
        means,
        squares,
        [],
        steps,
        fused=True,
        amsgrad=False,
        beta1=BETAS[0],
        beta2=BETAS[1],
        lr=rate,
        weight_decay=decay,
        eps=EPSILON,
        maximize=False,
    )


def _lazy_adam(p: torch.Tensor, rows: torch.Tensor, gradient: torch.Tensor, moments: Moments, rate: float) -> None:
    """Update the rows that have a gradient by Adam (Kingma & Ba 2015, algorithm 1, as torch's SparseAdam has it).

    The rows' moments are gathered, updated and put back, several times as fast as sparse tensors do it.
    """
    moments["step"] += 1
    step = int(moments["step"])
    size = rate * math.sqrt(1 - BETAS[1] ** step) / (1 - BETAS[0] ** step)
    wholes = p, moments["exp_avg"], moments["exp_avg_sq"]
    piece = CACHED_ROWS if p.device.type == "cpu" else max(len(rows), 1)
    for some, own in zip(torch.split(rows, piece), torch.split(gradient, piece), strict=True):
        weight, first, second = parts = [whole.index_select(0, some) for whole in wholes]  # [rows] is slow
        first.lerp_(own, 1 - BETAS[0])
        second.mul_(BETAS[1]).addcmul_(own, own, value=1 - BETAS[1])
        weight.sub_(first.div(second.sqrt().add_(EPSILON)).mul_(size))
        for whole, part in zip(wholes, parts, strict=True):
            _put(whole, some, part)


def _put(whole: torch.Tensor, rows: torch.Tensor, values: torch.Tensor) -> None:
    """Put values in the place of rows: on a CPU by NumPy, which takes a fraction of torch's time."""
    if whole.device.type == "cpu":
        whole.detach().numpy()[rows.numpy()] = values.numpy()
    else:
        whole[rows] = values


def _multiply(tensors: list[torch.Tensor], factor: float) -> None:
    """Multiply all tensors in place, in a single call where this torch has its private one: a GPU waits for calls."""
    foreach_mul = getattr(torch, "_foreach_mul_", None)
    if foreach_mul is not None:
        foreach_mul(tensors, factor)
        return
    for tensor in tensors:
        tensor.mul_(factor)


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
        self.average = {n: p.detach().clone() for n, p in self.parameters.items()} if options.ema_decay else None
        dense = {name: p for name, p in self.parameters.items() if name not in self.rows}
        self.dense = list(dense.values())
        self.sparse = [self.parameters[name] for name in sorted(self.rows)]
        self.moments: dict[str, Moments] = {}

    def scale(self, weight: float) -> float:
        """Divide the gradients of a summed loss by its weight, clip the dense ones' norm, and return that norm.

        The norm before clipping; not finite where the loss was not.
        """
        gradients = [p.grad for p in self.dense if p.grad is not None]
        norm = float(torch.nn.utils.get_total_norm(gradients)) / max(weight, 1e-12)
        clip = self.options.max_grad_norm
        factor = clip / norm if clip and math.isfinite(norm) and norm > clip else 1.0
        _multiply(gradients, factor / max(weight, 1e-12))
        for p in self.sparse:
            if p.grad is not None:
                p.grad = p.grad.coalesce()
                p.grad.values().div_(max(weight, 1e-12))
                norm += 0 * float(p.grad.values().sum())  # not finite where a value is not
        return norm

    @torch.no_grad()
    def step(self, number: int, rate: float) -> None:
        """Take step `number` (from 0) at a learning rate, and forget the gradients."""
        self._update({name: p for name, p in self.parameters.items() if p.grad is not None}, rate)
        if self.average is not None and (number < AVERAGE_EVERY or (number + 1) % AVERAGE_EVERY == 0):
            # The first weights are forgotten at once, the next ones soon.
            decay = min(
                self.options.ema_decay**AVERAGE_EVERY, max(number - AVERAGE_EVERY, 0) / (number + 9 * AVERAGE_EVERY)
            )
            moving_average(decay)(list(self.average.values()), list(self.parameters.values()), number)

    def _update(self, graded: Mapping[str, nn.Parameter], rate: float) -> None:
        """Update the parameters that have a gradient, and forget it."""
        for name, p in graded.items():
            if name not in self.moments:
                self.moments[name] = _begun(p, torch.device("cpu") if name in self.rows else p.device)
        dense = [(name, p) for name, p in graded.items() if name not in self.rows]
        matrices = [(name, p) for name, p in dense if p.dim() > 1]
        rest = [(name, p) for name, p in dense if p.dim() <= 1]  # biases do not decay
        for group, decay in ((matrices, self.options.weight_decay), (rest, 0.0)):
            if group:
                _adamw([p for _, p in group], [self.moments[name] for name, _ in group], rate, decay)
        for name in self.rows & graded.keys():
            p, gradient = graded[name], graded[name].grad
            assert gradient is not None
            _lazy_adam(p, gradient.indices()[0], gradient.values(), self.moments[name], rate)
        for p in graded.values():
            p.grad = None

    def weights(self) -> Mapping[str, torch.Tensor]:
        """Return the weights to evaluate and to keep: their average, where there is one."""
        return self.average or {name: p.detach() for name, p in self.parameters.items()}

    def swap(self) -> None:
        """Exchange the network's weights and their average, where there is one; a second time puts them back."""
        with torch.no_grad():
            for name, other in (self.average or {}).items():
                kept = self.parameters[name].clone()  # contents, not storages: cuDNN wants its weights in one piece
                self.parameters[name].copy_(other)
                other.copy_(kept)

    def state(self) -> dict[str, dict[str, torch.Tensor]]:
        """Return all that a checkpoint must hold, as named tensors in groups."""
        moments = {f"{name}/{key}": value for name, own in self.moments.items() for key, value in own.items()}
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
            on_cpu = name in self.rows and moment == "step"
            own = self.moments.setdefault(name, {})
            own[moment] = value if on_cpu else value.to(self.parameters[name].device)
