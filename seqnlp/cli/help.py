"""help: what --help of a command shows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click
from click.shell_completion import CompletionItem

from seqnlp.cli import flags


def run(commands: tuple[str, ...]) -> None:
    """Print the help of a command, or of all."""
    click.echo(_context(commands).get_help())


def _context(names: Sequence[str]) -> click.Context:
    """The context of a command below the root; raises `click.UsageError` where there is none of these names."""
    context = click.get_current_context().find_root()
    for name in names:
        if not isinstance(context.command, click.Group):
            raise click.UsageError(f"{context.command_path} has no commands", context)
        found, command, _ = context.command.resolve_command(context, [name])
        assert command is not None
        context = click.Context(command, parent=context, info_name=found)
    return context


class Names(flags.Argument):
    """The names of a command, one below the other."""

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem[Any]]:
        with ctx:
            found = _context(ctx.params["commands"])
        return found.command.shell_complete(found, incomplete) if isinstance(found.command, click.Group) else []


command = flags.Command(
    "help",
    params=[Names("commands", "A command, and one below it.", "[COMMAND...]", nargs=-1)],
    callback=run,
    help="Show the help of a command, as --help does.",
    epilog=flags.example("help", "help classify train"),
)
