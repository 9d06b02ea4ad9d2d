"""Schema: what to read, and which of its columns is what."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from seqnlp import errors
from seqnlp.io import files
from seqnlp.preprocess.corpora import tables

ENCODED = "encoded.json"  # is in every folder that `encode` and `pack` make


@dataclass(frozen=True)
class Source:
    """What to read, and how: paths ("-" is stdin), and what the endings of the names do not say.

    `columns` maps a role of the task (text, label) to the field of the corpus that plays it; several fields, joined
    by commas, are put one after the other with a blank between.
    """

    paths: tuple[str, ...]
    format: str | None = None
    encoding: str = "utf-8"
    header: bool = False
    columns: Mapping[str, str] = field(default_factory=dict)
    layout: Mapping[str, str] = field(default_factory=dict)  # of files in columns: tokens, tags, column
    names: Mapping[str, str] = field(default_factory=dict)  # how errors call a path, where not by itself
    references: tuple[str, ...] = ()  # files of further targets, a line for each record
    digests: dict[str, files.Digest] | None = field(default=None, compare=False)  # fed, by path, by whoever reads

    def name(self, path: str) -> str:
        """Return how a person knows a path."""
        return self.names.get(path) or files.name(path)

    @property
    def encoded(self) -> str | None:
        """Return the folder, where it is one that `encode` or `pack` made; such a one stands alone."""
        found = [path for path in self.paths if os.path.isfile(os.path.join(path, ENCODED))]
        if found and len(self.paths) > 1:
            raise errors.UsageError(f"{found[0]}: an encoded corpus cannot be read together with others")
        return found[0] if found else None

    def check(self) -> None:
        """Raise `UsageError` unless every file is there and may be read."""
        if self.encoded:
            return
        for path in self.paths:
            if path != files.STDIN and not path.startswith(tables.HUB) and not _is_pipe(path):
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
        if path.startswith(tables.HUB):
            return tables.fingerprint(path)
        return self.digests[path].hexdigest() if self.digests is not None else files.sha256(path)


def copied(source: Source) -> Source:
    """Return the source with stdin and pipes copied to files, for who reads them more than once."""
    for path in source.paths:
        if path == files.STDIN or not (os.path.isfile(path) or os.path.isdir(path) or path.startswith(tables.HUB)):
            source = _copy(source, path)
    return source


def _is_pipe(path: str) -> bool:
    """Return whether a path can be opened once only: a named pipe, or what a shell makes of <(...)."""
    return os.path.exists(path) and not os.path.isfile(path) and not os.path.isdir(path)


def _copy(source: Source, pipe: str) -> Source:
    copy = tempfile.NamedTemporaryFile(prefix="seqnlp-stdin-")  # noqa: SIM115 (it must outlive this function)
    with files.open_bytes(pipe) as stream:
        shutil.copyfileobj(stream, copy)
    copy.flush()
    paths = tuple(copy.name if path == pipe else path for path in source.paths)
    _COPIES.append(copy)
    return replace(source, paths=paths, names={**source.names, copy.name: files.name(pipe)})


_COPIES: list[Any] = []  # temporary files live as long as the process
