"""The task: what it promises to the workflows, with a default for all that most tasks have in common.

A task imports torch only inside the functions that need it: help, errors in the data and text need not wait for it.
"""

from __future__ import annotations

import abc
import typing
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

from seqnlp import options
from seqnlp.checks import base as checking
from seqnlp.checks import duplicates
from seqnlp.preprocess.corpora import examples, readers, splits
from seqnlp.tasks import outputs
from seqnlp.tasks.codec import Batch as Batch
from seqnlp.tasks.codec import Codec as Codec
from seqnlp.tasks.codec import Columns as Columns
from seqnlp.tasks.codec import Pretrained as Pretrained
from seqnlp.tasks.codec import Row as Row
from seqnlp.training import data

if TYPE_CHECKING:
    import torch
    from torch import nn

    from seqnlp.metrics import registry
    from seqnlp.preprocess.batching import buckets, padding
    from seqnlp.preprocess.corpora import arrow, formats, schema, seen

ConfigT = TypeVar("ConfigT")
SearchT = TypeVar("SearchT")
CodecT = TypeVar("CodecT", bound=Codec)
PredictionT = TypeVar("PredictionT")


TYPES = ("Config", "Search", "Codec", "Prediction")  # those that a task names


class Task(abc.ABC, Generic[ConfigT, SearchT, CodecT, PredictionT]):
    """A task; what is abstract is its own, all else has a default.

    A subclass names its four types once, as in `class Tag(Task[Config, Search, Codec, Prediction])`. Config makes the
    model: flags of train, keys of config.json. Search shapes a result: flags of predict and eval.
    """

    name: ClassVar[str]
    roles: ClassVar[tuple[str, ...]]  # what a record of a corpus holds, input first
    answers: ClassVar[registry.Inputs]  # what a prediction is to a metric: labels, tags or texts
    Config: type[ConfigT]
    Search: type[SearchT]
    Codec: type[CodecT]
    Prediction: type[PredictionT]
    output: outputs.Output[ConfigT, SearchT, CodecT, PredictionT]
    training: ClassVar[options.Training] = options.Training()  # its defaults; `refit` is an option only where it is on
    calibrated: ClassVar[tuple[str, ...]] = ()  # the buffers of its network that `calibrate` fits
    reading_options: ClassVar[tuple[str, ...]] = ()  # those that say what a record holds
    min_epochs: ClassVar[int] = 5  # by default; more where they would be few steps
    criterion: ClassVar[str | None] = None  # the detail, least is best, that picks the weights; else the first score
    independent: ClassVar[bool] = True  # rows stand for themselves, so that one which is in dev too may be left out
    pipeline_tag: ClassVar[str] = ""  # what the Hugging Face hub calls the task
    ending: ClassVar[str] = "tsv"  # of a corpus in the examples of help
    preview_columns: ClassVar[tuple[str, ...]]  # the columns of a row that are worth looking at: lists, maybe of lists
    remembers: ClassVar[bool] = False  # a model knows what to predict for where nothing is given
    Generation: type = type(None)  # how it generates, where `registry.VERBS` has it: flags of generate
    kernel_cache: ClassVar[int] = 1024  # kernels of oneDNN that are kept: a batch's shape takes some twenty, 10 ms each

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        for base in cls.__dict__.get("__orig_bases__", ()):
            if issubclass(typing.get_origin(base) or object, Task):
                for name, kind in zip(TYPES, typing.get_args(base), strict=False):
                    if not isinstance(kind, TypeVar):  # which a subclass is to fill in
                        setattr(cls, name, kind)

    @property
    def input_roles(self) -> tuple[str, ...]:
        """Return what a record to predict for holds."""
        return self.roles[:1]

    @property
    def text_key(self) -> str:
        """Return what jsonl calls a line of plain text."""
        return self.roles[0]

    # Reading

    @abc.abstractmethod
    def labelled(self, record: formats.Record, config: ConfigT) -> examples.Example:
        """Return the example of a record with its target."""

    def example(self, record: formats.Record, search: SearchT) -> examples.Example:
        """Return the example of a record that has no target: its input, a text, by default."""
        return examples.Example(record.text(self.roles[0]), None, record.raw, record.file, record.line)

    def layout(self, config: ConfigT) -> Mapping[str, str]:
        """Return where files in columns hold what."""
        return {}

    def read(self, source: schema.Source, config: ConfigT) -> Iterator[examples.Example]:
        """Yield the examples of a corpus; those without input are left out, as predict leaves them blank."""
        source = replace(source, layout=self.layout(config))
        for record in readers.records(source, self.roles, targets=True):
            example = self.labelled(record, config)
            if not example.blank:
                yield example

    def read_inputs(self, source: schema.Source, config: ConfigT, search: SearchT) -> Iterable[examples.Example]:
        """Yield the examples to predict; blank ones too."""
        source = replace(source, layout=self.layout(config))
        return (self.example(record, search) for record in readers.records(source, self.roles, targets=False))

    def remembered(self, codec: CodecT) -> Iterable[examples.Example]:
        """Yield what is predicted for where nothing is given; only of a task that `remembers`."""
        raise NotImplementedError

    def split(
        self, corpus: examples.Examples, config: ConfigT, seed: int, before: seen.Seen | None = None
    ) -> tuple[examples.Examples, examples.Examples]:
        """Return train and dev, where no dev part was given; before: what the model to start from has seen."""
        return splits.split(corpus, seed, before=before)

    def recognises(self, corpus: Sequence[examples.Example]) -> bool:
        """Return whether the first examples of a corpus, which it could read, look as if they were for this task."""
        return False

    def checks(self, config: ConfigT) -> list[checking.Check]:
        """Return what is looked for in a corpus before it is learnt from."""
        return [duplicates.Duplicates("row")]

    # Fitting and encoding

    @abc.abstractmethod
    def fit(self, corpus: examples.Examples, config: ConfigT, given: Mapping[str, Any]) -> tuple[ConfigT, CodecT]:
        """Return the config and the codec; only `corpus`, the training part, is looked at.

        What text becomes rows by (options of the group Text) is settled here, the rest in `resolve`.
        given: `codec`, one to go on with, and whether it may take `new_labels`; `tokenizers`, what `vocab` or `bpe`
        made. Raises `DataError` where there is nothing to learn.
        """

    def resolve(self, config: ConfigT, codec: CodecT) -> ConfigT:
        """Return the config with everything settled that was left open, as the codec suggests."""
        return config

    def files(self, config: ConfigT) -> list[str]:
        """Return the files besides the corpus that make the model, as its settings name them."""
        return []

    def is_trainable(self, row: Row, config: ConfigT) -> bool:
        """Return whether a row of the training part can be learnt from, or is left out."""
        return True

    def configured(self, codec: CodecT, search: SearchT) -> CodecT:
        """Return the codec as a search wants it."""
        return codec

    # The network

    @abc.abstractmethod
    def collate(self, columns: Columns, widths: padding.Edge, codec: CodecT) -> Batch:
        """Return a batch of encoded rows, padded to `widths` steps."""

    def batches(
        self,
        rows: arrow.Rows,
        config: ConfigT,
        codec: CodecT,
        training: options.Training,
        plan: buckets.Plan | None,
    ) -> data.Batches:
        """Return how the rows of the training part meet: in buckets by length, by default.

        Others have a policy of `preprocess.batching.stream` or `windows`. plan: of a packed corpus, whose rows stand in
        the order of their buckets; a policy to which another order matters raises `UsageError`.
        """
        return data.in_buckets(rows, training, plan, lambda columns, widths: self.collate(columns, widths, codec))

    @abc.abstractmethod
    def build(self, config: ConfigT, codec: CodecT) -> nn.Module:
        """Return a network with fresh weights; its forward takes a batch, and what the one before carried to it.

        It returns a `Loss`, whose `carry` is None where nothing is carried on.
        """

    def initialise(
        self, network: nn.Module, config: ConfigT, codec: CodecT, rows: data.Rows, source: Pretrained | None = None
    ) -> None:
        """Put into a fresh network what it begins with besides chance: nothing, by default.

        rows: of the training part; source: the trained model that settings name; raises `ModelError` where its weights
        do not fit.
        """

    def pretrained(self, config: ConfigT) -> tuple[str, str] | None:
        """Return the task and the folder of the trained model that a fresh network begins with, if settings name one.

        It is `given` to `fit` as `pretrained`, and to `initialise`.
        """
        return None

    def fit_network(
        self, network: nn.Module, config: ConfigT, codec: CodecT, rows: data.Rows, training: options.Training
    ) -> None:
        """Fit to the training part what of a network is not learnt step by step: nothing, by default."""

    def calibrate(
        self,
        network: nn.Module,
        codec: CodecT,
        corpus: Sequence[examples.Example],
        predictions: Sequence[PredictionT],
    ) -> Sequence[PredictionT]:
        """Fit to dev what of a network is fitted there, its buffers, and return the predictions as they are then."""
        return predictions

    def quick_search(self) -> SearchT | None:
        """Return the search of evaluations in a run that is short of time, None where none is quicker."""
        return None

    def cuts(self, row: Row) -> bool:
        """Return whether a row of `Codec.encode` lacks a part of its text, of which `warnings` has "cut"."""
        return False

    @abc.abstractmethod
    def predict(
        self, networks: Sequence[nn.Module], codec: CodecT, batch: Any, columns: Columns, search: SearchT
    ) -> list[PredictionT]:
        """Return one prediction a row."""

    def predict_corpus(
        self,
        networks: Sequence[nn.Module],
        codec: CodecT,
        rows: data.Rows,
        search: SearchT,
        device: torch.device,
        watch: Callable[[float], None],
    ) -> list[PredictionT] | None:
        """Return the predictions of a whole corpus for its scores, where its rows depend on each other; else None.

        watch: is told the share that is done; what it raises ends the work.
        """
        return None

    def generate(
        self, networks: Sequence[nn.Module], codec: CodecT, generation: Any, device: torch.device
    ) -> Iterator[Iterator[str]]:
        """Yield texts, each as its parts come; only of a task with `Generation`."""
        raise NotImplementedError


AnyTask = Task[Any, Any, Any, Any]
