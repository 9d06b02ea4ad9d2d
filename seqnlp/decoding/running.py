"""Running: the hypotheses under way, step by step to the end, whoever chooses how they go on.

Sentences leave the batch when they are done, so A, those under way, falls from the B of the whole batch to 0.
"""

from __future__ import annotations

import torch
from torch.nn import functional

from seqnlp.decoding.constraints import Constraints
from seqnlp.decoding.hypotheses import BackPointers, Candidates, Choice, Choose, Finished, Hypothesis, read
from seqnlp.decoding.ranking import Ranking
from seqnlp.decoding.state import PLACE, ROWS, Layout, State, Step, select

MAX_CACHED = 2**19  # log-probabilities at a time: about what a processor's cache holds
COMPACT_BELOW = 0.9  # part of the batch still under way, under which sentences that are done leave the state


class Running:
    """The hypotheses of a batch."""

    def __init__(
        self,
        constraints: Constraints,
        ranking: Ranking,
        *,
        size: int,
        nbest: int,
        prune_threshold: float = 0.0,
        attention: bool = False,
    ) -> None:
        """Begin with one hypothesis a sentence, the start; size: hypotheses of a sentence at most; others: `beam`."""
        sentences, device = len(constraints), constraints.max_length.device
        self.constraints, self.ranking, self.nbest = constraints, ranking, nbest
        self.prune_threshold, self.attention = prune_threshold, attention
        self.layout = Layout.first(sentences, device)
        self.active = self.layout.place  # (A,), numbers of the sentences under way
        self.totals = torch.zeros(sentences, 1, device=device)  # (A, W), log-probabilities
        self.tokens = torch.full((sentences, 1), constraints.start, device=device)  # (A, W)
        self.history = self.tokens.new_zeros(sentences, 1, 0)  # (A, W, t), tokens so far, if a rule reads them
        self.finished, self.pointers = Finished(sentences, nbest, device), BackPointers(sentences, size)

    def to_the_end(self, step: Step, state: State, choose: Choose) -> list[list[Hypothesis]]:
        """Return what has finished when nothing is under way any more."""
        while len(self.active):
            state = self._step(step, state, choose)
        return read(self.finished, self.pointers)

    def _step(self, step: Step, state: State, choose: Choose) -> State:
        length, place = len(self.pointers), self.layout.place
        scores, state = step(self.tokens.flatten()[place].unsqueeze(1), {**state, ROWS: self.layout.rows, PLACE: place})
        choice = self._choose(scores, length, choose)
        if bool((choice.ended > -torch.inf).any()):
            self._finish(choice, length, state)
        kept = {"attention": state["attention"][self._rows(choice.parents)]} if self.attention else {}  # (A, K, S)
        self.pointers.add(self.active, tokens=choice.tokens, parents=choice.parents, **kept)
        return self._go_on(choice, length, state)

    def _rows(self, places: torch.Tensor) -> torch.Tensor:
        """The rows of places (A, K) of the sentences under way."""
        return self.layout.rows.gather(1, places)

    def _choose(self, scores: torch.Tensor, length: int, choose: Choose) -> Choice:
        """The choices from scores (N, V): a few sentences at a time, whose probabilities stay in the cache."""
        count = len(self.active)
        size = count if scores.is_cuda else max(1, MAX_CACHED * count // scores.numel())
        sentences, choices = self.active[self.layout.sentences()], []  # (N,)
        for part, rows in self.layout.parts(size):
            logs = functional.log_softmax(scores[rows], 1, dtype=torch.float32)
            reads = self.constraints.reads_tokens
            tokens = self.history.flatten(0, 1)[self.layout.place[rows]] if reads else self.history
            self.constraints.apply(logs, sentences[rows], tokens, length)
            own = (self.layout.rows[part] - rows.start).clamp(min=0)
            choices.append(choose(Candidates(logs, own, self.totals[part], self.active[part], length)))
        return Choice(*(torch.cat(column) for column in zip(*choices, strict=True)))

    def _finish(self, choice: Choice, length: int, state: State) -> None:
        """Keep the best of what had finished before and what ends now."""
        covered = torch.zeros_like(self.totals)
        if self.ranking.coverage_penalty:
            covered = self.ranking.covered(state["coverage"][self.layout.rows], state["source.mask"])
        covered = covered.gather(1, choice.enders)
        self.finished.add(
            self.active,
            score=self.ranking.score(choice.ended, length + 1, covered),
            log_probability=choice.ended,
            coverage=covered,
            length=torch.full_like(choice.enders, length),
            place=choice.enders,
        )

    def _alive(self, choice: Choice, length: int) -> torch.Tensor:
        """Which of those that go on, (A, K), may still come among the best."""
        bound = self.ranking.bound(choice.logs, length + 2, self.constraints.max_length[self.active] + 1)
        alive = bound > self.finished.last(self.active)
        if self.prune_threshold and choice.logs.size(1) > self.nbest:
            alive &= choice.logs >= choice.logs[:, self.nbest - 1, None] - self.prune_threshold  # they are sorted
        return alive

    def _go_on(self, choice: Choice, length: int, state: State) -> State:
        """Take the hypotheses that are alive, and return their state."""
        alive = self._alive(choice, length)
        width = int(alive.any(0).nonzero().max()) + 1 if bool(alive.any()) else 0
        stay = alive.any(1).nonzero()[:, 0]
        if len(stay) > COMPACT_BELOW * len(alive):
            stay = torch.arange(len(alive), device=stay.device)
        alive, tokens, parents = (values[stay, :width] for values in (alive, choice.tokens, choice.parents))
        rows = self.layout.rows[stay].gather(1, parents)
        if self.constraints.reads_tokens:
            history = self.history[stay].take_along_dim(parents.unsqueeze(2), 1)
            self.history = torch.cat([history, tokens.unsqueeze(2)], dim=2)
        self.totals = choice.logs[stay, :width].masked_fill(~alive, -torch.inf)
        self.tokens, self.active, self.layout = tokens, self.active[stay], Layout.of(alive)
        return select(state, rows.flatten()[self.layout.place], stay)
