"""The state of a model, and the rows of it that a search goes on with."""

from __future__ import annotations

from collections.abc import Callable

import torch

State = dict[str, torch.Tensor]
Step = Callable[[torch.Tensor, State], tuple[torch.Tensor, State]]

SOURCE = "source."  # names of what a state holds once a sentence begin so
ROWS, PLACE = LAYOUT = ("source.rows", "place")  # (A, W) each place's row, any if empty; (N,) each row's place of A x W


def _rows(state: State, rows: torch.Tensor, sentences: torch.Tensor) -> State:
    """The state of the given hypotheses and sentences; tensors that would stay as they are are not copied."""
    chosen = {}
    for name, values in state.items():
        index = sentences if name.startswith(SOURCE) else rows
        if name != "attention" and name not in LAYOUT:  # which belong to the step that was
            chosen[name] = values if _is_all(index, len(values)) else values.index_select(0, index)
    return chosen


def _is_all(index: torch.Tensor, size: int) -> bool:
    return len(index) == size and bool((index == torch.arange(size, device=index.device)).all())
