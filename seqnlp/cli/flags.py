"""Flags: from the fields of the option dataclasses to click options and back; the options of several commands."""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Mapping, Sequence
from typing import Any

import click
from click.core import ParameterSource

from seqnlp import errors, options
from seqnlp.cli import kinds
from seqnlp.cli.parameters import HELP_ALL as HELP_ALL
from seqnlp.cli.parameters import Argument as Argument
from seqnlp.cli.parameters import Command as Command
from seqnlp.cli.parameters import Option as Option
from seqnlp.preprocess.batching import buckets
from seqnlp.preprocess.corpora import detect, schema

PREDICTING, SCORING = ("Input", "Output"), ("Scoring",)  # groups of options that only predict has, and only eval


def example(*lines: str) -> str:
    """Return the example at the end of a command's help."""
    return shell_example(*(f"seqnlp {line}" for line in lines))


def shell_example(*lines: str) -> str:
    """Return an example of whole lines of the shell."""
    return "\n".join(["\b", "Example:", *(f"  {line}" for line in lines)])


def of(kind: type, defaults: Mapping[str, Any] | None = None, *, everything: bool = False) -> list[Option]:
    """Return the options of a dataclass; `defaults` are those that a task has instead of the general ones."""
    hints = typing.get_type_hints(kind)
    return [
        _option(field, hints[field.name], {**(defaults or {})}.get(field.name, field.default), everything)
        for field in dataclasses.fields(kind)
    ]


def _option(field: dataclasses.Field[Any], hint: Any, default: Any, everything: bool) -> Option:
    about = field.metadata
    name = "--" + field.name.replace("_", "-")
    rest: dict[str, Any] = {"group": about["group"], "main": about["main"] or everything, "help": about["help"]}
    if hint is bool:
        names = [name.replace("--", "--no-", 1), field.name] if default else [name]  # what is on can be put off
        return Option(names, is_flag=True, flag_value=not default, default=default, **rest)
    kind = _kind(hint, about)
    shown = default is not None
    return Option(
        [f"-{about['short']}", name] if about["short"] else [name],
        type=kind,
        default=default,
        show_default=shown,
        metavar=about["metavar"] or _METAVARS.get(type(kind)),
        **rest,
    )


_METAVARS = {kinds.Count: "N", kinds.Number: "X"}


def _kind(hint: Any, about: Mapping[str, Any]) -> click.ParamType[Any]:
    """Return click's type of an annotation; None beside another type means: chosen from the corpus."""
    if isinstance(hint, types.UnionType):
        hint = next(part for part in typing.get_args(hint) if part is not type(None))
    if about["metavar"] == "TIME":
        return kinds.Duration()
    if about["choices"]:
        return click.Choice(about["choices"])
    if hint is int:
        return kinds.Count(about["low"], about["high"])
    if hint is float:
        return kinds.Number(about["low"], about["high"])
    return click.STRING


JOBS = Option(
    ["--jobs"],
    type=kinds.Count(1),
    metavar="N",
    default=1,
    show_default=True,
    main=False,
    help="Processes that encode; the result does not depend on it.",
)


def given(names: Sequence[str]) -> list[str]:
    """Return the flags, of options by name, that stand on the command line itself."""
    context = click.get_current_context()
    source = ParameterSource.COMMANDLINE
    flags = {option.name: option.opts[0] for option in context.command.params}
    return [flags[name] for name in names if context.get_parameter_source(name) is source]


def take(kind: type, values: dict[str, Any]) -> Any:
    """Return the dataclass from a command's values, removing them; an option that the command lacks has its default."""
    taken = kind(**{field.name: values.pop(field.name) for field in dataclasses.fields(kind) if field.name in values})
    options.check(taken)
    return taken


ENCODING = Option(
    ["--encoding"],
    metavar="ENCODING",
    default="utf-8",
    show_default=True,
    group="Reading",
    main=False,
    help="Encoding of text files.",
)


def reading(roles: Sequence[str]) -> list[click.Option]:
    """Return the options that say how to read a corpus."""
    fields = [
        Option(
            [f"--{role}-field"],
            metavar="NAME",
            group="Reading",
            main=False,
            help=f"Field or column of the corpus that holds the {role}, by name or by number from 1; or several: 3,2.",
        )
        for role in roles
    ]
    return [
        Option(
            ["--from", "from_"],
            type=click.Choice(detect.FORMATS),
            group="Reading",
            main=False,
            help="Format of the corpus, where neither what it holds nor its name says.",
        ),
        ENCODING,
        Option(
            ["--header/--no-header"],
            default=None,
            group="Reading",
            main=False,
            help="Whether the first line of .tsv and .csv names the columns; by default as it looks.",
        ),
        *fields,
    ]


def source(paths: Sequence[str], roles: Sequence[str], values: Mapping[str, Any]) -> schema.Source:
    """Return what to read, from a command's values."""
    named = {role: values[f"{role}_field"] for role in roles if values.get(f"{role}_field")}
    if list(paths).count("-") > 1:
        raise errors.UsageError("- (stdin) can be read once only")
    found = schema.Source(tuple(paths), values["from_"], values["encoding"], values["header"], named)
    found.check()  # before torch is loaded
    return found


def running() -> list[click.Option]:
    """Return the options that say how to run, and never make a difference to the model."""
    return [
        Option(
            ["--device"],
            metavar="DEVICE",
            default="auto",
            show_default=True,
            main=False,
            help="cpu, cuda or cuda:1; auto is a GPU if there is one.",
        ),
        Option(
            ["--threads"],
            type=kinds.Count(1),
            metavar="N",
            main=False,
            help="CPU threads; by default one per core.",
        ),
        *saying(),
    ]


def saying() -> list[click.Option]:
    """Return the options that set how much is printed."""
    return [
        Option(["-q", "--quiet"], is_flag=True, main=False, help="Print nothing but results and errors."),
        Option(["-v", "--verbose"], is_flag=True, main=False, help="Print more."),
        Option(["--debug"], is_flag=True, main=False, help="Show the traceback of an error."),
    ]


PRECISION = Option(
    ["--precision"],
    type=click.Choice(("auto", "fp32", "bf16")),
    default="fp32",
    show_default=True,
    main=False,
    help="Precision of the matrix products; bf16 may decide near-ties otherwise.",
)

MODEL = Argument("model", "The folder of a trained model.")

ENSEMBLE = Option(
    ["--ensemble"],
    multiple=True,
    metavar="MODEL",
    main=False,
    help="Another model with the same codec, to average with; may be repeated.",
)


def limits() -> list[click.Option]:
    """Return the options that bound a batch of evaluation and prediction."""
    tokens, rows = buckets.Limits().max_tokens, buckets.Limits().batch_size
    return [
        Option(
            ["--max-tokens"],
            type=kinds.Count(1),
            metavar="N",
            default=tokens,
            show_default=True,
            main=False,
            help="Maximum tokens in a batch: rows times the longest.",
        ),
        Option(
            ["--batch-size"],
            type=kinds.Count(1),
            metavar="N",
            default=rows,
            show_default=True,
            main=False,
            help="Maximum rows in a batch.",
        ),
        PRECISION,
    ]
