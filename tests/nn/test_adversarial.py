"""Adversarial perturbation: how far features move, and that the loss rises by as much as its gradient says."""

import pytest
import torch

from seqnlp.nn import adversarial

LENGTHS = torch.tensor([5, 3, 1])


@pytest.fixture
def features():
    made = torch.randn(3, 5, 7, generator=torch.Generator().manual_seed(0))
    return (made * (torch.arange(5) < LENGTHS[:, None])[..., None]).requires_grad_()


def loss_of(features):
    """One whose gradient is zero past the lengths."""
    mask = (torch.arange(5) < LENGTHS[:, None])[..., None]
    return (features * mask).sum((1, 2)).tanh().sum() + ((features * mask) ** 2).sum()


def moved_by(features, size):
    return adversarial.perturbed(features, loss_of(features), LENGTHS, size)


def test_a_row_moves_as_far_as_its_size_says_in_lengths_of_a_word(features):
    steps = (moved_by(features, 0.5) - features).flatten(1).norm(dim=1)
    word = (features.square().sum() / LENGTHS.sum()).sqrt()
    torch.testing.assert_close(steps, 0.5 * word.expand(3))


def test_the_loss_rises_by_the_norm_of_the_gradient(features):
    (gradient,) = torch.autograd.grad(loss_of(features), features)
    before, after = loss_of(features.double()), loss_of(moved_by(features, 1e-3).double())
    word = (features.square().sum() / LENGTHS.sum()).sqrt()
    expected = 1e-3 * word * gradient.flatten(1).norm(dim=1).sum()
    assert (after - before).item() == pytest.approx(expected.item(), rel=0.01)


def test_padding_does_not_move(features):
    moved = moved_by(features, 1.0)
    assert (moved[1, 3:] == 0).all() and (moved[2, 1:] == 0).all()


def test_the_step_is_a_constant_to_gradients(features):
    (gradient,) = torch.autograd.grad(moved_by(features, 1.0).sum(), features)
    assert (gradient == 1).all()


def test_nothing_moves_where_the_loss_is_flat(features):
    moved = adversarial.perturbed(features, (0 * features).sum(), LENGTHS, 1.0)
    assert torch.equal(moved, features)
