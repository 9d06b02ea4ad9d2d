"""generate: text from a model, part by part as it comes."""

from __future__ import annotations

import functools
from typing import Any

import click

from seqnlp.cli import flags, show
from seqnlp.tasks import base


def of(task: base.AnyTask) -> click.Command:
    """Return the generate command of a task."""
    return flags.Command(
        "generate",
        params=[
            flags.MODEL,
            flags.Option(["-o", "--output"], metavar="FILE", help="Write to this file, not to stdout."),
            *flags.of(task.Generation),
            flags.ENSEMBLE,
            *flags.running(),
            flags.HELP_ALL,
        ],
        callback=functools.partial(run, task),
        help="Print texts that a model generates, each ended by a line's end, and by a blank line where more follow.",
        epilog=flags.example(f"{task.name} generate model --prompt 'Once upon a time' --max-tokens 100"),
    )


def run(task: base.AnyTask, model: str, output: str | None, ensemble: tuple[str, ...], **values: Any) -> None:
    """Print the texts, every part as soon as it is there."""
    show.set_up(values)
    generation = flags.take(task.Generation, values)
    show.check_output(output)
    from seqnlp.workflows import predict as prediction  # it loads torch: after all that can be checked first

    loaded = prediction.together((model, *ensemble), values["device"], "fp32", task.name)
    with show.output(output) as out:
        for number, text in enumerate(loaded.generate(generation)):
            out.write(b"\n" * bool(number))
            for part in text:
                out.write(part.encode("utf-8", "replace"))
                out.flush()
            out.write(b"\n")
