"""Ensembles: several models of one vocabulary that search together."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch.nn import functional

from seqnlp.decoding.state import LAYOUT, State, Step


def join(states: Sequence[State]) -> State:
    """Return the state of several models together, for `ensemble`; what the search reads is their mean."""
    joint = {
        f"{name}@{i}": values for i, state in enumerate(states) for name, values in state.items() if name not in LAYOUT
    }
    for name in ("coverage", "attention"):
        if all(name in state for state in states):
            joint[name] = torch.stack([state[name] for state in states]).mean(0)
    if "source.mask" in states[0]:
        joint["source.mask"] = states[0]["source.mask"]
    return joint


def _part(joint: State, number: int) -> State:
    """One model's part of a joint state."""
    mark = f"@{number}"
    own = {name.removesuffix(mark): values for name, values in joint.items() if name.endswith(mark)}
    return {**own, **{name: joint[name] for name in LAYOUT}}


def ensemble(steps: Sequence[Step]) -> Step:
    """Return the step that averages the probabilities of several models of one vocabulary; its state: `join`."""

    def step(tokens: torch.Tensor, state: State) -> tuple[torch.Tensor, State]:
        results = [one(tokens, _part(state, number)) for number, one in enumerate(steps)]
        logs = torch.stack([functional.log_softmax(scores, 1, dtype=torch.float32) for scores, _ in results])
        return logs.logsumexp(0), join([after for _, after in results])

    return step
