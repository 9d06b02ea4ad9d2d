"""bpe: learn subword pieces, and two filters, from text to pieces and back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import click

from seqnlp.cli import flags, groups, kinds, show, vocab
from seqnlp.io import files, stream
from seqnlp.preprocess.corpora import schema


def train(text: tuple[str, ...], output: str, kind: str, size: int, **values: Any) -> None:
    """Learn pieces and write them."""
    from seqnlp.preprocess.text import subword

    show.set_up(values)
    show.check_output(output, text)
    source = flags.source(text, vocab.ROLES, values)
    learnt = subword.train(vocab.texts(source), kind=kind, size=size, normalization=values["normalize"])
    with show.ended_by_sigterm():
        learnt.save(output)


def encode(pieces: str, file: str, dropout: float, **values: Any) -> None:
    """Print the pieces of each line."""
    from seqnlp.preprocess.text import tokenizer

    model = tokenizer.Tokenizer.load(pieces)
    if dropout:
        model.set_dropout(dropout)
    _filter(pieces, file, values, lambda lines: [" ".join(found) for found in model.pieces(lines)])


def decode(pieces: str, file: str, **values: Any) -> None:
    """Print the text of each line of pieces."""
    from seqnlp.preprocess.text import tokenizer

    model = tokenizer.Tokenizer.load(pieces)
    _filter(pieces, file, values, lambda lines: [model.join(line.split(" ")) for line in lines])


def _filter(pieces: str, file: str, values: dict[str, Any], change: Callable[[Sequence[str]], list[str]]) -> None:
    """Write a line for each line, as they come."""
    show.set_up(values)
    schema.Source((file,)).check()
    show.check_output(values["output"], (pieces, file))
    with show.output(values["output"]) as out:
        for window in stream.windows(files.lines(file, values["encoding"])):
            out.write("".join(f"{line}\n" for line in change(window)).encode())
            out.flush()


def _filter_params() -> list[click.Parameter]:
    return [
        flags.Argument("pieces", "The file that bpe train has written.", "BPE_JSON"),
        flags.Argument("file", "A text, a line at a time; by default stdin.", required=False, default=files.STDIN),
        flags.Option(["-o", "--output"], metavar="FILE", help="Write to this file, not to stdout."),
        flags.ENCODING,
        *flags.saying(),
    ]


def _train() -> click.Command:
    return flags.Command(
        "train",
        params=[
            vocab.TEXT,
            flags.Option(["-o", "--output"], required=True, metavar="FILE", help="Where to write the pieces."),
            flags.Option(
                ["--size"],
                type=kinds.Count(300),
                metavar="N",
                default=8000,
                show_default=True,
                help="Entries of the vocabulary, special ones included.",
            ),
            flags.Option(
                ["--kind"],
                type=click.Choice(("bpe", "unigram", "wordpiece")),
                default="bpe",
                show_default=True,
                help="bpe and unigram work on bytes and lose nothing; wordpiece has an unknown piece and drops spaces.",
            ),
            vocab.NORMALIZE,
            *flags.reading(vocab.ROLES),
            *flags.saying(),
            flags.HELP_ALL,
        ],
        callback=train,
        help="Learn subword pieces from TEXT: plain lines, or corpora with a text field.",
        epilog="\b\nExample:\n  seqnlp bpe train train.en train.de -o bpe.json --size 8000",
    )


def _commands() -> dict[str, click.Command]:
    dropout = flags.Option(
        ["--dropout"],
        type=kinds.Number(0, 1, max_open=True),
        metavar="P",
        default=0.0,
        help="Skip each merge with this probability (BPE-dropout, Provilkov et al. 2020); drawn anew in every run.",
    )
    split = flags.Command(
        "encode",
        params=[*_filter_params(), dropout],
        callback=encode,
        help="Split each line of text into pieces, separated by spaces.",
        epilog="\b\nExample:\n  seqnlp bpe encode bpe.json < text.txt > pieces.txt",
    )
    join = flags.Command(
        "decode",
        params=_filter_params(),
        callback=decode,
        help="Join each line of pieces into the text that encode split.",
        epilog="\b\nExample:\n  seqnlp bpe encode bpe.json < text.txt | seqnlp bpe decode bpe.json",
    )
    return {"train": _train(), "encode": split, "decode": join}


COMMANDS = _commands()

command = groups.Group(
    "bpe",
    sections={"Commands": {"train": "learn pieces", "encode": "from text to pieces", "decode": "from pieces to text"}},
    load=COMMANDS.__getitem__,
    missing="bpe has no command",
    help="Subword pieces: learn them, split text into them and join it again.",
    epilog="\b\nExample:\n  seqnlp bpe train train.txt -o bpe.json\n  seqnlp bpe encode bpe.json < a.txt > pieces.txt",
)
