"""What a path holds: a model, finished or not, an encoded corpus, or a tokenizer."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from seqnlp import errors, options
from seqnlp.io import files
from seqnlp.preprocess.corpora import schema
from seqnlp.preprocess.text import tokenizer
from seqnlp.tasks import registry
from seqnlp.workflows import config_keys, encoded, model_folder

TOKENIZER = "tokenizer.json"  # how the name of one in a folder ends
WHOLE_MODEL = (model_folder.CONFIG, model_folder.CARD, model_folder.HISTORY)  # besides what the config names


def describe(path: Path) -> dict[str, Any]:
    """Return what is known of a path: its `kind`, what it says of itself, its size in `bytes`, how to `use` it.

    Raises `SeqnlpError` of the kind that fits for what is none of ours, or damaged.
    """
    files.check_open(path / encoded.ABOUT)
    if path.is_file():
        return _tokenizer(path)
    if (path / encoded.ABOUT).is_file():
        return _encoded(path)
    return _model(path)


def fields(content: Mapping[str, Any]) -> str:
    """Return what is remembered of the corpus behind it, in a line: format, header, which field is what."""
    known = content.get("schema")
    return str(schema.Schema.from_dict(known)) if known else ""


def settings(content: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings that are not as they are by default."""
    task = registry.get(content["task"])
    usual = {**options.to_dict(task.Config()), **options.to_dict(task.training)}
    own = {**content["config"], **content.get("training", {})}
    return {name: value for name, value in own.items() if usual.get(name) != value}


def _model(folder: Path) -> dict[str, Any]:
    running = model_folder.unfinished(folder)
    content = {} if running and not (folder / model_folder.CONFIG).is_file() else model_folder.read_config(folder)
    content |= _under_way(folder, running) if running else {}
    config_keys.schema_of(model_folder.description(folder), content)
    task, names = content["task"], [*content["files"], *WHOLE_MODEL]
    use = [f"the same seqnlp {task} train command goes on with it"] if running else _uses(task, folder, content)
    return {"kind": "model", **content, **_sizes(folder, names), "use": use}


def _uses(task: str, folder: Path, content: Mapping[str, Any]) -> list[str]:
    """How a model is used on files like the one that it was trained on."""
    encoding = content["run"].get("read", {}).get("encoding", "utf-8")
    said = "" if encoding == "utf-8" else f" --encoding {encoding}"
    return [
        f"seqnlp {task} predict {folder} FILE{said}",
        f"seqnlp {task} eval {folder} TEST{said}",
        f'seqnlp.load("{folder}")',
    ]


def _under_way(folder: Path, running: Mapping[str, Any]) -> dict[str, Any]:
    """What a run that is not finished says, with the step and the best score of its last checkpoint."""
    from seqnlp.training import checkpoint  # it loads torch

    newest = checkpoint.newest(folder / model_folder.CHECKPOINTS)
    try:
        state = checkpoint.read_state(newest) if newest else {}
    except errors.ModelError:  # it has just been replaced by the next
        state = {}
    return {
        **running,
        "finished": False,
        "steps": state.get("step", 0),
        "step": state.get("best_step", 0),
        "best": state.get("best"),
        "criterion": registry.get(running["task"]).criterion,
    }


def _encoded(folder: Path) -> dict[str, Any]:
    found = encoded.open_folder(str(folder))
    task, names = found.content["task"], [*found.content["files"], *found.content["made"], encoded.ABOUT]
    packed = {} if found.plan is None else {"packed": {"buckets": len(found.plan.edges)}}
    use = [f"seqnlp {task} train {folder} --dev DEV -o MODEL", f"seqnlp encode {task} DEV --codec {folder} -o DEV"]
    content = {**found.content, "labels": dict(found.codec().labels), **packed}
    return {"kind": "encoded corpus", **content, **_sizes(folder, names), "use": use}


def _tokenizer(path: Path) -> dict[str, Any]:
    try:
        made = tokenizer.Tokenizer.load(path)
    except errors.DataError:
        hint = "info takes a model folder, an encoded corpus, or a file of vocab or bpe train"
        raise errors.DataError(f"{path}: not a tokenizer", hint) from None
    content = json.loads(made.backend.to_str())
    kind = content["model"]["type"]
    normalizer = content["normalizer"] or {}
    steps = [step["type"] for step in normalizer.get("normalizers", [normalizer] if normalizer else [])]
    use = ["seqnlp encode TASK CORPUS --tokenizer {} -o FOLDER"]
    if kind != "WordLevel":
        use.insert(0, "seqnlp bpe encode {} FILE")
    return {
        "kind": "tokenizer",
        "model": kind,
        "vocabulary": len(made),
        "normalizer": steps,
        "bytes": path.stat().st_size,
        "use": [line.format(path) for line in use],
    }


def _sizes(folder: Path, names: Iterable[str]) -> dict[str, Any]:
    """The entries of each tokenizer of a folder, and the bytes of its files."""
    paths = [path for name in dict.fromkeys(names) if (path := folder / name).is_file()]
    sizes = {path.name: len(tokenizer.Tokenizer.load(path)) for path in paths if path.name.endswith(TOKENIZER)}
    return {"vocabulary": sizes, "bytes": sum(path.stat().st_size for path in paths)}
