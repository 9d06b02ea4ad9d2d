"""check: what a corpus holds, and what may be wrong with it, before a model learns from it."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from typing import Any

import click

from seqnlp import errors
from seqnlp.cli import flags, show, tables
from seqnlp.io import files, jsonl
from seqnlp.tasks import base, registry

CLASSES, FINDINGS = 30, 3  # rows of the table of classes; examples of a finding


def run(corpora: tuple[str, ...], dev: tuple[str, ...], task: str | None, **values: Any) -> None:
    """Print what a corpus holds, and what may be wrong with it."""
    show.set_up(values, talkative=sys.stdout.isatty())
    if files.STDIN in corpora and files.STDIN in dev:
        raise errors.UsageError("- (stdin) can be read once only")
    made = {name: registry.get(name) for name in registry.REGISTRY}
    train = flags.source(corpora, _roles(made), values)
    dev_source = flags.source(dev, _roles(made), values) if dev else None
    configs = {name: one.Config(**{key: values[key] for key in one.reading_options}) for name, one in made.items()}
    from seqnlp.workflows import check

    with show.ended_by_sigterm():
        content = check.check(task, train, dev_source, configs)
    if sys.stdout.isatty():
        _print(content)
    else:
        click.echo(jsonl.to_json(content))
    if number := content["counts"]["error"]:
        raise errors.CheckFailed(f"{number} finding{'' if number == 1 else 's'} of level error")


def _roles(made: Mapping[str, base.AnyTask]) -> list[str]:
    return list(dict.fromkeys(role for task in made.values() for role in task.roles))


def _params() -> list[click.Parameter]:
    made = {name: registry.get(name) for name in registry.REGISTRY}
    own = [one for task in made.values() for one in flags.of(task.Config) if one.name in task.reading_options]
    for option in own:
        option.group, option.main = "Reading", False
    return [
        flags.Argument("corpora", "Files that are to be trained on.", "CORPUS...", nargs=-1, required=True),
        flags.Option(["--dev"], multiple=True, metavar="FILE", help="The part that is to choose the weights."),
        flags.Option(
            ["--task"],
            type=click.Choice(tuple(registry.REGISTRY)),
            help="What the corpus is for, where it does not say so itself.",
        ),
        *own,
        *flags.reading(_roles(made)),
        *flags.saying(),
        flags.HELP_ALL,
    ]


# The report on a terminal.


def _print(content: Mapping[str, Any]) -> None:
    from rich import table

    out = tables.console()
    about = table.Table(box=None, show_header=False)
    for name, value in _facts(content):
        about.add_row(name, value)
    out.print(about)
    if classes := content.get("labels"):
        out.print(_classes(classes))
    if not content["findings"]:
        out.print("nothing found")
    for finding in content["findings"]:
        out.print(f"{finding['level']}: {finding['message']}", style=STYLES[finding["level"]])
        out.print(f"  {finding['hint']}")
        for place in finding["examples"][:FINDINGS]:
            out.print(f"  - {place}")


def _facts(content: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield "task", content["task"]
    yield from content["recognised"].items()
    yield "rows", ", ".join(f"{part} {number:,}" for part, number in content["rows"].items())
    for name, value in content.get("lengths", {}).items():
        if isinstance(value, Mapping) and "longest" in value:
            unit = content["lengths"]["unit"]
            yield f"{unit} ({name})", "mean {mean}, median {median}, 99% {p99}, longest {longest}".format(**value)
        elif name == "cut":
            yield value["option"], "{proposed} reads 99% whole; by default {default}".format(**value)
    for side, value in content.get("unknown_words", {}).items():
        yield f"unknown words of dev ({side})", f"{value['share']:.1%}: {', '.join(value['most_frequent'])}"
    for name in ("scheme", "scripts"):
        if value := content.get(name):
            yield name, value if isinstance(value, str) else ", ".join(f"{k} {v or 'mixed'}" for k, v in value.items())


def _classes(classes: Mapping[str, Any]) -> Any:
    from rich import table, text

    keys = list(next(iter(classes.values())))
    rows = table.Table("label", *keys, box=None, header_style="bold")
    for name, row in list(classes.items())[:CLASSES]:
        rows.add_row(text.Text(name), *(f"{row[key]:,}" for key in keys))
    if len(classes) > CLASSES:
        rows.add_row(f"and {len(classes) - CLASSES} more", *("" for _ in keys))
    return rows


STYLES = {"error": "bold red", "warning": "yellow", "note": ""}

command = flags.Command(
    "check",
    params=_params(),
    callback=run,
    help="Look at CORPUS before training: what it is recognised as, lengths, labels, duplicates, overlap of train and "
    "dev, labels that look like typos, broken tag schemes, pairs that do not belong together. Ends with exit code 5 "
    "if a finding is an error.",
    epilog=flags.example("check train.tsv --dev dev.tsv", "check train.conll", "check train.de train.en"),
)
