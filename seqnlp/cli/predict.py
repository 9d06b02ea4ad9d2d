"""predict: a filter from inputs to results, line by line, as they come."""

from __future__ import annotations

import collections
import functools
import logging
from typing import Any

import click

from seqnlp import tasks
from seqnlp.cli import flags, show
from seqnlp.io import files, jsonl
from seqnlp.preprocess.batching import buckets
from seqnlp.preprocess.corpora import detect

log = logging.getLogger(__name__)


def of(task: tasks.Task) -> click.Command:
    """Return the predict command of a task."""
    name = task.NAME
    return flags.Command(
        "predict",
        params=[
            click.Argument(["model"]),
            click.Argument(["file"], required=False, default=files.STDIN),
            flags.Option(["-o", "--output"], metavar="FILE", help="Write there, not to stdout."),
            flags.Option(
                ["--to"], type=click.Choice(task.OUTPUTS), help="Format of the output; that of the input, or else text."
            ),
            *(option for option in flags.of(task.Search, everything=True) if option.group not in flags.SCORING),
            flags.ENSEMBLE,
            *flags.limits(),
            *flags.reading(task.ROLES[:1]),
            *flags.running(),
            flags.HELP_ALL,
        ],
        callback=functools.partial(run, task),
        help="Predict for each line of FILE, or of stdin: N lines in, N lines out, a blank line for a blank line.",
        epilog=flags.example(f"{name} predict model < input.txt", f"{name} predict model input.jsonl > output.jsonl"),
    )


def run(
    task: tasks.Task,
    model: str,
    file: str,
    output: str | None,
    to: str | None,
    ensemble: tuple[str, ...],
    **values: Any,
) -> None:
    """Print a prediction for each input."""
    show.set_up(values)
    search, source = flags.take(task.Search, values), flags.source((file,), task.ROLES[:1], values)
    show.check_output(output)
    kind = detect.format_of(file, source, targets=False)
    to = to or (kind if kind in task.OUTPUTS else "text")
    pictures = show.pictures(getattr(search, "attention", None))
    from seqnlp.workflows import predict as prediction  # it loads torch: after what can be told at once

    loaded = prediction.together((model, *ensemble), values["device"], values["precision"], task.NAME)
    limits = buckets.Limits(values["max_tokens"], values["batch_size"])
    notes: collections.Counter[str] = collections.Counter()
    with show.output(output) as out:
        for window in loaded.stream(task.read_inputs(source, loaded.config, search), search, limits):
            lines = (_line(loaded, example, found, to, search) for example, found in window)
            out.write("".join(f"{line}\n" for line in lines).encode())
            out.flush()
            for example, found in window:
                notes.update(getattr(found, "notes", ()))
                pictures(example, found)
    for note, number in notes.items():
        log.warning("%d %s", number, task.NOTES[note])


def _line(model: Any, example: Any, found: Any, to: str, search: Any) -> str:
    """Return the line of one prediction; in jsonl the record as it came with one key more."""
    if to != "jsonl":
        return str(model.task.write(example, found, to, search, model.codec))
    record = example.record
    if not isinstance(record, dict):
        if example.blank:
            return ""
        record = {model.task.LINE: record} if isinstance(record, str) else {model.task.ROLES[0]: example.source}
    value = None if found is None else model.task.value(example, found, model.codec)
    return jsonl.to_json({**record, model.task.NAME: value})
