"""The command line: click lives here and nowhere else, and only here something is printed or the process exits."""

from __future__ import annotations

try:
    import atexit
    import codecs
    import importlib
    import os
    import sys
    import time
    from collections.abc import Sequence
    from typing import Any

    import click

    from seqnlp import errors, version
    from seqnlp.cli import groups, terminal
    from seqnlp.io import ranks
    from seqnlp.tasks import registry
    from seqnlp.training import memory
except KeyboardInterrupt:  # so soon that there is nobody yet who would say it
    raise SystemExit(130) from None

COMMANDS = {
    "check": "look at a corpus before training: what it holds, and what may be wrong with it",
    "vocab": "build a word or character vocabulary",
    "bpe": "learn subword pieces; split text into them and join it again",
    "encode": "turn text into ids: an Arrow data set with its codec beside it",
    "pack": "sort the rows of an encoded corpus into buckets of length",
    "score": "score predictions against references, without a model",
    "info": "show what a model, an encoded corpus or a tokenizer is",
    "completion": "print what makes a shell complete commands and options",
    "help": "show the help of a command",
}

VERBS = ("train", "predict", "eval")  # of every task

FIRST = next(iter(registry.REGISTRY))
EXAMPLE = "\n  ".join(["\b\nExample:", *registry.examples(FIRST)])


class Root(groups.Group):
    """All commands; a reader that has gone away is no error."""

    def hint(self, word: str) -> str:
        if word in VERBS:
            return f"a task comes first, as in seqnlp {FIRST} {word}"
        return super().hint(word)

    def invoke(self, context: click.Context) -> Any:
        try:
            return super().invoke(context)
        except BrokenPipeError:  # click itself would end with 1
            _close_stdout()
            return 0


def _load(name: str) -> click.Command:
    """The module of a command, or of the tasks, is imported here: help comes at once."""
    if name in registry.REGISTRY:
        from seqnlp.cli import task

        return task.group(name)
    command: click.Command = importlib.import_module(f"seqnlp.cli.{name}").command
    return command


@click.command(
    cls=Root,
    sections={"Tasks": registry.REGISTRY, "Tools": COMMANDS},
    load=_load,
    epilog=f"{EXAMPLE}\n\nTASK --help shows the example of another task.",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(version.__version__, "-V", "--version", prog_name="seqnlp", message="%(prog)s %(version)s")
def root() -> None:
    """Raw text to a scored prediction with recurrent networks: train, predict and evaluate, from the shell."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit: 0, or the code that docs/commands.md gives each kind of failure."""
    alone = arguments is None
    if alone:
        _write_utf8()
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    # Threads that wait for work must not spin: beside any other busy process that makes an LSTM ten times slower.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    _hold_standard_files()
    try:
        _check_folder()
        code = root.main(arguments, prog_name="seqnlp", standalone_mode=False, obj=time.monotonic())
        if sys.stdout is not None:
            sys.stdout.flush()
    except (SystemExit, Exception, KeyboardInterrupt) as error:
        if "--debug" in arguments and not isinstance(error, SystemExit | click.exceptions.Exit):
            import traceback

            traceback.print_exc()
        code = explain(error)
    _exit(code if isinstance(code, int) else 0, alone=alone)


def _write_utf8() -> None:
    """Write UTF-8 whatever the locale says; in one that knows ASCII only the command begins again, to read it too.

    Both are buffered, even under PYTHONUNBUFFERED: what has no buffer may write a part and go on as if it were all.
    """
    if codecs.lookup(sys.getfilesystemencoding()).name == "ascii":
        os.execv(sys.executable, [sys.executable, "-X", "utf8", *sys.orig_argv[1:]])
    how: Any = dict(encoding="utf-8", errors="backslashreplace", closefd=False)
    sys.stdout = sys.stdout and open(1, "w", **how)  # noqa: SIM115 (they live as long as the process)
    sys.stderr = sys.stderr and open(2, "w", buffering=1, **how)  # noqa: SIM115


def _check_folder() -> None:
    """Raise `UsageError` where the current folder is gone: libraries would end the process as they are loaded."""
    try:
        os.getcwd()
    except OSError:
        raise errors.UsageError("the current folder is gone", "cd to one that is there") from None


def _hold_standard_files() -> None:
    """Put something in the place of standard files that are closed (2>&-): no other file may get their numbers."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # gets the lowest number that is free
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w")  # noqa: SIM115 (it lives as long as the process)


def explain(error: BaseException) -> int:
    """Say in one line what went wrong, and return the exit code."""
    if isinstance(error, click.exceptions.Exit):
        return int(error.exit_code)
    if isinstance(error, SystemExit):
        return error.code if isinstance(error.code, int) else 1
    if isinstance(error, KeyboardInterrupt | click.Abort):
        return _say("interrupted", 130)
    if isinstance(error, errors.Followed):
        return error.code
    if isinstance(error, errors.SeqnlpError):
        return _say(str(error), error.code)
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        click.echo(error.format_message(), err=True)
        return 2
    if isinstance(error, click.UsageError):
        where = f" (see {error.ctx.command_path} --help)" if error.ctx else ""
        return _say(_lower(error.format_message()) + where, 2)
    if isinstance(error, click.ClickException):
        return _say(_lower(error.format_message()), 2)
    if memory.is_exhausted(error):
        return _say("out of memory; hint: a smaller --max-tokens, or a smaller model", 1)
    if isinstance(error, OSError):
        return explain(errors.of_system(error))
    kind = type(error).__name__
    return _say(
        f"internal error: {kind}: {str(error).splitlines()[0] if str(error) else ''}; hint: --debug shows where", 1
    )


def _lower(message: str) -> str:
    message = message.removesuffix(".")
    return message[:1].lower() + message[1:]


def _say(message: str, code: int) -> int:
    who = f"seqnlp: process {ranks.rank()}: " if ranks.rank() else "seqnlp: "
    terminal.LINE.say(f"{who}{message}")
    return code


def _close_stdout() -> None:
    """The reader has gone (as `| head` does): what is still buffered must not raise again when Python exits."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _exit(code: int, *, alone: bool) -> None:
    """End with a code; a process that is the command alone is left as it is: to take torch apart takes a second."""
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError:
        _close_stdout()
    if alone:
        atexit._run_exitfuncs()
        os._exit(code)
    sys.exit(code)
