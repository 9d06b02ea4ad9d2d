"""Preparation: the stages before training, each leaving a folder: `encode` text to ids, `pack` rows into buckets.

Training starts from either, memory-mapped, and arrives where it would have arrived from the text itself.
"""

from __future__ import annotations

import contextlib
import functools
import json
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow

from seqnlp import errors, options
from seqnlp.io import atomic, files, jsonl, parallel
from seqnlp.preprocess.batching import buckets, packing
from seqnlp.preprocess.corpora import arrow, examples, schema
from seqnlp.preprocess.corpora.examples import Example
from seqnlp.preprocess.text import tokenizer
from seqnlp.tasks import base, registry
from seqnlp.workflows import model_folder

ROWS, ABOUT, PLAN = "rows.arrow", schema.ENCODED, "plan.json"
AGAIN = "encode the corpus again"
EXAMPLE = "example"  # the column that holds what a row was made of
KEYS = ("task", "config", "fitted", "rows", "data", "files", "made")


@dataclass(frozen=True)
class Folder:
    """An encoded corpus on the disk: its task, the config its codec was fitted with, hashes, and its plan if packed."""

    path: Path
    content: Mapping[str, Any]
    plan: buckets.Plan | None

    @property
    def task(self) -> base.AnyTask:
        """Return the task that the rows are for."""
        return registry.get(self.content["task"])

    @property
    def fitted(self) -> bool:
        """Return whether the codec was fitted on these rows."""
        return bool(self.content["fitted"])

    def check_task(self, name: str) -> None:
        """Raise `DataError` if the rows are for another task."""
        if self.content["task"] != name:
            raise errors.DataError(f"{self.path}: was encoded for {self.content['task']}, not for {name}")

    def config(self, other: Any = None) -> Any:
        """Return the config: what makes rows out of text is the folder's, all else from `other`."""
        with _as_data_errors():
            own = options.from_dict(self.task.Config, self.content["config"], self.path / ABOUT)
        return own if other is None else replace(other, **options.of_group(own, options.TEXT))

    def codec(self) -> Any:
        """Return the codec that made the rows."""
        return self.task.Codec.load(self.path, self.config())

    @functools.cached_property
    def checked(self) -> Path:
        """Return the file of the rows; raises `DataError` unless it is as it was written."""
        _check_files(self.path, self.content["made"])
        return self.path / ROWS

    def rows(self) -> arrow.Corpus:
        """Return the rows, read from the disk as they are used."""
        return arrow.memory_mapped(self.checked, without=[EXAMPLE])

    def examples(self) -> examples.Examples:
        """Return what the rows were made of."""
        table = arrow.memory_mapped(self.checked).table.select_columns([EXAMPLE])

        def make() -> Iterator[Example]:
            for start in range(0, len(table), arrow.CHUNK):
                yield from map(_to_example, table[start : start + arrow.CHUNK][EXAMPLE])

        return examples.Examples(make)

    def check_codec(self, files: Mapping[str, str], config: Any, whose: str) -> None:
        """Raise `DataError` unless the rows were made by the codec of these files and this config."""
        theirs = {name: digest for name, digest in files.items() if name != model_folder.WEIGHTS}
        settings, own = (options.of_group(part, options.TEXT) for part in (config, self.config()))
        if theirs != self.content["files"] or settings != own:
            raise errors.DataError(
                f"{self.path}: was not encoded with the codec of {whose}",
                f"seqnlp encode {self.task.name} ... --codec {whose}",
            )


def _check_files(folder: Path, files: Mapping[str, str]) -> None:
    with _as_data_errors():
        model_folder.check_files(folder, {"files": files})


@contextlib.contextmanager
def _as_data_errors() -> Iterator[None]:
    """Turn what is wrong with a model's folder into what is wrong with an encoded corpus."""
    try:
        yield
    except errors.ModelError as error:
        raise errors.DataError(error.message, AGAIN) from None


def opened(source: schema.Source, task: str) -> Folder | None:
    """Return the folder of a source that is an encoded corpus, None for any other.

    Raises `DataError` if it is damaged, or for another task.
    """
    if source.encoded is None:
        return None
    folder = open_folder(source.encoded)
    folder.check_task(task)
    return folder


def open_folder(name: str) -> Folder:
    """Return an encoded corpus, its format version and files checked; raises `DataError`."""
    path = Path(name)
    if not (path / ABOUT).is_file():
        raise errors.UsageError(f"{path}: no encoded corpus here", "seqnlp encode TASK CORPUS ... -o FOLDER makes one")
    content = _about(path)
    small = {name: digest for name, digest in content["made"].items() if name != ROWS}
    _check_files(path, {**content["files"], **small})
    return Folder(path, content, _read_plan(path / PLAN) if PLAN in small else None)


