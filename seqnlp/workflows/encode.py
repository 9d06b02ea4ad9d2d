"""Encode: from text to rows of ids in a folder; training from it gives what training from the text gives."""

from __future__ import annotations

import collections
import contextlib
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow

from seqnlp import errors, options
from seqnlp.io import atomic, parallel
from seqnlp.preprocess.corpora import arrow, schema, spool
from seqnlp.preprocess.corpora.examples import Example, Examples
from seqnlp.preprocess.text import tokenizer
from seqnlp.tasks import base, registry
from seqnlp.workflows import config_keys, corpora, encoded, model_folder, shards

log = logging.getLogger(__name__)

Encoded = tuple[pyarrow.RecordBatch, int]  # rows, and of how many the text was cut


def encode(
    task: base.AnyTask,
    source: schema.Source,
    config: Any,
    output: Path,
    *,
    tokenizers: Sequence[tokenizer.Tokenizer] = (),
    codec_of: str | None = None,
    shard: tuple[int, int] = (1, 1),
    jobs: int = 1,
    overwrite: bool = False,
    watch: Callable[[float], None] = lambda share: None,
) -> dict[str, Any]:
    """Write a corpus as rows, with the codec beside them; return what the folder says of itself.

    tokenizers: given ones, source and target or one for both; what they do not cover is fitted. codec_of: the folder
    whose codec is used as it is. shard: its number, from 1, and how many there are: its rows are those of one part of
    the corpus, its codec that of the whole. watch: is told which share of it is encoded.
    """
    encoded.check_output(output, overwrite)
    config, codec, text = fitted(task, source, config, tokenizers, codec_of)
    examples = shards.part(text.examples, *shard)
    with atomic.atomic_folder(output, replace=overwrite) as folder:
        names = codec.save(folder)
        arguments = (task.name, config, folder, codec_of is None)
        with contextlib.closing(parallel.mapped(_encoder, arguments, arrow.chunks(examples), jobs)) as batches:
            counts: collections.Counter[str] = collections.Counter()
            counted = _counted(batches, counts, len(examples), watch)
            count = arrow.write(folder / encoded.ROWS, counted, _features(codec))
        if codec_of is not None and counts["cut"]:  # else fitting has said it
            log.warning("%d %s", counts["cut"], task.output.warnings["cut"])
        if not count:
            hint = "fewer shards" if len(examples) < len(text.examples) else "all are too long"
            raise errors.DataError(f"{text.title}: no example can be learnt from", hint)
        content = {
            "task": task.name,
            "config": options.to_dict(config),
            "fitted": codec_of is None,
            "rows": count,
            "data": text.data,
            "schema": None if text.schema is None else text.schema.to_dict(),
            "files": encoded.hashes(folder, names),
        }
        return encoded.describe(folder, content, [encoded.ROWS])


def _counted(
    batches: Iterable[Encoded], counts: collections.Counter[str], examples: int, watch: Callable[[float], None]
) -> Iterator[pyarrow.RecordBatch]:
    """The batches, each of a chunk of the examples; the texts that were cut are added up in `counts`."""
    for number, (batch, cut) in enumerate(batches, 1):
        yield batch
        counts["cut"] += cut
        watch(min(number * arrow.CHUNK / examples, 1.0))


def fitted(
    task: base.AnyTask,
    source: schema.Source,
    config: Any,
    tokenizers: Sequence[tokenizer.Tokenizer] = (),
    codec_of: str | None = None,
) -> tuple[Any, Any, corpora.Text]:
    """Return config and codec, and the corpus that they are for."""
    if source.encoded:
        raise errors.UsageError(f"{source.encoded}: is encoded already", "encode takes text")
    if codec_of is not None:
        config, codec, known = _given(task, Path(codec_of))
        return config, codec, corpora.read(task, replace(source, remembered=known), config)
    text = corpora.read(task, source, config)
    given = {"tokenizers": list(tokenizers)} if tokenizers else {}
    return *fit(task, text, text.examples, config, given), text


def _given(task: base.AnyTask, path: Path) -> tuple[Any, Any, schema.Schema | None]:
    """Return config and codec of an encoded corpus, or of a model, and what the corpus behind it looks like."""
    if not (path / model_folder.CONFIG).is_file():
        folder = encoded.open_folder(str(path))
        folder.check_task(task.name)
        return folder.config(), folder.codec(), folder.schema
    content = model_folder.read_config(path)
    model_folder.check_files(path, content)
    if content["task"] != task.name:
        raise errors.ModelError(f"{path}: is a model of {content['task']}, not of {task.name}")
    config = options.from_dict(task.Config, content["config"], path / model_folder.CONFIG)
    return config, task.Codec.load(path, config), config_keys.schema_of(path, content)


def fit(
    task: base.AnyTask, corpus: corpora.Corpus, part: Examples, config: Any, given: Mapping[str, Any]
) -> tuple[Any, Any]:
    """Return what `Task.fit` does of a part of a corpus; its errors name the files that the corpus comes from."""
    try:
        return task.fit(part, config, given)
    except errors.DataError as error:
        if error.message.startswith((*corpus.names, *task.files(config))):
            raise  # it names a file already
        raise errors.DataError(f"{corpus.title}: {error.message}", error.hint) from None


def _features(codec: Any) -> arrow.Features:
    return {**codec.features(), **spool.FEATURES}


def _encoder(task: str, config: Any, folder: Path, fitted: bool) -> Callable[[Sequence[Example]], Encoded]:
    """Return what makes rows of examples, with the codec that was saved in a folder: in whatever process."""
    made = registry.get(task)
    codec = made.Codec.load(folder, config)

    def encode(chunk: Sequence[Example]) -> Encoded:
        pairs = ((codec.encode(example, fitted=fitted), example) for example in chunk)
        kept = [
            {**row, spool.COLUMN: spool.to_json(example)}
            for row, example in pairs
            if not fitted or made.is_trainable(row, config)
        ]
        return arrow.batch_of(kept, _features(codec)), sum(map(made.cuts, kept))

    return encode


def shown(task: base.AnyTask, codec: Any, part: Examples) -> Iterator[dict[str, list[Any]]]:
    """Yield the columns of each row that are worth looking at."""
    for example in part:
        row = codec.encode(example, fitted=True)
        yield {name: row[name] for name in task.preview_columns}


def rows(task: base.AnyTask, config: Any, codec: Any, part: Iterable[Example], *, fitted: bool) -> arrow.Rows:
    """Return the rows of examples, of which those that cannot be learnt from are left out.

    fitted: the codec was fitted on them, and not given.
    """
    found = (codec.encode(example, fitted=fitted) for example in part)
    return arrow.in_memory((row for row in found if task.is_trainable(row, config)), codec.features())
