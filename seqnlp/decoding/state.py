"""The state of a model: what a step function takes and gives, and which of its rows belong to which hypothesis.

A model is a `Step`: from the last tokens (N, 1) and a state to scores (N, V) and the next state. Scores are
log-probabilities, normalised or not. A state is a dict of batch-first tensors: names that begin with "source." have one
row a sentence, (A, ...), all others one row a hypothesis, (N, ...). The search knows five names and no model:
"attention" (N, S), the weights of a step, is kept where asked for; "coverage" (N, S), their sum so far, and
"source.mask" (A, S) make the coverage penalty; "source.rows" and "place" it sets itself, as `Layout` has them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import torch

State = dict[str, torch.Tensor]
Step = Callable[[torch.Tensor, State], tuple[torch.Tensor, State]]

SOURCE = "source."  # how the names of what is there once a sentence begin
ROWS, PLACE = LAYOUT = ("source.rows", "place")
ROW_MULTIPLE = 16  # more rows than this are filled up to a multiple of it: each number of rows has kernels of its own


class Layout(NamedTuple):
    """Where the hypotheses are: a sentence has W places for them, and only those that are alive have rows."""

    rows: torch.Tensor  # (A, W), the row of each place; any row if the place is empty
    place: (
        torch.Tensor
    )  # (N,), the place of each row among all A x W, in rising order; rows that fill up repeat the last

    @classmethod
    def first(cls, sentences: int, device: torch.device) -> Layout:
        """Return that of one hypothesis a sentence."""
        numbers = torch.arange(sentences, device=device)
        return cls(numbers.unsqueeze(1), numbers)

    @classmethod
    def of(cls, alive: torch.Tensor) -> Layout:
        """Return that of the hypotheses that are alive, (A, W)."""
        place = alive.flatten().nonzero()[:, 0]
        rows = torch.zeros_like(alive, dtype=torch.long).flatten()
        rows[place] = torch.arange(len(place), device=place.device)
        spare = -len(place) % ROW_MULTIPLE if len(place) > ROW_MULTIPLE else 0
        return cls(rows.view_as(alive), torch.cat([place, place[-1:].expand(spare)]))

    def sentences(self) -> torch.Tensor:
        """Return the sentence of each row, from 0 to A, (N,)."""
        return self.place // self.rows.size(1)

    def parts(self, size: int) -> Iterator[tuple[slice, slice]]:
        """Give `size` sentences at a time, and their rows; sentences without rows get any one, which nobody reads."""
        sentences, firsts = self.sentences(), range(0, len(self.rows), size)
        begins = torch.searchsorted(sentences, torch.tensor(firsts, device=sentences.device)).tolist()
        for first, begin, end in zip(firsts, begins, [*begins[1:], len(sentences)], strict=True):
            begin = min(begin, len(sentences) - 1)
            yield slice(first, first + size), slice(begin, max(end, begin + 1))


def select(state: State, rows: torch.Tensor, sentences: torch.Tensor) -> State:
    """Return the state of the given rows and sentences; tensors that stay as they are are not copied."""
    chosen = {}
    for name, values in state.items():
        index = sentences if name.startswith(SOURCE) else rows
        if name != "attention" and name not in LAYOUT:  # they belong to the step that was
            chosen[name] = values if _is_all(index, len(values)) else values.index_select(0, index)
    return chosen


def _is_all(index: torch.Tensor, size: int) -> bool:
    return len(index) == size and bool((index == torch.arange(size, device=index.device)).all())
