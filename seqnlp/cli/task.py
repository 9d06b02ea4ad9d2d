"""The commands of a task: train, predict and eval, the same three for every one, and what else it can do."""

from __future__ import annotations

import functools
import importlib

import click

from seqnlp.cli import flags, groups
from seqnlp.tasks import registry

VERBS = {
    "train": "train a model",
    "predict": "predict with a model, line by line",
    "eval": "score a model on a test part",
}


def group(name: str) -> click.Group:
    """Return the commands of a task."""
    about = registry.REGISTRY[name]
    return groups.Group(
        name,
        sections={"Commands": {**VERBS, **registry.VERBS.get(name, {})}},
        load=functools.partial(_load, name),
        missing=f"{name} has no command",
        help=f"{about[:1].upper()}{about[1:]}.",
        epilog=flags.shell_example(*registry.examples(name)),
    )


def _load(task: str, verb: str) -> click.Command:
    """The modules of the verb and of the task are imported here: help comes at once."""
    module = importlib.import_module("seqnlp.cli." + {"eval": "evaluate"}.get(verb, verb))
    command: click.Command = module.of(registry.get(task))
    return command
