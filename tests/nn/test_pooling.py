"""Pooling against loops over the steps; padding never matters."""

import pytest
import torch

from seqnlp.nn import pooling

LENGTHS = torch.tensor([5, 3, 1])


def inputs():
    generator = torch.Generator().manual_seed(0)
    outputs = torch.randn(3, 5, 4, generator=generator)
    for row, length in enumerate(LENGTHS):
        outputs[row, length:] = 0
    return outputs, torch.randn(3, 4, generator=generator)


def layer(kinds):
    torch.manual_seed(0)
    return pooling.Pooling(4, kinds)


def by_hand(made, kind, steps, hidden):
    """One row: steps (S, D) without padding."""
    if kind == "last":
        return hidden
    if kind == "mean":
        return sum(steps) / len(steps)
    if kind == "max":
        return torch.stack([max(steps[:, d]) for d in range(4)])
    scores = [torch.exp(made.query.weight[0] @ torch.tanh(made.project(step))) for step in steps]
    return sum(score * step for score, step in zip(scores, steps, strict=True)) / sum(scores)


@pytest.mark.parametrize("kinds", [*pooling.POOLINGS, "mean+max", "attention+max", "last+mean+max+attention"])
def test_pooling_by_hand(kinds):
    made, (outputs, hidden) = layer(kinds), inputs()
    found, _ = made(outputs, LENGTHS, hidden)
    assert found.shape == (3, made.outputs)
    for row, length in enumerate(LENGTHS):
        expected = [by_hand(made, kind, outputs[row, :length], hidden[row]) for kind in kinds.split("+")]
        torch.testing.assert_close(found[row], torch.cat(expected))


@pytest.mark.parametrize("kinds", pooling.POOLINGS)
def test_more_padding_changes_nothing(kinds):
    made, (outputs, hidden) = layer(kinds), inputs()
    wide = torch.cat([outputs, torch.zeros(3, 7, 4)], dim=1)
    torch.testing.assert_close(made(outputs, LENGTHS, hidden)[0], made(wide, LENGTHS, hidden)[0])


def test_the_maximum_of_negative_outputs_is_not_the_padding_s_zero():
    outputs = torch.tensor([[[-3.0], [-2.0], [0.0]]])
    found, _ = pooling.Pooling(1, "max")(outputs, torch.tensor([2]), torch.zeros(1, 1))
    assert found.item() == -2


def test_attention_sums_to_one_over_the_real_steps():
    outputs, hidden = inputs()
    _, weights = layer("attention+max")(outputs, LENGTHS, hidden)
    torch.testing.assert_close(weights.sum(1), torch.ones(3))
    assert not weights[1, 3:].any()
    assert weights[2, 0] == 1


@pytest.mark.parametrize("kinds", ["last", "mean", "max", "mean+max"])
def test_without_attention_there_are_no_weights(kinds):
    outputs, hidden = inputs()
    assert layer(kinds)(outputs, LENGTHS, hidden)[1] is None


@pytest.mark.parametrize("kinds", pooling.POOLINGS)
def test_gradients_are_finite(kinds):
    outputs, hidden = (part.requires_grad_() for part in inputs())
    layer(kinds)(outputs, LENGTHS, hidden)[0].sum().backward()
    assert (hidden if kinds == "last" else outputs).grad.isfinite().all()
