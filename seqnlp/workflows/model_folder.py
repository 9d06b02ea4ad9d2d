"""The model folder: what a finished run leaves, checked when it is read, and nothing half-written in between."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import seqnlp
from seqnlp import errors
from seqnlp.io import atomic, files, jsonl

FORMAT_VERSION = 1
VERSIONS = {"format_version": FORMAT_VERSION, "seqnlp_version": seqnlp.__version__}
CONFIG, WEIGHTS, CARD, HISTORY, CHECKPOINTS, RUN = (
    "config.json",
    "model.safetensors",
    "README.md",
    "history.jsonl",
    "checkpoint",
    "run.json",
)
TOKENIZERS = ("tokenizer.json", "source.tokenizer.json", "target.tokenizer.json")
KEYS = ("task", "finished", "config", "training", "run", "files", "sizes", "scores", "details", "seconds", "data")
OURS = {CONFIG, WEIGHTS, CARD, HISTORY, CHECKPOINTS, "labels.json", "bayes.safetensors", *TOKENIZERS}


def claim(folder: Path, run: Mapping[str, Any], *, overwrite: bool) -> dict[str, Any] | None:
    """Return the config.json of a folder in which the same run is already finished, None if the run may go on there.

    run: what makes the model (task, config, training, data hashes). Nothing is written yet. Raises `UsageError` where
    the folder holds another run and `overwrite` is not asked for, or other files than a model's.
    """
    if folder.exists() and not folder.is_dir():
        raise errors.UsageError(f"{folder}: is a file, expected a folder for the model")
    before = _before(folder)
    if before is None and folder.is_dir() and not all(map(_leftover, folder.iterdir())):
        raise errors.UsageError(f"{folder}: is not empty and holds no model", "give -o a new folder")
    if overwrite or before is None:
        return None
    if differences := _differences(before, dict(run)):
        raise errors.UsageError(
            f"{folder}: holds another run ({'; '.join(differences)})", "--overwrite starts anew; or give another folder"
        )
    if unfinished(folder) is not None:
        return None
    config = read_config(folder)
    if not config["finished"]:
        return None
    check_files(folder, config)
    return config


@contextlib.contextmanager
def make(folder: Path) -> Iterator[None]:
    """Make the folder and keep it to this process.

    Raises `UsageError` where it cannot be made, or another process trains there.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(folder, os.O_RDONLY)
    except OSError as error:
        raise errors.UsageError(f"{folder}: cannot be made ({error.strerror})") from None
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise errors.UsageError(f"{folder}: another process is training there") from None
        for path in folder.iterdir():
            if _leftover(path):
                _remove(path)
        yield
    finally:
        os.close(handle)


def _leftover(path: Path) -> bool:
    """Return whether a path is what a run that was killed in the middle of writing left behind."""
    if path.name == CHECKPOINTS and path.is_dir():
        return all(map(_leftover, path.iterdir()))
    return path.name.startswith(".") and any(path.name.startswith(f".{name}.") for name in (*OURS, RUN))


def begin(folder: Path, content: Mapping[str, Any], *, anew: bool = False) -> None:
    """Note what run a folder belongs to: for the command that goes on with it, or predicts before it has ended.

    content: what config.json will hold, as far as it is known; `run` is what makes the model. With `anew` another run
    gives way, in an order that leaves the folder somebody's at every moment: its checkpoints, its name, its files.
    """
    (folder / CHECKPOINTS).mkdir(exist_ok=True)
    if anew:
        for path in (folder / CHECKPOINTS).iterdir():
            if path.name != RUN:
                _remove(path)
    jsonl.write_json(folder / CHECKPOINTS / RUN, {**VERSIONS, **content})
    if anew:
        for path in folder.iterdir():
            if path.name in OURS and path.name != CHECKPOINTS:
                _remove(path)


def _remove(path: Path) -> None:
    shutil.rmtree(path) if path.is_dir() else path.unlink()


def unfinished(folder: Path) -> dict[str, Any] | None:
    """Return what `begin` noted, None where no run is under way; raises `ModelError` for another format."""
    path = folder / CHECKPOINTS / RUN
    return _checked(path, ("task", "run", "config", "training")) if path.is_file() else None


def finish(folder: Path) -> None:
    """Remove the checkpoints of a run that is complete; first what says that it is under way."""
    (folder / CHECKPOINTS / RUN).unlink()
    shutil.rmtree(folder / CHECKPOINTS)


def _before(folder: Path) -> dict[str, Any] | None:
    """Return the run that a folder belongs to, None if it is no model's."""
    try:
        if (content := unfinished(folder)) is not None:
            return dict(content["run"])
        return dict(read_config(folder)["run"])
    except (errors.ModelError, KeyError):
        return None


