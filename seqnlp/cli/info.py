"""info: what a model, an encoded corpus or a tokenizer is, and how to use it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from seqnlp.cli import flags, show, tables
from seqnlp.io import jsonl

MAX_LABELS = 20  # on a terminal


def run(path: str, **values: Any) -> None:
    """Print what a path holds: a table on a terminal, JSON otherwise."""
    show.set_up(values)
    from seqnlp.workflows import about

    content = about.describe(Path(path))
    if not show.on_terminal():
        click.echo(jsonl.to_json(content))
        return
    rows = {**_what(content), "reads": about.fields(content), **_sizes(content), **_made(content)}
    if "config" in content:
        rows["settings"] = _listed(about.settings(content).items()) or "all as by default"
    rows["use"] = "\n".join(content["use"])
    tables.rows({name: text for name, text in rows.items() if text})


def _what(content: Mapping[str, Any]) -> dict[str, str]:
    """What it is, and what it gives."""
    of = f" of {content['task']}" if "task" in content else ""
    labels = sorted(content.get("labels", {}).items(), key=lambda item: (-item[1], item[0]))
    more = f" and {len(labels) - MAX_LABELS:,} more" if len(labels) > MAX_LABELS else ""
    return {
        "": f"{content['kind']}{of}{_state(content)}",
        "labels": f"{len(labels):,}: {_listed(labels[:MAX_LABELS])}{more}" if labels else "",
        "normalizer": ", ".join(content.get("normalizer", ())),
    }


def _state(content: Mapping[str, Any]) -> str:
    if content.get("finished", True):
        return f", {content['model']}" if content["kind"] == "tokenizer" else ""
    return f", not finished: at step {content['steps']:,}" if content.get("steps") else ", not finished"


def _sizes(content: Mapping[str, Any]) -> dict[str, str]:
    """How much it is."""
    sizes, vocabulary = content.get("sizes", {}), content["vocabulary"]
    again = ", then all of them once more" if content.get("refit") else ""
    entries = {"entries": vocabulary} if isinstance(vocabulary, int) else vocabulary
    return {
        "rows": f"{content['rows']:,}" if "rows" in content else "",
        "examples": "{train:,} to train on, {dev:,} to choose the weights by".format(**sizes) + again if sizes else "",
        "parameters": f"{sizes['parameters']:,}" if sizes else "",
        "vocabulary": _listed(entries.items()),
        "size": _bytes(content["bytes"]),
    }


def _made(content: Mapping[str, Any]) -> dict[str, str]:
    """How good it is, and when and from what it was made."""
    found = {f"dev {score['name']}": f"{score['value']:.2f}" for score in content.get("scores", ())}
    if content.get("best") is not None:
        name = f"{content['criterion']} " if content["criterion"] else ""
        found["best so far"] = f"{name}{content['best']:.2f}, at step {content['step']:,}"
    if "date" in content:
        found["date"] = content["date"].replace("T", " ").replace("+00:00", " UTC")
    if "seqnlp_version" in content:
        found["made by"] = f"seqnlp {content['seqnlp_version']}"
    return {**found, "data": ", ".join(content.get("data", ()))}


def _listed(items: Any) -> str:
    return ", ".join(_pairs(items))


def _pairs(items: Any) -> Iterator[str]:
    for name, value in items:
        yield f"{name} {value:,}" if type(value) is int else f"{name} {'none' if value is None else value}"


def _bytes(number: int) -> str:
    size, units = float(number), ["bytes", "kB", "MB", "GB"]
    while size >= 1000 and len(units) > 1:
        size, units = size / 1000, units[1:]
    return f"{size:,.0f} {units[0]}" if units[0] == "bytes" else f"{size:,.1f} {units[0]}"


command = flags.Command(
    "info",
    params=[
        flags.Argument("path", "A model folder, an encoded corpus, or a tokenizer file."),
        *flags.saying(),
        flags.HELP_ALL,
    ],
    callback=run,
    help="Show what a model, an encoded corpus or a tokenizer is: task, labels, fields, sizes, scores on the "
    "development part, date, settings, and how to use it. A table on a terminal, JSON otherwise.",
    epilog=flags.example("info model", "info model | jq .scores"),
)
