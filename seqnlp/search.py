"""Search: the best sentences, or random ones, of a model that gives the probabilities of the next token.

A model is a `Step`: from the last tokens (N, 1) and a state to scores (N, V) and the next state. Scores are
log-probabilities, normalised or not. A state is a dict of tensors: under "source..." one row a sentence, (A, ...),
under all other names one row a hypothesis, (N, ...). The search knows five names: "attention" (N, S), the weights of a
step, is kept where asked for; "coverage" (N, S), their sum so far, and "source.mask" (A, S) make the coverage penalty;
"source.rows" and "place" it sets itself, for they say which hypothesis is whose (`LAYOUT`).

A sentence has W places for hypotheses, and only those that are alive are rows (`ROUND` adds some that nobody reads).
Sentences leave the batch when they are done, so A, the sentences under way, falls from the B of the whole batch to 0.
Hypotheses are kept as back-pointers, one small tensor a step, and read out at the end.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import torch
from torch.nn import functional

State = dict[str, torch.Tensor]
Step = Callable[[torch.Tensor, State], tuple[torch.Tensor, State]]

SOURCE = "source."  # names of what a state holds once a sentence begin so
ROWS, PLACE = LAYOUT = ("source.rows", "place")  # (A, W) each place's row, any if empty; (N,) each row's place of A x W
BLOCK = 100  # tokens whose greatest score is looked at first: about the square root of a large vocabulary
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


class Rules:
    """What the B sentences of a batch may look like."""

    def __init__(
        self,
        sentences: int,
        *,
        start: int,
        end: int,
        most: torch.Tensor,
        least: torch.Tensor | None = None,
        prefix: Sequence[Sequence[int] | None] | None = None,
        no_repeat: int = 0,
        banned: Sequence[int] = (),
    ) -> None:
        """Keep the rules, on the device of `most`.

        most, least: (B,), numbers of tokens, without start and end; most goes before least. prefix: the tokens that
        each sentence begins with, whatever the other rules say. no_repeat: no n-gram of this length comes twice; 0: no
        rule. banned: tokens that do not come.
        """
        rows = [list(row or ()) for row in (prefix or [()] * sentences)]
        width = max(map(len, rows), default=0)
        padded = [row + [-1] * (width - len(row)) for row in rows]
        self.start, self.end, self.no_repeat, self.banned = start, end, no_repeat, list(banned)
        self.prefix = torch.tensor(padded, dtype=torch.long, device=most.device).view(sentences, width)
        self.most = most.maximum((self.prefix >= 0).sum(1))
        self.least = torch.zeros_like(most) if least is None else least.to(most.device)

    def apply(self, logs: torch.Tensor, sentences: torch.Tensor, number: int, history: torch.Tensor) -> None:
        """Set what token `number` (from 0) may not be to minus infinity; what must be goes before what may not.

        logs: (N, V); sentences: (N,), their numbers; history: (N, number), the tokens so far.
        """
        must = torch.where(number >= self.most[sentences], self.end, -1)  # (N,)
        if number < self.prefix.size(1):
            forced = self.prefix[sentences, number]
            must = torch.where(forced >= 0, forced, must)
        rows = (must >= 0).nonzero()[:, 0]
        tokens = must[rows].unsqueeze(1)
        kept = logs[rows].gather(1, tokens)
        for token in self.banned:
            logs[:, token] = -torch.inf
        if 0 < self.no_repeat <= number:
            self._no_repeat(logs, history)
        logs[:, self.end].masked_fill_(number < self.least[sentences], -torch.inf)
        if len(rows):
            logs[rows] = torch.full_like(logs[rows], -torch.inf).scatter_(1, tokens, kept)

    def _no_repeat(self, logs: torch.Tensor, history: torch.Tensor) -> None:
        """Rule out the tokens that would end an n-gram that was there before (Paulus et al. 2018, section 2.5)."""
        grams = history.unfold(1, self.no_repeat, 1)  # (N, number of n-grams, n)
        last = history[:, history.size(1) - self.no_repeat + 1 :].unsqueeze(1)  # (N, 1, n - 1)
        rows, places = (grams[..., :-1] == last).all(2).nonzero(as_tuple=True)
        logs[rows, grams[rows, places, -1]] = -torch.inf


@dataclass(frozen=True)
class Ranking:
    """How finished hypotheses of different lengths compare (Wu et al. 2016, section 7)."""

    length_penalty: float = 0.0  # alpha
    coverage_penalty: float = 0.0  # beta, 0 or greater

    def score(self, logs: torch.Tensor, length: int, coverage: torch.Tensor) -> torch.Tensor:
        """Return the scores of hypotheses of one length, the end counted."""
        return logs / ((5 + length) / 6) ** self.length_penalty + self.coverage_penalty * coverage

    def bound(self, logs: torch.Tensor, least: int, most: torch.Tensor) -> torch.Tensor:
        """Return what the hypotheses (A, W) can reach at best, if they end between two lengths, `most` (A,).

        Log-probabilities only fall, coverage adds nothing above 0, and the penalty of length is monotone.
        """
        furthest = ((5 + most) / 6) ** self.length_penalty
        return logs / furthest.clamp(min=((5 + least) / 6) ** self.length_penalty).unsqueeze(1)


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


def beam(
    step: Step,
    state: State,
    sentences: int,
    *,
    size: int = 5,
    nbest: int = 1,
    length_penalty: float = 0.0,
    coverage_penalty: float = 0.0,
    prune: float = 0.0,
    attention: bool = False,
    **rules: Any,
) -> list[list[Hypothesis]]:
    """Return for each sentence its `nbest` best hypotheses, best first; fewer where the rules leave no more.

    Each step takes the `size` best of all ways to go on with the hypotheses of a sentence or to end them. Those that
    cannot come to more than the nbest-th finished one (`Ranking.bound`) are dropped, which changes no result, and a
    sentence is done when none is left. prune: also dropped are those whose log-probability is this much under that of
    the nbest-th under way (absolute threshold pruning, Freitag & Al-Onaizan 2017, section 3); 0: none. rules: what
    `Rules` takes.
    """
    bounds = Rules(sentences, **rules)
    running = _Running(bounds, Ranking(length_penalty, coverage_penalty), sentences, size, nbest, prune, attention)
    return running.to_the_end(step, state, partial(_best, size=size, end=bounds.end))


def greedy(step: Step, state: State, sentences: int, **options: Any) -> list[list[Hypothesis]]:
    """Return for each sentence the hypothesis that takes the most probable token each time: a beam of 1."""
    return beam(step, state, sentences, size=1, **options)


def sample(
    step: Step,
    state: State,
    sentences: int,
    *,
    samples: int = 1,
    temperature: float = 1.0,
    top_k: int = 0,
    top_p: float = 1.0,
    seed: int = 0,
    numbers: Sequence[int] | None = None,
    attention: bool = False,
    **rules: Any,
) -> list[list[Hypothesis]]:
    """Return for each sentence `samples` random hypotheses, most probable first; scores are log-probabilities.

    top_k, top_p: draw from the k most probable tokens, from the fewest whose probabilities come to p (Holtzman et al.
    2020, section 3.1); 0 and 1: from all. numbers: the sentences' own (by default their places); a sentence's draws
    depend on the seed and its number alone. rules: what `Rules` takes.
    """
    bounds = Rules(sentences, **rules)
    longest = bounds.most.tolist()
    uniform = np.ones((sentences, max(longest, default=0) + 1, samples))
    for row, (number, length) in enumerate(zip(range(sentences) if numbers is None else numbers, longest, strict=True)):
        uniform[row, : length + 1] = np.random.default_rng((seed, number)).random((length + 1, samples))
    draw = _Draw(torch.from_numpy(uniform).to(bounds.most.device), temperature, top_k, top_p, bounds.end)
    return _Running(bounds, Ranking(), sentences, samples, samples, 0.0, attention).to_the_end(step, state, draw)


def _best(
    logs: torch.Tensor,
    rows: torch.Tensor,
    totals: torch.Tensor,
    sentences: torch.Tensor,
    number: int,
    *,
    size: int,
    end: int,
) -> Choice:
    """The best ways to go on or to end."""
    ended = totals + logs[:, end][rows]  # (A, W)
    logs[:, end] = -torch.inf
    values, parents, tokens = _top(logs, rows, totals, size)  # (A, K)
    together = torch.cat([values, ended], dim=1)
    bar = together.topk(min(size, together.size(1)), dim=1).values[:, -1:]
    values, ended = (logs.masked_fill(logs < bar, -torch.inf) for logs in (values, ended))
    places = torch.arange(totals.size(1), device=totals.device).expand_as(totals)
    return Choice(values, parents, tokens, ended, places)


def _top(
    logs: torch.Tensor, rows: torch.Tensor, totals: torch.Tensor, size: int
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """The greatest sums of logs (N, V) and totals (A, W) of each sentence: values, hypotheses, tokens, (A, K) each.

    They are in the K blocks of tokens with the greatest maxima: finding those is several times as fast as sorting.
    """
    vocabulary = logs.size(1)
    whole = vocabulary // BLOCK * BLOCK
    parts = [logs[:, :whole].unflatten(1, (-1, BLOCK)).amax(2)] if whole else []
    if whole < vocabulary:
        parts.append(logs[:, whole:].amax(1, keepdim=True))
    maxima = torch.cat(parts, dim=1)[rows] + totals.unsqueeze(2)  # (A, W, blocks)
    blocks = maxima.flatten(1).topk(min(size, maxima[0].numel()), dim=1, sorted=False).indices  # (A, K)
    hypotheses, firsts = blocks // maxima.size(2), blocks % maxima.size(2) * BLOCK
    tokens = firsts.unsqueeze(2) + torch.arange(BLOCK, device=logs.device)  # (A, K, BLOCK)
    outside, tokens = tokens >= vocabulary, tokens.clamp(max=vocabulary - 1)
    flat = rows.gather(1, hypotheses).unsqueeze(2) * vocabulary + tokens
    values = logs.take(flat) + totals.gather(1, hypotheses).unsqueeze(2)
    values = values.masked_fill(outside, -torch.inf).flatten(1)
    values, places = values.topk(min(size, totals.size(1) * vocabulary), dim=1)
    return values, hypotheses.gather(1, places // BLOCK), tokens.flatten(1).gather(1, places)


@dataclass(frozen=True)
class _Draw:
    """The choice of random tokens, each by one number that is uniform between 0 and 1."""

    uniform: torch.Tensor  # (B, T, K)
    temperature: float
    top_k: int
    top_p: float
    end: int

    def __call__(
        self, logs: torch.Tensor, rows: torch.Tensor, totals: torch.Tensor, sentences: torch.Tensor, number: int
    ) -> Choice:
        logs = logs[rows]  # (A, W, V)
        wanted = self.uniform.size(2) if number == 0 else totals.size(1)  # all begin as the one hypothesis there is
        parents = torch.arange(wanted, device=logs.device).clamp(max=totals.size(1) - 1).expand(len(logs), -1)
        logs, totals = logs.expand(-1, wanted, -1), totals.expand(-1, wanted)
        sums = self._truncated(logs / self.temperature).softmax(2, dtype=torch.float64).cumsum(2)
        aim = self.uniform[sentences, number, :wanted].unsqueeze(2) * sums[..., -1:]
        tokens = torch.searchsorted(sums, aim, right=True).clamp(max=logs.size(2) - 1)  # (A, K, 1)
        taken, tokens = totals + logs.gather(2, tokens).squeeze(2), tokens.squeeze(2)
        ends = tokens == self.end
        return Choice(
            taken.masked_fill(ends, -torch.inf), parents, tokens, taken.masked_fill(~ends, -torch.inf), parents
        )

    def _truncated(self, logs: torch.Tensor) -> torch.Tensor:
        """The scores with those outside top-k or the nucleus at minus infinity."""
        if self.top_k:
            least = logs.topk(min(self.top_k, logs.size(2)), dim=2).values[..., -1:]
            logs = logs.masked_fill(logs < least, -torch.inf)
        if self.top_p < 1:
            values, order = logs.sort(dim=2, descending=True)
            before = values.softmax(2).cumsum(2).roll(1, 2)
            before[..., 0] = 0.0  # the first one always stays
            logs = logs.masked_fill((before >= self.top_p).gather(2, order.argsort(2)), -torch.inf)
        return logs


class _Running:
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
