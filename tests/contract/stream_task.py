"""A language model as a task: the next character, learnt on a contiguous stream whose state is carried along."""

import ast
from dataclasses import dataclass, replace
from typing import Any

import pyarrow
import torch
from torch import nn

from seqnlp.io import jsonl
from seqnlp.metrics import base as metrics
from seqnlp.nn import loss, recurrent
from seqnlp.options import option
from seqnlp.preprocess.batching import padding, stream
from seqnlp.tasks import base, outputs
from seqnlp.training import data


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
class Batch(base.Batch):
    """Letters and the ones after them, (B, T) each."""

    inputs: torch.Tensor
    targets: torch.Tensor
    lengths: torch.Tensor


@dataclass(frozen=True)
class Codec(base.Codec):
    """The letters of the training part; 0 is any other, and the end of a line."""

    letters: str

    def encode(self, example, *, fitted=False):
        ids = [self.letters.find(letter) + 1 for letter in example.source + "\n"]
        return {"ids": ids, "lengths": [len(ids)]}

    def features(self):
        return {name: pyarrow.list_(pyarrow.int32()) for name in ("ids", "lengths")}

    def save(self, folder):
        jsonl.write_json(folder / "letters.json", self.letters)
        return ["letters.json"]

    @classmethod
    def load(cls, folder, config):
        return cls(jsonl.read_json(folder / "letters.json"))


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


class Output(outputs.Output[Config, Search, Codec, tuple]):
    """How many letters were foreseen, of how many, and how it goes on."""

    def value(self, example, prediction, codec):
        return dict(zip(("right", "letters", "more"), prediction, strict=True))

    def write(self, example, prediction, output, search, codec):
        return "" if prediction is None else repr(prediction[2])

    def parse(self, written, config):
        return ast.literal_eval(written) if written else None

    def score(self, corpus, predictions, codec, *, intervals=True):
        shares = [right / max(n, 1) for right, n, _ in predictions]
        return outputs.Result(metrics.from_means({"accuracy": shares}, intervals=intervals), {})

    def mistakes(self, corpus, predictions, codec):
        return []


class Task(base.Task[Config, Search, Codec, tuple]):
    """Foresee the next letter; a prediction is how many of a line's were foreseen, of how many, and how it goes on."""

    name, roles, answers, preview_columns = "stream", ("text",), "texts", ("ids",)
    output = Output()

    def labelled(self, record, config):
        return self.example(record, Search())

    def fit(self, corpus, config, given):
        return config, Codec("".join(sorted({letter for example in corpus for letter in example.source})))

    def batches(self, rows, config, codec, training, plan):
        """The rows as one stream, read in parallel, a chunk at a time."""
        data.refuse_plan(plan, "a stream is read in the order of the corpus")
        letters = stream.Concatenation(rows.parts("ids"))
        policy = stream.Stream(len(letters), training.batch_size, config.steps, training.seed, config.varying)
        return data.Batches(policy, lambda chunk: of_arrays(*chunk.read(letters, loss.IGNORED)))

    def collate(self, columns, widths, codec):
        """Rows that are predicted: each from a fresh state."""
        inputs = padding.pad(columns["ids"], *widths)
        targets = padding.pad([ids[1:] for ids in columns["ids"]], *widths, loss.IGNORED)
        lengths = torch.tensor([len(ids) for ids in columns["ids"]])
        return replace(of_arrays(inputs, targets), lengths=lengths)

    def build(self, config, codec):
        return Network(len(codec.letters) + 1)

    def predict(self, networks, codec, batch, columns, search):
        (network,) = networks
        found, counted = network.logits(batch)[0].argmax(2), batch.targets != loss.IGNORED
        right = ((found == batch.targets) & counted).sum(1).tolist()
        more = [_more(network, ids[:-1], search.letters, codec) for ids in columns["ids"]]
        return list(zip(right, counted.sum(1).tolist(), more, strict=True))


def of_arrays(inputs, targets):
    lengths = torch.full((len(inputs),), inputs.shape[1])
    return Batch(torch.from_numpy(inputs), torch.from_numpy(targets), lengths)


def _more(network, ids: list[int], letters: int, codec) -> str:
    """The likeliest letters, one after the other, by the state that is carried along."""
    carry: Any = None
    found: list[int] = []
    for given in [ids, *([None] * (letters - 1))]:
        inputs = torch.tensor([given or found[-1:]])
        logits, carry = network.logits(Batch(inputs, inputs, torch.tensor([inputs.size(1)])), carry)
        found.append(int(logits[0, -1].argmax()))
    return "".join(("\n" + codec.letters)[i] for i in found)


TASK = Task()