def _differences(before: Mapping[str, Any], now: Mapping[str, Any], prefix: str = "") -> list[str]:
    found: list[str] = []
    for key in sorted({*before, *now}):
        old, new = before.get(key), now.get(key)
        if isinstance(old, dict) and isinstance(new, dict):
            found += _differences(old, new, f"{prefix}{key}.")
        elif isinstance(old, list) and isinstance(new, list) and old != new:
            found.append(f"other data there ({prefix}{key})")
        elif old != (list(new) if isinstance(new, tuple) else new):
            found.append(f"{prefix}{key}: {_short(old)} there, {_short(new)} here")
    return found


def _short(value: Any) -> str:
    text = "none" if value is None else str(value)
    return text if len(text) <= 16 else text[:12] + "..."


def publish(folder: Path, content: Mapping[str, Any], weights: Mapping[str, Any], history: Sequence[Any]) -> None:
    """Write the top-level files of a model, config.json last: with it the model is there.

    content: what config.json holds besides versions and hashes; its `files` are those that the codec has written.
    """
    from seqnlp.training import checkpoint

    checkpoint.save_tensors(folder / WEIGHTS, weights)
    write_history(folder, history)
    with atomic.atomic(folder / CARD) as file:
        file.write(card(content))
    hashes = {name: files.sha256(folder / name) for name in (*content["files"], WEIGHTS)}
    jsonl.write_json(folder / CONFIG, {**VERSIONS, **content, "files": hashes})


def write_history(folder: Path, history: Sequence[Any]) -> None:
    """Write history.jsonl, one line an evaluation."""
    import json

    with atomic.atomic(folder / HISTORY) as file:
        file.writelines(json.dumps(row) + "\n" for row in history)


def read_config(folder: Path) -> dict[str, Any]:
    """Return config.json, its format version checked; raises `ModelError`."""
    if not (folder / CONFIG).is_file():
        raise errors.ModelError(f"{folder}: no model here", "train one: seqnlp TASK train ... -o MODEL")
    return _checked(folder / CONFIG, KEYS)


def _checked(path: Path, keys: Sequence[str]) -> dict[str, Any]:
    """Return what a file of ours holds, its format version and keys checked."""
    try:
        content = dict(jsonl.read_json(path))
        version = content["format_version"]
        if version == FORMAT_VERSION:
            _ = [content[key] for key in keys]
    except (OSError, ValueError, KeyError, TypeError):
        raise errors.ModelError(f"{path}: not a seqnlp model's, or damaged", "train anew") from None
    if version != FORMAT_VERSION:
        raise errors.ModelError(
            f"{path}: model format {version}, this seqnlp {seqnlp.__version__} reads {FORMAT_VERSION}",
            f"use the seqnlp that made it ({content.get('seqnlp_version')}), or train anew",
        )
    return content


def check_files(folder: Path, config: Mapping[str, Any]) -> None:
    """Raise `ModelError` unless every file of the model is as it was written."""
    for name, digest in config["files"].items():
        path = folder / name
        if not path.is_file():
            raise errors.ModelError(f"{path}: is missing", "copy the whole folder, or train anew")
        if files.sha256(path) != digest:
            raise errors.ModelError(f"{path}: is damaged or was changed", "copy the folder again, or train anew")


def card(content: Mapping[str, Any]) -> str:
    """Return the model card: what the model does, how it was made, how good it is, how it is used."""
    task, sizes, seed = content["task"], content["sizes"], content["training"]["seed"]
    rows = "".join(_row(score) for score in content["scores"])
    data = "".join(f"- {name} (sha256 `{digest}`)\n" for name, digest in content["data"].items())
    return f"""# A seqnlp model: {task}

Trained from scratch by seqnlp {seqnlp.__version__} in {content["seconds"]:.0f} seconds, seed {seed}: the weights of
step {content["step"]} of {content["steps"]}, {sizes["parameters"]:,} parameters.

    seqnlp {task} predict THIS_FOLDER FILE

## Scores on the development part

| score | value | 95% interval | items | signature |
| --- | --- | --- | --- | --- |
{rows}
## Data

{data}
{sizes["train"]:,} examples to train on, {sizes["dev"]:,} to choose the weights by.

config.json holds every setting; history.jsonl has one line for each evaluation.
"""


def _row(score: Mapping[str, Any]) -> str:
    signature = score["signature"].replace("|", " ")  # which would end the cell
    return f"| {score['name']} | {score['value']:.2f} | {_range(score['interval'])} | {score['n']} | `{signature}` |\n"


def _range(interval: Sequence[float] | None) -> str:
    return "" if interval is None else f"{interval[0]:.2f} to {interval[1]:.2f}"
