"""Attention: against its formula step by step, masked, and with any number of queries at once."""

import pytest
import torch
from torch import nn

from seqnlp import errors
from seqnlp.nn import attention

SIZES = {"additive": (5, 3), "general": (5, 3), "dot": (5, 5)}  # of queries and memory
LENGTHS = [7, 3, 1]


def made(kind, seed=0):
    torch.manual_seed(seed)
    module = attention.ATTENTIONS[kind](*SIZES[kind])
    for parameter in module.parameters():
        nn.init.normal_(parameter)
    return module


def inputs(kind, steps=4, seed=1):
    """Queries (3, steps, H), memory (3, 7, D), mask (3, 7)."""
    generator = torch.Generator().manual_seed(seed)
    queries, memory = (
        torch.randn(3, length, size, generator=generator) for length, size in zip((steps, 7), SIZES[kind], strict=True)
    )
    return queries, memory, torch.arange(7) < torch.tensor(LENGTHS).unsqueeze(1)


def attend(module, queries, memory, mask):
    return module(queries, memory, module.keys(memory), mask)


ENERGIES = {
    "additive": lambda m, q, s: (
        m.energy.weight[0] @ torch.tanh(m.query.weight @ q + m.query.bias + m.memory.weight @ s)
    ),
    "general": lambda m, q, s: q @ m.memory.weight @ s,
    "dot": lambda m, q, s: q @ s,
}


@pytest.mark.parametrize("kind", attention.ATTENTIONS)
def test_attention_by_hand(kind):
    module = made(kind)
    queries, memory, mask = inputs(kind)
    context, weights = attend(module, queries, memory, mask)
    for row, length in enumerate(LENGTHS):
        for step, query in enumerate(queries[row]):
            energies = torch.stack([ENERGIES[kind](module, query, memory[row, s]) for s in range(length)])
            shares = energies.exp() / energies.exp().sum()
            torch.testing.assert_close(weights[row, step, :length], shares)
            torch.testing.assert_close(
                context[row, step], sum(w * m for w, m in zip(shares, memory[row], strict=False))
            )


@pytest.mark.parametrize("kind", attention.ATTENTIONS)
def test_nothing_is_seen_outside_the_mask(kind):
    module = made(kind)
    queries, memory, mask = inputs(kind)
    context, weights = attend(module, queries, memory, mask)
    assert not weights.masked_select(~mask.unsqueeze(1)).any()
    torch.testing.assert_close(weights.sum(2), torch.ones(3, 4))
    memory = memory.masked_fill(~mask.unsqueeze(2), 1e6)
    torch.testing.assert_close(attend(module, queries, memory, mask), (context, weights))


@pytest.mark.parametrize("kind", attention.ATTENTIONS)
def test_queries_do_not_see_each_other(kind):
    module = made(kind)
    queries, memory, mask = inputs(kind)
    together = attend(module, queries, memory, mask)
    alone = [attend(module, queries[:, step : step + 1], memory, mask) for step in range(4)]
    torch.testing.assert_close(tuple(torch.cat(parts, dim=1) for parts in zip(*alone, strict=True)), together)


@pytest.mark.parametrize("kind", attention.ATTENTIONS)
def test_weights_are_in_fp32_under_autocast(kind):
    module = made(kind)
    queries, memory, mask = inputs(kind)
    exact, _ = attend(module, queries, memory, mask)
    with torch.autocast("cpu", torch.bfloat16):
        context, weights = attend(module, queries.bfloat16(), memory.bfloat16(), mask)
    assert weights.dtype == torch.float32
    torch.testing.assert_close(context.float(), exact, atol=0.2, rtol=0)


@pytest.mark.parametrize("kind", ["additive", "general"])
def test_every_parameter_gets_a_gradient(kind):
    module = made(kind)
    attend(module, *inputs(kind))[0].sin().sum().backward()
    assert all(parameter.grad.abs().sum() > 0 for parameter in module.parameters())


def test_dot_attention_needs_two_equal_sizes():
    with pytest.raises(errors.UsageError, match=r"decoder of 5 and an encoder of 3.*general or additive"):
        attention.Dot(5, 3)
