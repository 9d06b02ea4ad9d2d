"""The registry: a line a task. The commands, the contract tests and the tests of the docs follow from it."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from seqnlp import errors

if TYPE_CHECKING:
    from seqnlp.tasks import base

REGISTRY = {
    "classify": "label sentences or texts: sentiment, intents, topics",
    "tag": "tag the tokens of sentences: names, parts of speech, chunks, slots",
    "translate": "translate sentences, with attention and beam search",
    "summarize": "summarise documents in their own words and in new ones",
    "lm": "model language: perplexity, log-probabilities, text that goes on",
    "forecast": "forecast series of numbers, with intervals, beside naive baselines",
}

# The verbs of a task besides train, predict and eval.
VERBS = {"lm": {"generate": "generate text"}}
READERS = {
    "labels": "classify",
    "tags": "tag",
    "texts": "translate",
    "likelihoods": "lm",
    "numbers": "forecast",
}  # which task reads files of such answers

# What the help of a task shows: from a corpus to a result. A task that is not here has that of `ANY`.
ANY = ["seqnlp {0} train train.tsv --dev dev.tsv -o model", "seqnlp {0} predict model < input.txt"]
EXAMPLES = {
    "classify": [
        "seqnlp classify train train.tsv --dev dev.tsv -o model",
        'echo "not bad at all" | seqnlp classify predict model --scores',
        "seqnlp classify eval model test.tsv",
    ],
    "tag": [
        "seqnlp tag train train.conll --dev dev.conll -o model",
        'echo "Anna Berg moved to Oslo ." | seqnlp tag predict model',
        "seqnlp tag eval model test.conll",
    ],
    "translate": [
        "seqnlp translate train train.tsv --dev dev.tsv -o model",
        'echo "two small cats" | seqnlp translate predict model --beam-size 8',
        "seqnlp translate eval model test.tsv",
    ],
    "summarize": [
        "seqnlp summarize train train.tsv --dev dev.tsv -o model",
        "seqnlp summarize predict model < documents.txt > summaries.txt",
        "seqnlp summarize eval model test.tsv",
    ],
    "lm": [
        "seqnlp lm train train.txt --dev dev.txt -o model",
        "seqnlp lm generate model --prompt 'Once upon a time'",
        "seqnlp lm eval model test.txt",
    ],
    "forecast": [
        "seqnlp forecast train series.csv --horizon 12 -o model",
        "seqnlp forecast predict model -o forecasts.csv",
        "seqnlp forecast eval model next.csv",
    ],
}


def examples(name: str) -> list[str]:
    """Return the lines of the shell that the help of a task shows."""
    return [line.format(name) for line in EXAMPLES.get(name, ANY)]


def get(name: str) -> base.AnyTask:
    """Return the task of a name, which is `TASK` in its folder's task.py; raises `UsageError` if there is none."""
    if name not in REGISTRY:
        raise errors.UsageError(f"no task {name!r}", f"the tasks are {', '.join(REGISTRY)}")
    task: base.AnyTask = importlib.import_module(f"seqnlp.tasks.{name}.task").TASK
    return task


def that_predict(answers: str) -> list[base.AnyTask]:
    """Return the tasks whose predictions are labels, tags or texts, first the one of `READERS`.

    A corpus of such answers, or plain lines of them, do not say whose they are: that one reads them.
    """
    found = [task for task in map(get, REGISTRY) if task.answers == answers]
    return sorted(found, key=lambda task: task.name != READERS[answers])
