"""A whole text read as one: every token is foreseen from all that stands before it."""

from __future__ import annotations

import copy
from collections.abc import Callable

import numpy as np
import torch
from torch import nn

from seqnlp.nn import loss, recurrent
from seqnlp.preprocess.text import tokenizer
from seqnlp.tasks.lm import network
from seqnlp.tasks.lm.options import Search

STREAM = 4096  # tokens of a stream: a text is read in several, side by side
WARM_UP = 512  # tokens before its own that a stream reads, as far as attention looks: nearly as if from the start
MAX_STREAMS = 64


Watch = Callable[[float], None]  # is told the share that is done


def log_probabilities(
    one: network.LanguageModel, ids: np.ndarray, device: torch.device, watch: Watch = lambda share: None
) -> np.ndarray:
    """Return a network's log-probability of each of the ids (N,), the first after a line's end.

    The text is read in streams, whose number depends on its length alone; each begins some tokens before its own.
    """
    streams = int(np.clip(len(ids) // STREAM, 1, MAX_STREAMS))
    edges = -(-np.arange(streams + 1) * len(ids) // streams)
    begins = np.maximum(edges[:-1] - WARM_UP, 0)
    text = np.concatenate([[tokenizer.END], ids]).astype(np.int64)  # text[n] stands before ids[n]
    found = np.empty(len(ids), dtype=np.float32)
    carry: recurrent.State | None = None
    longest = int((edges[1:] - begins).max())
    for start in range(0, longest, network.STEPS):
        watch(start / longest)
        places = begins[:, None] + np.arange(start, start + network.STEPS)  # (streams, T)
        own = (places >= edges[:-1, None]) & (places < edges[1:, None])
        places = np.minimum(places, len(ids) - 1)
        inputs, targets = (
            torch.from_numpy(text[places]),
            torch.from_numpy(np.where(own, text[places + 1], loss.IGNORED)),
        )
        lengths = torch.full((streams,), network.STEPS)
        logs, carry = network.foreseen(one, inputs.to(device), targets.to(device), lengths.to(device), carry)
        found[places[own]] = logs.cpu().numpy()[own]
    return found


def adapted(
    one: network.LanguageModel,
    ids: np.ndarray,
    device: torch.device,
    search: Search,
    watch: Watch = lambda share: None,
) -> np.ndarray:
    """Return a network's log-probability of each of the ids (N,), while it learns from what was scored already.

    Dynamic evaluation (Krause et al. 2018, section 3) by plain gradient descent: a part is scored, then learnt from,
    then the weights go a little of the way back to the trained ones. A copy learns; the network stays as it is.
    """
    found = []
    with torch.inference_mode(False), torch.enable_grad():
        learner, carry = copy.deepcopy(one), None
        text = torch.from_numpy(np.concatenate([[tokenizer.END], ids]).astype(np.int64)).to(device)
        for start in range(0, len(ids), search.adapt_steps):
            watch(start / len(ids))
            part = text[None, start : start + search.adapt_steps + 1]
            lengths = torch.tensor([part.size(1) - 1], device=device)
            logs, state = network.foreseen(learner, part[:, :-1], part[:, 1:], lengths, carry)
            found.append(logs.detach().cpu().numpy()[0])
            torch.autograd.backward(-logs.mean())
            carry = {name: part.detach() for name, part in state.items()}
            _descend(learner, one, search)
            torch.clear_autocast_cache()  # of the weights as they were
    return np.concatenate(found)


@torch.no_grad()
def _descend(learner: nn.Module, trained: nn.Module, search: Search) -> None:
    """A step down the gradient, and a part of the way back to the trained weights."""
    for own, first in zip(learner.parameters(), trained.parameters(), strict=True):
        if own.grad is not None:
            own.add_(own.grad, alpha=-search.adapt_rate).lerp_(first, search.adapt_decay)
            own.grad = None
