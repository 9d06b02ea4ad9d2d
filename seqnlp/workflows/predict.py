"""Prediction: a model loaded from its folder, and one way from examples to results."""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from concurrent import futures
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import safetensors
import torch
from torch import nn

from seqnlp import errors, options
from seqnlp.io import jsonl, stream
from seqnlp.nn import shapes
from seqnlp.preprocess.batching import buckets, padding
from seqnlp.preprocess.corpora import formats, schema
from seqnlp.preprocess.corpora.examples import Example
from seqnlp.tasks import base, registry
from seqnlp.training import checkpoint, data, precision
from seqnlp.workflows import config_keys, model_folder, writer

log = logging.getLogger(__name__)

UNFIT = (  # what comes of files that were changed, and whose hashes were changed with them
    *(OSError, LookupError, TypeError, ValueError, AttributeError, ArithmeticError, RuntimeError),
    safetensors.SafetensorError,
)

MAX_BATCHES = 8  # batches under way, each in memory, on a machine with many cores
SHARING = threading.Lock()

Watch = Callable[[float], None]  # is told how far the work has come
Item = TypeVar("Item")
Result = TypeVar("Result")


class Window:
    """A window of encoded rows: for few rows Arrow costs more than it gives."""

    def __init__(self, rows: Sequence[Mapping[str, Any]]) -> None:
        self.rows = rows
        self.lengths = np.array([row["lengths"] for row in rows], dtype=np.int64)

    def columns(self, rows: np.ndarray) -> dict[str, list[Any]]:
        """Return the columns of the given rows."""
        chosen = [self.rows[number] for number in rows]
        return {name: [row[name] for row in chosen] for name in chosen[0]}


