"""Runs the installed command again and again in forks of one process that has torch in memory already.

Loading torch takes longer than all that most tests ask for. Who connects to the socket sends one JSON object, the
arguments, the folder and the environment of a command, with its stdin, stdout and stderr, and the pipes that its
arguments name; what comes back is the exit code. The command python runs a program of Python. A fork ends without
taking apart all that was loaded, which takes a second; how a Python ends with threads and pipes still open is for the
tests that start real ones.
"""

import contextlib
import gc
import importlib
import json
import os
import runpy
import selectors
import socket
import sys
from importlib import metadata

LOADED = [
    "seqnlp.workflows.evaluate",
    "seqnlp.workflows.train",
    "seqnlp.training.trainer",
    "seqnlp.training.defaults",
    "seqnlp.workflows.predict",
    "sacrebleu",
    "rouge_score.rouge_scorer",
    "pyarrow.parquet",
]
LOADED += [f"seqnlp.tasks.{task}.task" for task in ("classify", "tag", "translate", "summarize", "lm")]
LOADED += [f"seqnlp.tasks.{task}.network" for task in ("classify", "tag", "seq2seq", "summarize", "lm")]
LOADED += [
    "seqnlp.cli.task",
    "seqnlp.cli.score",
    "seqnlp.cli.info",
    "seqnlp.workflows.about",
    "seqnlp.cli.encode",
    "seqnlp.cli.pack",
    "seqnlp.cli.vocab",
    "seqnlp.cli.bpe",
    "seqnlp.decoding.beam",
    "seqnlp.decoding.sampling",
]
LOADED += ["sklearn.svm", "scipy.sparse"]  # the wide part is fitted by it
LOADED += ["datasets"]  # hf:NAME does


def serve(server):
    """Give each command a fork of its own, and send back how it ended; in that fork, return the arguments."""
    with selectors.DefaultSelector() as events:
        events.register(server, selectors.EVENT_READ)
        while True:
            for event, _ in events.select():
                if event.data:
                    events.unregister(event.fileobj)
                    answer(event.fileobj, *event.data)
                    continue
                connection, _ = server.accept()
                child = os.fork()
                if child == 0:
                    return begin(connection)
                events.register(os.pidfd_open(child), selectors.EVENT_READ, (child, connection))


def answer(ended, child, connection):
    """Send back the exit code of a fork."""
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    with connection, contextlib.suppress(BrokenPipeError):  # who asked may have been killed
        connection.send(str(code).encode())
    os.close(ended)


def begin(connection):
    """Take over what a command is given: its files, environment and folder; return its arguments."""
    message, handles, _, _ = socket.recv_fds(connection, 1 << 20, 9)
    connection.close()
    job = json.loads(message)
    for number, handle in zip(job["handles"], handles, strict=True):
        os.dup2(handle, number)
        os.close(handle)
    os.environ.update(job["environment"])
    os.chdir(job["folder"])
    return job["arguments"]


if __name__ == "__main__":
    for name in LOADED:
        importlib.import_module(name)
    os.fsync = lambda handle: None  # half of the time of these tests, and nothing here pulls the plug
    gc.collect()
    gc.freeze()  # a fork need not look through all that was loaded
    (entry,) = metadata.entry_points(group="console_scripts", name="seqnlp")
    command = entry.load()
    arguments = serve(socket.socket(fileno=int(sys.argv[1])))
    sys.argv = ["seqnlp", *arguments]
    code = 1
    try:
        runpy.run_path(arguments[1]) if arguments[:1] == ["python"] else command()
        code = 0
    except SystemExit as end:
        code = end.code
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code if isinstance(code, int) else 0 if code is None else 1)
