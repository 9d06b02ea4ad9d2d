"""Runs: when two commands are the same run, and one of them made longer."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from seqnlp import options


def is_longer(content: Mapping[str, Any], run: Mapping[str, Any]) -> bool:
    """Return whether a run is the one in a folder but for limits that are raised.

    content: what the folder says of itself, its `training` with the limits as they were settled.
    """
    before, now = content["run"].get("training", {}), run.get("training", {})
    pairs = (content["run"], before), (run, now)
    rest = [{**one, "training": {**training, **dict.fromkeys(options.LIMITS)}} for one, training in pairs]
    return json.dumps(rest[0], sort_keys=True) == json.dumps(rest[1], sort_keys=True) and all(
        _raised(content["training"][key], now.get(key)) for key in options.LIMITS if now.get(key) != before.get(key)
    )


def _raised(settled: float | None, asked: float | None) -> bool:
    return settled is not None and asked is not None and asked >= settled


def going_on(before: Mapping[str, Any] | None, asked: options.Training, where: object) -> options.Training | None:
    """Return how a run that is under way trains, None for none, up to the limits that are asked for.

    before: what is noted of it, `where` is for errors. Going on elsewhere, or longer, must not change it midway.
    """
    if not before:
        return None
    found: options.Training = options.from_dict(options.Training, before, where)
    return replace(found, **{key: getattr(asked, key) or getattr(found, key) for key in options.LIMITS})
