"""completion: the lines that make a shell complete commands, options and files."""

from __future__ import annotations

import click
from click import shell_completion

from seqnlp.cli import flags

SHELLS = ("bash", "zsh", "fish")


def run(shell: str) -> None:
    """Print what the shell is to read."""
    kind = shell_completion.get_completion_class(shell)
    assert kind is not None
    root = click.get_current_context().find_root().command
    click.echo(kind(root, {}, "seqnlp", "_SEQNLP_COMPLETE").source(), nl=False)


command = flags.Command(
    "completion",
    params=[flags.Argument("shell", "bash, zsh or fish.", "SHELL", type=click.Choice(SHELLS))],
    callback=run,
    help="Print what makes a shell complete commands, options and files; its start-up file is where it belongs.",
    epilog='\b\nExample:\n  eval "$(seqnlp completion bash)"                # in ~/.bashrc\n'
    '  eval "$(seqnlp completion zsh)"                 # in ~/.zshrc\n'
    "  seqnlp completion fish > ~/.config/fish/completions/seqnlp.fish",
)
