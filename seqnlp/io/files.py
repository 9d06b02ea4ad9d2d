"""Text in: files, "-" for stdin, .gz and other encodings; only \\n ends a line."""

from __future__ import annotations

import codecs
import gzip
import hashlib
import io
import os
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, cast

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
        raise errors.UsageError(f"{path}: is not readable", "check its permissions") from None
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
