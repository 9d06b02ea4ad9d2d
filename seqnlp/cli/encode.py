"""encode: a corpus as ids, in a folder that training starts from, or on stdout to look at."""

from __future__ import annotations

import functools
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import click

from seqnlp import errors, options
from seqnlp.cli import flags, show
from seqnlp.io import files, jsonl
from seqnlp.preprocess.corpora import schema
from seqnlp.tasks import base, registry


class Tasks(click.Group):
    """One command a task; its module is imported when it is called."""

    def list_commands(self, context: click.Context) -> list[str]:
        return list(registry.REGISTRY)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        return of(registry.get(name)) if name in registry.REGISTRY else None

    def resolve_command(
        self, context: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        from seqnlp.cli import did_you_mean

        if args and not args[0].startswith("-") and args[0] not in registry.REGISTRY:
            raise click.UsageError(f"no task {args[0]!r}{did_you_mean(args[0], list(registry.REGISTRY))}")
        return super().resolve_command(context, args)

    def format_commands(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Tasks"):
            formatter.write_dl(list(registry.REGISTRY.items()))


def of(task: base.AnyTask) -> click.Command:
    """Return the command for a task: its options that decide how text becomes rows."""
    return flags.Command(
        task.name,
        params=[
            click.Argument(["corpora"], metavar="CORPUS...", nargs=-1, required=True),
            flags.Option(["-o", "--output"], metavar="FOLDER", help="Where to write; without it rows go to stdout."),
            flags.Option(
                ["--tokenizer", "tokenizers"],
                multiple=True,
                metavar="FILE",
                help="Of vocab or bpe: one for all, or two for source and target; by default it is fitted.",
            ),
            flags.Option(
                ["--codec"],
                metavar="FOLDER",
                help="Encode with the codec of this encoded corpus, or model; nothing is fitted.",
            ),
            flags.Option(["--overwrite"], is_flag=True, help="Replace an encoded corpus that is there."),
            flags.Option(
                ["--to"], type=click.Choice(("text", "jsonl")), default="text", help="Format of the rows on stdout."
            ),
            flags.JOBS,
            *(option for option in flags.of(task.Config) if option.group == options.TEXT),
            *flags.reading(task.roles),
            *flags.saying(),
            flags.HELP_ALL,
        ],
        callback=functools.partial(run, task),
        help=f"Encode CORPUS ({', '.join(task.roles)}) for {task.name}: memory does not grow with it.",
        epilog=f"\b\nExample:\n  seqnlp encode {task.name} train.tsv -o encoded\n"
        f"  seqnlp encode {task.name} dev.tsv --codec encoded -o dev\n"
        f"  seqnlp {task.name} train encoded --dev dev -o model",
    )


def run(
    task: base.AnyTask,
    corpora: tuple[str, ...],
    output: str | None,
    tokenizers: tuple[str, ...],
    codec: str | None,
    overwrite: bool,
    to: str,
    jobs: int,
    **values: Any,
) -> None:
    """Write an encoded corpus, or print its rows."""
    show.set_up(values)
    source, output = flags.source(corpora, task.roles, values), None if output == files.STDIN else output
    config = flags.take(task.Config, values)
    schema.Source(tuple(task.files(config))).check()
    if codec is not None:
        _refuse(task, tokenizers, codec)
    if len(tokenizers) > 2:
        raise errors.UsageError(f"--tokenizer is given {len(tokenizers)} times", "one for all, or two")
    from seqnlp.preprocess.text import tokenizer
    from seqnlp.workflows import encode, encoded

    if output is not None:
        encoded.check_output(Path(output), overwrite)
    given = [tokenizer.Tokenizer.load(path) for path in tokenizers]
    with show.ended_by_sigterm():
        if output is None:
            _, made, text = encode.fitted(task, source, config, given, codec)
            _print(encode.shown(task, made, text.examples), to)
        else:
            folder = Path(output)
            encode.encode(
                task, source, config, folder, tokenizers=given, codec_of=codec, jobs=jobs, overwrite=overwrite
            )


def _refuse(task: base.AnyTask, tokenizers: tuple[str, ...], codec: str) -> None:
    """A codec brings its tokenizers and settings: one given beside it would say something else."""
    given = flags.given(options.names(task.Config, options.TEXT)) + ["--tokenizer"] * bool(tokenizers)
    if given:
        raise errors.UsageError(f"{given[0]} cannot be given with --codec: {codec} brings its settings")


def _print(rows: Iterable[dict[str, Any]], to: str) -> None:
    for line in map(jsonl.to_json, rows) if to == "jsonl" else _lines(rows):
        sys.stdout.buffer.write(f"{line}\n".encode())
    sys.stdout.buffer.flush()


def _lines(rows: Iterable[dict[str, Any]]) -> Iterator[str]:
    """Columns parted by tabs, the numbers of each by blanks."""
    for row in rows:
        yield "\t".join(" ".join(map(str, _flat(column))) for column in row.values())


def _flat(column: Iterable[Any]) -> Iterator[Any]:
    """A column may have parts."""
    for item in column:
        yield from _flat(item) if isinstance(item, list) else [item]


command = Tasks(
    "encode",
    help="Text to ids: an Arrow data set with its codec beside it, from which training starts at once.",
    epilog="\b\nExample:\n  seqnlp encode classify train.tsv -o encoded\n  seqnlp encode classify train.tsv | head",
)
