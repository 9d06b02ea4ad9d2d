"""Training speed of `seqnlp classify` beside a plain PyTorch loop of the same sizes, in thousand words a second.

    python tests/benchmarks/classify_training.py CORPUS.tsv [--rounds 5] [--hidden 256]

The plain loop is what tutorials teach: nn.Embedding, a bidirectional nn.LSTM over a PackedSequence, shuffled batches of
32, Adam, fp32. Ours does more for each word: character n-grams, naive Bayes, dropout, clipping, moving average. Both
train on the same words, in turns, round by round; the ratio is that of the medians. fp32 and bf16 are ours in either
precision.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # as the command line does

import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence, pad_sequence

from seqnlp import options, training, workflow
from seqnlp.preprocess import readers
from seqnlp.tasks import classify

ROUND = 3000  # sentences of one round


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


def plain_round(trained: training.Trainer, rows: list[dict], config: classify.Config) -> Callable[[], int]:
    """Return a function that trains the plain model on some rows and returns their number of words."""
    codec = trained.data.codec
    model = Plain(len(codec.words), len(codec.classes), config.dimension, config.hidden)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)

    def run() -> int:
        chosen = [rows[i] for i in torch.randperm(len(rows))[:ROUND].tolist()]
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


def our_round(trainer: training.Trainer) -> Callable[[], int]:
    """Return a function that goes on with our training for some steps and returns the number of their words."""

    def run() -> int:
        words = sentences = 0
        while sentences < ROUND:
            rows, _ = trainer.order[trainer.progress.step % trainer.per_epoch]
            trainer.step()
            trainer.progress.step += 1
            words += int(trainer.data.rows.lengths[rows].sum())
            sentences += len(rows)
        return words

    return run


def trainer(path: str, precision: str, config: classify.Config, folder: str) -> training.Trainer:
    """Return a trainer as `seqnlp classify train` makes it."""
    source = readers.Source((path,))
    chosen = options.Training(**{**classify.OPTIONS, "precision": precision, "epochs": 100})
    job = workflow.Job("classify", source, source, Path(folder), config, chosen, device="cpu")
    ready = workflow.prepare(job)
    made = ready.trainer(Path(folder), watch=lambda what, progress: None, stop=lambda: 0, spent=0.0)
    made.progress.total = 100 * made.per_epoch
    made.network.train()
    return made


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("corpus")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--hidden", type=int, default=classify.Config().hidden)
    arguments = parser.parse_args()
    config = classify.Config(hidden=arguments.hidden, dimension=arguments.hidden)
    with tempfile.TemporaryDirectory() as folder:
        ours = {precision: trainer(arguments.corpus, precision, config, folder) for precision in ("fp32", "bf16")}
        rows = ours["fp32"].data.rows.table.to_list()
        rounds = {"plain": plain_round(ours["fp32"], rows, config)}
        rounds |= {f"seqnlp {precision}": our_round(made) for precision, made in ours.items()}
        speeds: dict[str, list[float]] = {name: [] for name in rounds}
        for number in range(arguments.rounds + 1):
            for name, run in rounds.items():
                begin = time.perf_counter()
                words = run()
                if number:  # the first round warms up
                    speeds[name].append(words / (time.perf_counter() - begin) / 1000)
    base = statistics.median(speeds["plain"])
    print(
        f"hidden {arguments.hidden}, {torch.get_num_threads()} threads, {arguments.rounds} rounds of {ROUND} sentences"
    )
    print(f"{'loop':<14} {'min':>8} {'median':>8} {'max':>8} {'ratio':>7}   thousand words a second")
    for name, values in speeds.items():
        median = statistics.median(values)
        print(f"{name:<14} {min(values):>8.1f} {median:>8.1f} {max(values):>8.1f} {median / base:>7.2f}")


if __name__ == "__main__":
    main()
