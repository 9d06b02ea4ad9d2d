"""Parameters: arguments, options, commands; their help, what completes them, their defaults in the environment."""

from __future__ import annotations

import os
import re
import sys
from typing import Any

import click
from click.core import ParameterSource
from click.shell_completion import CompletionItem

from seqnlp import errors, options
from seqnlp.cli import groups, kinds, terminal
from seqnlp.io import files


class Argument(click.Argument):
    """An argument with a word about it in the help; unless it is a choice, it completes as a file."""

    group = "Arguments"

    def __init__(self, name: str, help: str, metavar: str | None = None, **rest: Any) -> None:
        super().__init__([name], metavar=metavar, **rest)
        self.about = help

    def get_help_record(self, ctx: click.Context) -> tuple[str, str]:
        return self.make_metavar(ctx), self.about

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem[Any]]:
        return _completed(super().shell_complete(ctx, incomplete), incomplete, self.type is click.STRING)


class Option(click.Option):
    """An option that knows its group, and whether the short help shows it; its default may be in the environment."""

    def __init__(self, *names: Any, group: str = "Run", main: bool = True, **rest: Any) -> None:
        super().__init__(*names, **rest)
        self.group, self.main = group, main

    def variable(self, ctx: click.Context) -> str:
        """Return the name in the environment: SEQNLP_CLASSIFY_TRAIN_EPOCHS."""
        return re.sub(r"\W+", "_", f"{ctx.command_path}{max(self.opts, key=len)}").upper()

    def resolve_envvar_value(self, ctx: click.Context) -> str | None:
        return os.environ.get(self.variable(ctx)) or None

    def get_error_hint(self, ctx: click.Context | None) -> str:
        hint = super().get_error_hint(ctx)
        if ctx is None or ctx.get_parameter_source(str(self.name)) is not ParameterSource.ENVIRONMENT:
            return hint
        return f"{hint} ({self.variable(ctx)} in the environment)"

    def get_help_extra(self, ctx: click.Context) -> click.types.OptionHelpExtra:
        extra = super().get_help_extra(ctx)
        extra.pop("range", None)
        if extra.get("default") == '""':
            del extra["default"]
        if (words := kinds.bounds(self.type)) and not self.is_flag:
            extra["range"] = words
        return extra

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem[Any]]:
        return _completed(super().shell_complete(ctx, incomplete), incomplete, self.metavar in options.PATHS)


def _completed(found: list[CompletionItem[Any]], incomplete: str, is_file: bool) -> list[CompletionItem[Any]]:
    return [CompletionItem(incomplete, type="file")] if is_file else found


class Command(click.Command):
    """A command whose --help shows the options that matter, and --help-all all of them in groups.

    It needs stdout unless its output goes elsewhere.
    """

    def invoke(self, ctx: click.Context) -> Any:
        if sys.stdout is None and ctx.params.get("output") in (None, files.STDIN):
            raise errors.SeqnlpError("stdout is closed", "-o names a file" if "output" in ctx.params else None)
        if not ctx.params.get("quiet"):
            self._look_at_environment(ctx)
        return super().invoke(ctx)

    def _look_at_environment(self, ctx: click.Context) -> None:
        """Warn of names in the environment that are meant for this command, but are of no option."""
        begin = re.sub(r"\W+", "_", f"{ctx.command_path}_").upper()
        known = {param.variable(ctx) for param in self.get_params(ctx) if isinstance(param, Option)}
        for name in sorted(name for name in os.environ if name.startswith(begin) and name not in known):
            hint = groups.suggestion(name, sorted(known))
            terminal.LINE.say(f"seqnlp: warning: {name} in the environment is no option of this command; {hint}")

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        everything = ctx.meta.get("seqnlp.help_all", False)
        groups: dict[str, list[tuple[str, str]]] = {}
        hidden = 0
        for param in self.get_params(ctx):
            record = param.get_help_record(ctx)
            if record is None:
                continue
            if not everything and not getattr(param, "main", True):
                hidden += 1
                continue
            groups.setdefault(getattr(param, "group", "Help"), []).append(record)
        for title, rows in sorted(groups.items(), key=lambda item: item[0] == "Help"):
            with formatter.section(title):
                formatter.write_dl(rows)
        if hidden:
            formatter.write_paragraph()
            formatter.write_text(f"--help-all shows {hidden} more options.")


def _help_all(ctx: click.Context, param: click.Parameter, value: bool) -> None:
    if value and not ctx.resilient_parsing:
        ctx.meta["seqnlp.help_all"] = True
        click.echo(ctx.get_help())
        ctx.exit()


HELP_ALL = click.Option(
    ["--help-all"], is_flag=True, is_eager=True, expose_value=False, callback=_help_all, help="Show every option."
)
