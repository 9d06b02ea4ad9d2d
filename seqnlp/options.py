"""Options declared once, as dataclass fields: the flags of the command line and the keys of config.json both follow."""

from __future__ import annotations

import dataclasses
import json
import os
import sys
import types
import typing
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from seqnlp import errors
from seqnlp.io import jsonl


def option(
    default: Any,
    help: str,
    *,
    group: str = "Model",
    choices: Sequence[str] | None = None,
    low: float | None = None,
    high: float | None = None,
    main: bool = False,
    run: bool = False,
    metavar: str | None = None,
    short: str | None = None,
) -> Any:
    """Return a dataclass field that is also a command line option.

    `main` puts it among the dozen that `--help` shows; `run` marks what does not make the model (threads, device)
    and so may differ when a run resumes; `short` is the letter of a second flag. A default of None means that the
    value is chosen from the corpus.
    """
    allowed = dict(choices=choices, low=low, high=high)
    shown = dict(help=help, group=group, main=main, metavar=metavar, short=short)
    return dataclasses.field(default=default, metadata={**allowed, **shown, "run": run})


def redeclared(kind: type, name: str, default: Any, help: str | None = None) -> Any:
    """Return an option of another dataclass with another default, and, if given, another help text."""
    (field,) = (field for field in dataclasses.fields(kind) if field.name == name)
    metadata = {**field.metadata, **({"help": help} if help else {})}
    return dataclasses.field(default=default, metadata=metadata)


PATHS = ("FILE", "FOLDER", "MODEL")  # metavars of options that name one
TEXT = "Text"  # the group of the options that decide how text becomes rows: those of encode


def names(kind: type, group: str) -> list[str]:
    """Return the names of a dataclass's options of one group."""
    return [field.name for field in dataclasses.fields(kind) if field.metadata["group"] == group]


def of_group(options: Any, group: str) -> dict[str, Any]:
    """Return the options of one group, by name."""
    return {name: getattr(options, name) for name in names(type(options), group)}


def refuse_unknown(names: Iterable[str], *kinds: type, whose: str) -> None:
    """Raise `UsageError` for a name that no option of these dataclasses has; `whose` they are is for the message."""
    import difflib

    known = sorted({field.name for kind in kinds for field in dataclasses.fields(kind)})
    for name in names:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            raise errors.UsageError(f"{whose} has no setting {name!r}", f"did you mean {near[0]}?" if near else None)


def identity(options: Any) -> dict[str, Any]:
    """Return the options that make the model, without those that only say how to run."""
    return {
        field.name: getattr(options, field.name)
        for field in dataclasses.fields(options)
        if not field.metadata.get("run")
    }


def to_dict(options: Any) -> dict[str, Any]:
    """Return every option by name, as plain JSON values."""
    return dataclasses.asdict(options)


def from_dict(kind: type, values: Any, where: object) -> Any:
    """Return the `kind` that `to_dict` gave the values of; `where` they were found is for errors.

    Raises `ModelError` unless each option is there, and nothing else, with a value that its flag could have had.
    """
    if problem := _problem(kind, values):
        raise errors.ModelError(f"{where}: {problem}", HINT)
    return kind(**values)


def check(options: Any) -> None:
    """Raise `UsageError` unless each option has a value that its flag could have had: `from_dict` takes no other."""
    if problem := _problem(type(options), to_dict(options)):
        raise errors.UsageError(problem)


def _problem(kind: type, values: Any) -> str | None:
    """Return what is wrong with values for the options of a `kind`, None if nothing is."""
    if not isinstance(values, Mapping):
        return "not an object with settings"
    fields = {field.name: field for field in dataclasses.fields(kind)}
    for names, what in ((values.keys() - fields, "unknown setting"), (fields.keys() - values, "missing setting")):
        if names:
            return f"{what} {min(names)!r}"
    hints = typing.get_type_hints(kind)
    for name, field in fields.items():
        allowed = _Allowed.of(field, hints[name])
        if values[name] not in allowed:
            return f"{name} is {_short(values[name])}, expected {allowed}"
    return None


HINT = "it was changed, or made by another version of seqnlp: use that one, or train again"


def _short(value: Any) -> str:
    text = json.dumps(value, default=repr)
    return text if len(text) <= 40 else text[:37] + "..."


