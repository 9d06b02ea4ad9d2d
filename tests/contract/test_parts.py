"""A batch that is computed in parts, as by several processes, gives what the whole one gives, dropout included."""

import dataclasses

import pytest
import torch

from seqnlp.nn import loss, rows
from seqnlp.training import randomness
from seqnlp.workflows import prepare


def computed(ready, batch, count):
    """Loss and gradients of a batch in so many parts."""
    (network,) = ready.model.networks
    network.train().zero_grad()
    total, found = ready.data.rows(batch), loss.Loss(torch.tensor(0.0), torch.tensor(0.0))
    for number in range(count):
        part = rows.Part.of(total, number, count)
        if not len(part):
            continue
        with torch.random.fork_rng(devices=[]), rows.only(part):
            randomness.seed_batch(3, 7, 0)
            one = network(ready.data.load(ready.data.part(batch, part.rows)))
            one.sum.backward()
        found = loss.Loss(found.sum + one.sum.detach(), found.weight + one.weight)
    return found, {name: p.grad.to_dense() for name, p in network.named_parameters() if p.grad is not None}


@pytest.fixture(scope="module")
def ready(case, tmp_path_factory):
    """What is there before the first step, with all that draws random numbers."""
    job = case.job(tmp_path_factory.mktemp(case.name) / "model")
    drawing = {"dropout": 0.4, "word_dropout": 0.2, "adversarial": 0.5, "bpe_dropout": 0.2, "weight_dropout": 0.3}
    known = {field.name for field in dataclasses.fields(job.config)}
    config = dataclasses.replace(job.config, **{name: drawing[name] for name in drawing.keys() & known})
    return prepare.prepare(dataclasses.replace(job, config=config))


def test_parts_of_a_batch_add_up_to_the_whole(ready):
    batch = ready.data.epoch(0)[0]
    whole, expected = computed(ready, batch, 1)
    for count in (3, ready.data.rows(batch) + 1):
        parts, found = computed(ready, batch, count)
        assert parts.sum.item() == pytest.approx(whole.sum.item(), rel=1e-4)
        assert parts.weight.item() == pytest.approx(whole.weight.item())
        assert found.keys() == expected.keys()
        for name in expected:
            torch.testing.assert_close(found[name], expected[name], rtol=1e-3, atol=1e-4, msg=name)
