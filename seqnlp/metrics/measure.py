"""Measuring by name: from what is right and what was predicted to the scores of a metric."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from typing import Any

from seqnlp.metrics import base, registry


def by_name(
    name: str,
    gold: Sequence[Any],
    predicted: Sequence[Any],
    options: registry.Options,
    inputs: registry.Inputs | None = None,
    others: Sequence[Sequence[str]] = (),
) -> tuple[list[base.Score], dict[str, Any]]:
    """Return the scores of predictions by a metric, the one of that name first, and details.

    gold, predicted: what its `inputs` says, one an item; `inputs` where they are others: tags, taken as plain classes.
    others: further references, of texts.
    Raises `DataError` where their numbers differ, or there are none.
    """
    metric = registry.METRICS[name]
    if (metric.inputs, inputs) == ("labels", "tags"):
        metric = registry.TAGS_AS_CLASSES
    module = importlib.import_module(f"seqnlp.metrics.{metric.module}")
    chosen = {option: getattr(options, option) for option in metric.options}
    if others:
        chosen["others"] = others
    found: tuple[list[base.Score], dict[str, Any]] = module.measure(metric.scores, gold, predicted, **chosen)
    scores, details = found
    return sorted(scores, key=lambda score: score.name != name), details
