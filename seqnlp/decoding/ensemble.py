"""Ensembles: several models of one vocabulary that search together, their probabilities averaged."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch.nn import functional

from seqnlp.decoding.state import LAYOUT, State, Step

MASK = "source.mask"
AVERAGED = ("coverage", "attention")  # what the search reads of a state, besides the mask


def average(steps: Sequence[Step]) -> Step:
    """Return the step that averages the probabilities of several models; its state: `join`."""

    def step(tokens: torch.Tensor, state: State) -> tuple[torch.Tensor, State]:
        results = [one(tokens, _part(state, number)) for number, one in enumerate(steps)]
        logs = torch.stack([functional.log_softmax(scores, 1, dtype=torch.float32) for scores, _ in results])
        return logs.logsumexp(0), join([after for _, after in results])

    return step


def join(states: Sequence[State]) -> State:
    """Return the state of several models together; each one's names end in its number, as in "hidden@1"."""
    joint = {
        f"{name}@{i}": values for i, state in enumerate(states) for name, values in state.items() if name not in LAYOUT
    }
    for name in AVERAGED:
        if all(name in state for state in states):
            joint[name] = torch.stack([state[name] for state in states]).mean(0)
    if MASK in states[0]:
        joint[MASK] = states[0][MASK]
    return joint


def _part(joint: State, number: int) -> State:
    """One model's part of a joint state, with the layout that all share."""
    mark = f"@{number}"
    own = {name.removesuffix(mark): values for name, values in joint.items() if name.endswith(mark)}
    return {**own, **{name: joint[name] for name in LAYOUT}}
