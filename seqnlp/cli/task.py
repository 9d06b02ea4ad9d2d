"""The commands of a task: train, predict and eval, the same three for every one."""

from __future__ import annotations

import importlib

import click

from seqnlp.cli import flags
from seqnlp.tasks import registry

VERBS = {
    "train": "train a model",
    "predict": "predict with a model, line by line",
    "eval": "score a model on a test part",
}


class Verbs(click.Group):
    """The verbs of a task; its module is imported when one of them is called."""

    def list_commands(self, context: click.Context) -> list[str]:
        return list(VERBS)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        if name not in VERBS:
            return None
        module = importlib.import_module("seqnlp.cli." + {"eval": "evaluate"}.get(name, name))
        command: click.Command = module.of(registry.get(str(self.name)))
        return command

    def format_commands(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(VERBS.items()))

    def resolve_command(
        self, context: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        from seqnlp.cli import did_you_mean

        if args and not args[0].startswith("-") and args[0] not in VERBS:
            raise click.UsageError(f"no command {self.name} {args[0]}{did_you_mean(args[0], list(VERBS))}")
        return super().resolve_command(context, args)


def group(name: str) -> click.Group:
    """Return the commands of a task."""
    about = registry.REGISTRY[name]
    example = flags.example(f"{name} train train.tsv --dev dev.tsv -o model", f"{name} predict model < input.txt")
    return Verbs(name, help=f"{about[:1].upper()}{about[1:]}.", epilog=example)
