"""Self-attention: by hand, head by head and step by step; what a step may see is all that it depends on."""

import pytest
import torch
from torch import nn

from seqnlp import errors
from seqnlp.nn import self_attention

LENGTHS = torch.tensor([7, 3, 1])
MASK = torch.arange(7) < LENGTHS.unsqueeze(1)


@pytest.fixture
def _window(monkeypatch):
    monkeypatch.setattr(self_attention, "WINDOW", 3)


def made(heads=2, causal=False, seed=0):
    torch.manual_seed(seed)
    layer = self_attention.SelfAttention(6, heads, causal=causal).double()
    for parameter in layer.parameters():
        nn.init.normal_(parameter, std=0.5)
    return layer


def features(seed=1):
    return torch.randn(3, 7, 6, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def by_hand(layer, steps, seen):
    """Each step's output over one row (S, D); seen: the steps that a step sees."""
    outputs = []
    for t in range(len(steps)):
        found = []
        for head in range(layer.heads):
            size = steps.size(1) // layer.heads
            part = slice(head * size, (head + 1) * size)
            query, keys, values = (
                rows @ matrix.weight[part].T
                for rows, matrix in (
                    (steps[t], layer.query),
                    (steps[seen(t)], layer.key),
                    (steps[seen(t)], layer.value),
                )
            )
            found.append((keys @ query / size**0.5).softmax(0) @ values)
        outputs.append(layer.norm(steps[t] + layer.output(torch.cat(found))))
    return torch.stack(outputs)


@pytest.mark.parametrize("heads", [1, 2, 3])
def test_each_step_sees_all_of_its_row(heads):
    layer, inputs = made(heads), features()
    outputs, memory = layer(inputs, MASK)
    assert memory.size(1) == 0
    for row, length in enumerate(LENGTHS):
        expected = by_hand(layer, inputs[row, :length], lambda t: slice(None))
        torch.testing.assert_close(outputs[row, :length], expected)


@pytest.mark.usefixtures("_window")
@pytest.mark.parametrize("heads", [1, 2, 3])
def test_a_causal_step_sees_itself_and_the_window_before_it(heads):
    layer, inputs = made(heads, causal=True), features()
    outputs, memory = layer(inputs, MASK)
    torch.testing.assert_close(memory, inputs[:, 5:])
    for row, length in enumerate(LENGTHS):
        expected = by_hand(layer, inputs[row, :length], lambda t: slice(max(t - 2, 0), t + 1))
        torch.testing.assert_close(outputs[row, :length], expected)


@pytest.mark.usefixtures("_window")
@pytest.mark.parametrize("first", range(1, 7))
def test_the_memory_stands_for_all_steps_before(first):
    layer, inputs = made(causal=True), features()
    mask = torch.ones(3, 7, dtype=torch.bool)
    whole, end = layer(inputs, mask)
    begin, memory = layer(inputs[:, :first], mask[:, :first])
    rest, last = layer(inputs[:, first:], mask[:, first:], memory)
    torch.testing.assert_close(torch.cat([begin, rest], dim=1), whole)
    torch.testing.assert_close(last, end)


def test_heads_that_do_not_share_the_outputs_are_refused():
    with pytest.raises(errors.UsageError, match="--self-attention 4 over outputs of size 6"):
        made(heads=4)
