"""The model folder: who owns it, what a run leaves in it, and how that is checked when it is read.

Nothing is ever half-written: a file takes its name when all of it is on the disk, and checkpoint/run.json names the
files of a run before they are there, so that the next command knows them wherever a kill has struck.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import logging
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from seqnlp import errors, version
from seqnlp.io import atomic, files, jsonl
from seqnlp.workflows import card, config_keys, differences, runs

log = logging.getLogger(__name__)

FORMAT_VERSION = 2  # the CHANGELOG says what raises it
VERSIONS = {"format_version": FORMAT_VERSION, "seqnlp_version": version.__version__}
CONFIG, WEIGHTS, CARD, HISTORY = "config.json", "model.safetensors", "README.md", "history.jsonl"
SEEN = "seen.safetensors"  # which rows it was trained on, for who goes on with it
PUBLISHED = (CONFIG, WEIGHTS, CARD, HISTORY)  # what every model has, whatever its task
CHECKPOINTS, RUN, STAGED = "checkpoint", "run.json", ".codec"  # and inside the first, the other two
RUN_COPY = "run.copy.json"  # the same beside it, for where it was damaged


# Who owns a folder.


def claim(folder: Path, run: Mapping[str, Any], *, overwrite: bool) -> dict[str, Any] | None:
    """Return the config.json of a folder in which the same run is already finished, None if the run may go on there.

    run: what makes the model (task, config, training, data hashes). Nothing is written. Raises `UsageError` where
    the folder holds another run and `overwrite` is not asked for, or files that are no model's and no run's;
    `ModelError` where nobody can say any more which run it holds.
    """
    files.check_open(folder / CONFIG)
    if folder.exists() and not folder.is_dir():
        raise errors.UsageError(f"{folder}: is a file, expected a folder for the model")
    if (folder / CHECKPOINTS).is_symlink():
        raise errors.UsageError(f"{folder / CHECKPOINTS}: is a link, expected a folder", "give -o a new folder")
    try:
        there = content(folder)
    except errors.ModelError as error:
        if not _is_lost(folder):
            raise errors.UsageError(error.message, "give -o a new folder") from None
        if not overwrite:
            raise errors.ModelError(error.message, "--overwrite starts over; or give another folder") from None
        return None
    if there is None and folder.is_dir() and not all(_is_debris(path, {}) for path in folder.iterdir()):
        raise errors.UsageError(f"{folder}: is not empty and holds no model", "give -o a new folder")
    if overwrite or there is None:
        return None
    refusal, longer = differences.refusal(folder, there["run"], run), runs.is_longer(there, run)
    if refusal and not longer:
        raise refusal
    if refusal or description(folder).name != CONFIG or not there["finished"]:
        return None
    check_files(folder, there)
    return there


def description(folder: Path) -> Path:
    """Return the file that says what a folder holds: run.json while a run is under way, else config.json."""
    notes = (folder / CHECKPOINTS / name for name in (RUN, RUN_COPY))
    return next((note for note in notes if note.is_file()), folder / CONFIG)


def content(folder: Path) -> dict[str, Any] | None:
    """Return what a folder says of itself, None where it says nothing; raises `ModelError` for what is not ours."""
    if (noted := unfinished(folder)) is not None:
        return noted
    return read_config(folder) if (folder / CONFIG).is_file() else None


def _files(folder: Path) -> dict[str, str]:
    """Return the hashes by name of the codec's files, as the folder says itself: none where it is no model's."""
    for read in (content, read_config):  # where both notes are damaged, a model that is there knows them too
        with contextlib.suppress(errors.ModelError):
            found = (read(folder) or {"files": {}})["files"]
            return {name: digest for name, digest in found.items() if name != WEIGHTS}
    return {}


def _is_lost(folder: Path) -> bool:
    """Whether both notes of a run are damaged: it is ours, but which files are its codec's nobody can say any more."""
    return all(_is_damaged(folder / CHECKPOINTS / name) for name in (RUN, RUN_COPY))


