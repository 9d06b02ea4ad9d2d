"""The model card: README.md of a model folder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from seqnlp import version


def card(content: Mapping[str, Any]) -> str:
    """Return the card of a model: what it does, how it was made, how good it is, how to use it.

    content: what config.json holds.
    """
    task, sizes, seed = content["task"], content["sizes"], content["training"]["seed"]
    rows = "".join(_row(score) for score in content["scores"])
    data = "".join(f"- {name} (sha256 `{digest}`)\n" for name, digest in content["data"].items())
    return f"""# A seqnlp model: {task}

Trained from scratch by seqnlp {version.__version__} in {content["seconds"]:.0f} seconds, seed {seed}: the weights of
step {content["step"]} of {content["steps"]}, {sizes["parameters"]:,} parameters.

    seqnlp {task} predict THIS_FOLDER FILE

## Scores on the development part

| score | value | 95% interval | items | signature |
| --- | --- | --- | --- | --- |
{rows}
## Data

{data}
{sizes["train"]:,} examples to train on, {sizes["dev"]:,} to choose the weights by.

config.json holds every setting; history.jsonl has one line for each evaluation.
"""


def _row(score: Mapping[str, Any]) -> str:
    signature = score["signature"].replace("|", " ")  # which would end the cell
    return f"| {score['name']} | {score['value']:.2f} | {_range(score['interval'])} | {score['n']} | `{signature}` |\n"


def _range(interval: Sequence[float] | None) -> str:
    return "" if interval is None else f"{interval[0]:.2f} to {interval[1]:.2f}"
