"""predict: a filter from inputs to results, line by line, as they come."""

from __future__ import annotations

import collections
import functools
import itertools
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from seqnlp.cli import bars, flags, show
from seqnlp.io import files
from seqnlp.preprocess.batching import buckets
from seqnlp.preprocess.corpora import detect, schema
from seqnlp.tasks import base

if TYPE_CHECKING:
    from seqnlp.workflows import predict as prediction

log = logging.getLogger(__name__)

LINE_BY_LINE = "Predict for each line of FILE, or of stdin: N lines in, N lines out, a blank line for a blank line."
FOLLOWING = "Predict what follows FILE, - for stdin; without one what follows the training part."


def of(task: base.AnyTask) -> click.Command:
    """Return the predict command of a task."""
    name = task.name
    return flags.Command(
        "predict",
        params=[
            flags.MODEL,
            flags.Argument("file", _file_help(task), required=False),
            flags.Option(["-o", "--output"], metavar="FILE", help="Write to this file, not to stdout."),
            flags.Option(
                ["--to"],
                type=click.Choice(task.output.formats),
                help="Format of the output; by default that of jsonl and CoNLL where the input is such, "
                f"else {task.output.usual_format}.",
            ),
            *(option for option in flags.of(task.Search, everything=True) if option.group not in flags.SCORING),
            flags.ENSEMBLE,
            *flags.limits(),
            *flags.reading(task.input_roles),
            *flags.running(),
            flags.HELP_ALL,
        ],
        callback=functools.partial(run, task),
        help=FOLLOWING if task.remembers else LINE_BY_LINE,
        epilog=flags.example(
            f"{name} predict model" if task.remembers else f"{name} predict model < input.txt",
            f"{name} predict model input.jsonl > output.jsonl",
        ),
    )


def _file_help(task: base.AnyTask) -> str:
    return "What to predict for; by default " + ("what follows the training part." if task.remembers else "stdin.")


def run(
    task: base.AnyTask,
    model: str,
    file: str | None,
    output: str | None,
    to: str | None,
    ensemble: tuple[str, ...],
    **values: Any,
) -> None:
    """Print a prediction for each input."""
    show.set_up(values)
    search, named = flags.take(task.Search, values), file is not None or not task.remembers
    file = files.STDIN if file is None else file
    source = flags.source((file,), task.input_roles, values)
    show.check_output(output, (file,) if named else ())
    task.output.check(search, to or "jsonl")  # which has a place for all; what the input is shows when it is read
    from seqnlp.workflows import predict as prediction  # it loads torch: after all that can be checked first

    warnings: collections.Counter[str] = collections.Counter()
    with task.output.side_outputs(search) as side_output:
        loaded = prediction.together((model, *ensemble), values["device"], values["precision"], task.name)
        task.output.check(search, to or "jsonl", loaded.config)
        source = loaded.source(source)
        limits = buckets.Limits(values["max_tokens"], values["batch_size"])
        writer = None
        inputs = task.read_inputs(source, loaded.config, search) if named else task.remembered(loaded.codec)
        lines = _lines(file, source) if named else lambda: None
        with show.output(output) as out, bars.watched("predicting", output, lines) as watch:
            for window in loaded.stream(inputs, search, limits, watch):
                if writer is None:
                    task.output.check(search, to := to or _output_format(task, source))
                    writer = loaded.writer(to, search, source.schema)
                for text in itertools.starmap(writer, window):  # what is good goes out, whatever the next one is
                    out.write(text.encode())
                out.flush()
                for example, found in window:
                    if found is not None:
                        warnings.update(task.output.warnings_of(found))
                        side_output(example, found)
            if writer is None:
                out.write(_of_nothing(loaded, source, to, search).encode())
    for warning, number in warnings.items():
        log.warning("%d %s", number, task.output.warnings[warning])


def _of_nothing(loaded: prediction.Model, source: schema.Source, to: str | None, search: Any) -> str:
    """What is printed of an input without records: its header, where it has one."""
    if files.STDIN not in source.paths:
        log.warning("%s: holds no records", source.title)
    like = source.schema
    return loaded.writer(to or "text", search, like).header(like.header) if like else ""


def _lines(file: str, source: schema.Source) -> Callable[[], int | None]:
    """Return what counts the lines of the input, None where they cannot be counted before it is read."""
    return lambda: None if detect.is_table(file, source) else files.count_lines(file)


def _output_format(task: base.AnyTask, source: schema.Source) -> str:
    """Return the format of the output: that of jsonl and CoNLL where the input is such, else text."""
    usual = task.output.usual_format
    kind = source.schema.format if source.schema else usual
    return kind if kind in task.output.formats and kind not in (*schema.TABLES, "text") else usual