@dataclass
class Model:
    """A trained model: its task, config and codec, and one network, or the several of an ensemble."""

    task: base.AnyTask
    config: Any
    codec: Any
    networks: list[nn.Module]
    device: torch.device
    precision: str
    content: Mapping[str, Any]
    remembered: schema.Schema | None = None  # of the corpus that it was trained on

    def source(self, source: schema.Source) -> schema.Source:
        """Return a source that is read as the model's corpus was, where nothing else is said."""
        return replace(source, remembered=self.remembered)

    def __repr__(self) -> str:
        parts = [f"{len(labels):,} labels"] if (labels := self.codec.labels) else []
        parts += [f"{score['name']} {score['value']:.2f} on dev" for score in self.content.get("scores", [])[:1]]
        parts += [f"{len(self.networks)} networks"] if len(self.networks) > 1 else []
        parameters = sum(p.numel() for network in self.networks for p in network.parameters())
        return f"<seqnlp model: {', '.join([self.task.name, *parts, f'{parameters:,} parameters', str(self.device)])}>"

    def predict(self, inputs: Iterable[Any] | None = None, **search: Any) -> list[Any]:
        """Return for each input what `predict --to jsonl` puts under the task's name, None for a blank one.

        inputs: for each what a record of jsonl holds in the field of the input: a text; where the task reads tokens,
        a list of them, or a text with spaces between them; None where the model knows what to predict for. search: the
        flags of predict by name, as in
        `threshold=0.3`. Raises `WrongType` for one text in place of several, `UsageError` for a flag that there is not
        or a value that it cannot have, `DataError` for an input of another kind.
        """
        left_open = inputs is None and self.task.remembers
        if isinstance(inputs, str | bytes | Mapping) or not (left_open or isinstance(inputs, Iterable)):
            raise errors.WrongType(f"inputs is a {type(inputs).__name__}, expected a list: predict([text])")
        options.refuse_unknown(search, self.task.Search, whose=f"predict of {self.task.name}")
        settings, role, output = self.task.Search(**search), self.task.roles[0], self.task.output
        options.check(settings)
        output.check(settings, "jsonl", self.config)
        if inputs is None:
            corpus = list(self.task.remembered(self.codec))
        else:
            given = enumerate(map(jsonl.repaired, inputs), 1)
            records = (formats.Record({role: value}, value, "input", number) for number, value in given)
            corpus = [self.task.example(record, settings) for record in records]
        found = self.run(corpus, settings)
        pairs = zip(corpus, complete(found) if (complete := output.jointly(settings)) else found, strict=True)
        return [None if found is None else output.value(example, found, self.codec) for example, found in pairs]

    def writer(self, form: str, search: Any, like: schema.Schema | None = None) -> writer.Writer:
        """Return what makes text of predictions in an output format; like: what the input looks like."""
        return writer.Writer(self.task, self.codec, form, search, None if like is None else like.delimiter)

    def run(
        self,
        corpus: Sequence[Example],
        search: Any,
        limits: buckets.Limits = buckets.Limits(),  # noqa: B008 (frozen)
        watch: Watch = lambda share: None,
    ) -> list[Any]:
        """Return a prediction for each example, in their order, None for blank ones."""
        codec = self.task.configured(self.codec, search)
        full = [number for number, example in enumerate(corpus) if not example.blank]
        results: list[Any] = [None] * len(corpus)
        found = self.run_rows(Window([codec.encode(corpus[number]) for number in full]), search, limits, watch)
        for number, result in zip(full, found, strict=True):
            results[number] = result
        return results

    def run_rows(
        self, rows: data.Rows, search: Any, limits: buckets.Limits, watch: Watch = lambda share: None
    ) -> list[Any]:
        """Return a prediction for each encoded row: sorted by length, predicted in batches, put back in order.

        watch: is told the share that is done after each batch; what it raises ends the work.
        """
        done = 0
        results: list[Any] = [None] * len(rows.lengths)

        def run(batch: padding.Batch) -> tuple[np.ndarray, list[Any]]:
            numbers, widths = batch
            columns = rows.columns(numbers)
            tensors = self.task.collate(columns, widths, self.codec).to(self.device)
            with torch.inference_mode(), precision.autocast(self.device, self.precision):
                return numbers, self.task.predict(self.networks, self.codec, tensors, columns, search)

        planned = list(buckets.by_length(rows.lengths, limits))
        # The long ones first: they keep nobody waiting.
        with contextlib.closing(_each(run, planned[::-1], self.device)) as batches:
            for numbers, found in batches:
                for number, result in zip(numbers, found, strict=True):
                    results[number] = result
                done += len(numbers)
                watch(done / len(results))
        return results

    def run_corpus(
        self, rows: data.Rows, search: Any, limits: buckets.Limits, watch: Watch = lambda share: None
    ) -> list[Any]:
        """Return a prediction for each row of a corpus that is to be scored; watch: see `run_rows`."""
        with torch.inference_mode(), precision.autocast(self.device, self.precision):
            found = self.task.predict_corpus(self.networks, self.codec, rows, search, self.device, watch)
        return self.run_rows(rows, search, limits, watch) if found is None else found

    def generate(self, generation: Any) -> Iterator[Iterator[str]]:
        """Yield texts that the model generates, each as its parts come; in fp32, which is the fastest for one row."""
        return self.task.generate(self.networks, self.codec, generation, self.device)

    def stream(
        self, corpus: Iterable[Example], search: Any, limits: buckets.Limits, watch: Watch = lambda line: None
    ) -> Iterator[list[tuple[Example, Any]]]:
        """Yield windows of examples with their predictions, as the examples come; memory holds one window.

        All are one window where predictions depend on those of all inputs. watch: is told the line up to which the work
        has come, of a file.
        """
        complete, held = self.task.output.jointly(search), list[tuple[Example, Any]]()
        for window in stream.windows(corpus):
            found = self.run(window, search, limits, _within(watch, window[0].line, window[-1].line))
            pairs = list(zip(window, found, strict=True))
            if complete is None:
                yield pairs
            else:
                held += pairs
        if complete is not None and held:
            examples, predictions = zip(*held, strict=True)
            yield list(zip(examples, complete(predictions), strict=True))


def _within(watch: Watch, first: int, last: int) -> Watch:
    """Return what is told the share that is done between two lines."""
    return lambda share: watch(first + share * (last - first))


