"""Runs the installed command again and again in forks of one process that has torch in memory already.

Loading torch takes longer than all that most tests ask for. Who connects to the socket sends one JSON object, the
arguments, the folder and the environment of a command, with its stdin, stdout and stderr, and the pipes that its
arguments name; what comes back is the exit code. The command python runs a program of Python. A fork ends without
taking apart all that was loaded, which takes a second; how a Python ends with threads and pipes still open is for the
tests that start real ones.
"""

import gc
import importlib
import json
import os
import runpy
import signal
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
    """Give each command a fork of its own, until we are killed; in that fork, return the arguments to run with."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for those who answer
    while True:
        connection, _ = server.accept()
        if os.fork() == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            return answer(connection)
        connection.close()


def answer(connection):
    """Run one command in a fork, which returns its arguments, and send back how it ended."""
    message, handles, _, _ = socket.recv_fds(connection, 1 << 20, 9)
    job = json.loads(message)
    child = os.fork()
    if child == 0:
        connection.close()
        for number, handle in zip(job["handles"], handles, strict=True):
            os.dup2(handle, number)
            os.close(handle)
        os.environ.update(job["environment"])
        os.chdir(job["folder"])
        return job["arguments"]
    for handle in (*handles, 0, 1, 2):
        os.close(handle)  # who reads a pipe waits until the last one has left it
    connection.send(str(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])).encode())
    os._exit(0)


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
