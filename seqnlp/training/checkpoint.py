"""Checkpoints: everything a run needs to go on, in a folder that is there whole or not at all.

A new checkpoint/NNN/ is written under another name, flushed to the disk, renamed and read back; the one before stays
beside it, and is what a run goes on from where the newest was damaged. No pickle: tensors in safetensors files, the
rest in state.json, with the SHA-256 of each file and of itself.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import safetensors.torch
import torch

from seqnlp import errors
from seqnlp.io import atomic, files, jsonl

log = logging.getLogger(__name__)

KEPT = 2  # checkpoints: the newest and the one before
STATE = "state.json"
HINT = "train again with --overwrite"

Tensors = Mapping[str, torch.Tensor]
Groups = dict[str, dict[str, torch.Tensor]]


def save(folder: Path, tensors: Mapping[str, Tensors], state: Mapping[str, Any]) -> Path:
    """Write the next checkpoint below `folder`, one safetensors file a group of tensors; return where it is.

    Nothing of it is left where that fails. Raises `SeqnlpError` where the folder is gone.
    """
    if not folder.is_dir():
        raise errors.SeqnlpError(f"{folder}: was removed during the training", "train again")
    before = _complete(folder)
    target = folder / f"{int(before[-1].name) + 1 if before else 1:03d}"
    partial = folder / f".{target.name}"
    shutil.rmtree(partial, ignore_errors=True)
    try:
        partial.mkdir()
        for name, group in tensors.items():
            save_tensors(partial / f"{name}.safetensors", group)
        hashes = {path.name: files.sha256(path) for path in sorted(partial.iterdir())}
        content = {"state": dict(state), "files": hashes}
        jsonl.write_json(partial / STATE, {**content, "sha256": _digest(content)})
        os.rename(partial, target)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)  # a disk that is full does not stay so for it
        raise
    atomic.sync_folder(folder)
    _check(target, _read(target)[1])
    for old in before[: 1 - KEPT]:
        shutil.rmtree(old)
    return target


def newest(folder: Path) -> Path | None:
    """Return the newest complete checkpoint below `folder`, None if there is none."""
    found = _complete(folder)
    return found[-1] if found else None


def _complete(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    return sorted((path for path in folder.iterdir() if path.name.isdigit()), key=lambda path: int(path.name))


def latest(folder: Path, only: str | None = None) -> tuple[Groups, dict[str, Any]] | None:
    """Return what `load` does of the newest checkpoint that is whole, with a warning where it is not the newest.

    None where there is no checkpoint. Raises `ModelError` where none is whole, with the file of the newest.
    """
    found = _complete(folder)
    first: errors.ModelError | None = None
    for path in reversed(found):
        try:
            loaded = load(path, only)
        except errors.ModelError as error:
            first = first or error
            continue
        if first is not None:
            log.warning("%s; the checkpoint before is used, of step %s", first.message, loaded[1].get("step"))
        return loaded
    if first is None:
        return None
    if _complete(folder) != found:  # the training that is under way has just replaced them
        return latest(folder, only)
    raise first


def load(path: Path, only: str | None = None) -> tuple[Groups, dict[str, Any]]:
    """Return the groups of tensors (all, or the one named `only`) and the state of a checkpoint.

    Raises `ModelError` where a file that is read is not as it was written.
    """
    state, hashes = _read(path)
    wanted = {name: hashes.get(name) for name in [f"{only}.safetensors"]} if only else hashes
    _check(path, wanted)
    try:
        return {Path(name).stem: load_tensors(path / name) for name in wanted}, state
    except OSError:  # it has just been replaced by the next
        raise errors.ModelError(f"{path}: is missing", HINT) from None


def _check(path: Path, hashes: Mapping[str, str | None]) -> None:
    """Raise `ModelError` unless the files are as they were written."""
    for name, digest in hashes.items():
        try:
            found = files.sha256(path / name)
        except OSError:
            raise errors.ModelError(f"{path / name}: is missing", HINT) from None
        if found != digest:
            raise errors.ModelError(f"{path / name}: is damaged or was changed", HINT)


def read_state(path: Path) -> dict[str, Any]:
    """Return the state of a checkpoint; raises `ModelError` where it is not as it was written."""
    return _read(path)[0]


def _read(path: Path) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the state of a checkpoint, and the hashes of its files by name."""
    try:
        content = dict(jsonl.read_json(path / STATE))
        digest = content.pop("sha256")
        if digest != _digest(content):
            raise ValueError
        return content["state"], content["files"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        raise errors.ModelError(f"{path / STATE}: is missing or damaged", HINT) from None


def _digest(content: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def load_tensors(path: Path) -> dict[str, torch.Tensor]:
    """Return the tensors of a safetensors file by name."""
    with files.in_utf8(path) as name:
        return safetensors.torch.load_file(name)


def save_tensors(path: Path, tensors: Tensors) -> None:
    """Write named tensors as one safetensors file, whole or not at all."""
    with atomic.atomic(path, "wb") as file:
        file.write(safetensors.torch.save({name: tensor.detach().contiguous() for name, tensor in tensors.items()}))
