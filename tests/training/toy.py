"""A toy to train: a small network with dropout, its data, and the trainer around them."""

import numpy as np
import pytest
import torch
from torch import nn

from seqnlp import errors
from seqnlp.nn import loss
from seqnlp.options import Training
from seqnlp.training import trainer

ROWS, WORDS, CLASSES = 36, 11, 3
OPTIONS = Training(
    seed=5, epochs=4, batch_size=6, max_tokens=100, learning_rate=0.05, warmup_steps=2, precision="fp32", eval_every=5
)


class Batch(tuple):
    def to(self, device):
        return Batch(part.to(device) for part in self)


class Toy(nn.Module):
    """Looks up two words and says which class; with dropout, so that random numbers matter."""

    def __init__(self, seed=0, dropout=0.3):
        super().__init__()
        torch.manual_seed(seed)
        self.words = nn.EmbeddingBag(WORDS, 5, mode="mean", sparse=True)
        self.dropout = nn.Dropout(dropout)
        self.output = nn.Linear(5, CLASSES)

    def logits(self, words):
        return self.output(self.dropout(self.words(words)))

    def forward(self, batch, carry=None):
        words, targets = batch
        return loss.cross_entropy(self.logits(words), targets)


class Remembering(Toy):
    """Adds to every row a state that it carries from batch to batch; `calls` are what came in and what went out."""

    def __init__(self, seed=0, dropout=0.3):
        super().__init__(seed, dropout)
        self.calls = []

    def forward(self, batch, carry=None):
        words, targets = batch
        before = None if carry is None else carry["state"]
        state = self.words(words) if before is None else self.words(words) + before / 2
        self.calls.append((before, state.detach().clone()))
        return loss.cross_entropy(self.output(self.dropout(state)), targets)._replace(carry={"state": state})


class Data:
    """Rows whose class is that of their first word; `parts` cuts every batch into so many."""

    def __init__(self, size=6, parts=1):
        generator = np.random.default_rng(0)
        self.words = torch.from_numpy(generator.integers([0, WORDS // 2], [WORDS // 2, WORDS], (ROWS, 2)))
        self.targets = self.words[:, 0] % CLASSES
        self.size, self.parts = size, parts

    def epoch(self, number):
        order = np.random.default_rng((5, number)).permutation(ROWS).reshape(-1, self.size)
        return [part for batch in order for part in np.array_split(batch, self.parts)]

    def rows(self, batch):
        return len(batch)

    def part(self, batch, rows):
        return batch[rows]

    def load(self, batch):
        return Batch((self.words[batch], self.targets[batch]))


def accuracy(data):
    def evaluate(network):
        with torch.inference_mode():
            right = (network.logits(data.words).argmax(1) == data.targets).float().mean()
        return trainer.Evaluation(100 * float(right), {"accuracy": 100 * float(right)})

    return evaluate


def make_trainer(folder, options=OPTIONS, *, network=None, data=None, **rest):
    data = data or Data()
    rest = {"evaluate": accuracy(data), "watch": lambda *_: None, "stop": lambda: 0, **rest}
    return trainer.Trainer(
        network or Toy(), data, options=options, folder=folder / "checkpoint", device=torch.device("cpu"), **rest
    )


def trained(folder, options=OPTIONS, **rest):
    made = make_trainer(folder, options, **rest)
    made.run()
    return made


def weights(made):
    return {name: parameter.detach() for name, parameter in made.network.named_parameters()}


def scripted(*values):
    """An evaluation that gives these values one after the other, then the last one."""
    left = list(values)

    def evaluate(network):
        value = left.pop(0) if len(left) > 1 else left[0]
        return trainer.Evaluation(value, {"accuracy": value})

    return evaluate


def equal(first, second):
    """Whether tensors by name are the same bit for bit."""
    assert first.keys() == second.keys()
    for name in first:
        assert torch.equal(first[name], second[name]), name


def stopped(folder, step, options=OPTIONS, signum=15, **rest):
    """A trainer that was asked to stop after a step, and the error that it ended with."""
    made = make_trainer(folder, options, **rest)
    made.stop = lambda: signum if made.progress.step >= step else 0
    with pytest.raises(errors.Stopped) as error:
        made.run()
    return made, error.value
