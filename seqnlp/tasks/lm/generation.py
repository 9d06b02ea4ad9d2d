"""Generation: a text token by token, each drawn from what the model foresees."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import cast

import numpy as np
import torch
from torch import nn

from seqnlp.decoding import sampling
from seqnlp.preprocess.text import kneser_ney, tokenizer
from seqnlp.tasks.lm import mixing, network
from seqnlp.tasks.lm.codec import Codec
from seqnlp.tasks.lm.options import Generation

MAX_BEFORE = 16  # tokens that n-grams look back


def texts(
    networks: Sequence[nn.Module], codec: Codec, options: Generation, device: torch.device
) -> Iterator[Iterator[str]]:
    """Yield the texts, each as its parts come, the prompt first; a text's draws depend on the seed and its number."""
    for number in range(options.number):
        yield _written(_tokens(networks, codec, options, device, number), codec, options)


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
    networks: Sequence[nn.Module], codec: Codec, options: Generation, device: torch.device, number: int
) -> Iterator[int]:
    """The tokens of a text, one by one."""
    filters = (sampling.TopK(options.top_k), sampling.TopP(options.top_p), sampling.MinP(options.min_p))
    rng = np.random.default_rng((options.seed, number))
    carries: network.Carries = [None] * len(networks)
    given = before = [tokenizer.END, *_prompt(codec, options.prompt)]
    mixture = network.mixture_of(networks)
    for _ in range(options.max_tokens):
        scores = _next(networks, torch.tensor([given], device=device), carries)
        if mixture is not None:
            scores = _mixed(scores, *mixture, before)
        scores /= options.temperature
        scores[:, [tokenizer.PAD, tokenizer.UNK, tokenizer.START]] = -torch.inf  # no text
        scores = scores.unsqueeze(0)  # (1, 1, V)
        for leave in filters:
            scores = leave(scores)
        token = int(sampling.drawn(scores, torch.tensor([[rng.random()]], dtype=torch.float64, device=device)))
        if options.one_line and token == tokenizer.END:
            return
        yield token
        given, before = [token], [*before[-MAX_BEFORE:], token]


def _next(networks: Sequence[nn.Module], tokens: torch.Tensor, carries: network.Carries) -> torch.Tensor:
    """The log-probabilities (1, V) of what follows tokens (1, T); the carries go on."""
    lengths = torch.tensor([tokens.size(1)], device=tokens.device)
    found = []
    for place, one in enumerate(cast(Sequence[network.LanguageModel], networks)):
        outputs, carries[place] = one.outputs(one.encoder, tokens, lengths, carries[place])
        found.append(one.scores(outputs[:, -1]))
    return found[0] if len(found) == 1 else torch.stack(found).logsumexp(0) - math.log(len(found))


def _mixed(scores: torch.Tensor, ngrams: kneser_ney.NGrams, weights: np.ndarray, before: Sequence[int]) -> torch.Tensor:
    """The log-probabilities (1, V) of networks' and n-grams' together."""
    probabilities, kind = ngrams.distribution(np.array(before))
    logs, kinds = scores[0].double().cpu().numpy(), np.full(len(probabilities), kind)
    found = mixing.mixed(mixing.Parts(logs, np.log(probabilities), kinds), weights)
    return torch.from_numpy(found).to(scores)[None]
