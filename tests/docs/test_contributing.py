"""docs/contributing.md is true: its edits, made on a copy of the package, are all that a new part needs.

They keep to the style of the house too. (mypy takes too long for here.)
"""

import os
import re
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "contributing.md").read_text(encoding="utf-8")
SECTIONS = {
    title: text
    for title, text in re.findall(r"^## (.*?)\n(.*?)(?=^## |\Z)", PAGE, flags=re.MULTILINE | re.DOTALL)
    if "```" in text
}
COMMAND = "import os; os.fsync = lambda handle: None; from seqnlp import cli; cli.main()"  # nothing pulls the plug
MAX_FILES = 3  # of ours that an addition may touch, besides what is new
BLOCK = re.compile(r"^```(python|sh)\n(.*?)^```", flags=re.MULTILINE | re.DOTALL)
PLACE = re.compile(r"# (seqnlp/\S+\.py)(?:, (in|above) (.+))?\n")


class Edit(NamedTuple):
    """A block of a section: where it goes, and what goes there."""

    path: str
    how: str | None  # in a table, above a line; None: a new file
    anchor: str | None
    content: str


def edits(section):
    found = [(PLACE.match(code), code) for language, code in BLOCK.findall(section) if language == "python"]
    return [Edit(*place.groups(), code[place.end() :]) for place, code in found if place]


def carry_out(edit, folder):
    path = folder / edit.path
    if edit.how is None:
        assert not path.exists()
        path.parent.mkdir(exist_ok=True)
        path.write_text(edit.content, encoding="utf-8")
        return
    text = path.read_text(encoding="utf-8")
    change = {"in": put_in, "above": put_above}[edit.how]
    path.write_text(change(text, edit.anchor, edit.content), encoding="utf-8")


def put_in(text, name, row):
    """Put a row last into the table of a name."""
    table = re.search(rf"^{name}\b[^=\n]*= [({{[](?:.*[)}}\]]|\n(?: .*\n)*[)}}\]])", text, flags=re.MULTILINE)
    assert table, f"no table {name}"
    end = table.end() - 1
    row = row.rstrip("\n,")
    return text[:end] + (f"    {row},\n" if text[end - 1] == "\n" else f", {row}") + text[end:]


def put_above(text, begin, lines):
    """Put lines above the first one that begins so, and as far in."""
    line = re.search(rf"^( *){re.escape(begin)}", text, flags=re.MULTILINE)
    assert line, f"no line {begin}"
    between = "\n\n" if re.match("class |def |@", lines) else ""
    return text[: line.start()] + textwrap.indent(lines, line[1]) + between + text[line.start() :]


@pytest.fixture
def run(tmp_path):
    """Run a program, in a folder with data/, with the package of the folder `source`."""
    place, commands = tmp_path / "work", tmp_path / "bin"
    place.mkdir()
    commands.mkdir()
    (place / "data").symlink_to(ROOT / "data")
    (commands / "seqnlp").write_text(f"#!/bin/sh\nexec '{sys.executable}' -c '{COMMAND}' \"$@\"\n")
    (commands / "seqnlp").chmod(0o755)
    ours = {"PYTHONPATH": str(tmp_path / "source"), "PATH": f"{commands}{os.pathsep}{os.environ['PATH']}"}
    threads = {"OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE"}

    def program(*command):
        done = subprocess.run(
            command, cwd=place, env={**os.environ, **ours, **threads}, capture_output=True, text=True, timeout=200
        )
        assert done.returncode == 0, f"{command[-1]}\n{done.stdout}{done.stderr}"
        assert "Traceback" not in done.stderr
        return done.stdout

    return program


@pytest.mark.parametrize("title", SECTIONS)
def test_the_edits_of_a_section_are_all_that_it_takes(title, tmp_path, run):
    shutil.copytree(ROOT / "seqnlp", tmp_path / "source" / "seqnlp")
    found = edits(SECTIONS[title])
    assert found and len({edit.path for edit in found if edit.how}) <= MAX_FILES
    for edit in found:
        carry_out(edit, tmp_path / "source")
    for check in (["check"], ["format", "--check"]):
        command = [sys.executable, "-m", "ruff", *check, "--no-cache", "--config", str(ROOT / "pyproject.toml")]
        subprocess.run([*command, *{edit.path for edit in found}], cwd=tmp_path / "source", check=True)
    for language, code in BLOCK.findall(SECTIONS[title]):
        if language == "sh":
            run("bash", "-c", f"set -eu\n{code}")
        elif not PLACE.match(code):
            run(sys.executable, "-c", code)


def test_every_part_of_the_table_has_a_section():
    assert [title.lower() for title in SECTIONS] == re.findall(r"^\| \[(.*?)\]", PAGE, flags=re.MULTILINE)
