"""What a terminal of 60 and of 120 columns shows of a training, which docs/terminal.md says too."""

import os
import signal

import pytest
import terminal

pytestmark = pytest.mark.slow  # seven commands, each in a process of its own


@pytest.fixture(scope="module")
def shown(tmp_path_factory):
    """What the page shows, and the commands that showed it."""
    return terminal.blocks(tmp_path_factory.mktemp("terminal"), {**os.environ, "OMP_NUM_THREADS": "1"})


def test_the_page_shows_what_a_terminal_shows(shown):
    page = terminal.of_page(terminal.PAGE.read_text(encoding="utf-8"))
    for title, block in shown[0].items():
        assert terminal.masked(page[title]) == terminal.masked(block), title


def test_no_line_is_wider_than_the_terminal(shown):
    commands = shown[1]
    assert 60 < commands["wide"].widest <= 120
    assert max(commands["stopped"].widest, commands["resumed"].widest) <= 60


def test_ctrl_c_is_answered_with_what_comes_next_and_the_same_command_goes_on(shown):
    commands = shown[1]
    assert commands["stopped"].code == 128 + signal.SIGINT
    assert "the same command goes on" in commands["stopped"].screen.text.replace("\n ", "")
    assert commands["resumed"].code == commands["wide"].code == 0
    assert "resuming at step" in commands["resumed"].screen.text


def test_nothing_of_the_line_that_is_written_anew_is_left(shown):
    for command in shown[1].values():
        assert "left" not in command.screen.text and "[=" not in command.screen.text
