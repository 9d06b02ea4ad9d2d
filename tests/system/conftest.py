"""The installed command as a shell starts it, a small corpus, and a model trained on it once."""

import json
import os
import pty
import random
import select
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import NamedTuple

import pytest

SEQNLP = str(Path(sys.executable).with_name("seqnlp"))
LABELS = {
    "good": ["splendid", "lovely", "superb", "wonderful"],
    "bad": ["awful", "dreadful", "dull", "horrible"],
    "so-so": ["average", "passable", "middling", "ordinary"],
}
FILLERS = "the film was and i saw it with a cat at noon".split()
SMALL = ["--hidden", "7", "--dimension", "5", "--subwords", "100", "--epochs", "3", "--warmup", "3"]
TIMEOUT = 120
CACHE = tempfile.TemporaryDirectory(prefix="seqnlp-cache-")  # what `datasets` keeps


class Result(NamedTuple):
    """What a command ended with."""

    code: int
    out: str
    err: str

    @property
    def lines(self):
        """The lines of stdout: only \\n ends a line."""
        return self.out.split("\n")[:-1]

    @property
    def errors(self):
        """The lines of stderr."""
        return self.err.split("\n")[:-1]

    @property
    def json(self):
        """The one JSON object on stdout."""
        return json.loads(self.out)


def environment(**more):
    """One thread each: these models are small, and tests run beside other work; no network."""
    threads = {"OMP_WAIT_POLICY": "PASSIVE", "OMP_NUM_THREADS": "1"}
    hub = {"HF_HUB_OFFLINE": "1", "HF_HOME": CACHE.name, "HF_DATASETS_CACHE": f"{CACHE.name}/datasets"}
    return {**os.environ, **threads, **hub, "COLUMNS": "100", **more}


def as_bytes(value):
    """Bytes as they are, text as UTF-8."""
    return value.encode() if isinstance(value, str) else value


