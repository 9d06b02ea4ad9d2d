"""--fail-under: an exit code for a score that is not good enough."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from seqnlp import errors
from seqnlp.cli import flags, kinds
from seqnlp.metrics import base


def option() -> flags.Option:
    """Return the option."""
    return flags.Option(
        ["--fail-under"],
        type=kinds.Number(),
        metavar="VALUE",
        help="Exit with code 5 if the first score is lower than this (higher, where lower is better).",
    )


def check(score: Mapping[str, Any], limit: float | None) -> None:
    """Raise `BelowThreshold` where a score of the result is worse than the limit, if there is one."""
    if limit is None or not base.better(limit, score["value"], higher_is_better=score["higher_is_better"]):
        return
    what = f"under {limit:g}" if score["higher_is_better"] else f"over {limit:g}, and lower is better"
    raise errors.BelowThreshold(f"{score['name']} {score['value']:.2f} is {what}")
