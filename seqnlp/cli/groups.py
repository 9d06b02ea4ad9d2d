"""Groups of commands: each is imported when it is called, and a mistyped name gets a suggestion."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import click
from click.shell_completion import CompletionItem


class Group(click.Group):
    """Commands in sections, from name to what each does; `load` returns a command by its name."""

    def __init__(
        self,
        name: str | None,
        *,
        sections: Mapping[str, Mapping[str, str]],
        load: Callable[[str], click.Command],
        missing: str = "no command",
        **rest: Any,
    ) -> None:
        super().__init__(name, **rest)
        self.sections, self.load, self.missing = sections, load, missing

    def list_commands(self, context: click.Context) -> list[str]:
        return [name for section in self.sections.values() for name in section]

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        return self.load(name) if name in self.list_commands(context) else None

    def shell_complete(self, context: click.Context, incomplete: str) -> list[CompletionItem[Any]]:
        """Complete without importing a command."""
        known = {name: about for section in self.sections.values() for name, about in section.items()}
        names = [CompletionItem(name, help=about) for name, about in known.items() if name.startswith(incomplete)]
        return names + click.Command.shell_complete(self, context, incomplete)

    def format_commands(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        for title, section in self.sections.items():
            with formatter.section(title):
                formatter.write_dl(list(section.items()))

    def hint(self, word: str) -> str:
        """Return what is meant by a word that is no command."""
        return suggestion(word, self.list_commands(click.get_current_context()))

    def resolve_command(
        self, context: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        known = self.list_commands(context)
        if args and not args[0].startswith("-") and args[0] not in known:
            raise click.UsageError(f"{self.missing} {args[0]!r}; hint: {self.hint(args[0])}")
        return super().resolve_command(context, args)


def suggestion(word: str, known: Sequence[str]) -> str:
    """Return "did you mean X?" where a known word is close, all of them where none is."""
    import difflib

    close = difflib.get_close_matches(word, known, n=1)
    return f"did you mean {close[0]}?" if close else f"one of {', '.join(known)}"
