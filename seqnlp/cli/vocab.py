"""vocab: the words or characters of texts, as a tokenizer file."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import click

from seqnlp import errors
from seqnlp.cli import flags, kinds, show
from seqnlp.preprocess.corpora import conll, detect, readers, schema
from seqnlp.preprocess.text import normalize

ROLES = ("text",)  # that are read
COLUMNS = (*ROLES, "label")  # of a corpus that has no names for them


def texts(source: schema.Source) -> Iterator[str]:
    """Yield the texts of a source: lines, or the text field of a corpus. Raises `DataError` if all are blank."""
    empty = True
    kinds = {detect.by_name(path, source) for path in source.paths}
    columns = conll.ROLES if kinds <= {"conll", "conllu"} else COLUMNS
    for record in readers.records(source, columns, targets=False):
        value = record.values[columns[0]]
        text = " ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
        empty = empty and not text.strip()
        yield text
    if empty:
        raise errors.DataError(f"{source.title}: no text", "is this the right file?")


def run(text: tuple[str, ...], output: str | None, level: str, counts: bool, **values: Any) -> None:
    """Build a vocabulary, or print its counts."""
    from seqnlp.preprocess.text import tokenizer

    show.set_up(values)
    if (output is None) != counts:
        raise errors.UsageError("either -o FILE for the vocabulary, or --counts to print the counts")
    show.check_output(output, text)
    source, normalization = flags.source(text, ROLES, values), values["normalize"]
    empty = tokenizer.vocabulary({}, level=level, normalization=normalization)
    counted = tokenizer.count(texts(source), empty)
    limits = {name: values[name] for name in ("size", "min_count")}
    found = tokenizer.from_counts(counted, level=level, normalization=normalization, **limits)
    if output is not None:
        with show.ended_by_sigterm():
            found.save(output)
        return
    words = sorted(found.vocabulary, key=lambda word: found.vocabulary[word])[len(tokenizer.SPECIALS) :]
    lines = (f"{word}\t{counted[word]}\n" for word in words)
    sys.stdout.buffer.write("".join(lines).encode())


TEXT = flags.Argument(
    "text", "Plain lines, or corpora with a text field; - is stdin.", "TEXT...", nargs=-1, required=True
)
NORMALIZE = flags.Option(
    ["--normalize"],
    metavar="STEPS",
    default="nfc",
    show_default=True,
    help=f"Normalisation steps, separated by commas: {', '.join(normalize.STEPS)}; or none.",
)

command = flags.Command(
    "vocab",
    params=[
        TEXT,
        flags.Option(["-o", "--output"], metavar="FILE", help="Where to write the vocabulary (tokenizer.json format)."),
        flags.Option(
            ["--level"],
            type=click.Choice(("word", "char")),
            default="word",
            show_default=True,
            help="What an entry is: a word, or a character.",
        ),
        flags.Option(["--size"], type=kinds.Count(5), metavar="N", help="Maximum entries, special ones included."),
        flags.Option(
            ["--min-count"],
            type=kinds.Count(1),
            metavar="N",
            default=1,
            show_default=True,
            help="Minimum count of an entry.",
        ),
        flags.Option(["--counts"], is_flag=True, help="Print token<TAB>count instead."),
        NORMALIZE,
        *flags.reading(ROLES),
        *flags.saying(),
        flags.HELP_ALL,
    ],
    callback=run,
    help="Build a word or character vocabulary from TEXT: plain lines, or corpora with a text field.",
    epilog="\b\nExample:\n  seqnlp vocab train.txt -o vocab.json\n  seqnlp vocab train.txt --counts | head",
)
