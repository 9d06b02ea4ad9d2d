"""A shell that knows ASCII only (LC_ALL=C) changes no byte: of results, of what is said, of files and their names."""

import re
import shlex
import sys

import pytest

ASCII = "env -u LANG -u LC_CTYPE -u PYTHONIOENCODING -u PYTHONUTF8 LC_ALL=C PYTHONCOERCECLOCALE=0"
ROWS = "ein schöner Film\tgut ☺\nun film très mauvais\t悪い\n" * 12
COMMANDS = {
    "train": "classify train Übung.tsv -o {0}/模型 --epochs 1 --hidden-size 3 --embedding-size 3 "
    "--char-ngram-buckets 9 --no-wide -q",
    "predict": "classify predict {0}/模型 --to jsonl prüfung.txt",
    "table": "classify predict {0}/模型 --to csv Übung.tsv -o {0}/out.csv",
    "score": "score accuracy Übung.tsv Übung.tsv",
    "check": "check Übung.tsv 漢字.tsv",
    "missing": "vocab {0}/fehlt-ß.txt --counts",
}
ONE_BY_ONE = """
import os, sys
from importlib import metadata
from seqnlp.workflows import train
(entry,) = metadata.entry_points(group="console_scripts", name="seqnlp")
command = entry.load()
for line in sys.argv[1:]:
    name, *arguments = line.split()
    if os.fork() == 0:
        for number, ending in ((1, "out"), (2, "err")):
            os.dup2(os.open(f"{name}.{ending}", os.O_WRONLY | os.O_CREAT), number)
        sys.argv = ["seqnlp", *arguments]
        command()
    with open(f"{name}.code", "w") as file:
        file.write(str(os.waitstatus_to_exitcode(os.wait()[1])))
"""  # a process that has torch in memory already, and each command in a fork of it


@pytest.fixture(scope="module")
def folder(seqnlp, tmp_path_factory):
    """A folder in which each command has run twice: `train.out` and so on are from where only ASCII is known."""
    folder = tmp_path_factory.mktemp("Ordner-é")
    for name, content in (("Übung.tsv", ROWS), ("漢字.tsv", ROWS), ("prüfung.txt", "schön\n\n悪い ☹\n")):
        (folder / name).write_text(content, encoding="utf-8")
    for place in "äö":
        (folder / place).mkdir()
    lines = [shlex.quote(f"{name} {command.format('ö')}") for name, command in COMMANDS.items()]
    done = seqnlp.shell(f"{ASCII} {sys.executable} -c {shlex.quote(ONE_BY_ONE)} {' '.join(lines)}", folder)
    assert done.code == 0, done
    return folder


@pytest.mark.parametrize("name", COMMANDS)
def test_what_a_command_says(seqnlp, folder, name):
    known = seqnlp.shell(f"seqnlp {COMMANDS[name].format('ä')}", folder, warm=True)
    out, err, code = ((folder / f"{name}.{ending}").read_text(encoding="utf-8") for ending in ("out", "err", "code"))
    assert known.code == int(code) == (2 if name == "missing" else 0), err
    assert untimed(out) == untimed(known.out.replace("ä/", "ö/"))
    assert err == known.err.replace("ä/", "ö/")
    assert ("fehlt-ß" in err) == (name == "missing")


def untimed(said):
    return re.sub(r'"seconds": [\d.]+', "", said)


def test_files_and_their_names(folder):
    one, other = (folder / place for place in "äö")
    names = sorted(path.relative_to(one) for path in one.rglob("*"))
    assert names == sorted(path.relative_to(other) for path in other.rglob("*"))
    assert "悪い" in (one / "out.csv").read_text(encoding="utf-8")
    for name in ("out.csv", *(f"模型/{name}" for name in ("labels.json", "tokenizer.json", "model.safetensors"))):
        assert (one / name).read_bytes() == (other / name).read_bytes(), name
