"""encode: a corpus as ids, in a folder that training starts from, or on stdout to look at."""

from __future__ import annotations

import functools
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import click

from seqnlp import errors, options
from seqnlp.cli import bars, flags, groups, show
from seqnlp.io import files, jsonl
from seqnlp.preprocess.corpora import schema
from seqnlp.tasks import base, registry


def of(task: base.AnyTask) -> click.Command:
    """Return the command for a task: its options that decide how text becomes rows."""
    return flags.Command(
        task.name,
        params=[
            flags.Argument("corpora", "Files of the corpus; - is stdin.", "CORPUS...", nargs=-1, required=True),
            flags.Option(
                ["-o", "--output"], metavar="FOLDER", help="Where to write; without it the rows go to stdout."
            ),
            flags.Option(
                ["--tokenizer", "tokenizers"],
                multiple=True,
                metavar="FILE",
                help="A tokenizer of vocab or bpe, or two for source and target; by default they are fitted.",
            ),
            flags.Option(
                ["--codec"],
                metavar="FOLDER",
                help="Encode with the codec of this encoded corpus or model; nothing is fitted.",
            ),
            flags.Option(
                ["--shard"],
                metavar="I/N",
                callback=_shard,
                help="Write the rows of part I of N only, with the codec of the whole corpus; train takes all parts.",
            ),
            flags.Option(["--overwrite"], is_flag=True, help="Replace an encoded corpus that exists already."),
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
        help=f"Encode CORPUS ({', '.join(task.roles)}) for {task.name}; memory does not grow with its size.",
        epilog=f"\b\nExample:\n  seqnlp encode {task.name} train.{task.ending} -o encoded\n"
        f"  seqnlp encode {task.name} dev.{task.ending} --codec encoded -o dev\n"
        f"  seqnlp {task.name} train encoded --dev dev -o model",
    )


def _shard(context: click.Context, option: click.Parameter, value: str | None) -> tuple[int, int]:
    number, _, count = (value or "1/1").partition("/")
    if not (number.isdecimal() and count.isdecimal() and 1 <= int(number) <= int(count)):
        raise click.BadParameter(f"{value!r} is not I/N, as 1/8 to 8/8")
    return int(number), int(count)


def run(
    task: base.AnyTask,
    corpora: tuple[str, ...],
    output: str | None,
    tokenizers: tuple[str, ...],
    codec: str | None,
    shard: tuple[int, int],
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
        raise errors.UsageError(f"--tokenizer is given {len(tokenizers)} times", "give one for everything, or two")
    from seqnlp.preprocess.text import tokenizer
    from seqnlp.workflows import encode, encoded

    if output is None and shard != (1, 1):
        raise errors.UsageError("--shard needs -o", "rows on stdout are those of the whole corpus")
    if output is not None:
        encoded.check_output(Path(output), overwrite)
    given = [tokenizer.Tokenizer.own(path) for path in tokenizers]
    with show.ended_by_sigterm(), bars.watched("encoding", output) as watch:
        if output is None:
            _, made, text = encode.fitted(task, source, config, given, codec)
            _print(_told(encode.shown(task, made, text.examples), len(text.examples), watch), to)
        else:
            folder = Path(output)
            settings: dict[str, Any] = dict(shard=shard, jobs=jobs, overwrite=overwrite, watch=watch)
            encode.encode(task, source, config, folder, tokenizers=given, codec_of=codec, **settings)


def _refuse(task: base.AnyTask, tokenizers: tuple[str, ...], codec: str) -> None:
    """A codec has its own tokenizers and settings: one given beside it would contradict them."""
    given = flags.given(options.names(task.Config, options.TEXT)) + ["--tokenizer"] * bool(tokenizers)
    if given:
        raise errors.UsageError(f"{given[0]} cannot be given with --codec: {codec} has settings of its own")


def _told(rows: Iterable[dict[str, Any]], total: int, watch: bars.Watch) -> Iterator[dict[str, Any]]:
    for number, row in enumerate(rows, 1):
        yield row
        watch(number / total)


def _print(rows: Iterable[dict[str, list[Any]]], to: str) -> None:
    for line in map(jsonl.to_json, rows) if to == "jsonl" else _lines(rows):
        sys.stdout.buffer.write(f"{line}\n".encode())
    sys.stdout.buffer.flush()


def _lines(rows: Iterable[dict[str, list[Any]]]) -> Iterator[str]:
    """Columns separated by tabs, the numbers in each by spaces."""
    for row in rows:
        yield "\t".join(" ".join(map(str, _flat(column))) for column in row.values())


def _flat(column: Iterable[Any]) -> Iterator[Any]:
    """A column may have parts."""
    for item in column:
        yield from _flat(item) if isinstance(item, list) else [item]


command = groups.Group(
    "encode",
    sections={"Tasks": registry.REGISTRY},
    load=lambda name: of(registry.get(name)),
    missing="no task",
    help="Turn text into ids: an Arrow data set with its codec beside it, from which training starts at once.",
    epilog="\b\nExample:\n  seqnlp encode classify train.tsv -o encoded\n  seqnlp encode classify train.tsv | head",
)
