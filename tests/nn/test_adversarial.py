"""Adversarial training: how far features move, that the loss rises as its gradient says, and the gradients of both."""

import pytest
import torch

from seqnlp.nn import adversarial, loss

LENGTHS = torch.tensor([5, 3, 1])
MASK = (torch.arange(5) < LENGTHS[:, None])[..., None]


@pytest.fixture
def features():
    made = torch.randn(3, 5, 7, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    return (made * MASK).requires_grad_()


@pytest.fixture
def weight():
    return torch.linspace(-1, 2, 7, dtype=torch.float64).requires_grad_()


def compute(features, weight):
    """A loss whose gradient is zero past the lengths."""
    return loss.Loss((features * MASK * weight).sum((1, 2)).tanh().sum() + features.mul(MASK).pow(2).sum(), 3)


def moves(features, weight, size):
    (gradient,) = torch.autograd.grad(compute(features, weight).sum, features)
    return adversarial.perturbation(features, gradient, LENGTHS, size), gradient


def word(features):
    """The length of a word's vector in each row."""
    return (features.square().sum((1, 2)) / LENGTHS).sqrt()


def test_a_row_moves_as_far_as_its_size_says_in_lengths_of_a_word(features, weight):
    moved, _ = moves(features, weight, 0.5)
    torch.testing.assert_close(moved.flatten(1).norm(dim=1), 0.5 * word(features), check_dtype=False)


def test_the_loss_rises_by_the_norm_of_the_gradient(features, weight):
    moved, gradient = moves(features, weight, 1e-4)
    risen = compute(features + moved, weight).sum - compute(features, weight).sum
    expected = 1e-4 * (word(features) * gradient.flatten(1).norm(dim=1)).sum()
    assert risen.item() == pytest.approx(expected.item(), rel=1e-3)


def test_padding_does_not_move(features, weight):
    moved, _ = moves(features, weight, 1.0)
    assert not (moved * ~MASK).any()


def test_nothing_moves_where_the_loss_is_flat(features):
    assert not adversarial.perturbation(features, torch.zeros_like(features), LENGTHS, 1.0).any()


def test_loss_and_gradients_are_those_of_both_forms(features, weight):
    unused = torch.ones(2, requires_grad=True)
    parameters = [weight, unused]
    found = adversarial.trained(features, LENGTHS, 0.5, lambda moved: compute(moved, weight), parameters)
    moved, _ = moves(features, weight, 0.5)
    expected = compute(features, weight).sum + compute(features + moved, weight).sum
    torch.testing.assert_close(found.sum, expected)
    assert found.weight == 6
    for one, other in zip(
        torch.autograd.grad(2 * found.sum, [features, *parameters], allow_unused=True),
        torch.autograd.grad(2 * expected, [features, *parameters], allow_unused=True),
        strict=True,
    ):
        assert other is None or torch.allclose(one, other)
