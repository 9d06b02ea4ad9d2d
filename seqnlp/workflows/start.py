"""What a run starts from: a model, what it has seen and how good it is on the new dev part; or fresh weights."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from torch import nn

from seqnlp import errors
from seqnlp.nn import growth
from seqnlp.preprocess.batching import buckets
from seqnlp.preprocess.corpora import seen
from seqnlp.preprocess.corpora.examples import Example, Examples
from seqnlp.tasks import base
from seqnlp.training import data, randomness
from seqnlp.workflows import evaluate, model_folder, predict

log = logging.getLogger(__name__)

REFITTED = "%s learnt from its dev part too, after it was scored: its score there (%s %.2f) is not comparable"


def pretrained(task: str, folder: str) -> base.Pretrained:
    """Return the model of a task in a folder, that another begins with; raises `ModelError` where there is none."""
    model = predict.load(folder, task=task, device="cpu")
    weights = model_folder.read_config(Path(folder))["files"][model_folder.WEIGHTS]
    return base.Pretrained(folder, model.config, model.codec, model.networks[0], weights)


@dataclass(frozen=True)
class Start:
    """A trained model to go on with, the hash of its weights, and what it has seen."""

    name: str
    model: predict.Model
    weights: str
    seen: seen.Seen

    @classmethod
    def load(cls, folder: str, task: base.AnyTask, device: str) -> Start:
        """Return the model in a folder; raises `ModelError` where it cannot be used."""
        if model_folder.unfinished(Path(folder)) is not None:
            raise errors.ModelError(f"{folder}: its training is not finished", "the same train command finishes it")
        weights = model_folder.read_config(Path(folder))["files"][model_folder.WEIGHTS]
        model = predict.load(folder, task=task.name, device=device)
        if model.content.get("refit"):  # which a run that is under way does not know yet
            score = model.content["scores"][0]
            log.warning(REFITTED, folder, score["name"], score["value"])
        return cls(folder, model, weights, seen.Seen.load(Path(folder) / model_folder.SEEN))

    def kept(self, train: Iterable[Example], dev: Iterable[Example], title: str, *, given: bool) -> np.ndarray:
        """Return which examples of train are not in dev too, (N,): a row is trained on, or chooses the weights.

        given: dev is a part of its own, in which there may be rows that this model was trained on: that is said. Raises
        `DataError` where nothing is left.
        """
        rows = seen.inputs(train)
        if not self.model.task.independent:
            return np.ones(len(rows), dtype=bool)
        held = seen.inputs(dev)
        if given and (known := int(np.isin(held, self.seen.train).sum())):
            log.warning(evaluate.TRAINED_ON, known, len(held), "dev", self.name)
        kept = ~np.isin(rows, held)
        if number := int((~kept).sum()):
            log.warning("%s: %d of %d rows are in dev too, and kept out of training", title, number, len(kept))
        if not kept.any():
            raise errors.DataError(f"{title}: every row is in dev too", "other data for one of the two")
        return kept

    def scores(self, like: evaluate.Evaluator) -> dict[str, Any]:
        """Return the scores as the evaluations of a run find them; labels that this model does not know are wrong."""
        corpus = like.corpus
        log.info("scoring %s on %d dev examples", self.name, len(corpus))
        evaluator = evaluate.Evaluator.over(self.model, Examples(lambda: iter(corpus), len(corpus)), "dev")
        evaluator.warned = True
        search = self.model.task.Search() if like.search is None else like.search
        found, _ = evaluator.score(evaluator.predictions(search, buckets.Limits()))
        log.info("%s: %s %.2f on this dev part", self.name, found[0].name, found[0].value)
        return {"model": self.name, "scores": [score.to_dict() for score in found]}

    def compare(self, before: Sequence[Mapping[str, Any]], scores: Sequence[Mapping[str, Any]]) -> None:
        """Say how the score of the model that was trained compares with that of this one, on the same dev part."""
        (old, new), name = (rows[0]["value"] for rows in (before, scores)), scores[0]["name"]
        better = (new > old) == scores[0]["higher_is_better"]
        log.log(
            logging.INFO if better or new == old else logging.WARNING,
            "%s %.2f, %s before training (%s %.2f)",
            name,
            new,
            "equal to" if new == old else "better than" if better else "worse than",
            self.name,
            old,
        )


def fresh(
    task: base.AnyTask,
    config: Any,
    codec: Any,
    rows: data.Rows,
    seed: int,
    begin: Start | base.Pretrained | None,
) -> nn.Module:
    """Return a network with its first weights: those of a model to start from, or by chance and by its task."""
    with randomness.first_weights(seed):
        network = task.build(config, codec)
        if isinstance(begin, Start):
            growth.put(network, begin.model.networks[0].state_dict())
        else:
            task.initialise(network, config, codec, rows, begin)
    return network