def _about(folder: Path) -> dict[str, Any]:
    """Return what a folder says of itself, its format version and keys checked; raises `DataError`."""
    try:
        content = dict(jsonl.read_json(folder / ABOUT))
        version = content["format_version"]
        if version == model_folder.FORMAT_VERSION:
            _ = [content[key] for key in KEYS]
            content |= {key: dict(content[key]) for key in ("config", "data", "files", "made")}
    except (OSError, ValueError, KeyError, TypeError):
        raise errors.DataError(f"{folder / ABOUT}: not of an encoded corpus, or damaged", AGAIN) from None
    if version != model_folder.FORMAT_VERSION:
        raise errors.DataError(f"{folder}: was made by another seqnlp ({content.get('seqnlp_version')})", AGAIN)
    return content


def encode(
    task: base.AnyTask,
    source: schema.Source,
    config: Any,
    output: Path,
    *,
    tokenizers: Sequence[tokenizer.Tokenizer] = (),
    codec_of: str | None = None,
    jobs: int = 1,
    overwrite: bool = False,
) -> dict[str, Any]:
    """Write a corpus as rows, with the codec beside them; return what the folder says of itself.

    tokenizers: given ones, source and target or one for both; what they do not cover is fitted. codec_of: the folder
    whose codec is used as it is.
    """
    check_output(output, overwrite)
    before = _stamps(source)
    config, codec, part = fitted(task, source, config, tokenizers, codec_of)
    with atomic.atomic_folder(output, replace=overwrite) as folder:
        files = codec.save(folder)
        arguments = (task.name, config, folder, codec_of is None)
        with contextlib.closing(parallel.mapped(_encoder, arguments, arrow.chunks(part), jobs)) as encoded:
            count = arrow.write(folder / ROWS, encoded, _features(codec))
        if not count:
            raise errors.DataError(f"{source.title}: no example can be learnt from", "all are too long")
        if _stamps(source) != before:
            raise errors.DataError(f"{source.title}: has changed while it was read", AGAIN)
        content = {
            "task": task.name,
            "config": options.to_dict(config),
            "fitted": codec_of is None,
            "rows": count,
            "data": source.hashes(),
            "files": _hashes(folder, files),
        }
        return _describe(folder, content, [ROWS])


def _describe(folder: Path, content: Mapping[str, Any], made: Sequence[str]) -> dict[str, Any]:
    """Write what a folder says of itself, the hashes of the files with its rows included, and return it."""
    whole = {**model_folder.VERSIONS, **content, "made": _hashes(folder, made)}
    jsonl.write_json(folder / ABOUT, whole)
    return whole


def _hashes(folder: Path, names: Iterable[str]) -> dict[str, str]:
    return {name: files.sha256(folder / name) for name in names}


def _stamps(source: schema.Source) -> list[tuple[int, int]]:
    """Return what tells whether a file was written to: it is read more than once."""
    files = [os.stat(path) for path in source.paths if os.path.isfile(path)]
    return [(file.st_size, file.st_mtime_ns) for file in files]


def fitted(
    task: base.AnyTask, source: schema.Source, config: Any, tokenizers: Sequence[Any], codec_of: str | None
) -> tuple[Any, Any, examples.Examples]:
    """Return config and codec, and the examples that they are for."""
    if source.encoded:
        raise errors.UsageError(f"{source.encoded}: is encoded already", "encode takes text")
    if codec_of is not None:
        config, codec = _given(task, Path(codec_of))
        return config, codec, nonempty(task.read(source, config), source)
    part = nonempty(task.read(source, config), source)
    return *fit(task, part, source, config, {"tokenizers": list(tokenizers)} if tokenizers else {}), part


def _given(task: base.AnyTask, path: Path) -> tuple[Any, Any]:
    """Return config and codec of an encoded corpus, or of a model."""
    if not (path / model_folder.CONFIG).is_file():
        folder = open_folder(str(path))
        folder.check_task(task.name)
        return folder.config(), folder.codec()
    content = model_folder.read_config(path)
    model_folder.check_files(path, content)
    if content["task"] != task.name:
        raise errors.ModelError(f"{path}: is a model of {content['task']}, not of {task.name}")
    config = options.from_dict(task.Config, content["config"], path / model_folder.CONFIG)
    return config, task.Codec.load(path, config)


