"""The installed command as a shell starts it, a small corpus, and a model trained on it once."""

import contextlib
import json
import os
import pty
import random
import select
import signal
import socket
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
SMALL = [
    "--precision",
    "fp32",
    "--hidden-size",
    "7",
    "--embedding-size",
    "5",
    "--char-ngram-buckets",
    "100",
    "--epochs",
    "3",
    "--warmup-steps",
    "3",
]
TIMEOUT = 120
SHIM = """#!{python} -SE
import json, os, socket, sys
with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as warm:
    warm.connect("{address}")
    pipes = [int(name[8:]) for name in sys.argv if name.startswith("/dev/fd/")]  # of <(...)
    handles = [0, 1, 2, *pipes]
    job = dict(arguments=sys.argv[1:], folder=os.getcwd(), environment=dict(os.environ), handles=handles)
    socket.send_fds(warm, [json.dumps(job).encode()], handles)
    for handle in handles:
        os.close(handle)
    code = int(warm.recv(99))
    os._exit(code if code >= 0 else 128 - code)
"""  # a `seqnlp` for the shell that asks the warm process
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


class Running(subprocess.Popen):
    """A process that ends with its `with` block, however that is left: the usual one waits for it, for ever."""

    def __exit__(self, *error):
        self.kill()
        super().__exit__(*error)


class Warm:
    """One process with torch in memory that runs the command in forks of itself (see warm.py)."""

    def __init__(self, folder):
        self.address = f"{CACHE.name}/warm"  # such a name may have about a hundred characters
        self.path = f"{folder}{os.pathsep}{os.environ['PATH']}"
        self.shim = folder / "seqnlp"
        self.shim.write_text(SHIM.format(python=sys.executable, address=self.address))
        self.shim.chmod(0o755)
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as server:
            server.bind(self.address)
            server.listen()
            command = [sys.executable, Path(__file__).with_name("warm.py"), str(server.fileno())]
            options = dict(env=environment(TMPDIR=str(folder)), pass_fds=[server.fileno()], start_new_session=True)
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, **options)

    def start(self, arguments, folder, handles, variables=()):
        """Start a command with these as stdin, stdout and stderr; its exit code comes through the connection."""
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        connection.settimeout(TIMEOUT)
        connection.connect(self.address)
        job = dict(
            arguments=list(map(str, arguments)), folder=str(folder), environment=dict(variables), handles=[0, 1, 2]
        )
        socket.send_fds(connection, [json.dumps(job).encode()], handles)
        return connection

    def __call__(self, arguments, stdin, folder):
        """Run to the end."""
        with contextlib.ExitStack() as stack:
            files = [stack.enter_context(tempfile.TemporaryFile()) for _ in range(3)]
            files[0].write(as_bytes(stdin))
            files[0].seek(0)
            connection = stack.enter_context(self.start(arguments, folder, [file.fileno() for file in files]))
            code = int(connection.recv(99))
            for file in files[1:]:
                file.seek(0)
            return Result(code, *(file.read().decode() for file in files[1:]))

    def close(self):
        """End it, and whatever it still runs."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(TIMEOUT)


class Seqnlp:
    """The command, in a folder of its own: where no signal is sent to it and nothing is closed, a warm one may do."""

    def __init__(self, folder, warm):
        self.folder, self.warm = folder, warm

    def __call__(self, *arguments, stdin=b"", code=0):
        """Run to the end; `code` is what it has to exit with, None for anything."""
        if self.warm is None:
            return self.cold(*arguments, stdin=stdin, code=code)
        result = self.warm(arguments, stdin, self.folder)
        assert code is None or result.code == code, result
        return result

    def cold(self, *arguments, stdin=b"", code=0, **popen):
        """Run to the end, in a new process."""
        with self.start(*arguments, **popen) as process:
            out, err = process.communicate(as_bytes(stdin), timeout=TIMEOUT)
        result = Result(process.returncode, (out or b"").decode(), (err or b"").decode())
        assert code is None or result.code == code, result
        return result

    def start(self, *arguments, prefix=(), warm=False, **popen):
        """Return the running command, with pipes; prefix: a command that starts it."""
        command = self.warm.shim if warm and self.warm else SEQNLP
        pipes = dict(stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        options = {"cwd": self.folder, "env": environment(), **pipes, **popen}
        return Running([*prefix, command, *map(str, arguments)], **options)

    def on_terminal(self, *arguments):
        """Run with stdout and stderr on a terminal; return (exit code, what is shown)."""
        ours, theirs = pty.openpty()
        with contextlib.ExitStack() as stack:
            if self.warm is None:
                pipes = dict(stdin=subprocess.DEVNULL, stdout=theirs, stderr=theirs)
                process = stack.enter_context(self.start(*arguments, **pipes))
            else:
                null = stack.enter_context(open(os.devnull, "rb"))
                handles = [null.fileno(), theirs, theirs]
                connection = stack.enter_context(self.warm.start(arguments, self.folder, handles, environment()))
            os.close(theirs)
            shown = b"".join(blocks(ours)).decode()
            os.close(ours)
            return process.wait(TIMEOUT) if self.warm is None else int(connection.recv(99)), shown

    def program(self, path):
        """Run a program of Python, in its folder."""
        if self.warm is None:
            return self.shell(f"python {path.name}", path.parent)
        return self.warm(["python", path.name], b"", path.parent)

    def shell(self, line, folder=None, warm=False, **more):
        """Run a line of bash, in which `seqnlp` is the command, as it would be typed; or a warm one."""
        path = f"{Path(SEQNLP).parent}{os.pathsep}{os.environ['PATH']}"
        done = subprocess.run(
            ["bash", "-o", "pipefail", "-c", line],
            cwd=folder or self.folder,
            env=environment(PATH=self.warm.path if warm and self.warm else path, **more),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=TIMEOUT,
        )
        return Result(done.returncode, done.stdout.decode(), done.stderr.decode())


def blocks(terminal):
    """What is written to a terminal, until the last one has left it."""
    while select.select([terminal], [], [], TIMEOUT)[0]:
        try:
            block = os.read(terminal, 1 << 16)
        except OSError:  # Linux says so when the last one has left
            return
        if not block:
            return
        yield block
    pytest.fail(f"nothing was written for {TIMEOUT} seconds")


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
    return Trained(seqnlp.folder / "model", command, seqnlp(*command))


@pytest.fixture(scope="session")
def model(trained):
    """The folder of the model that all tests share."""
    return trained.folder


@pytest.fixture(scope="session")
def says(seqnlp, model):
    """What the model makes of a text by itself: few steps taught it, so that no test may know better."""
    texts = ["lovely", "awful", "a lovely film", "a splendid film"]
    return dict(zip(texts, seqnlp("classify", "predict", model, stdin="\n".join(texts)).lines, strict=True))


@pytest.fixture
def running():
    """Start any command, as `subprocess.Popen` does; it ends with its `with` block."""
    return Running


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
