"""Text in: files, "-" for stdin, .gz and other encodings; only \\n ends a line."""

from __future__ import annotations

import codecs
import contextlib
import gzip
import hashlib
import io
import logging
import os
import re
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, Protocol, cast

from seqnlp import errors

log = logging.getLogger(__name__)

STDIN = "-"
BLOCK = 1 << 16
GZIP, PARQUET = b"\x1f\x8b\x08", b"PAR1\x15"
BINARY = {  # how files begin that hold no text: what they are, and what to do
    PARQUET: ("a parquet file", "--from parquet reads it"),
    b"PK\x03\x04": ("a zip archive, as spreadsheets are too", "unpack it, or save the sheet as csv"),
    b"\xd0\xcf\x11\xe0": ("a document of Office", "save it as csv"),
    b"%PDF-": ("a PDF document", "extract its text"),
    b"SQLite format 3\0": ("a database of SQLite", "export a table as csv"),
    b"ARROW1": ("an Arrow file", "save it as parquet or csv"),
    b"\x93NUMPY": ("an array of NumPy's", "save it as csv"),
    b"\xfd7zXZ\0": ("compressed by xz", "give it as <(xzcat FILE)"),
    b"\x28\xb5\x2f\xfd": ("compressed by zstd", "give it as <(zstdcat FILE)"),
    **{b"BZh%d1AY&SY" % size: ("compressed by bzip2", "give it as <(bzcat FILE)") for size in range(1, 10)},
}


class OtherKindError(errors.DataError):
    """A file is of another kind than one of text, known by how it begins: `mark`."""

    def __init__(self, path: str, mark: bytes) -> None:
        what, hint = BINARY[mark]
        super().__init__(f"{name(path)}: is {what}", hint)
        self.mark = mark


class Digest(Protocol):
    """A hash of `hashlib`."""

    def update(self, data: bytes, /) -> None:
        """Take more bytes in."""

    def hexdigest(self) -> str:
        """Return the hash of all bytes so far, in hexadecimal."""


def open_bytes(path: str, digest: Digest | None = None) -> BinaryIO:
    """Return the bytes of a file, of stdin for "-", or of what a file holds that is gzip by its name or first bytes.

    digest: is fed the bytes of the file itself as they are read. Raises `UsageError` where there is no such file.
    """
    file = open_raw(path)
    if digest is not None:
        file = cast(BinaryIO, io.BufferedReader(_Hashing(file, digest), BLOCK))
    return cast(BinaryIO, _Unzipped(file)) if is_gzip(path) or _begin(file).startswith(GZIP) else file


def _begin(file: BinaryIO) -> bytes:
    """Return the first bytes of an open file, as far as they have come, which are still to be read."""
    peek = getattr(file, "peek", None)
    try:
        return b"" if peek is None else bytes(peek(BLOCK))
    except (OSError, EOFError, zlib.error):
        return b""  # is reported when it is read


def is_parquet(path: str) -> bool:
    """Return whether a file, which can be opened again, begins as parquet does."""
    if not os.path.isfile(path) or not os.access(path, os.R_OK):
        return False
    with open(path, "rb") as file:
        return file.read(len(PARQUET)) == PARQUET


def is_gzip(path: str | Path) -> bool:
    """Return whether a file of that name is read and written as gzip."""
    return str(path).lower().endswith(".gz")


def open_raw(path: str) -> BinaryIO:
    """Return the bytes of a file as it is, or of stdin for "-"; raises `UsageError` where there is no such file."""
    if path == STDIN:
        if sys.stdin is None:
            raise errors.UsageError("stdin is closed")
        # Not sys.stdin: a thread may still be waiting in it when Python exits, which would abort.
        return open(0, "rb", closefd=False)
    try:
        return open(path, "rb")
    except tuple(_REFUSALS) as error:
        raise _refusal(path, type(error)) from None


def check_open(path: str | Path) -> None:
    """Raise `UsageError` where a path lies in a folder that may not be looked into."""
    try:
        os.stat(path)
    except PermissionError:
        raise _refusal(str(path), PermissionError) from None
    except (OSError, ValueError):  # another matter
        return


def check_readable(path: str) -> None:
    """Raise `UsageError` unless there is a file that may be read; it is not opened."""
    check_open(path)
    if not os.path.exists(path):
        raise _refusal(path, FileNotFoundError)
    if os.path.isdir(path):
        raise _refusal(path, IsADirectoryError)
    if not os.access(path, os.R_OK):
        raise _refusal(path, PermissionError)


def count_lines(path: str) -> int | None:
    """Return how many lines a file has, about; None where reading it would be more than that, as of stdin and .gz."""
    path = "/dev/stdin" if path == STDIN else path
    if is_gzip(path) or not os.path.isfile(path):
        return None
    with open(path, "rb") as file:
        return sum(block.count(b"\n") for block in iter(lambda: file.read(BLOCK), b""))


_REFUSALS: dict[type[OSError], tuple[str, str | None]] = {
    FileNotFoundError: ("no such file", "check the name and the folder you are in"),
    NotADirectoryError: ("no such file", "check the name and the folder you are in"),
    IsADirectoryError: ("is a folder, expected a file", None),
    PermissionError: ("is not readable", "check its permissions"),
}


def _refusal(path: str, kind: type[OSError]) -> errors.UsageError:
    what, hint = _REFUSALS[kind]
    return errors.UsageError(f"{path}: {what}", hint)


