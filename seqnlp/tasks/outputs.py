"""Outputs: how the predictions of a task are written and read back, what they score, where they are wrong."""

from __future__ import annotations

import abc
import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Generic, NamedTuple, TypeVar

if TYPE_CHECKING:
    from seqnlp.metrics import base as metrics
    from seqnlp.preprocess.corpora.examples import Example

ConfigT = TypeVar("ConfigT")
SearchT = TypeVar("SearchT")
CodecT = TypeVar("CodecT")
PredictionT = TypeVar("PredictionT")

SCORE = "score"  # the column of an answer's score


class Result(NamedTuple):
    """What predictions score.

    scores: the one that picks the checkpoint first. details: what stands beside them, as JSON; `classes`, the scores of
    each class by its name, are shown as a table. unseen: labels of the corpus that training never saw, which count as
    wrong; None where there is no such thing.
    """

    scores: list[metrics.Score]
    details: dict[str, Any]
    unseen: int | None = None


class Output(abc.ABC, Generic[ConfigT, SearchT, CodecT, PredictionT]):
    """What comes out of a task; what is abstract is its own, all else has a default."""

    formats: ClassVar[tuple[str, ...]] = ("text", "jsonl", "csv", "tsv")
    usual_format: ClassVar[str] = "text"  # where the input says none
    column: ClassVar[str] = "prediction"  # of csv and tsv, with the answer
    warnings: ClassVar[Mapping[str, str]] = {}  # what the `warnings_of` predictions mean, said once, with their number

    def check(self, search: SearchT, form: str, config: ConfigT | None = None) -> None:
        """Raise `UsageError` where options of a search exclude each other, or have no place in an output format.

        config: of the model, None before it is loaded.
        """

    # Writing

    @abc.abstractmethod
    def value(self, example: Example, prediction: PredictionT, codec: CodecT) -> Any:
        """Return a prediction as JSON holds it under the task's name."""

    @abc.abstractmethod
    def write(self, example: Example, prediction: PredictionT | None, form: str, search: SearchT, codec: CodecT) -> str:
        """Return the text of a prediction in an output format but jsonl, without a line end; None: of a blank one."""

    def ranked(self, example: Example, prediction: PredictionT, search: SearchT) -> Sequence[tuple[str, float]] | None:
        """Return texts with their scores, best first, where a search asks for the n best; else None."""
        return None

    def columns(self, given: Sequence[str] | None, search: SearchT) -> Sequence[str]:
        """Return the columns that csv and tsv have behind those of the input: `given`, None where it has no header."""
        return [self.column]

    def cells(self, example: Example, prediction: PredictionT, search: SearchT, codec: CodecT) -> Mapping[str, str]:
        """Return what stands in the columns of a prediction, and maybe in more."""
        return {self.column: self.write(example, prediction, "text", search, codec)}

    def rows(
        self, example: Example, prediction: PredictionT, search: SearchT, codec: CodecT
    ) -> Sequence[Mapping[str, str]] | None:
        """Return the rows that csv and tsv have of a prediction, by column, where they are not those of the input."""
        return None

    def listed(self, items: Sequence[str], codec: CodecT) -> str:
        """Return what a cell of csv and tsv holds of a list of the input."""
        return " ".join(items)

    def jointly(self, search: SearchT) -> Callable[[Sequence[PredictionT | None]], list[PredictionT | None]] | None:
        """Return what completes the predictions of all inputs, None of blank ones, where a search asks for such.

        By default nothing does: predictions go out as the inputs come.
        """
        return None

    def warnings_of(self, prediction: PredictionT) -> Sequence[str]:
        """Return which of `warnings` a prediction deserves."""
        return ()

    @contextlib.contextmanager
    def side_outputs(self, search: SearchT) -> Iterator[Callable[[Example, PredictionT], None]]:
        """Give what is called with every example and its prediction, such as what draws pictures: by default nothing.

        Raises `UsageError` where the side outputs that a search asks for cannot be had.
        """
        yield lambda example, prediction: None

    # Reading back

    @abc.abstractmethod
    def parse(self, written: Any, config: ConfigT) -> Any:
        """Return the answer in what was written, as the target of an example has it; None for that of a blank one.

        written: a line of text by `write`, or what `value` gave. Raises `ValueError` where it is neither.
        """

    def parse_cell(self, cell: str, config: ConfigT) -> Any:
        """Return the answer in its column, as `parse` does."""
        return self.parse(cell, config)

    # Scoring

    @abc.abstractmethod
    def score(
        self, corpus: Sequence[Example], predictions: Sequence[PredictionT], codec: CodecT, *, intervals: bool = True
    ) -> Result:
        """Return what predictions score; without intervals, as in training, only what is cheap."""

    def wanted(
        self, corpus: Sequence[Example], predictions: Sequence[PredictionT], codec: CodecT, search: SearchT
    ) -> dict[str, Any]:
        """Return details that eval has besides, where a search asks for them."""
        return {}

    @abc.abstractmethod
    def mistakes(
        self, corpus: Sequence[Example], predictions: Sequence[PredictionT], codec: CodecT
    ) -> list[dict[str, Any]]:
        """Return the wrong predictions, worst first, gold beside predicted."""


def ranked_columns(name: str, number: int) -> list[str]:
    """Return the columns of the best answers: `name` and score, again with a number for each more than one."""
    return list(ranked_cells(name, [("", "")] * number))


def ranked_cells(name: str, answers: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return what stands in the columns of answers with their scores, best first."""
    found: dict[str, str] = {}
    for number, (answer, score) in enumerate(answers, 1):
        behind = "" if number == 1 else f"_{number}"
        found |= {name + behind: answer, SCORE + behind: score}
    return found