class Warm:
    """One process with torch in memory that runs the command in forks of itself (see warm.py)."""

    def __init__(self, folder):
        self.files = [folder / name for name in ("stdin", "stdout", "stderr")]
        script = Path(__file__).with_name("warm.py")
        pipes = dict(stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        settings = environment(TMPDIR=str(folder))
        self.process = subprocess.Popen([sys.executable, script], env=settings, start_new_session=True, **pipes)

    def __call__(self, arguments, stdin, folder):
        """Run to the end."""
        for path, content in zip(self.files, (as_bytes(stdin), b"", b""), strict=True):
            path.write_bytes(content)
        job = {"arguments": arguments, "folder": str(folder), "files": list(map(str, self.files))}
        self.process.stdin.write(json.dumps(job).encode() + b"\n")
        self.process.stdin.flush()
        ready, _, _ = select.select([self.process.stdout], [], [], TIMEOUT)
        assert ready, f"no end after {TIMEOUT} seconds: {arguments}"
        code = int(self.process.stdout.readline())
        return Result(code, *(path.read_bytes().decode() for path in self.files[1:]))

    def close(self):
        """End it, and whatever it still runs."""
        self.process.stdin.close()
        self.process.stdout.close()
        try:
            self.process.wait(1)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


class Seqnlp:
    """The command, in a folder of its own: called, it may be a warm one; all other ways start the real one."""

    def __init__(self, folder, warm):
        self.folder, self.warm = folder, warm

    def __call__(self, *arguments, stdin=b"", code=0):
        """Run to the end; `code` is what it has to exit with, None for anything."""
        if self.warm is None:
            return self.cold(*arguments, stdin=stdin, code=code)
        result = self.warm(list(map(str, arguments)), stdin, self.folder)
        assert code is None or result.code == code, result
        return result

    def cold(self, *arguments, stdin=b"", code=0, **popen):
        """Run to the end, in a new process."""
        with self.start(*arguments, **popen) as process:
            try:
                out, err = process.communicate(as_bytes(stdin), timeout=TIMEOUT)
            except subprocess.TimeoutExpired:
                process.kill()
                raise
        result = Result(process.returncode, (out or b"").decode(), (err or b"").decode())
        assert code is None or result.code == code, result
        return result

    def start(self, *arguments, **popen):
        """Return the running command, with pipes."""
        pipes = dict(stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        options = {"cwd": self.folder, "env": environment(), **pipes, **popen}
        return subprocess.Popen([SEQNLP, *map(str, arguments)], **options)

    def on_terminal(self, *arguments):
        """Run with stdout on a terminal; return (exit code, what is shown)."""
        ours, theirs = pty.openpty()
        process = self.start(*arguments, stdin=subprocess.DEVNULL, stdout=theirs, stderr=theirs)
        os.close(theirs)
        shown = b""
        while True:
            try:
                block = os.read(ours, 1 << 16)
            except OSError:  # Linux says so when the last one has left the terminal
                break
            if not block:
                break
            shown += block
        os.close(ours)
        return process.wait(TIMEOUT), shown.decode()

    def shell(self, line):
        """Run a line of bash, in which `seqnlp` is the command, as it would be typed."""
        path = f"{Path(SEQNLP).parent}{os.pathsep}{os.environ['PATH']}"
        done = subprocess.run(
            ["bash", "-o", "pipefail", "-c", line],
            cwd=self.folder,
            env=environment(PATH=path),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=TIMEOUT,
        )
        return Result(done.returncode, done.stdout.decode(), done.stderr.decode())


class Reader:
    """The lines of a pipe as they come, without waiting for its end."""

    def __init__(self, pipe):
        self.lines, self.ended = [], False
        self.news = threading.Condition()
        threading.Thread(target=self._read, args=(pipe,), daemon=True).start()

    def _read(self, pipe):
        for line in pipe:
            with self.news:
                self.lines.append(line.decode().rstrip("\n"))
                self.news.notify_all()
        with self.news:
            self.ended = True
            self.news.notify_all()

    def wait_for(self, wanted, seconds=60):
        """Wait until `wanted(lines)` holds; return how long that took."""
        begin = time.monotonic()
        with self.news:
            assert self.news.wait_for(lambda: wanted(self.lines) or self.ended, seconds), self.lines
            assert wanted(self.lines), self.lines
        return time.monotonic() - begin


def rows(number, seed):
    """Rows of text and label: one word of each text tells the label."""
    draw = random.Random(seed)
    for i in range(number):
        label = list(LABELS)[i % len(LABELS)]
        words = draw.choices(FILLERS, k=draw.randint(2, 8))
        words.insert(draw.randrange(len(words)), draw.choice(LABELS[label]))
        yield " ".join(words), label


def tsv(pairs):
    """Rows as the text of a .tsv file."""
    return "".join(f"{text}\t{label}\n" for text, label in pairs)


@pytest.fixture(scope="session")
def corpus():
    """The rows of train and dev, as (text, label)."""
    return {"train": list(rows(300, 1)), "dev": list(rows(60, 2))}


@pytest.fixture(scope="session")
def as_tsv():
    """Rows to the text of a .tsv file."""
    return tsv


@pytest.fixture(scope="session")
def small():
    """The flags of a small model."""
    return list(SMALL)


@pytest.fixture(scope="session")
def seqnlp(tmp_path_factory, corpus):
    """The command; its folder holds train.tsv and dev.tsv."""
    folder = tmp_path_factory.mktemp("work")
    for name, part in corpus.items():
        (folder / f"{name}.tsv").write_text(tsv(part))
    warm = Warm(tmp_path_factory.mktemp("warm")) if sys.platform == "linux" else None
    yield Seqnlp(folder, warm)
    if warm is not None:
        warm.close()


class Trained(NamedTuple):
    """The model that all tests share: look, do not touch."""

    folder: Path
    command: list
    result: Result


@pytest.fixture(scope="session")
def trained(seqnlp):
    """A small model, the command that trained it, and what that printed."""
    command = ["classify", "train", "train.tsv", "--dev", "dev.tsv", "-o", "model", *SMALL]
    return Trained(seqnlp.folder / "model", command, seqnlp.cold(*command))


@pytest.fixture(scope="session")
def model(trained):
    """The folder of the model that all tests share."""
    return trained.folder


@pytest.fixture
def reader():
    """Read a pipe as its lines come."""
    return Reader


@pytest.fixture
def interrupt():
    """Send a signal to a running command, and return how it ended."""

    def send(process, number=signal.SIGINT, seconds=30):
        process.send_signal(number)
        code = process.wait(seconds)
        return 128 - code if code < 0 else code  # as a shell has it

    return send