def _each(run: Callable[[Item], Result], items: Sequence[Item], device: torch.device) -> Generator[Result]:
    """Yield the results of all items, in their order; on a CPU the threads are shared out among as many items at once.

    Two items on a core each are done sooner than two, one after the other, on both: their operations are small. Torch
    has one number of threads for the whole process, so who comes while others share them out takes them as they are.
    """
    few = device.type != "cpu" or min(torch.get_num_threads(), len(items)) < 2
    if few or not SHARING.acquire(blocking=False):
        yield from map(run, items)
        return
    before = torch.get_num_threads()  # while nobody else shares them out
    workers = min(before, len(items), MAX_BATCHES)
    pool = futures.ThreadPoolExecutor(workers, initializer=torch.set_num_threads, initargs=(before // workers,))
    try:
        yield from pool.map(run, items)
    finally:
        try:
            pool.shutdown(cancel_futures=True)
        finally:
            torch.set_num_threads(before)
            SHARING.release()


def together(folders: Sequence[str], device: str, precision: str, task: str) -> Model:
    """Return the model in the first folder with the networks of all: an ensemble.

    Raises `ModelError` where one has another codec than the first: their results would not mean the same.
    """
    first, *others = (load(folder, device=device, precision=precision, task=task) for folder in folders)
    for folder, other in zip(folders[1:], others, strict=True):
        own, theirs = (
            (model_folder.codec_files(model.content["files"]), options.of_group(model.config, options.TEXT))
            for model in (first, other)
        )
        if own != theirs:
            raise errors.ModelError(
                f"{folder}: has another codec than {folders[0]}", "an ensemble is trained on one encoded corpus"
            )
        first.networks += other.networks
    return first


def load(folder: str | Path, *, device: str = "auto", precision: str = "fp32", task: str | None = None) -> Model:
    """Return the model in a folder, its files checked; `task` is the one it must be of.

    A run that is not finished gives its best weights so far, with a warning. Raises `ModelError`.
    """
    if not isinstance(folder, str | Path):
        raise errors.WrongType(f"a model is a {type(folder).__name__}, expected its folder")
    folder = Path(folder)
    content, weights = _stored(folder)
    where = model_folder.description(folder)
    if task is not None and content["task"] != task:
        kind = content["task"]
        raise errors.ModelError(f"{folder}: is a model of {kind}, not of {task}", f"seqnlp {kind} predict {folder}")
    try:
        made = registry.get(content["task"])
        config = options.from_dict(made.Config, content["config"], where)
        options.from_dict(options.Training, content["training"], where)
        codec = made.Codec.load(folder, config)
        known = config_keys.schema_of(where, content)
        if made.resolve(config, codec) != config:
            raise ValueError("settings are open, or not those that were trained")
        shapes.check(lambda: made.build(config, codec), weights)
        network = made.build(config, codec)
        network.load_state_dict(weights)
    except errors.ModelError:
        raise
    except (*UNFIT, errors.SeqnlpError) as error:
        reason = str(error).split("\n")[0]
        raise errors.ModelError(f"{folder}: its files do not fit together ({reason})", "train again") from error
    log.info("%s: %s, weights of step %s", folder, content["task"], content.get("step", "?"))
    place = _resolve_device(device)
    return Model(made, config, codec, [network.to(place).eval()], place, _resolve(precision, place), content, known)


_resolve_device, _resolve = precision.resolve_device, precision.resolve  # `load` has a parameter of that name


def _stored(folder: Path) -> tuple[dict[str, Any], dict[str, torch.Tensor]]:
    """Return what config.json says and the weights, of a finished run or of one under way."""
    content = model_folder.unfinished(folder)
    if content is not None:
        groups, state = checkpoint.latest(folder / model_folder.CHECKPOINTS, "best") or ({}, {})
        if not groups.get("best"):
            raise errors.ModelError(f"{folder}: its training has not reached its first evaluation", "let it go on")
        log.warning(
            "%s: training is not finished: these are the best weights so far, of step %d", folder, state["best_step"]
        )
        return content, groups["best"]
    content = model_folder.read_config(folder)
    model_folder.check_files(folder, content)
    try:
        return content, checkpoint.load_tensors(folder / model_folder.WEIGHTS)
    except safetensors.SafetensorError as error:
        raise errors.ModelError(f"{folder / model_folder.WEIGHTS}: cannot be read ({error})", "train again") from None