def _is_damaged(note: Path) -> bool:
    if not note.is_file():
        return False
    try:
        _checked(note, config_keys.RUN)
    except errors.ModelError as error:
        return not isinstance(error, config_keys.OtherFormat)  # that one another version can read
    return False


def _is_debris(path: Path, codec_files: Iterable[str]) -> bool:
    """Return whether a path is what a run that was killed while writing left behind."""
    if path.name == CHECKPOINTS and path.is_dir():
        return all(inside.name == STAGED or _is_temporary(inside, [RUN, RUN_COPY]) for inside in path.iterdir())
    return _is_temporary(path, [*PUBLISHED, *codec_files])


def _is_temporary(path: Path, names: Iterable[str]) -> bool:
    return path.name.startswith(tuple(f".{name}." for name in names)) and path.is_file()


def codec_files(hashes: Mapping[str, str]) -> dict[str, str]:
    """Return the hashes of a codec's files among those of a folder."""
    return {name: digest for name, digest in hashes.items() if name not in (WEIGHTS, SEEN)}


# The life of a run.


@contextlib.contextmanager
def make(folder: Path) -> Iterator[None]:
    """Make the folder, keep it to this process, and clear what a killed one left half-written.

    Raises `UsageError` where it cannot be created, or another process trains there.
    """
    new = not folder.exists()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(folder, os.O_RDONLY)
    except OSError as error:
        raise errors.UsageError(f"{folder}: cannot be created ({error.strerror})") from None
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise errors.UsageError(f"{folder}: another process is training there") from None
        codec_files = _files(folder)
        for path in folder.iterdir():
            if _is_debris(path, codec_files):
                _remove(path)
        yield
    finally:
        os.close(handle)
        if new:
            with contextlib.suppress(OSError):  # there is something in it
                folder.rmdir()


def begin(
    folder: Path, content: Mapping[str, Any], save: Callable[[Path], list[str]], *, anew: bool = False
) -> dict[str, str]:
    """Note which run a folder belongs to and write its codec's files there; return their hashes by name.

    content: what config.json will hold, as far as it is known; `run` is what makes the model. save: `Codec.save`.
    With `anew` the run before gives way, in an order that leaves the folder somebody's at every moment: its
    checkpoints, its name, its files. What an `anew` that was killed has left of it goes too. Raises `UsageError` where
    a file of somebody else's has a name that the codec needs.
    """
    before, checkpoints = _files(folder), folder / CHECKPOINTS
    hashes = _stage(folder, save, before)
    for path in checkpoints.iterdir() if anew else ():
        if path.name not in (RUN, RUN_COPY, STAGED):
            _remove(path)
    _note(folder, content, {**before, **hashes})
    for name in (*(PUBLISHED if anew else ()), *sorted(before.keys() - hashes)):
        _unlink(folder / name)
    for name in hashes:
        os.replace(checkpoints / STAGED / name, folder / name)
    atomic.sync_folder(folder)
    (checkpoints / STAGED).rmdir()
    _note(folder, content, hashes)
    return hashes


def _stage(folder: Path, save: Callable[[Path], list[str]], before: Mapping[str, str]) -> dict[str, str]:
    """Write a codec's files below checkpoint/, where a kill leaves nothing unknown; return their hashes by name.

    Raises `UsageError` where one would take the place of a file that is not among those `before`.
    """
    staged = folder / CHECKPOINTS / STAGED
    if staged.exists():
        _remove(staged)
    staged.mkdir(parents=True)
    hashes = {name: files.sha256(staged / name) for name in save(staged)}
    for name in sorted(hashes.keys() - before):
        if os.path.lexists(folder / name) and not _is_lost(folder):
            _remove(staged)
            raise errors.UsageError(f"{folder / name}: exists already and belongs to no model", "give -o a new folder")
    return hashes


def _note(folder: Path, content: Mapping[str, Any], hashes: Mapping[str, str]) -> None:
    for name in (RUN, RUN_COPY):
        jsonl.write_json(folder / CHECKPOINTS / name, config_keys.sealed({**VERSIONS, **content, "files": hashes}))


def _remove(path: Path) -> None:
    shutil.rmtree(path) if path.is_dir() else path.unlink()


