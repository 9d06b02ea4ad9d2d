"""Errors for people: what is wrong and where, what to do, and the exit code that the command ends with."""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Iterator

NO_NAME = (errno.ENAMETOOLONG, errno.ELOOP)  # there can be no file of that name


class SeqnlpError(Exception):
    """Something the user can fix: `message` says what and where, `hint` what to do."""

    code = 1

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}; hint: {self.hint}" if self.hint else self.message


class UsageError(SeqnlpError):
    """The command is wrong: an option, a combination of options, a file that is not there."""

    code = 2


class WrongType(UsageError, TypeError):
    """An argument of a function is of another type than it takes."""


class DataError(SeqnlpError):
    """The data is wrong: unreadable, malformed, empty, or with nothing to learn from."""

    code = 3


class ModelError(SeqnlpError):
    """The model folder is wrong: no model, another task's, another format, damaged."""

    code = 4


class BelowThreshold(SeqnlpError):
    """A score is under the value of --fail-under."""

    code = 5


class CheckFailed(SeqnlpError):
    """A corpus has findings of level error."""

    code = 5


class Followed(SeqnlpError):
    """The process that leads this one has ended the run, and says why itself."""

    def __init__(self, code: int) -> None:
        super().__init__("the run was ended by its first process")
        self.code = code


class Stopped(SeqnlpError):
    """A signal ended the work cleanly; the code is 128 + the signal's number."""

    def __init__(self, signum: int, message: str) -> None:
        super().__init__(message)
        self.code = 128 + signum


def of_system(error: OSError) -> SeqnlpError:
    """Return what the system says in a line: the path, and the reason."""
    kind = UsageError if error.errno in NO_NAME else SeqnlpError
    name = f"{error.filename}: " if error.filename else ""
    return kind(f"{name}{error.strerror or error}")


@contextlib.contextmanager
def told() -> Iterator[None]:
    """Turn what the system refuses into a `SeqnlpError`."""
    try:
        yield
    except OSError as error:
        raise of_system(error) from error
