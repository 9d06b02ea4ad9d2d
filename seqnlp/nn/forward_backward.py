"""The forward-backward algorithm: the log of the sum of exp(score) over all tag sequences, and its gradient.

It runs over probabilities, one matrix product a step, rescaled at every step (Rabiner 1989, section V.A), from both
ends at once; the two together are the gradient (Lafferty et al. 2001, section 3), so no graph over the steps is kept.
fp32 loses probabilities under 1e-38. Whether a lost one could matter is checked for each sentence; where it could, the
sum runs over logarithms instead: many times slower, never wrong.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch.autograd import function

from seqnlp.nn import recurrent


class Scores(NamedTuple):
    """What a first tag adds (C,), tag j after tag i (C, C), a last tag (C,)."""

    start: torch.Tensor
    transitions: torch.Tensor
    stop: torch.Tensor


def log_partition(
    emissions: torch.Tensor, scores: Scores, lengths: torch.Tensor, unreachable: torch.Tensor
) -> torch.Tensor:
    """Return the log of the sum of exp(score) over all sequences, (B,), by the faster way that is exact for each row.

    emissions: (B, S, C); lengths: (B,), each from 1 to S; unreachable: (S, 2, 1, C), 1 where no path gets to a tag,
    from the first step on and from the last one back.
    """
    result, safe = _apply(emissions, *scores, lengths, unreachable)
    if bool(safe.all()):
        return result
    easy, hard = safe.nonzero().squeeze(1), (~safe).nonzero().squeeze(1)
    result, _ = _apply(emissions[easy], *scores, lengths[easy], unreachable)
    summed = log_partition_by_logs(emissions[hard], scores, lengths[hard])
    return torch.cat([result, summed])[torch.cat([easy, hard]).argsort()]


def log_partition_by_logs(emissions: torch.Tensor, scores: Scores, lengths: torch.Tensor) -> torch.Tensor:
    """Return the log of the sum of exp(score) over all sequences, (B,), over logarithms."""
    inside = recurrent.step_mask(lengths, emissions.size(1)).unsqueeze(2)
    emissions = emissions.masked_fill(~inside, 0)
    highest = emissions.detach().amax(2, keepdim=True)  # taken out, so that sums stay near 0, where numbers are close
    emissions = emissions - highest
    state = scores.start + emissions[:, 0]  # (B, C), the log of the sum over all ways to each tag
    for step in range(1, emissions.size(1)):
        ways = state.unsqueeze(2) + scores.transitions  # (B, C, C)
        state = torch.where(inside[:, step], ways.logsumexp(1) + emissions[:, step], state)
    return (state + scores.stop).logsumexp(1) + highest.sum((1, 2))


class ForwardBackward(torch.autograd.Function):
    """The log of the sum by rescaled probabilities, and for each row whether nothing was lost that could matter.

    In either direction of time, `predicted` is the probability of each tag given the emissions before it and `filtered`
    that given its own too, up to a factor for each row. Backward in time the first step is the sentence's last one.
    """

    @staticmethod
    def forward(
        ctx: Any,
        emissions: torch.Tensor,
        start: torch.Tensor,
        transitions: torch.Tensor,
        stop: torch.Tensor,
        lengths: torch.Tensor,
        unreachable: torch.Tensor,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return (B,) and (B,); runs backward in time only where there is a gradient to find."""
        size, steps = emissions.shape[:2]
        both = slice(2 if any(ctx.needs_input_grad) else 1)
        rows = torch.arange(size, device=lengths.device)
        inside = recurrent.step_mask(lengths, steps).t()  # (S, B)
        order = _order(lengths, steps)[:, both]  # (S, D, B), D the directions
        highest = emissions.amax(2, keepdim=True)  # (B, S, 1)
        first, moves, last = ((part - part.amax()).exp() for part in (start, transitions, stop))
        predicted, filtered, scale = _recursion(
            torch.stack([first, last])[both].unsqueeze(1),
            torch.stack([moves, moves.t()])[both],
            _pick((emissions - highest).exp_(), order + rows * steps),
        )
        total = (filtered[lengths - 1, 0, rows] * last).sum(1)
        parts = (highest.squeeze(2).t() + scale[:, 0].log()).masked_fill(~inside, 0).sum(0) + total.log()
        result = parts + start.amax() + (lengths - 1) * transitions.amax() + stop.amax()
        smallest = total
        if order.size(1) == 2:
            back = (order[:, 1] * 2 + 1) * size + rows  # (S, B), where each step is backward in time
            joint = _pick(predicted, back).mul_(filtered[:, 0])  # (S, B, C), the marginals but for a factor a step
            sums = joint.sum(2)
            smallest = torch.minimum(total, sums.masked_fill(~inside, 1).amin(0))
            ctx.save_for_backward(moves, filtered, joint, sums, lengths, back)
        safe = _safe(predicted.add_(unreachable[:, both]), scale, smallest, inside)
        ctx.mark_non_differentiable(safe)
        return result, safe

    @staticmethod
    @function.once_differentiable
    def backward(ctx: Any, gradient: torch.Tensor, _: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        """Return the expected counts of tags, first tags, pairs and last tags (Lafferty et al. 2001, section 3)."""
        moves, filtered, joint, sums, lengths, back = ctx.saved_tensors
        inside = recurrent.step_mask(lengths, len(joint)).t()  # (S, B)
        weights = torch.where(inside, gradient / sums, 0).unsqueeze(2)
        tags = joint * weights  # (S, B, C)
        pairs = None
        if ctx.needs_input_grad[2]:
            following = _pick(filtered, back[1:]).mul_(weights[:-1].masked_fill(~inside[1:].unsqueeze(2), 0))
            with torch.autocast(moves.device.type, enabled=False):
                pairs = moves * (filtered[:-1, 0].flatten(0, 1).t() @ following.flatten(0, 1))
        last = tags[lengths - 1, torch.arange(len(lengths), device=lengths.device)]
        return tags.transpose(0, 1), tags[0].sum(0), pairs, last.sum(0), None, None


_apply: Callable[..., tuple[torch.Tensor, torch.Tensor]] = ForwardBackward.apply


def _order(lengths: torch.Tensor, steps: int) -> torch.Tensor:
    """Return which step comes when, forward and backward in time, (S, 2, B); past the end one inside again."""
    step = torch.arange(steps, device=lengths.device).unsqueeze(1)
    return torch.stack([torch.minimum(step, lengths - 1), (lengths - 1 - step).clamp(min=0)], dim=1)


def _pick(values: torch.Tensor, index: torch.Tensor) -> torch.Tensor:
    """Return the vectors at an index into all of them: (..., C) and (...) give (..., C); the fastest way on a CPU."""
    return values.flatten(0, -2).index_select(0, index.flatten()).view(*index.shape, values.size(-1))


def _recursion(
    first: torch.Tensor, moves: torch.Tensor, filtered: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return predicted and filtered probabilities (S, D, B, C) and what each step was divided by (S, D, B).

    first: (D, 1, C); moves: (D, C, C); filtered: (S, D, B, C), at first the emissions. All are exp(score).
    """
    predicted, scale = torch.empty_like(filtered), torch.empty_like(filtered[..., :1])
    predicted[0] = first
    before = filtered[0]
    for step, (prediction, state, total) in enumerate(zip(predicted, filtered, scale, strict=True)):
        if step:
            torch.bmm(before, moves, out=prediction)
        state *= prediction
        torch.sum(state, 2, keepdim=True, out=total)
        state /= total.clamp_(min=torch.finfo(state.dtype).tiny)
        before = state
    return predicted, filtered, scale.squeeze(3)


def _safe(
    probabilities: torch.Tensor, scale: torch.Tensor, smallest: torch.Tensor, inside: torch.Tensor
) -> torch.Tensor:
    """Return for each row (B,) whether nothing that underflow lost can matter; overwrites the probabilities.

    What is lost is under C x tiny before the division by the scale, so that must be small against the smallest
    probability of a tag that can be reached. 1 / (the sum of 1 / probability) is under it, by a factor C at most, and
    faster than a minimum.
    """
    outside = ~inside.unsqueeze(1)  # (S, 1, B)
    below = probabilities.reciprocal_().sum(3).reciprocal_()  # (S, D, B)
    smallest = torch.minimum(smallest, below.masked_fill_(outside, 1).amin((0, 1)))
    limits = torch.finfo(probabilities.dtype)
    return smallest * scale.masked_fill(outside, 1).amin((0, 1)) >= probabilities.size(3) * limits.tiny / limits.eps
