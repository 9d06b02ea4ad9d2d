"""Scores of tags as plain classes, for the registry."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from seqnlp.metrics import base, spans


def measure(
    names: Sequence[str], gold: spans.Sentences, predicted: spans.Sentences
) -> tuple[list[base.Score], dict[str, Any]]:
    """Return accuracy over tags, macro F1, precision and recall."""
    return spans.class_score(gold, predicted)
