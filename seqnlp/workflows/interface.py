"""The Python interface to training: what `seqnlp TASK train` does, with the same defaults and errors."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from seqnlp import errors, options
from seqnlp.preprocess.corpora import schema
from seqnlp.tasks import base, registry
from seqnlp.workflows import jobs
from seqnlp.workflows import train as workflow

Paths = str | Path | Sequence[str | Path]


def train(
    task: str,
    corpus: Paths,
    output: str | Path,
    *,
    dev: Paths = (),
    reading: Mapping[str, Any] | None = None,
    device: str = "auto",
    overwrite: bool = False,
    init_from: str | Path | None = None,
    **settings: Any,
) -> dict[str, Any]:
    """Return the result of training a model into the folder `output`, as the command prints it.

    corpus, dev: a file or several. reading: how to read them, the fields of `schema.Source` (format, encoding, header,
    columns). settings: the command's options by name, as in `hidden_size=64, epochs=3`. Raises `SeqnlpError`.
    """
    made = registry.get(task)
    config, training = _settings(made, settings)
    if init_from is not None and config:
        raise errors.UsageError(f"{min(config)} cannot be given with init_from: the model has settings of its own")
    job = jobs.Job(
        task=task,
        train=_source(corpus, reading),
        dev=_source(dev, reading) if dev else None,
        folder=_folder(output),
        config=made.Config(**config),
        training=dataclasses.replace(made.training, **training),
        device=device,
        overwrite=overwrite,
        init_from=None if init_from is None else str(init_from),
    )
    return workflow.train(job)


def _settings(task: base.AnyTask, settings: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the settings that make the model, and those of the training."""
    kinds = task.Config, options.Training
    options.refuse_unknown(settings, *kinds, whose=task.name)
    names: list[set[str]] = [{field.name for field in dataclasses.fields(kind)} for kind in kinds]
    config, training = ({k: v for k, v in settings.items() if k in own} for own in names)
    return config, training


def _folder(path: Any) -> Path:
    if not isinstance(path, str | Path):
        raise errors.WrongType(f"a model is a {type(path).__name__}, expected its folder")
    if "\0" in str(path):
        raise errors.UsageError(f"{str(path)!r}: no name of a folder")
    return Path(path)


def _source(paths: Paths, reading: Mapping[str, Any] | None) -> schema.Source:
    several = [paths] if isinstance(paths, str | Path) else paths
    if not isinstance(several, Sequence) or not all(isinstance(path, str | Path) for path in several):
        raise errors.WrongType(f"a corpus is a {type(paths).__name__}, expected a file or a list of them")
    source = schema.Source(tuple(map(str, several)), **(reading or {}))
    source.check()
    return source
