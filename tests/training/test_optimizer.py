"""The optimiser: gradients scaled and clipped, rows that were seen, the moving average, and the way to disk."""

import pytest
import torch
from torch import nn

from seqnlp.options import Training
from seqnlp.training import optimizer


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.words = nn.Embedding(7, 3, sparse=True)
        self.output = nn.Linear(3, 5)
        self.frozen = nn.Parameter(torch.ones(3), requires_grad=False)

    def forward(self, words):
        return self.output(self.words(words)).square().sum()


def made(**options):
    network = Net()
    return network, optimizer.Optimizer(network, Training(**options))


def gradients(network):
    return {name: p.grad.to_dense().clone() for name, p in network.named_parameters() if p.grad is not None}


def clone(network):
    return {name: parameter.detach().clone() for name, parameter in network.named_parameters()}


def step(network, optimiser, number=0, rate=0.1, words=(1, 2)):
    network(torch.tensor(words)).backward()
    optimiser.scale(1.0)
    optimiser.step(number, rate)


def test_gradients_are_divided_by_the_weight():
    network, optimiser = made(max_grad_norm=0.0)
    network(torch.tensor([1, 2, 2])).backward()
    before = gradients(network)
    optimiser.scale(4.0)
    torch.testing.assert_close(gradients(network), {name: gradient / 4 for name, gradient in before.items()})


def dense_norm(network):
    return torch.stack([network.output.weight.grad.norm(), network.output.bias.grad.norm()]).norm().item()


def test_the_norm_is_told_and_clipped():
    network, optimiser = made(max_grad_norm=0.5)
    network(torch.tensor([1, 2])).backward()
    before = dense_norm(network)
    assert optimiser.scale(2.0) == pytest.approx(before / 2)
    assert dense_norm(network) == pytest.approx(0.5)


def test_without_torch_s_call_for_all_gradients_the_result_is_the_same(monkeypatch):
    def scaled():
        network, optimiser = made(max_grad_norm=0.5)
        network(torch.tensor([1, 2])).backward()
        optimiser.scale(3.0)
        return gradients(network)

    expected = scaled()
    monkeypatch.delattr(torch, "_foreach_mul_", raising=False)
    torch.testing.assert_close(scaled(), expected, rtol=0, atol=0)


def test_a_small_gradient_is_not_made_greater():
    network, optimiser = made(max_grad_norm=1e9)
    network(torch.tensor([1, 2])).backward()
    before = dense_norm(network)
    optimiser.scale(1.0)
    assert dense_norm(network) == pytest.approx(before)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_gradient_that_is_no_number_is_told(value):
    network, optimiser = made()
    (network(torch.tensor([1, 2])) * value).backward()
    assert not torch.tensor(optimiser.scale(1.0)).isfinite()


def test_only_rows_that_were_seen_move():
    network, optimiser = made()
    before = clone(network)
    for number in range(3):
        step(network, optimiser, number, words=(1, 4))
    moved = (network.words.weight != before["words.weight"]).any(1)
    assert moved.tolist() == [False, True, False, False, True, False, False]


def test_weight_decay_is_of_matrices_only():
    network, optimiser = made(weight_decay=0.5)
    network.output.bias.data.fill_(1.0)
    before = clone(network)
    for parameter in (network.output.weight, network.output.bias):
        parameter.grad = torch.zeros_like(parameter)
    optimiser.step(0, 0.1)
    torch.testing.assert_close(network.output.weight.data, before["output.weight"] * 0.95)
    assert torch.equal(network.output.bias.data, before["output.bias"])


def test_frozen_parameters_are_left_alone():
    network, optimiser = made(ema_decay=0.9)
    step(network, optimiser)
    assert network.frozen.tolist() == [1, 1, 1]
    assert "frozen" not in optimiser.weights()


def test_gradients_are_forgotten_after_the_step():
    network, optimiser = made()
    step(network, optimiser)
    assert all(parameter.grad is None for parameter in network.parameters())


def test_without_an_average_the_weights_are_the_network_s():
    network, optimiser = made()
    before = clone(network)
    optimiser.swap()
    torch.testing.assert_close(clone(network), before, rtol=0, atol=0)
    assert optimiser.weights().keys() == {"words.weight", "output.weight", "output.bias"}


