"""score: predictions against references, without a model."""

from __future__ import annotations

import json
import time
from typing import Any

import click

from seqnlp import errors, textio
from seqnlp.cli import flags, show
from seqnlp.preprocess import readers

METRICS = ("accuracy", "f1")
ROLES = ("text", "label")


def run(
    metric: str, reference: str, hypothesis: str, multi_label: bool, fail_under: float | None, **values: Any
) -> None:
    """Score a file of predictions."""
    from seqnlp.metrics import classification

    show.set_up(values)
    begin = time.monotonic()
    if reference == hypothesis == textio.STDIN:
        raise errors.UsageError("reference and hypothesis cannot both be stdin")
    gold = _references(reference, multi_label, values)
    predicted = _predictions(hypothesis, multi_label, values["encoding"])
    scores, details = classification.score(gold, predicted, several=multi_label)
    first = "exact_match" if multi_label and metric == "accuracy" else metric
    scores.sort(key=lambda score: score.name != first)  # the one asked for first
    content = {
        "task": "score",
        "scores": [score.to_dict() for score in scores],
        "details": details,
        "seconds": round(time.monotonic() - begin, 1),
        "data": {textio.name(path): textio.sha256(path) for path in (reference, hypothesis) if path != textio.STDIN},
    }
    show.result(content)
    if fail_under is not None and scores[0].value < fail_under:
        raise errors.BelowThreshold(f"{scores[0].name} {scores[0].value:.2f} is under {fail_under:g}")


def _references(path: str, several: bool, values: dict[str, Any]) -> list[tuple[str, ...]]:
    """One label a line, or the labels of a corpus."""
    source = readers.spooled(flags.source((path,), ROLES, values))
    (path,) = source.paths
    if readers.format_of(path, source, targets=True) == "text":
        lines = textio.lines(path, values["encoding"])
        return [_labels(line, several) for line in lines if several or line.strip()]
    from seqnlp.tasks import classify

    return [example.target for example in classify.read(source, classify.Config(multi_label=several))]


def _predictions(path: str, several: bool, encoding: str) -> list[tuple[str, ...]]:
    """What predict printed: labels, with or without probabilities, or JSON; a blank line stands for a blank text."""
    found = []
    for number, line in enumerate(textio.lines(path, encoding), 1):
        if line.startswith("{"):
            if (labels := _from_json(line, f"{textio.name(path)}:{number}")) is not None:
                found.append(labels)
        elif several or line.strip():
            cells = line.split("\t")
            found.append(_labels(",".join(cells[::2]) if several else cells[0], several))
    return found


def _from_json(line: str, where: str) -> tuple[str, ...] | None:
    try:
        value = json.loads(line)["classify"]
        if value is None:  # of a blank text
            return None
        return tuple(value["labels"]) if "labels" in value else (value["label"],)
    except (ValueError, KeyError, TypeError):
        raise errors.DataError(f"{where}: no prediction in this JSON", "lines of seqnlp classify predict") from None


def _labels(line: str, several: bool) -> tuple[str, ...]:
    return tuple(part.strip() for part in line.split(",") if part.strip()) if several else (line.strip(),)


command = flags.Command(
    "score",
    params=[
        click.Argument(["metric"], type=click.Choice(METRICS)),
        click.Argument(["reference"]),
        click.Argument(["hypothesis"], required=False, default=textio.STDIN),
        flags.Option(["--multi-label"], is_flag=True, help="Several labels a line, joined by commas."),
        flags.Option(["--fail-under"], type=flags.Number(), metavar="VALUE", help="Exit with 5 if the score is lower."),
        *flags.reading(ROLES),
        *flags.saying(),
        flags.HELP_ALL,
    ],
    callback=run,
    help="Score HYPOTHESIS (a file or stdin), one prediction a line, against REFERENCE: a label a line, or a corpus.",
    epilog="\b\nExample:\n  seqnlp classify predict model test.tsv | seqnlp score accuracy test.tsv",
)
