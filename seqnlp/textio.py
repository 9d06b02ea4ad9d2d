"""Text in and out: files, "-" and .gz; lines that only \\n ends; files that are written whole or not at all."""

from __future__ import annotations

import codecs
import contextlib
import gzip
import hashlib
import io
import json
import os
import re
import shutil
import tempfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, BinaryIO, cast

from seqnlp import errors

STDIN = "-"


def open_bytes(path: str) -> BinaryIO:
    """Return the bytes of a file, of stdin for "-", or of what a .gz file holds.

    Raises `UsageError` where there is no such file.
    """
    if path == STDIN:
        try:
            # Not sys.stdin: a thread may still be waiting in it when Python exits, which would abort.
            return open(0, "rb", closefd=False)
        except OSError:
            raise errors.UsageError("stdin is closed") from None
    try:
        opened = gzip.open(path, "rb") if path.endswith(".gz") else open(path, "rb")  # noqa: SIM115 (who reads closes)
    except FileNotFoundError:
        raise errors.UsageError(f"{path}: no such file", "check the name and the folder you are in") from None
    except IsADirectoryError:
        raise errors.UsageError(f"{path}: is a folder, expected a file") from None
    except PermissionError:
        raise errors.UsageError(f"{path}: may not be read", "check its permissions") from None
    return cast(BinaryIO, opened)


def lines(path: str, encoding: str = "utf-8") -> Iterator[str]:
    """Yield the lines of a file without their ends; only \\n ends a line, CRLF and a byte order mark are stripped.

    Raises `DataError` with the line's number where the bytes are not text in that encoding.
    """
    with open_bytes(path) as stream:
        yield from decode(stream, path, encoding)


def decode(stream: BinaryIO, path: str, encoding: str = "utf-8") -> Iterator[str]:
    """Yield the lines of an open stream of bytes as `lines` does; `path` is its name in errors."""
    number = 0
    try:
        for number, raw in enumerate(_raw_lines(stream, encoding), 1):
            text = raw.decode(encoding) if isinstance(raw, bytes) else raw
            if number == 1:
                text = text.removeprefix("\ufeff")
            yield text.removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError as error:
        raise errors.DataError(
            f"{name(path)}:{max(number, 1)}: not {encoding} (byte {error.start + 1} of the line: {error.reason})",
            "convert the file, or name its encoding with --encoding",
        ) from None
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise errors.DataError(f"{name(path)}:{number + 1}: damaged gzip file ({error})") from None


def _raw_lines(stream: BinaryIO, encoding: str) -> Iterator[bytes | str]:
    """Lines as bytes, so that an error has a line; UTF-16 and UTF-32, where \\n is not one byte, as text."""
    try:
        "a".encode(encoding)  # raises for base64 and the like too, which are codecs of bytes
        wide = codecs.lookup(encoding).name.startswith(("utf-16", "utf-32"))
    except LookupError:
        raise errors.UsageError(f"no such encoding: {encoding}", "for example utf-8, latin-1, gb18030") from None
    return _wide_lines(stream, encoding) if wide else iter(stream)


def _wide_lines(stream: BinaryIO, encoding: str) -> Iterator[str]:
    text = io.TextIOWrapper(stream, encoding, newline="\n")
    try:
        yield from text
    finally:
        text.detach()  # who opened the stream closes it


def name(path: str) -> str:
    """Return the name that a person knows the file by."""
    return "stdin" if path == STDIN else os.fsencode(path).decode("utf-8", "replace")


def sha256(path: str | Path) -> str:
    """Return the SHA-256 of a file's bytes, in hexadecimal."""
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


@contextlib.contextmanager
def atomic(path: str | Path, mode: str = "w") -> Iterator[IO[Any]]:
    """Give a file to write to that takes the name `path` only when all of it is on the disk."""
    path = Path(os.path.realpath(path))  # through a link, to what it names
    text = {} if "b" in mode else {"encoding": "utf-8", "newline": "\n"}
    if path.exists() and not path.is_file():  # /dev/null, a pipe: nothing to replace
        with open(path, mode, **text) as file:  # type: ignore[call-overload]
            yield file
        return
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, mode, **text) as file:  # type: ignore[call-overload]
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o666 & ~_umask())
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)
        raise
    sync_folder(path.parent)


@contextlib.contextmanager
def atomic_folder(path: str | Path, *, replace: bool = False) -> Iterator[Path]:
    """Give a folder to write to that takes the name `path` only when all is there; with `replace` for what is now."""
    path = Path(os.path.realpath(path))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}."))
    except OSError as error:
        raise errors.UsageError(f"{path}: cannot be made ({error.strerror})") from None
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
            raise errors.UsageError(f"{path}: cannot be made ({error.strerror})") from None
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
    path = Path(path)
    if path.is_dir():
        raise errors.UsageError(f"{path}: is a folder, expected a file")
    if not path.parent.is_dir():
        raise errors.UsageError(f"{path}: cannot be written, there is no folder {path.parent}")
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        raise errors.UsageError(f"{path}: may not be written", "check the permissions")


def _umask() -> int:
    current = os.umask(0)
    os.umask(current)
    return current


def sync_folder(folder: str | Path) -> None:
    """Put a folder's entries on the disk: a rename is safe only after it."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def to_json(value: Any) -> str:
    """Return a value as one line of JSON, in readable characters wherever UTF-8 has them."""
    text = json.dumps(value, ensure_ascii=False, default=str)  # tables hold dates and the like
    return text if _SURROGATE.search(text) is None else json.dumps(value, default=str)


def without_surrogates(text: str) -> str:
    """Return the text with U+FFFD for each half of a pair that JSON may hold and UTF-8 cannot."""
    return text if text.isascii() else _SURROGATE.sub("\ufffd", text)


_SURROGATE = re.compile("[\ud800-\udfff]")


def write_json(path: str | Path, value: Any) -> None:
    """Write a value as readable JSON, whole or not at all."""
    with atomic(path) as file:
        json.dump(value, file, ensure_ascii=False, indent=2)
        file.write("\n")


def read_json(path: str | Path) -> Any:
    """Return what a JSON file holds."""
    with open(path, encoding="utf-8") as file:
        return json.load(file)
