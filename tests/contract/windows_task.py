"""A forecaster as a task: the next values of a series, learnt on sliding windows that end before the split point."""

from dataclasses import dataclass, replace

import numpy as np
import pyarrow
import torch
from torch import nn

from seqnlp.io import jsonl
from seqnlp.metrics import base as metrics
from seqnlp.metrics import registry
from seqnlp.nn import loss
from seqnlp.options import option
from seqnlp.preprocess.batching import stream, windows
from seqnlp.preprocess.corpora.examples import Example
from seqnlp.tasks import base, outputs
from seqnlp.training import data


@dataclass(frozen=True)
class Config:
    """What makes the model; the last `horizon` values of a series are held out."""

    window: int = option(11, "Values that are looked at.", low=1)
    horizon: int = option(3, "Values that are forecast.", low=1)


@dataclass(frozen=True)
class Search:
    """What shapes a result: nothing does."""


@dataclass(frozen=True)
class Batch(base.Batch):
    """Values that are looked at, (B, W), and those after them, (B, H) or none."""

    past: torch.Tensor
    future: torch.Tensor


@dataclass(frozen=True)
class Codec(base.Codec):
    """The mean and the deviation of the training part's values, and how many of them make a window."""

    mean: float
    deviation: float
    window: int

    def encode(self, example, *, fitted=False):
        values = (np.array([*example.source, *(example.target or ())]) - self.mean) / self.deviation
        return {"values": values.tolist(), "lengths": [len(values)], "split": len(example.source)}

    def features(self):
        number = pyarrow.int32()
        return {"values": pyarrow.list_(pyarrow.float32()), "lengths": pyarrow.list_(number), "split": number}

    def save(self, folder):
        jsonl.write_json(folder / "scale.json", [self.mean, self.deviation, self.window])
        return ["scale.json"]

    @classmethod
    def load(cls, folder, config):
        return cls(*jsonl.read_json(folder / "scale.json"))


class Network(nn.Module):
    """A recurrent layer over the window, the next values from its last state."""

    def __init__(self, horizon):
        super().__init__()
        self.encoder = nn.GRU(1, 16, batch_first=True)
        self.output = nn.Linear(16, horizon)

    def forecast(self, past):
        return self.output(self.encoder(past.unsqueeze(2))[0][:, -1])

    def forward(self, batch, carry=None):
        errors = (self.forecast(batch.past) - batch.future).square()
        return loss.Loss(errors.sum(), torch.tensor(float(errors.numel())))


class Output(outputs.Output[Config, Search, Codec, list]):
    """The values, separated by blanks."""

    def value(self, example, prediction, codec):
        return {"values": prediction}

    def write(self, example, prediction, output, search, codec):
        return " ".join(map(repr, prediction or ()))

    def parse(self, written, config):
        return (written["values"] if isinstance(written, dict) else [float(value) for value in written.split()]) or None

    def score(self, corpus, predictions, codec, *, intervals=True):
        error = float(np.mean(np.abs(np.array([example.target for example in corpus]) - np.array(predictions))))
        scale = registry.Scale("of the values", higher_is_better=False)
        return outputs.Result([metrics.Score("mae", error, None, metrics.signature("mae"), len(corpus), scale)], {})

    def mistakes(self, corpus, predictions, codec):
        return []


class Task(base.Task[Config, Search, Codec, list]):
    """Forecast the next values of a series; a prediction is the list of them."""

    name, roles, answers, preview_columns = "windows", ("values",), "texts", ("values",)
    output = Output()

    def labelled(self, record, config):
        whole, end = self.example(record, Search()), -config.horizon
        return replace(whole, source=whole.source[:end], target=whole.source[end:])

    def example(self, record, search):
        values = tuple(map(float, record.values["values"].split()))
        return Example(values, None, record.raw, record.file, record.line)

    def fit(self, corpus, config, given):
        values = [value for example in corpus for value in example.source]
        return config, Codec(float(np.mean(values)), float(np.std(values)), config.window)

    def batches(self, rows, config, codec, training, plan):
        """Windows of all series, none of which sees what is held out."""
        values, lengths = stream.Concatenation(rows.parts("values")), rows.lengths[:, 0]
        splits = np.array(rows.columns(range(len(rows)))["split"])
        spans, _ = windows.spans(lengths, splits, config.window)
        policy = windows.Windows(spans, config.window, config.horizon, training.batch_size, training.seed)
        begins = np.cumsum(lengths) - lengths

        def load(batch):
            found = torch.from_numpy(policy.windows(batch).read(values, begins, config.window + config.horizon))
            return Batch(found[:, : config.window], found[:, config.window :])

        return data.Batches(policy, load)

    def collate(self, columns, widths, codec):
        """The last values before the split of each series; before those of a shorter one its first value."""
        rows = [row[:split] for row, split in zip(columns["values"], columns["split"], strict=True)]
        past = [[row[0]] * (codec.window - len(row)) + row[-codec.window :] for row in rows]
        return Batch(torch.tensor(past), torch.zeros(len(past), 0))

    def build(self, config, codec):
        return Network(config.horizon)

    def predict(self, networks, codec, batch, columns, search):
        (network,) = networks
        return (network.forecast(batch.past) * codec.deviation + codec.mean).tolist()


TASK = Task()
