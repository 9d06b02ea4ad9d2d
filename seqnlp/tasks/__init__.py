"""The tasks: one file each, and one line each here; the verbs of the command line and the contract test follow from it.

A task is a module with the names of the `Task` protocol. It imports torch only inside the functions that need it: help,
errors in the data and the text half come at once.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol, cast

from seqnlp import errors

if TYPE_CHECKING:
    from pathlib import Path

    from torch import nn

    from seqnlp import options
    from seqnlp.metrics import base
    from seqnlp.preprocess.batching import buckets, padding
    from seqnlp.preprocess.corpora import arrow, examples, formats, schema
    from seqnlp.training import data

REGISTRY = {
    "classify": "label sentences or texts: sentiment, intents, topics",
    "tag": "tag the tokens of sentences: names, parts of speech, chunks, slots",
    "translate": "translate sentences: attention, beam search, BLEU and ROUGE",
}


class Codec(Protocol):
    """From an example to numbers: tokenizers, labels and what else was fitted on the training part."""

    def encode(self, example: examples.Example, *, fitted: bool = False) -> dict[str, Any]:
        """Return the row of an example; `lengths` is its number of steps. Targets may be missing.

        fitted: the example is one of those that the codec was fitted on.
        """

    def features(self) -> dict[str, Any]:
        """Return the Arrow types of a row, by column."""

    def save(self, folder: Path) -> list[str]:
        """Write the codec into a folder; return the names of its files."""


class Task(Protocol):
    """What a task's module holds."""

    NAME: str
    ROLES: tuple[str, ...]  # what a record of a corpus holds, input first
    LINE: str  # what jsonl calls a line of plain text
    EPOCHS: int  # by default
    OPTIONS: Mapping[str, Any]  # defaults of options.Training that are this task's own
    KERNELS: int  # that oneDNN keeps in training: each shape of a batch has some twenty, ten milliseconds each to make
    Config: type  # what makes the model: flags of train, keys of config.json
    Search: type  # what shapes a result: flags of predict and eval
    OUTPUTS: tuple[str, ...]  # formats of predictions
    NOTES: Mapping[str, str]  # what the `notes` of predictions mean, told once with their number
    SHOWN: tuple[str, ...]  # the columns of a row that are worth looking at

    def read(self, source: schema.Source, config: Any) -> examples.Examples:
        """Return the examples of a corpus, targets included."""

    def read_inputs(self, source: schema.Source, config: Any, search: Any) -> Iterable[examples.Example]:
        """Yield the examples to predict; blank ones too."""

    def example(self, record: formats.Record, search: Any) -> examples.Example:
        """Return the example of a record that has no target."""

    def split(self, corpus: examples.Examples, seed: int) -> tuple[examples.Examples, examples.Examples]:
        """Return train and dev, where no dev part was given."""

    def fit(self, corpus: examples.Examples, config: Any, given: Mapping[str, Any]) -> tuple[Any, Any]:
        """Return the config and the codec; only `corpus`, the training part, is looked at.

        What text becomes rows by (options of the group Text) is settled here, the rest in `resolve`.
        given: `codec`, one to go on with; `tokenizers`, what `vocab` or `bpe` made.
        """

    def fits(self, row: Mapping[str, Any], config: Any) -> bool:
        """Return whether a row of the training part can be learnt from, or is left out."""

    def suited(self, codec: Any, search: Any) -> Any:
        """Return the codec as a search wants it."""

    def resolve(self, config: Any, codec: Any) -> Any:
        """Return the config with everything settled that was left open, as the codec suggests."""

    def load_codec(self, folder: Path, config: Any) -> Any:
        """Return the codec that its `save` wrote."""

    def collate(self, columns: Mapping[str, list[Any]], widths: padding.Edge, codec: Any) -> Any:
        """Return a batch of encoded rows, padded to so many steps, with `.to(device)`."""

    def batches(
        self, rows: arrow.Corpus, config: Any, codec: Any, training: options.Training, plan: buckets.Plan | None
    ) -> data.Batches:
        """Return how the rows of the training part meet: by default `data.in_buckets`, through `collate`.

        Others have a policy of `preprocess.batching.stream` or `windows`. plan: of a packed corpus, whose rows stand in
        the order of their buckets; a policy to which another order matters raises `UsageError`.
        """

    def build(self, config: Any, codec: Any) -> nn.Module:
        """Return a network with fresh weights; its forward takes a batch, and what the one before carried to it.

        It returns a `Loss`, whose `carry` is None where nothing is carried on.
        """

    def initialise(self, network: nn.Module, config: Any, codec: Any) -> None:
        """Put into a fresh network what it begins with besides chance: pretrained vectors."""

    def predict(
        self, networks: Sequence[nn.Module], codec: Any, batch: Any, columns: Mapping[str, list[Any]], search: Any
    ) -> list[Any]:
        """Return one prediction a row."""

    def value(self, example: examples.Example, prediction: Any, codec: Any) -> Any:
        """Return a prediction as JSON holds it under the task's name."""

    def write(self, example: examples.Example, prediction: Any, output: str, search: Any, codec: Any) -> str:
        """Return the text of a prediction in one of OUTPUTS but jsonl, without a line end; None: of a blank example."""

    def score(
        self, corpus: Sequence[examples.Example], predictions: Sequence[Any], codec: Any, *, intervals: bool = True
    ) -> tuple[list[base.Score], dict[str, Any]]:
        """Return the scores, the one that picks the checkpoint first, and details."""

    def mistakes(
        self, corpus: Sequence[examples.Example], predictions: Sequence[Any], codec: Any
    ) -> list[dict[str, Any]]:
        """Return the wrong predictions, worst first, gold beside predicted."""


def get(name: str) -> Task:
    """Return the task of a name; raises `UsageError` if there is none."""
    if name not in REGISTRY:
        raise errors.UsageError(f"no task {name!r}", f"the tasks are {', '.join(REGISTRY)}")
    return cast(Task, importlib.import_module(f"seqnlp.tasks.{name}.task"))
