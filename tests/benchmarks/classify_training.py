"""Training speed of `seqnlp classify` beside a plain PyTorch loop of the same sizes, in thousand words a second.

    python tests/benchmarks/classify_training.py CORPUS.tsv [--rounds 5] [--hidden-size 256] [--adversarial 0] [--cpu]

The plain loop is what tutorials teach: nn.Embedding, a bidirectional nn.LSTM over a PackedSequence, shuffled batches of
32, Adam, fp32. Ours does more for each word: character n-grams, dropout, clipping, moving average. Both
train on the same words, in turns, round by round; the ratio is that of the medians. fp32 and bf16 are ours in either
precision. By default ours learns from each text twice (`--adversarial`), which counts once. --cpu counts the
processor's seconds, for a machine that has other work; with one thread.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # as the command line does

import ours
import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence, pad_sequence

from seqnlp.preprocess.corpora import schema
from seqnlp.tasks import registry
from seqnlp.workflows import prepare

classify = registry.get("classify")


class Plain(nn.Module):
    """The tutorials' classifier."""

    def __init__(self, vocabulary: int, classes: int, dimension: int, hidden: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, dimension, padding_idx=0)
        self.lstm = nn.LSTM(dimension, hidden, batch_first=True, bidirectional=True)
        self.output = nn.Linear(2 * hidden, classes)

    def forward(self, words: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        sequence = pack_padded_sequence(self.embedding(words), lengths, batch_first=True, enforce_sorted=False)
        outputs, _ = pad_packed_sequence(self.lstm(sequence)[0], batch_first=True, padding_value=-torch.inf)
        return self.output(outputs.amax(1))


def plain_round(ready: prepare.Prepared, config: classify.Config, sentences: int) -> ours.Round:
    """Return a round that trains the plain model on so many rows and returns their number of words."""
    codec, rows = ready.model.codec, list(ready.rows)
    model = Plain(len(codec.words), len(codec.classes), config.embedding_size, config.hidden_size)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)

    def run() -> int:
        chosen = [rows[i] for i in torch.randperm(len(rows))[:sentences].tolist()]
        for start in range(0, len(chosen), 32):
            batch = chosen[start : start + 32]
            words = pad_sequence([torch.tensor(row["ids"]) for row in batch], batch_first=True)
            logits = model(words, torch.tensor([len(row["ids"]) for row in batch]))
            loss = nn.functional.cross_entropy(logits, torch.tensor([row["labels"][0] for row in batch]))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        return sum(len(row["ids"]) for row in chosen)

    return run


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("corpus")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--sentences", type=int, default=3000, help="of a round")
    parser.add_argument("--hidden-size", type=int, default=classify.Config().hidden_size)
    parser.add_argument("--adversarial", type=float, default=classify.Config().adversarial)
    parser.add_argument("--cpu", action="store_true")
    arguments = parser.parse_args()
    size = arguments.hidden_size
    config = classify.Config(hidden_size=size, embedding_size=size, adversarial=arguments.adversarial)
    clock = time.process_time if arguments.cpu else time.perf_counter
    source = schema.Source((arguments.corpus,))
    with tempfile.TemporaryDirectory() as folder:
        prepared = {
            precision: ours.prepare("classify", source, source, config, folder, precision=precision)
            for precision in ("fp32", "bf16")
        }
        rounds = {"plain": plain_round(prepared["fp32"], config, arguments.sentences)}
        for precision, ready in prepared.items():
            rounds[f"seqnlp {precision}"] = ours.training_round(ours.make_trainer(ready, folder), arguments.sentences)
        speeds = ours.speeds(rounds, arguments.rounds, clock)
    base = ours.median(speeds["plain"])
    print(
        f"hidden size {size}, adversarial {arguments.adversarial}, {torch.get_num_threads()} threads, "
        f"{arguments.rounds} rounds of {arguments.sentences} sentences"
    )
    print(f"{'loop':<14} {'min':>8} {'median':>8} {'max':>8} {'ratio':>7}   thousand words a second")
    for name, values in speeds.items():
        low, middle, high = min(values) / 1000, ours.median(values) / 1000, max(values) / 1000
        print(f"{name:<14} {low:>8.1f} {middle:>8.1f} {high:>8.1f} {1000 * middle / base:>7.2f}")


if __name__ == "__main__":
    main()