class _Hashing(io.RawIOBase):
    """A file that feeds a digest with what is read of it."""

    def __init__(self, file: BinaryIO, digest: Digest) -> None:
        self._file, self._digest = file, digest

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        block = self._file.read1(len(buffer))  # type: ignore[attr-defined]
        self._digest.update(block)
        buffer[: len(block)] = block
        return len(block)

    def close(self) -> None:
        self._file.close()
        super().close()


class _Unzipped(gzip.GzipFile):
    """What a .gz file holds; closing it closes the file."""

    def __init__(self, file: BinaryIO) -> None:
        super().__init__(fileobj=file, mode="rb")
        self._file = file

    def close(self) -> None:
        super().close()
        self._file.close()


def lines(path: str, encoding: str = "utf-8", digest: Digest | None = None) -> Iterator[str]:
    """Yield the lines of a file without their ends; only \\n ends a line, CRLF and a byte order mark are stripped.

    digest: is fed the bytes of the file. Raises `DataError` where it is another kind of file than one of text, and with
    the line's number where the bytes are not text in that encoding.
    """
    with open_bytes(path, digest) as stream:
        yield from decode(stream, path, encoding)


def decode(stream: BinaryIO, path: str, encoding: str = "utf-8") -> Iterator[str]:
    """Yield the lines of an open stream of bytes as `lines` does; `path` is its name in errors.

    UTF-16 and UTF-32 are known by their byte order mark, where the encoding is the default.
    """
    number = 0
    try:
        encoding = _marked(begin := _begin(stream), encoding)
        _check_text(begin, path, encoding)
        doubtful = encoding.lower() in LATIN_1
        for number, raw in enumerate(_raw_lines(stream, encoding), 1):
            text = raw.decode(encoding) if isinstance(raw, bytes) else raw
            if number == 1:
                text = text.removeprefix("\ufeff")
            if doubtful and CONTROLS.search(text):
                log.warning("%s:%d: control characters, as in text of cp1252: --encoding cp1252?", name(path), number)
                doubtful = False
            yield text.removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError as error:
        raise errors.DataError(
            f"{name(path)}:{max(number, 1)}: not {encoding} (byte {error.start + 1} of the line: {error.reason})",
            "name its encoding with --encoding (cp1252, if it comes from Windows), or convert it",
        ) from None
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise errors.DataError(f"{name(path)}:{number + 1}: damaged gzip file ({error})") from None


def _raw_lines(stream: BinaryIO, encoding: str) -> Iterator[bytes | str]:
    """Lines as bytes, so that an error has a line; UTF-16 and UTF-32, where \\n is not one byte, as text."""
    try:
        "a".encode(encoding)  # raises for base64 and the like too, which are codecs of bytes
    except LookupError:
        raise errors.UsageError(f"no such encoding: {encoding}", "for example utf-8, latin-1, gb18030") from None
    return _wide_lines(stream, encoding) if _is_wide(encoding) else iter(stream)


def _is_wide(encoding: str) -> bool:
    return codecs.lookup(encoding).name.startswith(("utf-16", "utf-32"))


def _wide_lines(stream: BinaryIO, encoding: str) -> Iterator[str]:
    decoder = codecs.getincrementaldecoder(encoding)()
    rest = ""
    while block := stream.read1(BLOCK):  # type: ignore[attr-defined]
        *lines, rest = (rest + decoder.decode(block)).split("\n")
        yield from (line + "\n" for line in lines)
    if rest := rest + decoder.decode(b"", final=True):
        yield rest


def _marked(begin: bytes, encoding: str) -> str:
    """Return the encoding that a byte order mark at the beginning says, where the one that is named is the default."""
    if encoding != "utf-8":
        return encoding
    return next((wide for mark, wide in _MARKS if begin.startswith(mark)), encoding)


def _check_text(begin: bytes, path: str, encoding: str) -> None:
    """Raise `DataError` where a file begins as one of another kind, or where zeros are a tenth of it."""
    for mark in BINARY:
        if begin.startswith(mark):
            raise OtherKindError(path, mark)
    if len(begin) >= MIN_BINARY and begin.count(0) * 10 >= len(begin) and encoding == "utf-8":
        hint = "--encoding utf-16-le or utf-16-be, if it is text"
        raise errors.DataError(f"{name(path)}: is binary, or UTF-16 without its mark", hint)


LATIN_1 = {"latin-1", "latin1", "iso-8859-1", "iso8859-1", "l1"}
CONTROLS = re.compile("[\x80-\x9f]")  # that no text of these has, but cp1252 has letters there
MIN_BINARY = 32  # bytes that tell
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),  # begins as that of UTF-16 does
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def name(path: str) -> str:
    """Return the name that a person knows the file by."""
    return "stdin" if path == STDIN else os.fsencode(path).decode("utf-8", "replace")


@contextlib.contextmanager
def in_utf8(path: str | Path) -> Iterator[str]:
    """Give a name of a file to a library that takes none but in UTF-8: another one, where its own is not."""
    try:
        os.fspath(path).encode()
    except UnicodeEncodeError:
        with open(path, "rb") as file:
            yield f"/dev/fd/{file.fileno()}"
    else:
        yield str(path)


def sha256(path: str | Path) -> str:
    """Return the SHA-256 of a file's bytes, in hexadecimal."""
    with open(path, "rb") as file:
        return sha256_of(file)


def sha256_of(file: BinaryIO) -> str:
    """Return the SHA-256 of what is left of an open file, in hexadecimal."""
    found = hashlib.sha256()
    while block := file.read(BLOCK):
        found.update(block)
    return found.hexdigest()
