"""A language model as a task: the next character, learnt on a contiguous stream whose state is carried along."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from seqnlp import errors
from seqnlp.io import jsonl
from seqnlp.metrics import base
from seqnlp.nn import loss, recurrent
from seqnlp.options import option
from seqnlp.preprocess.batching import padding, stream
from seqnlp.preprocess.corpora import examples, readers
from seqnlp.preprocess.corpora.examples import Example
from seqnlp.training import data

NAME, ROLES, LINE, EPOCHS = "stream", ("text",), "text", 5


@dataclass(frozen=True)
class Config:
    """What makes the model."""

    steps: int = option(7, "Steps of a chunk.", low=1)
    varying: bool = option(True, "Chunks of varying length.")


@dataclass(frozen=True)
class Search:
    """What shapes a result."""

    letters: int = option(5, "Letters to go on with.", low=1)


@dataclass(frozen=True)
class Batch:
    """Letters and the ones after them, (B, T) each."""

    inputs: torch.Tensor
    targets: torch.Tensor
    lengths: torch.Tensor

    def to(self, device):
        return Batch(self.inputs.to(device), self.targets.to(device), self.lengths.to(device))


@dataclass(frozen=True)
class Codec:
    """The letters of the training part; 0 is any other, and the end of a line."""

    letters: str

    def encode(self, example, *, fitted=False):
        ids = [self.letters.find(letter) + 1 for letter in example.source + "\n"]
        return {"ids": ids, "lengths": [len(ids)]}

    def features(self):
        import datasets

        return {name: datasets.List(datasets.Value("int32")) for name in ("ids", "lengths")}

    def save(self, folder):
        jsonl.write_json(folder / "letters.json", self.letters)
        return ["letters.json"]


class Network(nn.Module):
    """Embedding, one layer of an LSTM, the next letter."""

    def __init__(self, letters):
        super().__init__()
        self.embedding = nn.Embedding(letters, 7)
        self.encoder = recurrent.Encoder(7, 24, bidirectional=False)
        self.output = nn.Linear(24, letters)

    def logits(self, batch, carry=None):
        outputs, state = self.encoder(self.embedding(batch.inputs), batch.lengths, carry)
        return self.output(outputs), state

    def forward(self, batch, carry=None):
        logits, state = self.logits(batch, carry)
        return loss.cross_entropy(logits.flatten(0, 1), batch.targets.flatten())._replace(carry=state)


def example(record, search):
    return Example(record.values["text"], None, record.raw, record.file, record.line)


def read(source, config):
    return examples.Examples(lambda: (example(r, None) for r in readers.records(source, ROLES, targets=False)))


def fit(corpus, config, given):
    return config, Codec("".join(sorted({letter for example in corpus for letter in example.source})))


def fits(row, config):
    return True


def suited(codec, search):
    return codec


def resolve(config, codec):
    return config


def load_codec(folder, config):
    return Codec(jsonl.read_json(folder / "letters.json"))


def batches(rows, config, codec, training, plan):
    """The rows as one stream, read in parallel, a chunk at a time."""
    if plan is not None:
        raise errors.UsageError(
            "a stream is read in the order of the corpus", "train on what `encode` made, not `pack`"
        )
    letters = stream.Concatenation(rows.parts("ids"))
    policy = stream.Stream(len(letters), training.batch_size, config.steps, training.seed, config.varying)
    return data.Batches(policy, lambda chunk: of_arrays(*chunk.read(letters, loss.IGNORED)))


def of_arrays(inputs, targets):
    lengths = torch.full((len(inputs),), inputs.shape[1])
    return Batch(torch.from_numpy(inputs), torch.from_numpy(targets), lengths)


def collate(columns, widths, codec):
    """Rows that are predicted: each from a fresh state."""
    inputs, targets = (
        padding.pad(columns["ids"], *widths),
        padding.pad([ids[1:] for ids in columns["ids"]], *widths, loss.IGNORED),
    )
    return Batch(*map(torch.from_numpy, (inputs, targets)), torch.tensor([len(ids) for ids in columns["ids"]]))


def build(config, codec):
    return Network(len(codec.letters) + 1)


def initialise(network, config, codec):
    pass


def predict(networks, codec, batch, columns, search):
    """How many of a row's letters were foreseen, of how many, and how it would go on."""
    (network,) = networks
    found, counted = network.logits(batch)[0].argmax(2), batch.targets != loss.IGNORED
    right = ((found == batch.targets) & counted).sum(1).tolist()
    return [
        (r, n, _more(network, row[:-1], search.letters, codec))
        for r, n, row in zip(right, counted.sum(1).tolist(), columns["ids"], strict=True)
    ]


def _more(network, ids: list[int], letters: int, codec) -> str:
    """The likeliest letters, one after the other, by the state that is carried along."""
    carry: Any = None
    found: list[int] = []
    for given in [ids, *([None] * (letters - 1))]:
        inputs = torch.tensor([given or found[-1:]])
        logits, carry = network.logits(Batch(inputs, inputs, torch.tensor([inputs.size(1)])), carry)
        found.append(int(logits[0, -1].argmax()))
    return "".join(("\n" + codec.letters)[i] for i in found)


def value(example, prediction, codec):
    return {"right": prediction[0], "letters": prediction[1], "more": prediction[2]}


def score(corpus, predictions, codec, *, intervals=True):
    return base.from_means({"accuracy": [right / max(n, 1) for right, n, _ in predictions]}, intervals=intervals), {}


def mistakes(corpus, predictions, codec):
    return []
