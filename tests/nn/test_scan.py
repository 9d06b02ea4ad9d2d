"""The scan: all of its forms are the recurrence, step by step, and so are their gradients."""

import pytest
import torch

from seqnlp.nn import scan

SIZES = [(1, 1, 1), (3, 7, 5), (2, 1, 3), (1, 13, 2), (3, 600, 2)]


def drawn(rows, steps, hidden, seed=0):
    generator = torch.Generator().manual_seed(seed)
    a = torch.rand(rows, steps, hidden, generator=generator, dtype=torch.float64)
    b = torch.randn(rows, steps, hidden, generator=generator, dtype=torch.float64)
    return a, b, torch.randn(rows, hidden, generator=generator, dtype=torch.float64)


def by_hand(a, b, state):
    states = []
    for t in range(a.size(1)):
        state = a[:, t] * state + b[:, t]
        states.append(state)
    return torch.stack(states, dim=1)


@pytest.mark.parametrize("size", SIZES)
def test_a_scan_is_the_recurrence(size):
    torch.testing.assert_close(scan.scan(*drawn(*size)), by_hand(*drawn(*size)), rtol=0, atol=1e-12)


@pytest.mark.parametrize("chunk", [1, 2, 3, 5, 8, 512])
@pytest.mark.parametrize("size", SIZES)
def test_the_steps_of_a_chunk_together_are_the_recurrence(size, chunk):
    torch.testing.assert_close(scan.parallel(*drawn(*size), chunk), by_hand(*drawn(*size)), rtol=0, atol=1e-12)


@pytest.mark.parametrize("size", SIZES[:4])
@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_gradients_are_those_of_differences(monkeypatch, size, device):
    """The form of a GPU is tried on the CPU too: only the choice is by device."""
    if device == "cuda":
        monkeypatch.setattr(scan, "sequential", lambda a, b, state, steps: turned(a, b, state, list(steps)))
    arguments = [part.requires_grad_() for part in drawn(*size)]
    assert torch.autograd.gradcheck(scan.scan, arguments)


def turned(a, b, state, steps):
    """What `sequential` gives, by `parallel`, as the scan on CUDA does it."""
    if steps == sorted(steps):
        return scan.parallel(a, b, state, chunk=3)
    return scan.parallel(a.flip(1), b.flip(1), state, chunk=3).flip(1)


def test_a_scan_of_low_precision_is_computed_in_fp32():
    a, b, begin = (part.to(torch.bfloat16) for part in drawn(2, 50, 3))
    found = scan.scan(a, b, begin)
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, by_hand(a.float(), b.float(), begin.float()))


def test_nothing_overflows_where_all_is_forgotten_or_kept():
    for factor in (0.0, 1.0):
        a, b, begin = drawn(2, 600, 3)
        a = torch.full_like(a, factor)
        for found in (scan.scan(a, b, begin), scan.parallel(a, b, begin)):
            torch.testing.assert_close(found, by_hand(a, b, begin), rtol=1e-9, atol=1e-9)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize("size", SIZES)
def test_a_gpu_gives_what_the_cpu_gives(size):
    expected = scan.scan(*drawn(*size))
    torch.testing.assert_close(scan.scan(*(part.cuda() for part in drawn(*size))).cpu(), expected)
