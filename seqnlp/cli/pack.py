"""pack: the rows of an encoded corpus in the order of their buckets, and what that saves."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from seqnlp import options
from seqnlp.cli import flags, show
from seqnlp.io import jsonl

WIDTH = 50  # of the longest bar


def run(encoded: str, output: str, max_tokens: int | None, batch_size: int, overwrite: bool, **values: Any) -> None:
    """Pack an encoded corpus, and report."""
    show.set_up(values)
    from seqnlp.workflows import pack

    with show.ended_by_sigterm():
        report = pack.pack(encoded, Path(output), max_tokens=max_tokens, batch_size=batch_size, overwrite=overwrite)
    click.echo(_table(report) if show.on_terminal() else jsonl.to_json(report))


def _table(report: Mapping[str, Any]) -> str:
    """Return the report as a person reads it, with a bar for each range of lengths."""
    lines = [
        f"{report['rows']:,} rows, {report['batches']:,} batches of at most {report['max_tokens']:,} tokens, "
        f"{report['buckets']} buckets",
        f"padding {report['padding']:.1f}%; in random batches {report['padding_random']:.1f}%",
        "",
    ]
    largest = max((count for *_, count in report["lengths"]), default=1)
    for low, high, count in report["lengths"]:
        bar = "█" * round(WIDTH * count / largest) or ("▏" if count else "")
        lines.append(f"{low:>5} to {high:<5}{count:>9,} {bar}")
    return "\n".join(lines)


_TRAINING = {option.name: option for option in flags.of(options.Training, everything=True)}

command = flags.Command(
    "pack",
    params=[
        flags.Argument("encoded", "A folder that encode has made."),
        flags.Option(["-o", "--output"], required=True, metavar="FOLDER", help="Where to write the packed corpus."),
        _TRAINING["max_tokens"],
        _TRAINING["batch_size"],
        flags.Option(["--overwrite"], is_flag=True, help="Replace an encoded corpus that exists already."),
        *flags.saying(),
        flags.HELP_ALL,
    ],
    callback=run,
    help="Put the rows of an encoded corpus into buckets of (nearly) equal length, with the plan of the batches; which "
    "rows share a batch is still drawn anew in every epoch. Prints the proportion of padding and the lengths.",
    epilog="\b\nExample:\n  seqnlp pack encoded -o packed --max-tokens 4096",
)
