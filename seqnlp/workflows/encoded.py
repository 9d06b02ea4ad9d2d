"""The folder that `encode` and `pack` leave: rows, the codec that made them, and what it says of itself."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow

from seqnlp import errors, options
from seqnlp.io import files, jsonl
from seqnlp.preprocess.batching import buckets
from seqnlp.preprocess.corpora import arrow, schema, spool, tables
from seqnlp.preprocess.corpora.examples import Examples
from seqnlp.tasks import base, registry
from seqnlp.workflows import config_keys, model_folder

ROWS, ABOUT, PLAN = "rows.arrow", tables.ENCODED, "plan.json"
STATE, INFO = "state.json", "dataset_info.json"  # what `datasets.load_from_disk` asks for
HINT = "encode the corpus again"
KEYS = ("task", "config", "fitted", "rows", "data", "files", "made")


@dataclass(frozen=True)
class Encoded:
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

    @property
    def names(self) -> tuple[str, ...]:
        """Return what errors call it."""
        return (files.name(str(self.path)),)

    @property
    def title(self) -> str:
        """Return what errors call it."""
        return self.names[0]

    @property
    def data(self) -> dict[str, str]:
        """Return the SHA-256 of each file that it comes from, by name."""
        return dict(self.content["data"])

    @property
    def digests(self) -> list[str]:
        """Return what tells it from any other corpus."""
        return [*self.content["made"].values(), *self.content["files"].values()]

    @property
    def schema(self) -> schema.Schema | None:
        """Return what the first file that it comes from looks like."""
        with _as_data_errors():
            return config_keys.schema_of(self.path, self.content)

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
    def table(self) -> pyarrow.Table:
        """Return the rows and what they were made of, read from the disk as they are used.

        Raises `DataError` unless the file is as it was written.
        """
        path = self.path / ROWS
        try:
            table, digest = arrow.memory_mapped(path)
        except FileNotFoundError:
            raise errors.DataError(f"{path}: is missing", HINT) from None
        except (ValueError, OSError, pyarrow.ArrowException):
            digest = ""
        if digest != self.content["made"][ROWS]:
            raise errors.DataError(f"{path}: is damaged or was changed", HINT)
        return table

    def rows(self) -> arrow.Rows:
        """Return the rows."""
        return arrow.Rows(self.table.drop_columns([spool.COLUMN]))

    @property
    def examples(self) -> Examples:
        """Return what the rows were made of."""
        batches = self.table.select([spool.COLUMN]).to_batches(arrow.CHUNK)
        return Examples(lambda: spool.decoded(batches), len(self.table))

    def check_codec(self, files: Mapping[str, str], config: Any, whose: str) -> None:
        """Raise `DataError` unless the rows were made by the codec of these files and this config."""
        theirs = model_folder.codec_files(files)
        settings, own = (options.of_group(part, options.TEXT) for part in (config, self.config()))
        if theirs != self.content["files"] or settings != own:
            raise errors.DataError(
                f"{self.path}: was not encoded with the codec of {whose}",
                f"seqnlp encode {self.task.name} ... --codec {whose}",
            )


def open_folder(name: str) -> Encoded:
    """Return an encoded corpus, its format version and the files of its codec checked; raises `DataError`."""
    path = Path(name)
    if not (path / ABOUT).is_file():
        raise errors.UsageError(f"{path}: no encoded corpus here", "seqnlp encode TASK CORPUS ... -o FOLDER makes one")
    content = _about(path)
    with _as_data_errors():
        model_folder.check_files(path, content)
    return Encoded(path, content, _plan(path / PLAN, content["made"].get(PLAN)))


@contextlib.contextmanager
def _as_data_errors() -> Iterator[None]:
    """Turn what is wrong with a model's folder into what is wrong with an encoded corpus."""
    try:
        yield
    except errors.ModelError as error:
        raise errors.DataError(error.message, HINT) from None


def _about(folder: Path) -> dict[str, Any]:
    """Return what a folder says of itself, its format version and keys checked; raises `DataError`."""
    try:
        content = dict(jsonl.read_json(folder / ABOUT))
        version = content["format_version"]
        if version == model_folder.FORMAT_VERSION:
            _ = [content[key] for key in KEYS]
            content |= {key: dict(content[key]) for key in ("config", "data", "files", "made")}
            _ = content["made"][ROWS]
    except (OSError, ValueError, KeyError, TypeError):
        raise errors.DataError(
            f"{folder / ABOUT}: not the description of an encoded corpus, or damaged", HINT
        ) from None
    if version != model_folder.FORMAT_VERSION:
        raise errors.DataError(
            f"{folder}: was made by another version of seqnlp ({content.get('seqnlp_version')})", HINT
        )
    return content


def _plan(path: Path, digest: str | None) -> buckets.Plan | None:
    """Return the plan in a file of this SHA-256, None for None: a plan that somebody put there is none."""
    if digest is None:
        return None
    try:
        text = path.read_bytes()
    except OSError:
        raise errors.DataError(f"{path}: is missing", HINT) from None
    if hashlib.sha256(text).hexdigest() != digest:
        raise errors.DataError(f"{path}: is damaged or was changed", HINT)
    content = json.loads(text)
    limits = buckets.Limits(content["max_tokens"], content["batch_size"])
    return buckets.Plan(tuple(map(tuple, content["edges"])), limits)


def check_output(output: Path, overwrite: bool) -> None:
    """Raise `UsageError` where a folder cannot be written: better before the work than after it.

    It cannot be created; or it exists, and is not an encoded corpus that is to be replaced and holds nothing else.
    """
    if output.exists():
        if not (output / ABOUT).is_file():
            raise errors.UsageError(f"{output}: exists already and is not an encoded corpus", "give -o a new folder")
        if not overwrite:
            raise errors.UsageError(f"{output}: holds an encoded corpus", "--overwrite replaces it")
        if others := {path.name for path in output.iterdir()} - _ours(output):
            raise errors.UsageError(f"{output}: holds other things too ({min(others)})", "give -o a new folder")
    place = next(folder for folder in output.absolute().parents if folder.exists())
    if not place.is_dir() or not os.access(place, os.W_OK):
        raise errors.UsageError(f"{output}: cannot be created in {place}", "check the name and the permissions")


def _ours(folder: Path) -> set[str]:
    """Return the names of the files in a folder that are of our making, as far as it says."""
    always = {ROWS, ABOUT, PLAN, STATE, INFO}
    try:
        return {*always, *jsonl.read_json(folder / ABOUT)["files"]}
    except (OSError, ValueError, KeyError, TypeError):
        return always


def describe(folder: Path, content: Mapping[str, Any], made: Sequence[str]) -> dict[str, Any]:
    """Write what a folder says of itself, the hashes of the files with its rows included, and return it."""
    whole = {**model_folder.VERSIONS, **content, "made": hashes(folder, made)}
    jsonl.write_json(folder / INFO, {})
    jsonl.write_json(folder / STATE, _state(whole["made"][ROWS]))
    jsonl.write_json(folder / ABOUT, whole)
    return whole


def _state(digest: str) -> dict[str, Any]:
    """Return what `datasets.load_from_disk` wants to know besides the types, which the rows bring with them."""
    return {
        "_data_files": [{"filename": ROWS}],
        "_fingerprint": digest[:16],
        "_format_columns": None,
        "_format_kwargs": {},
        "_format_type": None,
        "_output_all_columns": False,
        "_split": None,
    }


def hashes(folder: Path, names: Iterable[str]) -> dict[str, str]:
    """Return the SHA-256 of files by name."""
    return {name: files.sha256(folder / name) for name in names}