def test_the_average_lies_between_the_first_and_the_last_weights():
    network, optimiser = made(ema_decay=0.9)
    first = clone(network)
    for number in range(30):
        step(network, optimiser, number, rate=0.01)
    last, average = network.output.weight.detach(), optimiser.weights()["output.weight"]
    assert 0 < (average - last).norm() < (first["output.weight"] - last).norm()


def test_the_average_takes_a_part_of_each_weight_as_its_formula_says():
    network, optimiser = made(ema_decay=0.9)
    expected = clone(network)
    for number in range(12):
        step(network, optimiser, number, rate=0.01)
        if number < 10:  # the first decays are 0: the average is the network itself
            expected = clone(network)
    torch.testing.assert_close(dict(optimiser.weights()), {k: v for k, v in expected.items() if k != "frozen"})
    for number in range(12, 20):
        step(network, optimiser, number, rate=0.01)
    decay = min(0.9**10, (19 - 10) / (19 + 90))
    for name, average in optimiser.weights().items():
        now = dict(network.named_parameters())[name].detach()
        torch.testing.assert_close(average, decay * expected[name] + (1 - decay) * now)


def test_swapping_twice_changes_nothing():
    network, optimiser = made(ema_decay=0.9)
    for number in range(10):
        step(network, optimiser, number)
    before, average = clone(network), {name: part.clone() for name, part in optimiser.weights().items()}
    optimiser.swap()
    assert torch.equal(network.output.weight, average["output.weight"])
    optimiser.swap()
    torch.testing.assert_close(clone(network), before, rtol=0, atol=0)


@pytest.mark.parametrize("ema", [0.0, 0.9])
def test_restored_from_its_state_it_goes_on_the_same(ema):
    network, optimiser = made(ema_decay=ema)
    for number in range(12):
        step(network, optimiser, number)
    state = {group: {k: v.detach().clone() for k, v in part.items()} for group, part in optimiser.state().items()}
    other, restored = made(ema_decay=ema)
    restored.restore(state)
    for number in range(12, 25):
        step(network, optimiser, number)
        step(other, restored, number)
    torch.testing.assert_close(clone(other), clone(network), rtol=0, atol=0)
    torch.testing.assert_close(dict(restored.weights()), dict(optimiser.weights()), rtol=0, atol=0)


def test_dense_weights_move_as_torch_s_own_class_moves_them():
    network, optimiser = made(weight_decay=0.1, max_grad_norm=0.0)
    other, _ = made()
    matrix, bias = other.output.weight, other.output.bias
    groups = [{"params": [matrix], "weight_decay": 0.1}, {"params": [bias], "weight_decay": 0.0}]
    theirs = torch.optim.AdamW(groups, lr=0.05, betas=optimizer.BETAS, eps=optimizer.EPSILON, fused=True)
    for number in range(5):
        network.output(torch.ones(2, 3)).square().sum().backward()
        other.output(torch.ones(2, 3)).square().sum().backward()
        optimiser.scale(1.0)
        optimiser.step(number, 0.05)
        theirs.step()
        theirs.zero_grad()
    assert torch.equal(network.output.weight, matrix) and torch.equal(network.output.bias, bias)


@pytest.mark.parametrize("piece", [2, 512])
def test_rows_move_as_torch_s_own_class_moves_them(monkeypatch, piece):
    monkeypatch.setattr(optimizer, "CACHED_ROWS", piece)
    network, optimiser = made(max_grad_norm=0.0)
    other = Net()
    theirs = torch.optim.SparseAdam([other.words.weight], lr=0.1, betas=optimizer.BETAS, eps=optimizer.EPSILON)
    for number, words in enumerate([(0, 1, 2, 4, 4), (6,), (4, 3, 2, 1, 0)]):
        other.output.load_state_dict(network.output.state_dict())
        step(network, optimiser, number, words=words)
        other(torch.tensor(words)).backward()
        theirs.step()
        other.zero_grad()
    torch.testing.assert_close(network.words.weight, other.words.weight)
