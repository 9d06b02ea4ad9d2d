"""A look at a file: its first lines, all of which are still to come, and what is asked of it."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from dataclasses import dataclass

from seqnlp import errors
from seqnlp.io import files
from seqnlp.preprocess.corpora import conll, delimiter, schema

LINES, SIZE = 1000, 1 << 20  # that are looked at: lines, characters


@dataclass(frozen=True)
class Look:
    """The first lines of a file, and what is asked of it."""

    path: str
    source: schema.Source
    roles: tuple[str, ...]
    needed: int
    head: list[str]
    complete: bool  # the head is all of it
    lines: Iterator[str]  # all of them
    answers: bool = False  # the last role may stand alone

    @property
    def name(self) -> str:
        """Return what a person calls the file."""
        return self.source.name(self.path)

    @property
    def training(self) -> bool:
        """Return whether targets are needed too."""
        return self.needed > 1

    @property
    def words(self) -> bool:
        """Return whether it is read as tokens."""
        return self.roles[:1] == conll.ROLES[:1]

    @property
    def numbers(self) -> bool:
        """Return whether it is read as values of series, of which the last may tell what the first means."""
        return self.roles[:1] == ("value",)

    @property
    def asked(self) -> list[str]:
        """Return the names of fields that the options say."""
        given = (self.source.columns.get(role, "") for role in self.roles)
        return [part for name in given for part in name.split(",") if part]


def first_lines(
    path: str, source: schema.Source, roles: tuple[str, ...], needed: int, *, answers: bool = False
) -> Look:
    """Return the first lines of a file, all of which is still to come; of stdin to predict only one is waited for."""
    lines = source.lines(path)
    head: list[str] = []
    size = 0
    most = LINES if needed > 1 or roles[:1] == ("value",) or os.path.isfile(path) else 1
    later: Iterator[str] = lines
    complete = False
    try:
        while len(head) < most and size < SIZE:
            head.append(next(lines))
            size += len(head[-1])
            if most == 1 and delimiter.said(head):
                most = 2  # the first row is the one behind it
    except StopIteration:
        complete = True
    except files.OtherKindError:
        raise
    except errors.SeqnlpError as error:
        if needed > 1:
            raise
        later = _raising(error)
    return Look(path, source, roles, needed, head, complete, itertools.chain(head, later), answers)


def _raising(error: errors.SeqnlpError) -> Iterator[str]:
    yield from ()
    raise error
