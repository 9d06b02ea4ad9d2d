"""eval: the scores of a model on a test part, and its mistakes."""

from __future__ import annotations

import dataclasses
import functools
from typing import Any

import click

from seqnlp import errors
from seqnlp.cli import flags, show, threshold
from seqnlp.io import atomic, files, jsonl
from seqnlp.preprocess.batching import buckets
from seqnlp.preprocess.corpora import schema
from seqnlp.tasks import base


def of(task: base.AnyTask) -> click.Command:
    """Return the eval command of a task."""
    return flags.Command(
        "eval",
        params=[
            flags.MODEL,
            flags.Argument("test", "Files of the test part; - is stdin.", "TEST...", nargs=-1, required=True),
            threshold.option(),
            flags.Option(
                ["--errors", "errors_"],
                metavar="FILE",
                help="Write the mistakes, worst first, gold beside predicted: .tsv or .jsonl.",
            ),
            *(_references() if task.answers == "texts" else ()),
            *(option for option in flags.of(task.Search) if option.group not in flags.PREDICTING),
            flags.ENSEMBLE,
            *flags.limits(),
            *flags.reading(task.roles),
            *flags.running(),
            flags.HELP_ALL,
        ],
        callback=functools.partial(run, task),
        help=f"Score a model on TEST, one or more corpora ({', '.join(task.roles)}).",
        epilog=flags.example(f"{task.name} eval model test.{task.ending} --errors mistakes.tsv --fail-under 80"),
    )


def run(
    task: base.AnyTask,
    model: str,
    test: tuple[str, ...],
    fail_under: float | None,
    errors_: str | None,
    ensemble: tuple[str, ...],
    **values: Any,
) -> None:
    """Score a model, and print the result."""
    show.set_up(values)
    search, source = flags.take(task.Search, values), flags.source(test, task.roles, values)
    source = _with_references(source, values.get("references", ()))
    if errors_ is not None:
        show.check_output(errors_, test)
    from seqnlp.workflows import evaluate  # they load torch: after all that can be checked first
    from seqnlp.workflows import predict as prediction

    loaded = prediction.together((model, *ensemble), values["device"], values["precision"], task.name)
    limits = buckets.Limits(values["max_tokens"], values["batch_size"])
    content, mistakes = evaluate.evaluate(loaded, model, source, search, limits)
    if errors_ is not None:
        _write_mistakes(errors_, mistakes)
    show.result(content)
    threshold.check(content["scores"][0], fail_under)


def _references() -> list[click.Option]:
    return [
        flags.Option(
            ["--reference", "references"],
            multiple=True,
            metavar="FILE",
            group="Reading",
            help="Further references of TEST; may be repeated.",
        )
    ]


def _with_references(source: schema.Source, paths: tuple[str, ...]) -> schema.Source:
    """The source with files of further references; raises `UsageError` where they cannot be read beside it."""
    schema.Source(paths).check()
    if paths and source.encoded:
        raise errors.UsageError("--reference needs the texts, not an encoded corpus", "give the files it is made of")
    if files.STDIN in paths:
        raise errors.UsageError("a further reference cannot be stdin", "give a file")
    return dataclasses.replace(source, references=paths)


def _write_mistakes(path: str, mistakes: list[dict[str, Any]]) -> None:
    """Write one mistake a line; tabs and line ends inside a field become spaces in .tsv."""
    with show.ended_by_sigterm(), atomic.atomic(path) as file:
        if path.lower().removesuffix(".gz").endswith((".jsonl", ".ndjson")):
            file.writelines(jsonl.to_json(mistake) + "\n" for mistake in mistakes)
        elif mistakes:
            file.write("\t".join(mistakes[0]) + "\n")
            for mistake in mistakes:
                file.write("\t".join(" ".join(str(value).split()) for value in mistake.values()) + "\n")
