"""Generation: a text token by token, each drawn from what the model foresees."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from typing import cast

import numpy as np
import torch
from torch import nn

from seqnlp.decoding import sampling
from seqnlp.nn import recurrent
from seqnlp.preprocess.text import kneser_ney, tokenizer
from seqnlp.tasks.lm import mixing, network
from seqnlp.tasks.lm.codec import Codec
from seqnlp.tasks.lm.options import Generation

Mixture = tuple[kneser_ney.NGrams, np.ndarray]  # the n-grams, and how much they count
MAX_BEFORE = 16  # tokens that are kept for n-grams to look back at


def texts(
    networks: Sequence[nn.Module], codec: Codec, options: Generation, device: torch.device
) -> Iterator[Iterator[str]]:
    """Yield the texts, each as its parts come, the prompt first; a text's draws depend on the seed and its number."""
    models = [_by_column(cast(network.LanguageModel, one)) for one in networks]
    for number in range(options.number):
        yield _written(_tokens(models, codec, options, device, number), codec, options)


@torch.inference_mode()
def _by_column(one: network.LanguageModel) -> network.LanguageModel:
    """A copy whose matrices lie in memory column by column: the product with one row takes half the time on a CPU."""
    found = copy.deepcopy(one)
    for parameter in found.parameters():
        if parameter.dim() == 2:
            parameter.data = parameter.data.t().contiguous().t()
    return found


def _written(tokens: Iterator[int], codec: Codec, options: Generation) -> Iterator[str]:
    """The prompt, and what each token adds to the text; characters of which bytes are missing wait for them."""
    yield options.prompt
    before, new = _prompt(codec, options.prompt), list[int]()  # before: what a token's text may depend on
    for token in tokens:
        new.append(token)
        text = codec.text(before + new)
        if not text.endswith("\ufffd"):
            yield text[len(codec.text(before)) :]
            before, new = new, []


def _prompt(codec: Codec, prompt: str) -> list[int]:
    lines = [codec.ids(line) for line in prompt.split("\n")]
    return [i for number, line in enumerate(lines) for i in ([tokenizer.END] if number else []) + line]


@torch.inference_mode()
def _tokens(
    models: Sequence[network.LanguageModel], codec: Codec, options: Generation, device: torch.device, number: int
) -> Iterator[int]:
    """The tokens of a text, one by one."""
    filters = (sampling.TopK(options.top_k), sampling.TopP(options.top_p), sampling.MinP(options.min_p))
    rng = np.random.default_rng((options.seed, number))
    mixtures, carries = [_mixture(one) for one in models], cast(list[recurrent.State | None], [None] * len(models))
    given = before = [tokenizer.END, *_prompt(codec, options.prompt)]
    for _ in range(options.max_tokens):
        found = []
        for place, one in enumerate(models):
            logs, carries[place] = _next(one, torch.tensor([given], device=device), carries[place])
            found.append(_mixed(mixtures[place], logs, before))
        scores = torch.from_numpy(mixing.mean(np.stack(found)))[None].to(device) / options.temperature  # (1, V)
        scores[:, [tokenizer.PAD, tokenizer.UNK, tokenizer.START]] = -torch.inf  # no text
        scores = scores.unsqueeze(0)  # (1, 1, V)
        for leave in filters:
            scores = leave(scores)
        token = int(sampling.drawn(scores, torch.tensor([[rng.random()]], dtype=torch.float64, device=device)))
        if options.one_line and token == tokenizer.END:
            return
        yield token
        given, before = [token], [*before[-MAX_BEFORE:], token]


def _next(
    one: network.LanguageModel, tokens: torch.Tensor, carry: recurrent.State | None
) -> tuple[np.ndarray, recurrent.State]:
    """A network's log-probabilities (V,) of what follows tokens (1, T), and the state to go on from."""
    outputs, state = one.outputs(one.encoder, tokens, torch.tensor([tokens.size(1)], device=tokens.device), carry)
    return one.scores(outputs[:, -1])[0].double().cpu().numpy(), state


def _mixture(one: network.LanguageModel) -> Mixture | None:
    if one.mixture is None or not len(one.mixture.keys):
        return None
    return one.mixture.ngrams, one.mixture.weights


def _mixed(mixture: Mixture | None, logs: np.ndarray, before: Sequence[int]) -> np.ndarray:
    """The log-probabilities (V,) of a network and its n-grams together."""
    if mixture is None:
        return logs
    ngrams, weights = mixture
    probabilities, kind = ngrams.distribution(before)
    return mixing.mixed(mixing.Parts(logs, np.log(probabilities), np.full(len(logs), kind)), weights)
