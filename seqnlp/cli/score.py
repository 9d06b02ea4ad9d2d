"""score: predictions against references, without a model."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import click

from seqnlp import errors
from seqnlp.cli import answers, flags, show
from seqnlp.io import files
from seqnlp.metrics import base, translation

SPLIT_STOPS = 100  # lines that end in " .", for a warning: sacrebleu's own measure

Result = tuple[list[base.Score], dict[str, Any]]


def run(metric: str, reference: str, hypothesis: str | None, fail_under: float | None, **values: Any) -> None:
    """Score a file of predictions."""
    show.set_up(values)
    begin = time.monotonic()
    job = answers.Job(metric, reference, hypothesis, values)
    _check(job)
    scores, details = METRICS[metric](job)
    content = {
        "task": "score",
        "scores": [score.to_dict() for score in scores],
        "details": details,
        "seconds": round(time.monotonic() - begin, 1),
        "data": job.hashes(),
    }
    show.result(content)
    if fail_under is not None:
        _gate(scores[0], fail_under)


def _check(job: answers.Job) -> None:
    """An option that means nothing to the metric would only seem to have done something."""
    for option, metrics in OPTIONS.items():
        if job.metric not in metrics and (found := flags.given([option])):
            raise errors.UsageError(f"{found[0]} means nothing to {job.metric}", f"it is for {', '.join(metrics)}")
    alone = job.metric == "spans" and job.hypothesis is None
    if job.reference == job.said == files.STDIN and not alone:
        raise errors.UsageError("reference and hypothesis cannot both be stdin")


def _gate(score: base.Score, limit: float) -> None:
    if score.name in LESS_IS_BETTER and score.value > limit:
        raise errors.BelowThreshold(f"{score.name} {score.value:.2f} is over {limit:g}, and less is better")
    if score.name not in LESS_IS_BETTER and score.value < limit:
        raise errors.BelowThreshold(f"{score.name} {score.value:.2f} is under {limit:g}")


def _classes(job: answers.Job) -> Result:
    from seqnlp.metrics import classification

    several = job.values["multi_label"]
    gold, predicted = answers.labels(job)
    scores, details = classification.score(gold, predicted, several=several)
    first = "exact_match" if several and job.metric == "accuracy" else job.metric
    return sorted(scores, key=lambda score: score.name != first), details  # the one asked for first


def _spans(job: answers.Job) -> Result:
    from seqnlp.metrics import spans

    return spans.score(*answers.tags(job))


def _translation(job: answers.Job) -> Result:
    hypotheses, references = answers.texts(job)
    stops = sum(text.endswith(" .") for text in hypotheses)
    if job.metric == "bleu" and stops >= SPLIT_STOPS:
        show.log.warning('%d lines end in " .": BLEU is meant for text that is not split into tokens', stops)
    options = {name: job.values[name] for name in ("tokenize", "lowercase")}
    return translation.score(hypotheses, references, names=[job.metric], **options), {}


def _rouge(job: answers.Job) -> Result:
    from seqnlp.metrics import rouge

    return rouge.score(*answers.texts(job), stem=job.values["stem"]), {}


METRICS: dict[str, Callable[[answers.Job], Result]] = {
    "accuracy": _classes,
    "f1": _classes,
    "spans": _spans,
    "bleu": _translation,
    "chrf": _translation,
    "ter": _translation,
    "rouge": _rouge,
}
LESS_IS_BETTER = ("ter",)
OPTIONS = {  # by the metrics that they mean something to; ter and rouge ignore case anyway
    "multi_label": ("accuracy", "f1"),
    "tokenize": ("bleu",),
    "lowercase": ("bleu", "chrf", "ter", "rouge"),
    "stem": ("rouge",),
}

HELP = """Score HYPOTHESIS (a file, or stdin) against REFERENCE.

\b
accuracy, f1          a label a line; REFERENCE may be a corpus of texts and labels
spans                 token and tag a line, a blank line after each sentence; HYPOTHESIS may
                      also be word/TAG word/TAG. Without one, neither named nor on stdin,
                      the last two columns of REFERENCE are gold and predicted (conlleval)
bleu, chrf, ter       a segment a line; REFERENCE may be a corpus of source and target
rouge                 the same; all of rouge1, rouge2, rougeL, rougeLsum

HYPOTHESIS may be what predict prints, as text or as JSON."""

EXAMPLE = """\b
Example:
  seqnlp classify predict model test.tsv | seqnlp score accuracy test.tsv
  seqnlp score f1 gold.txt predicted.txt --multi-label
  seqnlp tag predict model test.conll | seqnlp score spans test.conll
  seqnlp translate predict model test.de | seqnlp score bleu test.en --tokenize intl
  seqnlp score chrf test.en predicted.en --fail-under 50
  seqnlp score ter test.en predicted.en
  seqnlp summarize predict model test.jsonl | seqnlp score rouge test.jsonl --target-field summary
"""

command = flags.Command(
    "score",
    params=[
        click.Argument(["metric"], type=click.Choice(tuple(METRICS))),
        click.Argument(["reference"]),
        click.Argument(["hypothesis"], required=False),
        flags.Option(["--multi-label"], is_flag=True, help="Several labels a line, joined by commas (accuracy, f1)."),
        flags.Option(
            ["--tokenize"],
            type=click.Choice(translation.TOKENIZERS),
            default="13a",
            show_default=True,
            help="How sacrebleu splits words (bleu).",
        ),
        flags.Option(["--lowercase"], is_flag=True, help="Ignore case (bleu, chrf; ter and rouge always do)."),
        flags.Option(["--stem"], is_flag=True, help="Cut off the endings of English words (rouge)."),
        flags.Option(
            ["--fail-under"],
            type=flags.Number(),
            metavar="VALUE",
            help="Exit with 5 if the first score is lower; if higher, for ter.",
        ),
        *flags.reading(answers.ROLES),
        *flags.saying(),
        flags.HELP_ALL,
    ],
    callback=run,
    help=HELP,
    epilog=EXAMPLE,
)
