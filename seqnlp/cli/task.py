"""train, predict and eval: the same three commands for every task, made from its option dataclasses."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import click

from seqnlp import errors, options, tasks, textio
from seqnlp.cli import flags, show
from seqnlp.preprocess import batch as batches

PRINTING = "Output"  # the group of options that say how a prediction is printed, and so mean nothing to eval
VERBS = {
    "train": "train a model",
    "predict": "predict with a model, line by line",
    "eval": "score a model on a test part",
}


class Verbs(click.Group):
    """The verbs of a task; its module is imported when one of them is called."""

    def list_commands(self, context: click.Context) -> list[str]:
        return list(VERBS)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        makers = {"train": train, "predict": predict, "eval": evaluate}
        return makers[name](tasks.get(str(self.name))) if name in makers else None

    def format_commands(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(VERBS.items()))

    def resolve_command(
        self, context: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        from seqnlp.cli import did_you_mean

        if args and not args[0].startswith("-") and args[0] not in VERBS:
            raise click.UsageError(f"no command {self.name} {args[0]}{did_you_mean(args[0], list(VERBS))}")
        return super().resolve_command(context, args)


def group(name: str) -> click.Group:
    """Return the commands of a task."""
    about = tasks.REGISTRY[name]
    example = _example(f"{name} train train.tsv --dev dev.tsv -o model", f"{name} predict model < input.txt")
    return Verbs(name, help=f"{about[:1].upper()}{about[1:]}.", epilog=example)


def _example(*lines: str) -> str:
    return "\n".join(["\b", "Example:", *(f"  seqnlp {line}" for line in lines)])


def train(task: tasks.Task) -> click.Command:
    """Return the train command of a task."""
    return flags.Command(
        "train",
        params=_train_params(task),
        callback=functools.partial(_train, task),
        help=f"Train a model: {tasks.REGISTRY[task.NAME]}. TRAIN is one or more corpora ({', '.join(task.ROLES)}).",
        epilog=_example(f"{task.NAME} train train.tsv --dev dev.tsv -o model --time-budget 5m"),
    )


def _train_params(task: tasks.Task) -> list[click.Parameter]:
    return [
        click.Argument(["train_"], metavar="TRAIN...", nargs=-1, required=True),
        flags.Option(
            ["--dev"],
            multiple=True,
            metavar="FILE",
            help="Data to choose the best weights by; by default a part of TRAIN.",
        ),
        flags.Option(
            ["-o", "--output"],
            required=True,
            metavar="MODEL",
            help="Folder for the model; the same command goes on with a stopped run.",
        ),
        flags.Option(["--overwrite"], is_flag=True, help="Start anew where the folder holds another run."),
        flags.Option(
            ["--init-from"],
            metavar="MODEL",
            main=False,
            help="Go on from a trained model's weights, vocabulary and settings.",
        ),
        *flags.of(options.Training, task.OPTIONS),
        *flags.of(task.Config),
        *flags.reading(task.ROLES),
        *flags.running(),
        flags.HELP_ALL,
    ]


def _train(
    task: tasks.Task,
    train_: tuple[str, ...],
    dev: tuple[str, ...],
    output: str,
    overwrite: bool,
    init_from: str | None,
    **values: Any,
) -> None:
    show.set_up(values, talkative=True)
    if init_from is not None:
        _refuse_settings(task)
    source = flags.source(train_, task.ROLES, values)
    dev_source = flags.source(dev, task.ROLES, values) if dev else None
    from seqnlp import workflow  # it loads torch: after what can be told at once

    job = workflow.Job(
        task=task.NAME,
        train=source,
        dev=dev_source,
        folder=Path(output),
        config=flags.take(task.Config, values),
        training=flags.take(options.Training, values),
        device=values["device"],
        overwrite=overwrite,
        init_from=init_from,
    )
    watcher = show.Watcher()
    try:
        content = workflow.train(job, watch=watcher, stop=watcher.stopped)
    finally:
        watcher.close()
    show.result(content)


def _refuse_settings(task: tasks.Task) -> None:
    """With --init-from a model brings its own settings: one given beside it would say something else."""
    context = click.get_current_context()
    for field in dataclasses.fields(task.Config):
        if context.get_parameter_source(field.name) is click.core.ParameterSource.COMMANDLINE:
            flag = "--" + field.name.replace("_", "-")
            raise errors.UsageError(f"{flag} cannot be given with --init-from: the model brings its settings")


def predict(task: tasks.Task) -> click.Command:
    """Return the predict command of a task."""
    name = task.NAME
    params: list[click.Parameter] = [
        click.Argument(["model"]),
        click.Argument(["file"], required=False, default=textio.STDIN),
        flags.Option(["-o", "--output"], metavar="FILE", help="Write there, not to stdout."),
        flags.Option(
            ["--to"], type=click.Choice(task.OUTPUTS), help="Format of the output; by default text, for jsonl jsonl."
        ),
        *flags.of(task.Search, everything=True),
        *flags.limits(),
        *flags.reading(task.ROLES[:1]),
        *flags.running(),
        flags.HELP_ALL,
    ]

    def run(model: str, file: str, output: str | None, to: str | None, **values: Any) -> None:
        from seqnlp.preprocess import readers

        show.set_up(values)
        search, source = flags.take(task.Search, values), flags.source((file,), task.ROLES[:1], values)
        kind = readers.format_of(file, source, targets=False)
        to = to or ("jsonl" if kind == "jsonl" else "text")
        if output not in (None, textio.STDIN):
            textio.check_writable(str(output))
        from seqnlp import prediction  # it loads torch: after what can be told at once

        loaded = prediction.load(model, device=values["device"], precision=values["precision"], task=name)
        limits = batches.Limits(values["max_tokens"], values["batch_size"])
        with _output(output) as out:
            for window in loaded.stream(task.read_inputs(source), search, limits):
                lines = (_line(loaded, example, found, to, search) for example, found in window)
                out.write("".join(f"{line}\n" for line in lines).encode())
                out.flush()

    return flags.Command(
        "predict",
        params=params,
        callback=run,
        help="Predict for each line of FILE, or of stdin: N lines in, N lines out, a blank line for a blank line.",
        epilog=_example(f"{name} predict model < input.txt", f"{name} predict model input.jsonl > output.jsonl"),
    )


@contextlib.contextmanager
def _output(path: str | None) -> Iterator[BinaryIO]:
    """Give stdout, or a file that is there only when all of it is written."""
    if path is None or path == textio.STDIN:
        yield sys.stdout.buffer
    else:
        with textio.atomic(path, "wb") as file:
            yield file  # type: ignore[misc]


def _line(model: Any, example: Any, found: Any, to: str, search: Any) -> str:
    """Return the line of one prediction; in jsonl the record as it came with one key more."""
    if to != "jsonl":
        return "" if found is None else str(model.task.write(example, found, to, search))
    record = example.record
    if not isinstance(record, dict):
        if not str(record).strip():
            return ""
        record = {model.task.ROLES[0]: example.source}
    value = None if found is None else model.task.value(found, model.codec)
    return textio.to_json({**record, model.task.NAME: value})


def evaluate(task: tasks.Task) -> click.Command:
    """Return the eval command of a task."""
    params: list[click.Parameter] = [
        click.Argument(["model"]),
        click.Argument(["test"], metavar="TEST...", nargs=-1, required=True),
        flags.Option(
            ["--fail-under"], type=flags.Number(), metavar="VALUE", help="Exit with 5 if the first score is lower."
        ),
        flags.Option(
            ["--errors", "errors_"],
            metavar="FILE",
            help="Write the mistakes, worst first, gold beside predicted: .tsv or .jsonl.",
        ),
        *(option for option in flags.of(task.Search) if option.group != PRINTING),
        *flags.limits(),
        *flags.reading(task.ROLES),
        *flags.running(),
        flags.HELP_ALL,
    ]

    def run(model: str, test: tuple[str, ...], fail_under: float | None, errors_: str | None, **values: Any) -> None:
        show.set_up(values)
        search, source = flags.take(task.Search, values), flags.source(test, task.ROLES, values)
        if errors_ is not None:
            textio.check_writable(errors_)
        from seqnlp import prediction, workflow  # they load torch: after what can be told at once

        loaded = prediction.load(model, device=values["device"], precision=values["precision"], task=task.NAME)
        limits = batches.Limits(values["max_tokens"], values["batch_size"])
        content, mistakes = workflow.evaluate(loaded, model, source, search, limits)
        if errors_ is not None:
            _write_mistakes(errors_, mistakes)
        show.result(content)
        value = content["scores"][0]["value"]
        if fail_under is not None and value < fail_under:
            raise errors.BelowThreshold(f"{content['scores'][0]['name']} {value:.2f} is under {fail_under:g}")

    return flags.Command(
        "eval",
        params=params,
        callback=run,
        help=f"Score a model on TEST, one or more corpora ({', '.join(task.ROLES)}).",
        epilog=_example(f"{task.NAME} eval model test.tsv --errors mistakes.tsv --fail-under 80"),
    )


def _write_mistakes(path: str, mistakes: list[dict[str, Any]]) -> None:
    """Write one mistake a line; tabs and line ends inside a field become blanks in .tsv."""
    with textio.atomic(path) as file:
        if path.endswith(".jsonl"):
            file.writelines(textio.to_json(mistake) + "\n" for mistake in mistakes)
        elif mistakes:
            file.write("\t".join(mistakes[0]) + "\n")
            for mistake in mistakes:
                file.write("\t".join(" ".join(str(value).split()) for value in mistake.values()) + "\n")
