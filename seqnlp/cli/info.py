"""info: what a model folder holds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from seqnlp.cli import flags, show
from seqnlp.io import jsonl
from seqnlp.workflows import model_folder


def run(model: str, **values: Any) -> None:
    """Print a model's config: a table on a terminal, JSON otherwise."""
    show.set_up(values)
    folder = Path(model)
    content = model_folder.unfinished(folder) or model_folder.read_config(folder)
    if not show.on_terminal():
        click.echo(jsonl.to_json(content))
        return
    from rich import console, table, text

    out = console.Console(markup=False, highlight=False)
    rows = table.Table(box=None, show_header=False)
    state = "" if content["finished"] else " (training is not finished)"
    rows.add_row("task", content["task"] + state)
    rows.add_row("made by", f"seqnlp {content.get('seqnlp_version', '?')}")
    rows.add_row("examples", "train {train:,}, dev {dev:,}".format(**content["sizes"]))
    rows.add_row("parameters", f"{content['sizes']['parameters']:,}")
    for score in content.get("scores", []):
        rows.add_row(f"dev {score['name']}", f"{score['value']:.2f}")
    for part in ("config", "training"):
        for key, value in content[part].items():
            rows.add_row(key, text.Text("none" if value is None else str(value)))
    out.print(rows)


command = flags.Command(
    "info",
    params=[click.Argument(["model"]), *flags.saying(), flags.HELP_ALL],
    callback=run,
    help="Show what a model folder holds: task, sizes, scores on dev, every setting.",
    epilog="\b\nExample:\n  seqnlp info model\n  seqnlp info model | jq .scores",
)
