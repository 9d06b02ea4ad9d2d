"""Losses as sum and weight: against their formulas, with smoothing, weights and targets that are left out."""

import pytest
import torch
from torch.nn import functional

from seqnlp.nn import loss

WEIGHTS = [None, [0.5, 2.0, 1.0, 3.0, 0.1]]


def logits(rows=7, classes=5):
    return torch.randn(rows, classes, generator=torch.Generator().manual_seed(0)) * 3


def tensor(weights):
    return None if weights is None else torch.tensor(weights)


def by_hand(scores, targets, smoothing, weights):
    """Szegedy et al. 2016, section 7, row by row: a share of the target is spread evenly over all classes."""
    classes = scores.size(1)
    weights = torch.ones(classes) if weights is None else weights
    total = weight = 0.0
    for row, target in zip(scores, targets.tolist(), strict=True):
        if target == loss.IGNORED:
            continue
        logs = row - row.exp().sum().log()
        wanted = torch.full((classes,), smoothing / classes)
        wanted[target] += 1 - smoothing
        total -= (wanted * weights * logs).sum()
        weight += weights[target]
    return total, weight


@pytest.mark.parametrize("weights", WEIGHTS)
@pytest.mark.parametrize("smoothing", [0.0, 0.3])
@pytest.mark.parametrize("targets", [[0, 1, 2, 3, 4, 0, 2], [0, -1, 2, -1, 4, 0, 2]])
def test_cross_entropy_by_hand(targets, smoothing, weights):
    targets, weights = torch.tensor(targets), tensor(weights)
    found = loss.cross_entropy(logits(), targets, smoothing=smoothing, weights=weights)
    torch.testing.assert_close(
        (found.sum, found.weight), by_hand(logits(), targets, smoothing, weights), check_dtype=False
    )


@pytest.mark.parametrize("weights", WEIGHTS)
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_sum_over_weight_is_torch_s_mean(smoothing, weights):
    targets, weights = torch.tensor([0, -1, 2, 3, 4, 0, 2]), tensor(weights)
    found = loss.cross_entropy(logits(), targets, smoothing=smoothing, weights=weights)
    mean = functional.cross_entropy(
        logits(), targets, weight=weights, label_smoothing=smoothing, ignore_index=loss.IGNORED
    )
    torch.testing.assert_close(found.sum / found.weight, mean)


@pytest.mark.parametrize("weights", WEIGHTS)
def test_parts_of_a_batch_add_up_to_the_whole(weights):
    targets = torch.tensor([0, -1, 2, 3, 4, 0, 2])
    whole, first, second = (
        loss.cross_entropy(logits()[part], targets[part], smoothing=0.1, weights=tensor(weights))
        for part in (slice(None), slice(0, 3), slice(3, None))
    )
    torch.testing.assert_close(first.sum + second.sum, whole.sum)
    torch.testing.assert_close(first.weight + second.weight, whole.weight)


def test_without_any_target_sum_and_weight_are_zero():
    scores = logits().requires_grad_()
    found = loss.cross_entropy(scores, torch.full((7,), loss.IGNORED))
    found.sum.backward()
    assert found.sum == found.weight == 0
    assert not scores.grad.any()


@pytest.mark.parametrize("function", [loss.cross_entropy, loss.binary_cross_entropy])
def test_losses_are_in_fp32(function):
    targets = torch.tensor([0, 1, 2]) if function is loss.cross_entropy else torch.ones(3, 5)
    found = function(logits(3).bfloat16(), targets)
    assert found.sum.dtype == found.weight.dtype == torch.float32


@pytest.mark.parametrize("weights", WEIGHTS)
def test_binary_cross_entropy_by_hand(weights):
    scores, targets = logits(), (logits() + 1 > 0).float()
    found = loss.binary_cross_entropy(scores, targets, weights=tensor(weights))
    shares = torch.sigmoid(scores)
    present = targets * shares.log() * (1 if weights is None else torch.tensor(weights))
    torch.testing.assert_close(found.sum, -(present + (1 - targets) * (1 - shares).log()).sum(), rtol=1e-4, atol=1e-4)
    assert found.weight == 7