@dataclasses.dataclass(frozen=True)
class _Allowed:
    """The values that an option may have: what its annotation and its metadata say."""

    kind: type
    optional: bool  # None is allowed too: it was, or will be, chosen from the corpus
    choices: Sequence[str] | None
    low: float
    high: float
    is_path: bool  # any bytes may be a name: all other text is UTF-8

    @classmethod
    def of(cls, field: dataclasses.Field[Any], hint: Any) -> _Allowed:
        """Return what a field allows; `hint` is its annotation, a type or `type | None`."""
        kinds = typing.get_args(hint) or (hint,)
        low, high = field.metadata["low"], field.metadata["high"]
        return cls(
            next(kind for kind in kinds if kind is not types.NoneType),
            types.NoneType in kinds,
            field.metadata["choices"],
            -sys.float_info.max if low is None else low,
            sys.float_info.max if high is None else high,
            field.metadata["metavar"] in PATHS,
        )

    def __contains__(self, value: Any) -> bool:
        if value is None:
            return self.optional
        if type(value) is not self.kind and (type(value), self.kind) != (int, float):  # bool is no int here
            return False
        if self.kind in (int, float):
            return bool(self.low <= value <= self.high)  # neither NaN nor infinite
        if self.choices is not None:
            return value in self.choices
        return self.kind is bool or (_is_name(value) if self.is_path else value == jsonl.without_surrogates(value))

    def __str__(self) -> str:
        text = ", ".join(self.choices) if self.choices else NAMES_OF_KINDS[self.kind]
        if self.low > -sys.float_info.max:
            text += f" from {self.low}"
        if self.high < sys.float_info.max:
            text += f" to {self.high}"
        return f"{text} or null" if self.optional else text


def _is_name(text: str) -> bool:
    """Whether a file can have this name."""
    try:
        return b"\0" not in os.fsencode(text)
    except UnicodeEncodeError:
        return False


NAMES_OF_KINDS = {bool: "true or false", int: "a whole number", float: "a number", str: "text"}


SCHEDULES = ("linear", "cosine", "step", "plateau", "constant")


LIMITS = ("epochs", "time_budget")  # of a training: a run that is there already may be made longer


@dataclasses.dataclass(frozen=True)
class Training:
    """How to train."""

    seed: int = option(1, "Seed of everything random.", group="Training", low=0, high=2**32 - 1, main=True)
    epochs: int | None = option(
        None,
        "Maximum passes through the data; by default chosen from its size or --time-budget.",
        group="Training",
        low=1,
        main=True,
    )
    time_budget: float | None = option(
        None,
        "Time for the whole run, start-up and scoring included, as 90s, 10m or 2h.",
        group="Training",
        low=0.0,
        main=True,
        metavar="TIME",
    )
    max_tokens: int | None = option(
        None,
        "Maximum tokens in a batch, rows times the longest; by default what makes 128 steps an epoch, "
        "from 1024 to 8192; 2048 for pairs.",
        group="Training",
        low=1,
        main=True,
    )
    batch_size: int = option(256, "Maximum rows in a batch.", group="Training", low=1, main=True)
    learning_rate: float = option(2e-3, "Peak learning rate.", group="Training", low=0.0, main=True)
    schedule: str = option(
        "linear", "How the learning rate falls after the warm-up.", group="Training", choices=SCHEDULES
    )
    warmup_steps: int = option(100, "Steps over which the learning rate rises.", group="Training", low=0)
    weight_decay: float = option(
        0.01, "AdamW's weight decay, of matrices other than embeddings.", group="Training", low=0.0
    )
    max_grad_norm: float = option(
        1.0, "Maximum norm of a step's gradient, embeddings excluded; 0 for no limit.", group="Training", low=0.0
    )
    ema_decay: float = option(
        0.0,
        "Decay of the moving average of the weights that is evaluated and kept; 0 for none.",
        group="Training",
        low=0.0,
        high=0.99999,
    )
    grad_accumulation: int = option(1, "Batches per step.", group="Training", low=1)
    patience: int = option(
        0, "Evaluations without a better score after which training ends; 0 for no limit.", group="Training", low=0
    )
    refit: bool = option(
        False,
        "Without training once more on all rows, where a part of them was split off for dev.",
        group="Training",
    )
    eval_every: int | None = option(
        None, "Steps between evaluations; by default one evaluation per epoch.", group="Training", low=1
    )
    precision: str = option(
        "auto",
        "Precision of the matrix products; auto is bf16 where the processor supports it.",
        group="Training",
        choices=("auto", "fp32", "bf16"),
    )