def fit(
    task: base.AnyTask, part: examples.Examples, source: schema.Source, config: Any, given: Mapping[str, Any]
) -> tuple[Any, Any]:
    """Return what `Task.fit` does; its errors name the files that the examples come from."""
    try:
        return task.fit(part, config, given)
    except errors.DataError as error:
        if error.message.startswith((*map(source.name, source.paths), *task.files(config))):
            raise  # it names a file already
        raise errors.DataError(f"{source.title}: {error.message}", error.hint) from None


def nonempty(part: examples.Examples, source: schema.Source) -> examples.Examples:
    """Return the examples; raises `DataError` if there are none."""
    if next(iter(part), None) is None:
        raise errors.DataError(f"{source.title}: no examples", "is this the right file?")
    return part


def check_output(output: Path, overwrite: bool) -> None:
    """Raise `UsageError` where a folder may not be written: better before the work than after it.

    It cannot be made, or it is there and not one of ours, that is to be replaced, alone.
    """
    if output.exists():
        if not (output / ABOUT).is_file():
            raise errors.UsageError(f"{output}: is there already, and no encoded corpus", "give -o a new folder")
        if not overwrite:
            raise errors.UsageError(f"{output}: holds an encoded corpus", "--overwrite replaces it")
        if others := {path.name for path in output.iterdir()} - _ours(output):
            raise errors.UsageError(f"{output}: holds other things too ({min(others)})", "give -o a new folder")
    place = next(folder for folder in output.absolute().parents if folder.exists())
    if not place.is_dir() or not os.access(place, os.W_OK):
        raise errors.UsageError(f"{output}: cannot be made in {place}", "check the name and the permissions")


def _ours(folder: Path) -> set[str]:
    """Return the names of what a folder of ours holds, as far as it says."""
    try:
        return {ROWS, ABOUT, PLAN, *jsonl.read_json(folder / ABOUT)["files"]}
    except (OSError, ValueError, KeyError, TypeError):
        return {ROWS, ABOUT, PLAN}


def _features(codec: Any) -> dict[str, Any]:
    import datasets

    return {**codec.features(), EXAMPLE: datasets.Value("string")}


def _row(example: Example, codec: Any, fitted: bool) -> dict[str, Any]:
    kept = [example.source, example.target, example.file, example.line]
    return {**codec.encode(example, fitted=fitted), EXAMPLE: json.dumps(kept, ensure_ascii=False)}


def _to_example(text: str) -> Example:
    source, target, file, line = json.loads(text)
    return Example(_frozen(source), _frozen(target), None, file, line)


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _encoder(task: str, config: Any, folder: Path, fitted: bool) -> Callable[[Sequence[Example]], pyarrow.RecordBatch]:
    """Return what makes rows of examples, with the codec that was saved in a folder: in whatever process."""
    made = registry.get(task)
    codec = made.Codec.load(folder, config)

    def encoded(chunk: Sequence[Example]) -> pyarrow.RecordBatch:
        rows = (_row(example, codec, fitted) for example in chunk)
        kept = [row for row in rows if not fitted or made.is_trainable(row, config)]
        return arrow.batch_of(kept, _features(codec))

    return encoded


def pack(
    name: str, output: Path, *, max_tokens: int | None, batch_size: int, overwrite: bool = False
) -> dict[str, Any]:
    """Write the rows of an encoded corpus in the order of their buckets, with the plan; return the report."""
    check_output(output, overwrite)
    source = open_folder(name)
    if source.plan is not None:  # its rows have lost the order that a plan begins with
        raise errors.UsageError(f"{name}: is packed already", "pack the folder that encode made")
    table = arrow.memory_mapped(source.checked)
    lengths = table.lengths
    limits = buckets.Limits(max_tokens or buckets.budget(lengths), batch_size)
    plan = buckets.plan(lengths, limits)
    order = buckets.buckets(lengths, plan).argsort(kind="stable")
    with atomic.atomic_folder(output, replace=overwrite) as folder:
        arrow.write(folder / ROWS, arrow.in_order(table.table, order), table.table.features)
        for file in source.content["files"]:
            shutil.copyfile(source.path / file, folder / file)
        jsonl.write_json(folder / PLAN, {"edges": plan.edges, **asdict(limits)})
        _describe(folder, source.content, [ROWS, PLAN])
    return packing.report(lengths, plan)


def _read_plan(path: Path) -> buckets.Plan:
    content = jsonl.read_json(path)
    limits = buckets.Limits(content["max_tokens"], content["batch_size"])
    return buckets.Plan(tuple(map(tuple, content["edges"])), limits)


def shown(task: base.AnyTask, codec: Any, part: examples.Examples) -> Iterator[dict[str, Any]]:
    """Yield the columns of each row that are worth looking at."""
    for example in part:
        row = codec.encode(example, fitted=True)
        yield {name: row[name] for name in task.preview_columns}
