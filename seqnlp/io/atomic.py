"""Atomic writing: files and folders that are there whole or not at all."""

from __future__ import annotations

import contextlib
import gzip
import io
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, BinaryIO

from seqnlp import errors
from seqnlp.io import files

NAME_MAX = 240  # bytes of a name to which a dot and nine characters may still be added


@contextlib.contextmanager
def atomic(path: str | Path, mode: str = "w") -> Iterator[IO[Any]]:
    """Give a file to write to that takes the name `path` only when all of it is on the disk; one named .gz as gzip.

    mode: "w" for text, as UTF-8 with line feeds, or "wb".
    """
    number = _descriptor(path)
    named, path = path, Path(os.path.realpath(path))  # through a link, to what it names
    if number is not None or (path.exists() and not path.is_file()):  # /dev/null, a pipe: nothing to replace
        with (
            open(path if number is None else os.dup(number), "wb") as file,
            _content(file, mode, files.is_gzip(named)) as content,
        ):
            yield content
        return
    # Named before it is made: a signal may come between any two steps, and what it leaves must be removed.
    kept = os.fsdecode(os.fsencode(path.name)[:NAME_MAX])
    temporary = path.with_name(f".{kept}.{os.urandom(4).hex()}")
    try:
        with open(temporary, "xb") as file:
            with _content(file, mode, files.is_gzip(named)) as content:
                yield content
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException as error:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        if isinstance(error, OSError) and error.filename in (None, str(temporary)):  # a full disk
            error.filename = str(path)
        raise
    sync_folder(path.parent)


def _descriptor(path: str | Path) -> int | None:
    """Return the number of the open file that a name stands for: what is behind it, the shell has said how to open."""
    found = re.fullmatch(r"/dev/(?:(stdout)|(stderr)|fd/(\d+))|/proc/self/fd/(\d+)", os.path.normpath(path))
    if found is None:
        return None
    return 1 if found[1] else 2 if found[2] else int(found[3] or found[4])


@contextlib.contextmanager
def _content(file: BinaryIO, mode: str, zipped: bool) -> Iterator[IO[Any]]:
    """Give what is written to: the file itself, text in it, or in a gzip file, which holds neither name nor time."""
    with contextlib.ExitStack() as stack:
        inner: Any = file
        if zipped:
            inner = stack.enter_context(_Gzip(filename="", mode="wb", fileobj=file, mtime=0))
        if "b" not in mode:
            inner = io.TextIOWrapper(inner, encoding="utf-8", newline="\n")
            stack.callback(inner.detach)  # which flushes it; who opened the file closes it
        yield inner


class _Gzip(gzip.GzipFile):
    """A gzip file whose bytes do not depend on when it was flushed: nobody looks before it is whole."""

    def flush(self, zlib_mode: int = 0) -> None:
        """Do nothing."""


@contextlib.contextmanager
def atomic_folder(path: str | Path, *, replace: bool = False) -> Iterator[Path]:
    """Give a folder to write to that takes the name `path` only when all is there; with `replace` for what is now."""
    path = Path(os.path.realpath(path))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}."))
    except OSError as error:
        raise errors.UsageError(f"{path}: cannot be created ({error.strerror})") from None
    before = temporary / "before"
    try:
        (temporary / "new").mkdir()
        yield temporary / "new"
        sync_folder(temporary / "new")
        if replace and path.exists():
            os.rename(path, before)
        try:
            os.rename(temporary / "new", path)
        except OSError as error:  # there is one now, made by another process
            raise errors.UsageError(f"{path}: cannot be created ({error.strerror})") from None
    except BaseException as error:
        if before.exists():
            os.rename(before, path)
        if isinstance(error, OSError) and error.filename is None:  # a full disk
            error.filename = str(path)
        raise
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    sync_folder(path.parent)


def check_writable(path: str | Path) -> None:
    """Raise `UsageError` if a file of that name cannot be written: better before the work than after it."""
    number, path = _descriptor(path), Path(path)
    if number is not None and not path.exists():
        raise errors.UsageError(f"{path}: is not open")
    if path.is_dir():
        raise errors.UsageError(f"{path}: is a folder, expected a file")
    if not path.parent.is_dir():
        raise errors.UsageError(f"{path}: cannot be written, there is no folder {path.parent}")
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        raise errors.UsageError(f"{path}: is not writable", "check the permissions")


def sync_folder(folder: str | Path) -> None:
    """Put a folder's entries on the disk: a rename is safe only after it."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
