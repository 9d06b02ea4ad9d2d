"""Refit: where a part of the rows was split off for dev, the network is trained once more, on all of them.

The scores stay those of the first run, and so does what of a network was fitted to dev.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from seqnlp.preprocess.corpora.examples import Example
from seqnlp.workflows import encode, jobs
from seqnlp.workflows import prepare as preparation

if TYPE_CHECKING:
    import torch
    from torch import nn

    from seqnlp.training import data
    from seqnlp.training import trainer as trainers

log = logging.getLogger(__name__)


def weights(
    job: jobs.Job, parts: jobs.Opened, prepared: preparation.Prepared, first: trainers.Trainer
) -> dict[str, torch.Tensor] | None:
    """Return the weights that all rows give, None where there is no time for them, which is said.

    first: the trainer of the first run, at its end. Raises `Stopped` where that is asked for.
    """
    from seqnlp.training import refit

    network, batches = again(job, parts, prepared)
    run = refit.Refit(first, network, batches, prepared.training)
    log.info("once more, on all %d examples, those of dev too; the scores are of the first run", batches.policy.items)
    run.run()
    if not run.is_complete:
        log.warning("no time is left to train once more on all rows: the model is that of the first run")
        return None
    calibrated = prepared.model.task.calibrated
    return {**run.weights(), **{name: first.best[name] for name in calibrated if name in first.best}}


def again(job: jobs.Job, parts: jobs.Opened, prepared: preparation.Prepared) -> tuple[nn.Module, data.Batches]:
    """Return a network as it was before the first step, and the batches of all rows."""
    from seqnlp.workflows import start

    model, training = prepared.model, prepared.training
    task, config, codec = model.task, model.config, model.codec
    rows = encode.rows(task, config, codec, _known(parts, codec), fitted=parts.start is None)
    network = start.fresh(task, config, codec, rows, training.seed, parts.start or parts.pretrained)
    task.fit_network(network, config, codec, rows, training)
    return network, task.batches(rows, config, codec, training, None)


def _known(parts: jobs.Opened, codec: Any) -> Iterator[Example]:
    """Yield the examples of train and dev, but those of dev with a label that train lacks."""
    known = codec.labels
    for example in parts.train.examples:
        if not known or all(label in known for label in codec.labels_of(example)):
            yield example
