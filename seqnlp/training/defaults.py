"""Defaults: what the options of training leave open is filled in from the data and the machine."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import torch

from seqnlp.options import Training
from seqnlp.preprocess.batching import buckets
from seqnlp.training import data, precision

MIN_STEPS = 1000  # of a run by default


def resolved(options: Training, lengths: np.ndarray, *, device: torch.device) -> Training:
    """Return the options with the tokens of a batch and the precision filled in.

    lengths: (N, 1) or (N, 2), of the training rows; device: for the precision.
    """
    tokens = options.max_tokens or buckets.budget(lengths)
    return replace(options, max_tokens=tokens, precision=precision.resolve(options.precision, device))


def with_epochs(options: Training, policy: data.Policy, *, epochs: int) -> Training:
    """Return the options with the number of epochs filled in, the usual one, unless they bound the run themselves."""
    if options.epochs or options.time_budget:
        return options
    return replace(options, epochs=usual_epochs(options, policy, epochs=epochs))


def usual_epochs(options: Training, policy: data.Policy, *, epochs: int) -> int:
    """Return the epochs of a run that nothing else bounds.

    epochs: the task's default; more where the items are so few that they would be few steps.
    """
    return max(epochs, math.ceil(MIN_STEPS * policy.batch * options.grad_accumulation / policy.items))
