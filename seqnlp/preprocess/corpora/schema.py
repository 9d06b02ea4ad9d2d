"""Schema: what to read, and which of its columns is what."""

from __future__ import annotations

import atexit
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from seqnlp import errors
from seqnlp.io import files
from seqnlp.preprocess.corpora import delimiter, tables


@dataclass(frozen=True)
class Schema:
    """What a corpus looks like: format, delimiter, header, and which of its fields or columns plays which role.

    `fields` are names, or numbers from 1 where there are no names; `width` is the number of columns, and `places`
    where in a row each role's columns stand, from 0.
    """

    format: str
    delimiter: str | None = None
    header: tuple[str, ...] | None = None
    fields: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    width: int | None = None
    places: Mapping[str, tuple[int, ...]] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Return what `from_dict` reads, as JSON has it."""
        fields = {role: list(names) for role, names in self.fields.items()}
        header = None if self.header is None else list(self.header)
        return {"format": self.format, "delimiter": self.delimiter, "header": header, "fields": fields} | {
            "width": self.width
        }

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Schema:
        """Return the schema in what `to_dict` gave; raises `ValueError` or `TypeError` where it is none."""
        header, fields = content.get("header"), dict(content.get("fields") or {})
        found = cls(
            str(content["format"]),
            content.get("delimiter"),
            None if header is None else tuple(map(str, header)),
            {str(role): tuple(map(str, names)) for role, names in fields.items()},
            content.get("width"),
        )
        if not isinstance(found.width, int | None) or not isinstance(found.delimiter, str | None):
            raise TypeError("not a schema")
        return found

    def __str__(self) -> str:
        """Return it as the log says it: `csv, ';', header id text label; text = text, label = label`."""
        parts = [self.format]
        if self.format == "csv" and self.delimiter:
            parts.append(delimiter.shown(self.delimiter))
        if self.format in TABLES or self.header is not None:
            parts.append("no header" if self.header is None else " ".join(["header", *self.header]))
        elif self.width:
            parts.append(f"{self.width} column{'' if self.width == 1 else 's'}")
        roles = ", ".join(f"{role} = {' + '.join(names)}" for role, names in self.fields.items())
        return ", ".join(parts) + (f"; {roles}" if roles else "")


TABLES = ("tsv", "csv")  # formats of rows and cells


@dataclass(frozen=True)
class Source:
    """What to read, and how: paths ("-" is stdin), and what the endings of the names do not say.

    `columns` maps a role of the task (text, label) to the field of the corpus that plays it; several fields, joined
    by commas, are put one after the other with a blank between. A number, from 1, stands for a column of a table.
    """

    paths: tuple[str, ...]
    format: str | None = None
    encoding: str = "utf-8"
    header: bool | None = None  # whether tables have one; None: as it looks
    columns: Mapping[str, str] = field(default_factory=dict)
    layout: Mapping[str, str] = field(default_factory=dict)  # of files in columns: tokens, tags, column
    names: Mapping[str, str] = field(default_factory=dict)  # how errors call a path, where not by itself
    references: tuple[str, ...] = ()  # files of further targets, a line for each record
    digests: dict[str, files.Digest] | None = field(default=None, compare=False)  # fed, by path, by whoever reads
    remembered: Schema | None = None  # what a model's corpus looked like, which counts where nothing is said
    schemas: dict[str, Schema] = field(default_factory=dict, compare=False)  # by path, noted by whoever reads

    def name(self, path: str) -> str:
        """Return how a person knows a path."""
        return self.names.get(path) or files.name(path)

    @property
    def schema(self) -> Schema | None:
        """Return what the first file was recognised as, once it was read."""
        return next(iter(self.schemas.values()), None)

    @property
    def expected(self) -> Schema | None:
        """Return what a file should look like where nothing is said: as a model remembers, or as the one before."""
        return self.remembered or self.schema

    @property
    def encoded(self) -> str | None:
        """Return the first folder, where all are such as `encode` or `pack` made; they stand by themselves."""
        found = [path for path in self.paths if os.path.isfile(os.path.join(path, tables.ENCODED))]
        if found and len(self.paths) > len(found):
            raise errors.UsageError(f"{found[0]}: an encoded corpus cannot be read together with others that are not")
        return found[0] if found else None

    def check(self) -> None:
        """Raise `UsageError` unless every file is there and may be read."""
        if self.encoded:
            return
        for path in self.paths:
            if path != files.STDIN and not path.startswith(tables.HUB) and not (is_pipe(path) or tables.is_saved(path)):
                files.check_readable(path)

    @property
    def title(self) -> str:
        """Return the names of all files, for errors."""
        return ", ".join(map(self.name, self.paths))

    def digest(self, path: str) -> files.Digest | None:
        """Return what whoever reads a file is to feed with its bytes, None where nobody asked for its hash."""
        if self.digests is None:
            return None
        self.digests[path] = found = hashlib.sha256()
        return found

    def lines(self, path: str) -> Iterator[str]:
        """Yield the lines of a file."""
        return files.lines(path, self.encoding, self.digest(path))

    def hashes(self) -> dict[str, str]:
        """Return the SHA-256 of every file, by name; where `digests` are kept, of those that were read to their end."""
        return {self.name(path): self._hash(path) for path in self.paths}

    def _hash(self, path: str) -> str:
        if path.startswith(tables.HUB) or tables.is_saved(path):
            return tables.fingerprint(path)
        return self.digests[path].hexdigest() if self.digests is not None else files.sha256(path)


def copied(source: Source) -> Source:
    """Return the source with stdin and pipes copied to files, for who reads them more than once."""
    for path in source.paths:
        if path == files.STDIN or not (os.path.isfile(path) or os.path.isdir(path) or path.startswith(tables.HUB)):
            source = _copy(source, path)
    return source


def is_pipe(path: str) -> bool:
    """Return whether a path can be opened once only: a named pipe, or what a shell makes of <(...)."""
    return os.path.exists(path) and not os.path.isfile(path) and not os.path.isdir(path)


def _copy(source: Source, pipe: str) -> Source:
    """Copy a pipe to a file without a name, of which nothing is left however the process ends."""
    with files.open_bytes(pipe) as stream:
        copy = tempfile.TemporaryFile(prefix="seqnlp-")  # noqa: SIM115 (it must outlive this function)
        atexit.register(copy.close)
        shutil.copyfileobj(stream, copy)
    copy.flush()
    name = f"/dev/fd/{copy.fileno()}"
    paths = tuple(name if path == pipe else path for path in source.paths)
    return replace(source, paths=paths, names={**source.names, name: files.name(pipe)})
