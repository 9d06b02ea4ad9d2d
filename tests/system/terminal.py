"""A terminal of so many columns for a command, what it shows, and docs/terminal.md, which is made of that.

`python tests/system/terminal.py` runs the commands of that page and writes what they show into it.
"""

import fcntl
import os
import pty
import re
import select
import shlex
import signal
import struct
import subprocess
import sys
import tempfile
import termios
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "terminal.md"
WAIT = 120  # seconds without a word after which nothing more is expected
TRAIN = (
    "seqnlp classify train data/reviews/train.tsv --dev data/reviews/dev.tsv -o model --epochs 3 --precision fp32 "
    "--threads 1 --hidden-size 7 --char-ngram-buckets 100"
)
EVALUATED = re.compile(r"^seqnlp: step \d+/\d+ .*accuracy", flags=re.MULTILINE)


class Screen:
    """What is left on a terminal of everything that was written to it; `lines` are as they would stand without end."""

    def __init__(self):
        self.lines, self.rest = [""], ""

    def feed(self, text):
        """Take what was written: text, \\r, \\n, and the erasing of the rest of a line; colours are passed over."""
        for mark in re.findall(r"\x1b\[[\d;?]*[a-zA-Z]|\r\n|[\r\n]|[^\x1b\r\n]+", text):
            if mark in ("\n", "\r\n"):
                self.lines.append("")
            elif mark == "\r":
                self.rest, self.lines[-1] = self.lines[-1], ""
            elif mark == "\x1b[K":
                self.rest = ""
            elif not mark.startswith("\x1b"):
                self.lines[-1] += mark

    @property
    def text(self):
        """The lines that are not empty at the end."""
        return "\n".join(line.rstrip() for line in self.lines).rstrip("\n") + "\n"


class Shown:
    """The end of a command on a terminal: its exit code, its screen, and the states of its last line."""

    def __init__(self, code, screen, states):
        self.code, self.screen, self.states = code, screen, states

    @property
    def widest(self):
        """The columns of the widest line, states of the last one included."""
        return max(map(len, [*self.screen.text.splitlines(), *self.states]))


def run(arguments, columns, folder, environment, interrupt=None):
    """Run a command on a terminal of so many columns; send SIGINT when the screen matches `interrupt`."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    environment = {name: value for name, value in environment.items() if name not in ("COLUMNS", "NO_COLOR")}
    environment["TERM"] = "xterm"
    streams = {"stdin": subprocess.DEVNULL, "stdout": theirs, "stderr": theirs}
    screen, states = Screen(), []
    process = subprocess.Popen(list(map(str, arguments)), cwd=folder, env=environment, **streams)
    try:
        os.close(theirs)
        while select.select([ours], [], [], WAIT)[0]:
            try:
                block = os.read(ours, 1 << 16)
            except OSError:  # Linux says so when the last one has left
                break
            screen.feed(block.decode(errors="replace"))
            states.append(screen.lines[-1])
            if interrupt is not None and interrupt.search(screen.text):
                interrupt = None
                process.send_signal(signal.SIGINT)
        return Shown(process.wait(WAIT), screen, states)
    finally:
        process.kill()
        process.wait()
        os.close(ours)


def masked(text):
    """What is the same on every machine: words; no numbers, no times, and not where exactly a line is broken."""
    text = re.sub(r"\n +", " ", text)
    text = re.sub(r"\[=* *\]", "[]", text)
    text = re.sub(r"  (\d+h)?(\d+m)?\d+s(?=$|  best$)", "", text, flags=re.MULTILINE)  # for which there may be no room
    text = re.sub(r"(\d+h)?\d+m(\d+s)?", "0s", text)
    text = re.sub(r"stopping (after this step|without this evaluation)", "stopping", text)
    text = re.sub(r"\d[\d.]*", "0", re.sub(r"  best$", "", text, flags=re.MULTILINE))
    lines = [re.sub(r"\s+", " ", line).strip() for line in text.splitlines()]
    return [line for line, before in zip(lines, [None, *lines], strict=False) if line != before]


def typed(command, shown):
    """A command and what it shows, as a terminal has them."""
    return f"$ {command}\n{shown.screen.text}"


def under_way(shown):
    """A state of the last line while steps are made."""
    states = [state.rstrip() for state in shown.states if state.rstrip().endswith("left")]
    return states[len(states) // 2] + "\n"


def blocks(folder, environment):
    """What the page shows, by the title above it, and the commands that showed it."""
    (folder / "data").symlink_to(ROOT / "data")
    shorter = TRAIN.replace("-o model", "-o other")
    wide = run(shlex.split(TRAIN), 120, folder, environment)
    stopped = run(shlex.split(shorter), 60, folder, environment, interrupt=EVALUATED)
    resumed = run(shlex.split(shorter), 60, folder, environment)
    made = {
        "A training, 120 columns": typed(TRAIN, wide),
        "Its last line while it runs, 120 columns": under_way(wide),
        "A training that Ctrl-C stops, 60 columns": typed(shorter, stopped),
        "Its last line while it runs, 60 columns": under_way(resumed),
        "The same command again, 60 columns": typed(shorter, resumed),
    }
    return made, {"wide": wide, "stopped": stopped, "resumed": resumed}


def of_page(text):
    """The blocks of the page, by the title above each."""
    return dict(re.findall(r"^## (.*?)\n.*?^```text\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL))


def main():
    """Write the page anew."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    with tempfile.TemporaryDirectory() as folder:
        made, _ = blocks(Path(folder), environment)
    text = PAGE.read_text(encoding="utf-8")
    for title, block in made.items():
        pattern = rf"(^## {re.escape(title)}\n.*?^```text\n).*?(^```)"
        text = re.sub(pattern, lambda m, b=block: m[1] + b + m[2], text, count=1, flags=re.MULTILINE | re.DOTALL)
    PAGE.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
