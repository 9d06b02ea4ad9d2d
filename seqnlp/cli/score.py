"""score: predictions against references, without a model."""

from __future__ import annotations

import dataclasses
import time
from typing import Any

import click

from seqnlp import errors
from seqnlp.cli import flags, show, threshold
from seqnlp.io import files
from seqnlp.metrics import measure, registry
from seqnlp.preprocess.corpora import schema
from seqnlp.workflows import answers, corpus_answers, texts


def run(
    metric: str,
    reference: str,
    hypothesis: str | None,
    references: tuple[str, ...],
    fail_under: float | None,
    **values: Any,
) -> None:
    """Score a file of predictions."""
    show.set_up(values)
    begin = time.monotonic()
    source = flags.source((reference,), answers.roles(), values)
    if schema.is_pipe(reference):
        source = schema.copied(source)  # it is looked at before it is read
    scoring = answers.Scoring(source, hypothesis, values["multi_label"], references)
    inputs = corpus_answers.inputs(registry.METRICS[metric], source, hypothesis)
    _check(metric, scoring, inputs)
    gold, predicted = answers.READERS[inputs](scoring)
    others = [texts.of_references(source, path)[0] for path in references]
    options = flags.take(registry.Options, dict(values))
    scores, details = measure.by_name(metric, gold, predicted, options, inputs, others)
    content: dict[str, Any] = {
        "task": "score",
        "scores": [score.to_dict() for score in scores],
        "details": {**details, "items": registry.ITEMS[inputs]},
        "seconds": round(time.monotonic() - begin, 1),
        "data": scoring.hashes(),
    }
    show.result(content)
    threshold.check(content["scores"][0], fail_under)


def _check(metric: str, scoring: answers.Scoring, inputs: registry.Inputs) -> None:
    """An option that the metric ignores would only seem to have had an effect."""
    for option in OPTIONS:
        if metric not in (takers := _takers(option)) and (found := flags.given([option])):
            raise errors.UsageError(f"{found[0]} has no effect on {metric}", f"it is for {', '.join(takers)}")
    if scoring.multi_label and inputs == "tags":
        raise errors.UsageError("--multi-label has no effect on tags", "a token has one")
    if scoring.further and inputs != "texts":
        raise errors.UsageError(f"--reference has no effect on {metric}", "it is for metrics of texts")
    schema.Source(scoring.further).check()
    alone = inputs == "tags" and scoring.hypothesis is None
    if scoring.path == scoring.predicted == files.STDIN and not alone:
        raise errors.UsageError("reference and hypothesis cannot both be stdin")
    if files.STDIN in scoring.further:
        raise errors.UsageError("a further reference cannot be stdin", "give a file")


def _takers(option: str) -> list[str]:
    """The metrics that take an option."""
    return [name for name, metric in registry.METRICS.items() if option in metric.options]


def _options() -> list[flags.Option]:
    """The options of the metrics; the help of each names those that take it."""
    found = flags.of(registry.Options)
    for option in found:
        option.help = f"{option.help} ({', '.join(_takers(str(option.name)))})."
    return found


def _help() -> str:
    """The help, with the metrics of the same inputs together."""
    names = {
        inputs: [name for name, metric in registry.METRICS.items() if metric.inputs == inputs] for inputs in INPUTS
    }
    return HELP.format("\n".join(f"{', '.join(names[inputs])}:\n{text}" for inputs, text in INPUTS.items()))


OPTIONS = [field.name for field in dataclasses.fields(registry.Options)]

HELP = """Score HYPOTHESIS (a file, or stdin) against REFERENCE.

\b
{}

HYPOTHESIS may be what predict prints, as text, jsonl, csv or tsv."""

INPUTS = {
    "labels": """\
    one label per line; both may be corpora of texts and labels, or of tokens and
    tags (.conll, .conllu), whose tags are taken as plain classes""",
    "tags": """\
    one token and tag per line, a blank line after each sentence; HYPOTHESIS may
    also be word/TAG word/TAG. Without one, neither named nor on stdin, the
    last two columns of REFERENCE are gold and predicted (conlleval)""",
    "texts": """\
    one segment per line; REFERENCE may be a corpus of source and target;
    rouge stands for all of its variants""",
    "likelihoods": """\
    a text per line, and the logarithm of each one's probability, its end
    included (as lm predict, or kenlm's query, gives it)""",
    "numbers": """\
    a number per line, or tables with a column of values; those with times are
    put together by id and time (as forecast predict gives them)""",
}

EXAMPLE = """\b
Example:
  seqnlp classify predict model test.tsv | seqnlp score accuracy test.tsv
  seqnlp score f1 gold.txt predicted.txt --multi-label
  seqnlp tag predict model test.conll | seqnlp score spans test.conll
  seqnlp translate predict model test.de | seqnlp score bleu test.en --tokenize intl
  seqnlp score chrf test.en predicted.en --fail-under 50
  seqnlp score ter test.en predicted.en
  seqnlp lm predict model test.txt | seqnlp score perplexity test.txt
  seqnlp forecast predict model | seqnlp score mae test.csv
  seqnlp score rouge test.jsonl summaries.txt --target-field summary
"""

command = flags.Command(
    "score",
    params=[
        flags.Argument(
            "metric",
            "One of those above.",
            "METRIC",
            type=click.Choice(tuple(registry.METRICS), case_sensitive=False),
        ),
        flags.Argument("reference", "What is right: a file, or a corpus."),
        flags.Argument("hypothesis", "What was predicted; by default stdin.", required=False),
        flags.Option(
            ["--reference", "references"],
            multiple=True,
            metavar="FILE",
            help="Further references (bleu, chrf, ter, rouge); may be repeated.",
        ),
        *_options(),
        threshold.option(),
        *flags.reading(answers.roles()),
        *flags.saying(),
        flags.HELP_ALL,
    ],
    callback=run,
    help=_help(),
    epilog=EXAMPLE,
)
