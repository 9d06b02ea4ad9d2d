"""Hypotheses: the best that have finished, the back-pointers of all, and the sentences that they lead to.

A hypothesis is no list of tokens while the search goes on: each step keeps, in small tensors, the tokens that it chose
and which of the hypotheses before each continues. The sentences are read from their ends back.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch


@dataclass(frozen=True)
class Hypothesis:
    """A sentence that a model found."""

    tokens: list[int]  # without start and end
    score: float  # what it is ranked by
    log_probability: float  # of the tokens and the end
    coverage: float = 0.0  # the sum that the coverage penalty multiplies
    attention: np.ndarray | None = None  # (T, S), of each token


class Candidates(NamedTuple):
    """What a step chooses from: the next tokens of the hypotheses, all of one length, of some sentences."""

    logs: torch.Tensor  # (N, V), log-probabilities, normalised before constraints; may be overwritten
    rows: torch.Tensor  # (A, W), the row of each place
    totals: torch.Tensor  # (A, W), log-probabilities so far; minus infinity: an empty place
    sentences: torch.Tensor  # (A,), their numbers in the batch
    length: int  # tokens so far


class Choice(NamedTuple):
    """What a step makes of the hypotheses: those that go on, and those that end with it; minus infinity: none."""

    logs: torch.Tensor  # (A, K), log-probabilities so far
    parents: torch.Tensor  # (A, K), each one's place among the W before
    tokens: torch.Tensor  # (A, K)
    ended: torch.Tensor  # (A, E), log-probabilities with the end
    enders: torch.Tensor  # (A, E), their places among the W


Choose = Callable[[Candidates], Choice]


class Finished:
    """The best finished hypotheses of each sentence, best first."""

    def __init__(self, sentences: int, nbest: int, device: torch.device) -> None:
        """Begin with none: their scores are minus infinity."""
        none = torch.full((sentences, nbest), -torch.inf, device=device)
        self.values = {name: none.clone() for name in ("score", "log_probability", "coverage")}  # (B, nbest) each
        self.values |= {name: torch.zeros_like(none, dtype=torch.long) for name in ("length", "place")}

    def last(self, active: torch.Tensor) -> torch.Tensor:
        """Return the scores that are to be beaten in the given sentences, (A, 1)."""
        return self.values["score"][active, -1:]

    def add(self, active: torch.Tensor, **new: torch.Tensor) -> None:
        """Keep the best of what there was and what ends now, (A, E) under each name, in the given sentences."""
        every = {name: torch.cat([kept[active], new[name]], dim=1) for name, kept in self.values.items()}
        best = every["score"].topk(self.values["score"].size(1), dim=1).indices
        for name, kept in self.values.items():
            kept[active] = every[name].gather(1, best)


class BackPointers:
    """What each step chose: tokens, parents, and whatever else is to be kept of it."""

    def __init__(self, sentences: int, size: int) -> None:
        """Begin without steps; size: K, hypotheses of a sentence at most."""
        self.shape = (sentences, size)
        self.steps: list[dict[str, torch.Tensor]] = []  # (B, K, ...) each

    def __len__(self) -> int:
        return len(self.steps)

    def add(self, active: torch.Tensor, **values: torch.Tensor) -> None:
        """Keep a step of the given sentences, (A, up to K, ...) under each name."""
        step = {}
        for name, own in values.items():
            step[name] = own.new_zeros(*self.shape, *own.shape[2:])
            step[name][active, : own.size(1)] = own
        self.steps.append(step)

    def follow(self, lengths: np.ndarray, places: np.ndarray) -> dict[str, np.ndarray]:
        """Return what the steps kept on the way back from places after so many steps, (B, nbest, T, ...) each."""
        sentences = np.arange(len(lengths))[:, None]
        path = []
        for number, step in reversed(list(enumerate(self.steps))):
            row = {name: values.cpu().numpy()[sentences, places] for name, values in step.items()}  # (B, nbest, ...)
            places = np.where(number < lengths, row.pop("parents"), places)
            path.append(row)
        return {name: np.stack([row[name] for row in path[::-1]], axis=2) for name in (path[0] if path else ())}


def read(finished: Finished, pointers: BackPointers) -> list[list[Hypothesis]]:
    """Return the finished hypotheses of each sentence, with attention where the pointers have it."""
    values = {name: tensor.cpu().numpy() for name, tensor in finished.values.items()}
    lengths = values["length"]
    path = pointers.follow(lengths, values["place"])
    return [
        [
            Hypothesis(
                path["tokens"][b, n, :length].tolist(),
                float(values["score"][b, n]),
                float(values["log_probability"][b, n]),
                float(values["coverage"][b, n]),
                path["attention"][b, n, :length] if "attention" in path else None,
            )
            for n, length in enumerate(lengths[b])
            if values["score"][b, n] > -np.inf
        ]
        for b in range(len(lengths))
    ]
