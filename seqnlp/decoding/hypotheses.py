"""Hypotheses: those under way and those that have finished, kept as back-pointers and read out at the end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch.nn import functional

from seqnlp.decoding.constraints import Rules
from seqnlp.decoding.ranking import Ranking
from seqnlp.decoding.state import PLACE, ROWS, State, Step, _rows

CACHED = 2**19  # log-probabilities at a time: about what a processor's cache holds
ROUND = 16  # more rows than this are made a multiple of it by the last one again: each number of rows has own kernels
FEWER = 0.9  # share of the batch under which the sentences that are done are taken out of the state
LEAST_COVERAGE = 1e-6  # of a source step that was never looked at: its logarithm is to stay finite


@dataclass(frozen=True)
class Hypothesis:
    """A sentence that a model found."""

    tokens: list[int]  # without start and end
    score: float  # what it is ranked by
    log_probability: float  # of the tokens and the end
    coverage: float = 0.0  # the sum that the coverage penalty multiplies
    attention: np.ndarray | None = None  # (T, S), of each token


class Choice(NamedTuple):
    """What a step makes of the hypotheses: those that go on, and those that end with it; minus infinity: none."""

    logs: torch.Tensor  # (A, K) log-probabilities so far
    parents: torch.Tensor  # (A, K), each one's place among the W before
    tokens: torch.Tensor  # (A, K)
    ended: torch.Tensor  # (A, E) log-probabilities with the end
    enders: torch.Tensor  # (A, E), their places among the W


# From logs (N, V), rows and totals (A, W), sentences (A,) and the number of the token. An empty place has a total of
# minus infinity.
Choose = Callable[[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor, int], Choice]


class Running:
    """The hypotheses of a batch: those under way, and the best that have finished."""

    def __init__(
        self, rules: Rules, ranking: Ranking, sentences: int, size: int, nbest: int, prune: float, attention: bool
    ) -> None:
        device = rules.most.device
        self.rules, self.ranking, self.nbest, self.prune, self.attention = rules, ranking, nbest, prune, attention
        self.active = torch.arange(sentences, device=device)  # (A,) numbers of the sentences under way
        self.totals = torch.zeros(sentences, 1, device=device)  # (A, W) log-probabilities
        self.rows, self.place = self.active.view(-1, 1), self.active  # (A, W) and (N,): `LAYOUT`
        self.tokens = torch.full((sentences, 1), rules.start, device=device)  # (A, W)
        self.history = self.tokens.new_zeros(sentences, 1, 0)  # (A, W, t) tokens so far, where a rule needs them
        self.steps: list[dict[str, torch.Tensor]] = []  # (B, K, ...) each
        self.shape = (sentences, size)
        none = torch.full((sentences, nbest), -torch.inf, device=device)
        self.finished = {name: none.clone() for name in ("score", "log", "coverage")}  # (B, nbest) each
        self.finished |= {name: torch.zeros_like(none, dtype=torch.long) for name in ("length", "place")}

    def to_the_end(self, step: Step, state: State, choose: Choose) -> list[list[Hypothesis]]:
        """Return what has finished when nothing is under way any more."""
        while len(self.active):
            state = self._step(step, state, choose)
        return self._read()

    def _step(self, step: Step, state: State, choose: Choose) -> State:
        number = len(self.steps)
        layout = {ROWS: self.rows, PLACE: self.place}
        scores, state = step(self.tokens.flatten()[self.place].unsqueeze(1), {**state, **layout})
        choice = self._choose(scores, number, choose)
        if bool((choice.ended > -torch.inf).any()):
            self._finish(choice, number, self._coverage(state))
        self._record(choice, state)
        return self._go_on(choice, number, state)

    def _choose(self, scores: torch.Tensor, number: int, choose: Choose) -> Choice:
        """The choices from scores (N, V): a few sentences at a time, whose probabilities stay in the cache."""
        sentence = self.place // self.rows.size(1)  # (N,), not falling
        some = len(self.active) if scores.is_cuda else max(1, CACHED * len(self.active) // scores.numel())
        firsts = range(0, len(self.active), some)
        edges = [*torch.searchsorted(sentence, torch.tensor(firsts, device=sentence.device)).tolist(), len(sentence)]
        choices = []
        for first, begin, end in zip(firsts, edges[:-1], edges[1:], strict=True):
            begin = min(begin, len(sentence) - 1)  # a part without rows takes any one, which nobody asks for
            part, row = slice(first, first + some), slice(begin, max(end, begin + 1))
            logs = functional.log_softmax(scores[row], 1, dtype=torch.float32)
            history = self.history.flatten(0, 1)[self.place[row]] if self.rules.no_repeat else self.history
            self.rules.apply(logs, self.active[sentence[row]], number, history)
            rows = (self.rows[part] - begin).clamp(min=0)
            choices.append(choose(logs, rows, self.totals[part], self.active[part], number))
        return Choice(*(torch.cat(column) for column in zip(*choices, strict=True)))

    def _coverage(self, state: State) -> torch.Tensor:
        """The sum over source steps of log min(attention so far, 1), (A, W)."""
        if not self.ranking.coverage_penalty:
            return torch.zeros_like(self.totals)
        logs = state["coverage"].clamp(LEAST_COVERAGE, 1.0).log()[self.rows]  # (A, W, S)
        return logs.masked_fill(~state["source.mask"].unsqueeze(1), 0.0).sum(2)

    def _finish(self, choice: Choice, number: int, coverage: torch.Tensor) -> None:
        """Keep the best of what had finished before and what ends now."""
        coverage = coverage.gather(1, choice.enders)
        new = {
            "score": self.ranking.score(choice.ended, number + 1, coverage),
            "log": choice.ended,
            "coverage": coverage,
            "length": torch.full_like(choice.enders, number),
            "place": choice.enders,
        }
        every = {name: torch.cat([kept[self.active], new[name]], dim=1) for name, kept in self.finished.items()}
        best = every["score"].topk(self.finished["score"].size(1), dim=1).indices
        for name, kept in self.finished.items():
            kept[self.active] = every[name].gather(1, best)

    def _record(self, choice: Choice, state: State) -> None:
        step = {"tokens": choice.tokens, "parents": choice.parents}
        if self.attention:
            step["attention"] = state["attention"][self.rows.gather(1, choice.parents)]  # (A, K, S)
        for name, values in step.items():
            whole = values.new_zeros(*self.shape, *values.shape[2:])
            whole[self.active, : values.size(1)] = values
            step[name] = whole
        self.steps.append(step)

    def _go_on(self, choice: Choice, number: int, state: State) -> State:
        """Take the hypotheses that may still come among the best, and return their state."""
        bound = self.ranking.bound(choice.logs, number + 2, self.rules.most[self.active] + 1)
        alive = bound > self.finished["score"][self.active, -1:]  # (A, K)
        if self.prune and choice.logs.size(1) > self.nbest:
            alive &= choice.logs >= choice.logs[:, self.nbest - 1, None] - self.prune  # they are sorted
        width = int(alive.any(0).nonzero().max()) + 1 if bool(alive.any()) else 0
        stay = alive.any(1).nonzero()[:, 0]
        if len(stay) > FEWER * len(alive):
            stay = torch.arange(len(alive), device=stay.device)
        parents = choice.parents[stay, :width]
        before = self.rows[stay].gather(1, parents)
        if self.rules.no_repeat:
            history = self.history[stay].take_along_dim(parents.unsqueeze(2), 1)
            self.history = torch.cat([history, choice.tokens[stay, :width].unsqueeze(2)], dim=2)
        self.totals = choice.logs.masked_fill(~alive, -torch.inf)[stay, :width]
        self.tokens, self.active = choice.tokens[stay, :width], self.active[stay]
        place = alive[stay, :width].flatten().nonzero()[:, 0]
        numbers = torch.arange(len(place), device=stay.device)
        self.rows = torch.zeros_like(before).flatten().scatter_(0, place, numbers).view_as(before)
        spare = -len(place) % ROUND if len(place) > ROUND else 0
        self.place = torch.cat([place, place[-1:].expand(spare)])
        return _rows(state, before.flatten()[self.place], stay)

    def _read(self) -> list[list[Hypothesis]]:
        """The finished hypotheses, each followed back from its last token."""
        finished = {name: values.cpu().numpy() for name, values in self.finished.items()}
        lengths, places = finished["length"], finished["place"]
        sentences = np.arange(len(lengths))[:, None]
        path = []
        for number, step in reversed(list(enumerate(self.steps))):
            row = {name: values.cpu().numpy()[sentences, places] for name, values in step.items()}  # (B, nbest, ...)
            places = np.where(number < lengths, row.pop("parents"), places)
            path.append(row)
        whole = {name: np.stack([row[name] for row in path[::-1]], axis=2) for name in (path[0] if path else ())}
        return [
            [
                Hypothesis(
                    whole["tokens"][b, n, :length].tolist(),
                    float(finished["score"][b, n]),
                    float(finished["log"][b, n]),
                    float(finished["coverage"][b, n]),
                    whole["attention"][b, n, :length] if self.attention else None,
                )
                for n, length in enumerate(lengths[b])
                if finished["score"][b, n] > -np.inf
            ]
            for b in range(len(lengths))
        ]