def _unlink(path: Path) -> None:
    """Remove a file that may be gone already; a folder of that name is somebody else's."""
    if not path.is_dir():
        path.unlink(missing_ok=True)


def publish(folder: Path, content: Mapping[str, Any], weights: Mapping[str, Any], history: Sequence[Any]) -> None:
    """Write the top-level files of a model, config.json last: with it the model is there.

    content: what config.json holds besides versions and hashes; its `files` are those that `begin` has returned.
    """
    from seqnlp.training import checkpoint

    checkpoint.save_tensors(folder / WEIGHTS, weights)
    with atomic.atomic(folder / HISTORY) as file:
        file.writelines(json.dumps(row) + "\n" for row in history)
    with atomic.atomic(folder / CARD) as file:
        file.write(card.card(content, folder.resolve().name))
    hashes = {**content["files"], WEIGHTS: files.sha256(folder / WEIGHTS)}
    jsonl.write_json(folder / CONFIG, {**VERSIONS, **content, "files": hashes})


def finish(folder: Path) -> None:
    """Remove the checkpoints of a run that is complete; first what says that it is under way."""
    for name in (RUN_COPY, RUN):
        (folder / CHECKPOINTS / name).unlink(missing_ok=True)
    shutil.rmtree(folder / CHECKPOINTS)


def tidy(folder: Path) -> None:
    """Remove what a kill inside `finish` left of a finished run, unless another process is there or it may not be."""
    if (folder / CHECKPOINTS).is_dir():
        with contextlib.suppress(errors.UsageError, OSError), make(folder):
            if unfinished(folder) is None:
                shutil.rmtree(folder / CHECKPOINTS)


# Reading.


def unfinished(folder: Path) -> dict[str, Any] | None:
    """Return what `begin` noted, None where no run is under way; raises `ModelError` for what cannot be used.

    Where one of the two notes is missing or damaged the other counts, with a warning.
    """
    files.check_open(folder / CONFIG)
    note, copy = (folder / CHECKPOINTS / name for name in (RUN, RUN_COPY))
    if not (note.is_file() or copy.is_file()):
        return None
    try:
        return _checked(note, config_keys.RUN)
    except errors.ModelError as error:
        with contextlib.suppress(errors.ModelError):
            found = _checked(copy, config_keys.RUN)
            log.warning("%s; its copy is used", error.message)
            return found
        raise


def read_config(folder: Path) -> dict[str, Any]:
    """Return config.json, its format version and the types of its values checked; raises `ModelError`."""
    if not (folder / CONFIG).is_file():
        raise errors.ModelError(f"{folder}: no model here", "train one: seqnlp TASK train ... -o MODEL")
    return _checked(folder / CONFIG, config_keys.MODEL)


def _checked(path: Path, kinds: config_keys.Kinds) -> dict[str, Any]:
    """Return what a file of ours holds: of this format version, with values of the right kinds under their keys."""
    try:
        content = dict(jsonl.read_json(path))
        found = content["format_version"]
        if found == FORMAT_VERSION:
            content = config_keys.unsealed(content) if kinds is config_keys.RUN else content
            config_keys.check(content, kinds)
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        raise errors.ModelError(f"{path}: not part of a seqnlp model, or damaged", "train again") from None
    if found != FORMAT_VERSION:
        raise config_keys.OtherFormat(
            f"{path}: model format {found}, this seqnlp {version.__version__} reads {FORMAT_VERSION}",
            f"use the version of seqnlp that made it ({content.get('seqnlp_version')}), or train again",
        )
    config_keys.check_names(path, content["files"])
    return content


def check_files(folder: Path, config: Mapping[str, Any]) -> None:
    """Raise `ModelError` unless every file of the model is as it was written."""
    config_keys.check_names(folder, config["files"])
    for name, digest in config["files"].items():
        path = folder / name
        if not path.is_file():
            raise errors.ModelError(f"{path}: is missing", "copy the whole folder, or train again")
        if files.sha256(path) != digest:
            raise errors.ModelError(f"{path}: is damaged or was changed", "copy the folder again, or train again")
