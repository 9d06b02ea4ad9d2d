"""Training speed of `seqnlp lm` beside a plain PyTorch loop of the same sizes, in thousand tokens a second.

    python tests/benchmarks/lm_speed.py CORPUS.txt [--rounds 5] [--hidden-size 512] [--batch-size 32] [--bptt 64]

The plain loop is what PyTorch's word-language-model example teaches: nn.Embedding, nn.LSTM with dropout between its
layers, time first, a linear layer over the vocabulary with the embedding's weights, log-softmax, truncated
backpropagation through chunks of one length, clipping, plain gradient descent, fp32. Ours does more for each token:
dropout of embeddings and recurrent matrices, penalties, Adam, the average of the weights. All train on the same tokens,
in turns, round by round; the ratio is that of the medians. --cpu counts the processor's seconds, for a machine that has
other work to do.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # as the command line does

import numpy as np
import ours
import torch
from torch import nn

from seqnlp.preprocess.corpora import schema
from seqnlp.tasks import registry
from seqnlp.training import trainer
from seqnlp.workflows import prepare

LM = registry.get("lm")
CHUNKS = 8  # of one round


class Plain(nn.Module):
    """The example's language model."""

    def __init__(self, vocabulary: int, size: int, layers: int, dropout: float) -> None:
        super().__init__()
        self.drop = nn.Dropout(dropout)
        self.encoder = nn.Embedding(vocabulary, size)
        self.rnn = nn.LSTM(size, size, layers, dropout=dropout)
        self.decoder = nn.Linear(size, vocabulary)
        self.decoder.weight = self.encoder.weight
        nn.init.uniform_(self.encoder.weight, -0.1, 0.1)

    def forward(self, words: torch.Tensor, state: tuple[torch.Tensor, torch.Tensor] | None) -> tuple:
        outputs, state = self.rnn(self.drop(self.encoder(words)), state)
        return self.decoder(self.drop(outputs)).flatten(0, 1).log_softmax(1), state


def plain_round(ready: prepare.Prepared, arguments: argparse.Namespace) -> ours.Round:
    """Return a round that trains the plain model on the next chunks and returns their number of tokens."""
    ids = np.concatenate([np.asarray(row["ids"]) for row in ready.rows])
    streams, steps = arguments.batch_size, arguments.bptt
    text = torch.from_numpy(ids[: len(ids) // streams * streams].astype(np.int64)).view(streams, -1).t().contiguous()
    config = ready.model.config
    model = Plain(len(ready.model.codec.tokens), config.hidden_size, config.layers, config.dropout).train()
    place, state = 0, None

    def run() -> int:
        nonlocal place, state
        for _ in range(CHUNKS):
            if place + steps >= len(text):
                place, state = 0, None
            words, targets = text[place : place + steps], text[place + 1 : place + steps + 1].flatten()
            state = None if state is None else tuple(part.detach() for part in state)
            model.zero_grad()
            scores, state = model(words, state)
            nn.functional.nll_loss(scores, targets).backward()
            nn.utils.clip_grad_norm_(model.parameters(), 0.25)
            with torch.no_grad():
                for parameter in model.parameters():
                    parameter.add_(parameter.grad, alpha=-20.0)
            place += steps
        return CHUNKS * steps * streams

    return run


def our_round(made: trainer.Trainer) -> ours.Round:
    """Return a round of the same number of chunks as the command trains on them."""

    def run() -> int:
        tokens = 0
        for _ in range(CHUNKS):
            chunk = made.order[made.progress.step % made.per_epoch]
            made.step()
            made.progress.step += 1
            tokens += chunk.steps * len(chunk.starts)
        return tokens

    return run


def main() -> None:
    """Measure, and print a table."""
    default = LM.Config()
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("corpus")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--hidden-size", type=int, default=default.hidden_size)
    parser.add_argument("--batch-size", type=int, default=LM.training.batch_size)
    parser.add_argument("--bptt", type=int, default=default.bptt)
    parser.add_argument("--level", default="word")
    parser.add_argument("--min-count", type=int, default=1)
    parser.add_argument("--cpu", action="store_true")
    arguments = parser.parse_args()
    size = arguments.hidden_size
    config = LM.Config(
        **{name: getattr(arguments, name) for name in ("level", "bptt", "min_count")},
        hidden_size=size,
        embedding_size=size,
        split="blanks",
    )
    source = schema.Source((arguments.corpus,))
    with tempfile.TemporaryDirectory() as folder:
        prepared = {
            precision: ours.prepare(
                "lm", source, source, config, folder, precision=precision, batch_size=arguments.batch_size
            )
            for precision in ("fp32", "bf16")
        }
        rounds = {"plain": plain_round(prepared["fp32"], arguments)}
        for precision, ready in prepared.items():
            rounds[f"seqnlp {precision}"] = our_round(ours.make_trainer(ready, folder))
        clock = time.process_time if arguments.cpu else time.perf_counter
        speeds = ours.speeds(rounds, arguments.rounds, clock)
    base = ours.median(speeds["plain"])
    print(f"2 layers of {size}, {len(prepared['fp32'].model.codec.tokens)} tokens known, ", end="")
    print(f"{torch.get_num_threads()} threads, {arguments.rounds} rounds of {CHUNKS} chunks")
    print(f"{'loop':<14} {'min':>8} {'median':>8} {'max':>8} {'ratio':>7}   thousand tokens a second")
    for name, values in speeds.items():
        low, middle, high = min(values) / 1000, ours.median(values) / 1000, max(values) / 1000
        print(f"{name:<14} {low:>8.2f} {middle:>8.2f} {high:>8.2f} {1000 * middle / base:>7.2f}")


if __name__ == "__main__":
    main()
