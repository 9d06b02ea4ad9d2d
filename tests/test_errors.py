"""Errors for people: their words and exit codes."""

import pytest

from seqnlp import errors


def test_an_error_says_what_is_wrong_and_what_to_do():
    assert str(errors.DataError("x.tsv:3: 1 column", "use tabs")) == "x.tsv:3: 1 column; hint: use tabs"


def test_an_error_without_a_hint_is_its_message():
    assert str(errors.SeqnlpError("the disk is full")) == "the disk is full"


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (errors.SeqnlpError, 1),
        (errors.UsageError, 2),
        (errors.DataError, 3),
        (errors.ModelError, 4),
        (errors.BelowThreshold, 5),
    ],
)
def test_each_kind_has_the_exit_code_of_the_contract(kind, code):
    assert kind("what").code == code


@pytest.mark.parametrize(("signum", "code"), [(2, 130), (15, 143)])
def test_a_signal_has_the_shell_s_exit_code(signum, code):
    assert errors.Stopped(signum, "stopped").code == code
