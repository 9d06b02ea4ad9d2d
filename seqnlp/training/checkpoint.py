"""Checkpoints: everything a run needs to go on, in a folder that is there whole or not at all.

A new checkpoint/NNN/ is written under another name, flushed to the disk and renamed; the one before is removed only
then. No pickle: tensors in safetensors files, the rest in state.json.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import safetensors.torch
import torch

from seqnlp.io import atomic, jsonl

Tensors = Mapping[str, torch.Tensor]


def save(folder: Path, tensors: Mapping[str, Tensors], state: Mapping[str, Any]) -> Path:
    """Write the next checkpoint below `folder`, one safetensors file a group of tensors; return where it is."""
    folder.mkdir(parents=True, exist_ok=True)
    before = _complete(folder)
    target = folder / f"{int(before[-1].name) + 1 if before else 1:03d}"
    partial = folder / f".{target.name}"
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir()
    for name, group in tensors.items():
        save_tensors(partial / f"{name}.safetensors", group)
    jsonl.write_json(partial / "state.json", state)
    os.rename(partial, target)
    atomic.sync_folder(folder)
    for old in before:
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


def load(path: Path, only: str | None = None) -> tuple[dict[str, dict[str, torch.Tensor]], dict[str, Any]]:
    """Return the groups of tensors (all, or the one named `only`) and the state of a checkpoint."""
    files = [path / f"{only}.safetensors"] if only else sorted(path.glob("*.safetensors"))
    groups = {file.stem: safetensors.torch.load_file(file) for file in files}
    return groups, json.loads((path / "state.json").read_text(encoding="utf-8"))


def save_tensors(path: Path, tensors: Tensors) -> None:
    """Write named tensors as one safetensors file, whole or not at all."""
    with atomic.atomic(path, "wb") as file:
        file.write(safetensors.torch.save({name: tensor.detach().contiguous() for name, tensor in tensors.items()}))
