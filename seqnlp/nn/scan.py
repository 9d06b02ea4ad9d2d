"""The scan: h = a * h' + b over time, the whole of a recurrence that has no recurrent product.

On a CPU a plain loop over time is fastest: each step is one element-wise operation over the batch. On CUDA every step
would wait for its call, so there the steps of a chunk are computed together in log2(chunk) rounds (Hillis & Steele
1986). Both are computed in fp32 at least.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch.autograd.function import once_differentiable

CHUNK = 512  # steps that are computed together on CUDA: products of more of them vanish, and cost more rounds


def scan(a: torch.Tensor, b: torch.Tensor, begin: torch.Tensor) -> torch.Tensor:
    """Return the states h[t] = a[t] * h[t - 1] + b[t], (B, S, H), in fp32 at least.

    a, b: (B, S, H); begin: (B, H), the state before the first step.
    """
    wide = torch.promote_types(b.dtype, torch.float32)
    states: torch.Tensor = _Scan.apply(a.to(wide), b.to(wide), begin.to(wide))  # type: ignore[no-untyped-call]
    return states


class _Scan(torch.autograd.Function):
    """The gradient of a scan is a scan too: g[t] = grad[t] + a[t + 1] * g[t + 1], from the last step to the first."""

    @staticmethod
    def forward(ctx: Any, a: torch.Tensor, b: torch.Tensor, begin: torch.Tensor) -> torch.Tensor:
        states = parallel(a, b, begin) if a.is_cuda else sequential(a, b, begin, range(a.size(1)))
        ctx.save_for_backward(a, begin, states)
        return states

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        a, begin, states = ctx.saved_tensors
        after, zeros = a.roll(-1, 1), torch.zeros_like(begin)  # the last step's partner meets a zero
        if a.is_cuda:
            slope = parallel(after.flip(1), grad.flip(1), zeros).flip(1)
        else:
            slope = sequential(after, grad, zeros, reversed(range(a.size(1))))
        before = torch.cat([begin.unsqueeze(1), states[:, :-1]], dim=1)
        return slope * before, slope, a[:, 0] * slope[:, 0]


def sequential(a: torch.Tensor, b: torch.Tensor, state: torch.Tensor, steps: Iterable[int]) -> torch.Tensor:
    """Return the states of the recurrence (B, S, H), one step after the other, in the order of `steps`."""
    states = torch.empty_like(b)
    for t in steps:
        state = torch.addcmul(b[:, t], a[:, t], state, out=states[:, t])
    return states


def parallel(a: torch.Tensor, b: torch.Tensor, state: torch.Tensor, chunk: int = CHUNK) -> torch.Tensor:
    """Return the states of the recurrence (B, S, H), the steps of a chunk together."""
    states = []
    for first in range(0, a.size(1), chunk):
        factor, total = a[:, first : first + chunk], b[:, first : first + chunk]
        # After a round, step t holds what the `reach` steps up to it do: h[t] = factor[t] * h[t - reach] + total[t].
        reach = 1
        while reach < total.size(1):
            joined = torch.addcmul(total[:, reach:], factor[:, reach:], total[:, :-reach])
            total = torch.cat([total[:, :reach], joined], dim=1)
            factor = torch.cat([factor[:, :reach], factor[:, reach:] * factor[:, :-reach]], dim=1)
            reach *= 2
        states.append(torch.addcmul(total, factor, state.unsqueeze(1)))
        state = states[-1][:, -1]
    return torch.cat(states, dim=1)
