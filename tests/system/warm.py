"""Runs the installed command again and again in forks of one process that has torch in memory already.

Loading torch takes longer than all that most tests ask for. A command is one line of JSON on stdin; what comes back is
one line with the exit code. A fork ends without taking apart all that was loaded, which takes a second; how a Python
ends with threads and pipes still open is for the tests that start real ones.
"""

import gc
import importlib
import json
import os
import sys
from importlib import metadata

LOADED = [
    "seqnlp.workflows.train",
    "seqnlp.workflows.predict",
    "sacrebleu",
    "rouge_score.rouge_scorer",
    "pyarrow.parquet",
]
LOADED += [f"seqnlp.tasks.{task}.{part}" for task in ("classify", "tag", "translate") for part in ("task", "network")]
LOADED += [
    "seqnlp.cli.task",
    "seqnlp.cli.score",
    "seqnlp.cli.info",
    "seqnlp.cli.encode",
    "seqnlp.cli.pack",
    "seqnlp.decoding.beam",
    "seqnlp.decoding.sampling",
]
LOADED += ["torch._dynamo"]  # the optimisers load it when they are first used


def serve():
    """Answer commands until there are no more; in a fork, return the arguments to run with."""
    commands, replies = os.fdopen(os.dup(0), encoding="utf-8"), os.fdopen(os.dup(1), "w", encoding="utf-8")
    for line in commands:
        job = json.loads(line)
        child = os.fork()
        if child == 0:
            for handle, path in enumerate(job["files"]):
                os.dup2(os.open(path, os.O_WRONLY if handle else os.O_RDONLY), handle)
            os.chdir(job["folder"])
            return job["arguments"]
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), file=replies, flush=True)
    return None


if __name__ == "__main__":
    for name in LOADED:
        importlib.import_module(name)
    gc.collect()
    gc.freeze()  # a fork need not look through all that was loaded
    (entry,) = metadata.entry_points(group="console_scripts", name="seqnlp")
    command = entry.load()
    arguments = serve()
    if arguments is not None:
        sys.argv = ["seqnlp", *arguments]
        code = 1
        try:
            command()
        except SystemExit as end:
            code = end.code
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code if isinstance(code, int) else 0 if code is None else 1)
