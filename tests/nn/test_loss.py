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
    """Szegedy et al. 2016, section 7, row by row: a part of the target is spread evenly over all classes."""
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
    found = loss.cross_entropy(logits(), targets, label_smoothing=smoothing, weights=weights)
    torch.testing.assert_close(
        (found.sum, found.weight), by_hand(logits(), targets, smoothing, weights), check_dtype=False
    )


@pytest.mark.parametrize("weights", WEIGHTS)
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_sum_over_weight_is_torch_s_mean(smoothing, weights):
    targets, weights = torch.tensor([0, -1, 2, 3, 4, 0, 2]), tensor(weights)
    found = loss.cross_entropy(logits(), targets, label_smoothing=smoothing, weights=weights)
    mean = functional.cross_entropy(
        logits(), targets, weight=weights, label_smoothing=smoothing, ignore_index=loss.IGNORED
    )
    torch.testing.assert_close(found.sum / found.weight, mean)


@pytest.mark.parametrize("weights", WEIGHTS)
def test_parts_of_a_batch_add_up_to_the_whole(weights):
    targets = torch.tensor([0, -1, 2, 3, 4, 0, 2])
    whole, first, second = (
        loss.cross_entropy(logits()[part], targets[part], label_smoothing=0.1, weights=tensor(weights))
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
    probabilities = torch.sigmoid(scores)
    present = targets * probabilities.log() * (1 if weights is None else torch.tensor(weights))
    torch.testing.assert_close(
        found.sum, -(present + (1 - targets) * (1 - probabilities).log()).sum(), rtol=1e-4, atol=1e-4
    )
    assert found.weight == 7


def layer(rows=7, features=3, classes=5, seed=1):
    """Features (rows, F), weight (V, F), bias (V,), all to be learnt."""
    generator = torch.Generator().manual_seed(seed)
    shapes = ((rows, features), (classes, features), (classes,))
    return [torch.randn(*shape, generator=generator).requires_grad_() for shape in shapes]


def plain(features, weight, bias, targets, label_smoothing):
    return loss.cross_entropy(features @ weight.t() + bias, targets, label_smoothing=label_smoothing)


@pytest.mark.parametrize("rows", [1, 3, 256])
@pytest.mark.parametrize("smoothing", [0.0, 0.3])
@pytest.mark.parametrize("targets", [[0, 1, 2, 3, 4, 0, 2], [0, -1, 2, -1, 4, 0, -1]])
def test_linear_cross_entropy_is_that_of_the_logits(monkeypatch, rows, smoothing, targets):
    monkeypatch.setattr(loss, "ROWS", rows)
    found, expected = [], []
    for results, function in (
        (found, lambda *tensors: loss.linear_cross_entropy(*tensors, label_smoothing=smoothing)),
        (expected, lambda *tensors: plain(*tensors, smoothing)),
    ):
        tensors = layer()
        value = function(*tensors, torch.tensor(targets))
        (value.sum * 3).backward()
        results += [value.sum, value.weight, *(tensor.grad for tensor in tensors)]
    torch.testing.assert_close(found, expected)


@pytest.mark.parametrize("scale", [1.0, 100.0, 1e4])
def test_a_target_may_be_as_improbable_as_it_likes(scale):
    """A probability too small for a float is no infinite loss."""
    features, weight, bias = (tensor.detach() * scale for tensor in layer())
    targets = (features @ weight.t() + bias).argmin(1)
    found = loss.linear_cross_entropy(features, weight, bias, targets, label_smoothing=0.1)
    expected = plain(features, weight, bias, targets, 0.1)
    assert float(expected.sum) > 90 or scale == 1
    torch.testing.assert_close(found, expected)


@pytest.mark.parametrize("rows", [1, loss.EVEN - 1, loss.EVEN, loss.EVEN + 1, loss.ROWS + 1])
def test_the_number_of_rows_changes_nothing(rows):
    features, weight, bias = layer(rows=rows)
    targets = torch.arange(rows) % 5
    found, expected = (
        f(features, weight, bias, targets, label_smoothing=0.1) for f in (loss.linear_cross_entropy, plain)
    )
    torch.testing.assert_close(found, expected)


def test_linear_cross_entropy_of_steps_is_that_of_their_rows():
    features, weight, bias = layer(rows=8)
    targets = torch.tensor([0, -1, 2, 3, 4, 0, 2, -1])
    flat = loss.linear_cross_entropy(features, weight, bias, targets)
    steps = loss.linear_cross_entropy(features.view(2, 4, 3), weight, bias, targets.view(2, 4))
    torch.testing.assert_close(steps, flat)


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_linear_cross_entropy_under_autocast(smoothing):
    targets = torch.arange(300) % 5
    found = []
    for mixed in (False, True):
        tensors = layer(rows=300)
        with torch.autocast("cpu", torch.bfloat16, enabled=mixed):
            value = loss.linear_cross_entropy(tensors[0].tanh(), *tensors[1:], targets, label_smoothing=smoothing)
        assert value.sum.dtype == torch.float32
        value.sum.backward()
        found.append([value.sum.detach(), *(tensor.grad for tensor in tensors)])
    assert not torch.equal(found[0][0], found[1][0])
    for exact, rough in zip(*found, strict=True):
        assert rough.dtype == torch.float32
        torch.testing.assert_close(rough, exact, atol=0.02 * float(exact.abs().max()), rtol=0)


def test_in_bf16_the_gradients_of_the_biases_come_to_nothing():
    """As they do in fp32: no constant drifts along in all of them."""
    features, weight, bias = layer(rows=300)
    with torch.autocast("cpu", torch.bfloat16):
        loss.linear_cross_entropy(features, weight, bias, torch.arange(300) % 5, label_smoothing=0.1).sum.backward()
    assert abs(float(bias.grad.sum())) < 1e-3 * 300 * 0.4


def test_features_of_bf16_get_a_gradient_of_bf16():
    features, weight, bias = layer()
    rounded = features.detach().bfloat16().requires_grad_()
    with torch.autocast("cpu", torch.bfloat16):
        loss.linear_cross_entropy(rounded, weight, bias, torch.arange(7) % 5).sum.backward()
    assert rounded.grad.dtype == torch.bfloat16


def test_what_is_not_to_be_learnt_gets_no_gradient():
    features, weight, bias = layer()
    with torch.no_grad():
        found = loss.linear_cross_entropy(features, weight, bias, torch.arange(7) % 5)
    assert not found.sum.requires_grad
    torch.testing.assert_close(found, loss.linear_cross_entropy(features, weight, bias, torch.arange(7) % 5))


def test_linear_cross_entropy_without_any_target_is_zero():
    tensors = layer()
    found = loss.linear_cross_entropy(*tensors, torch.full((7,), loss.IGNORED))
    found.sum.backward()
    assert found.sum == found.weight == 0
    assert not any(tensor.grad.any() for tensor in tensors)
