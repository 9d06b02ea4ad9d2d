"""The way of one line through `predict`: calls, files, and how often the folder of its task is entered from outside.

python tests/benchmarks/hops.py MODEL "a line of text"
"""

from __future__ import annotations

import sys
import threading
from pathlib import Path
from typing import Any

import seqnlp
from seqnlp.preprocess.batching import buckets
from seqnlp.preprocess.corpora import schema
from seqnlp.workflows import predict

ROOT = Path(seqnlp.__file__).parent


def place(code: Any) -> str | None:
    """Return the file of a function of ours, below seqnlp/, None for any other."""
    try:
        return str(Path(code.co_filename).relative_to(ROOT))
    except ValueError:
        return None


def main(folder: str, line: str) -> None:
    """Print the counts of a second line, when all that is made once is there."""
    model = predict.load(folder, device="cpu")
    home = f"tasks/{model.task.name}/"
    calls: list[tuple[str, str, str | None]] = []  # file, function, file of the caller

    def spy(frame: Any, event: str, argument: Any) -> None:
        if event == "call" and (file := place(frame.f_code)) and not frame.f_code.co_name.startswith("<"):
            calls.append((file, frame.f_code.co_name, place(frame.f_back.f_code) if frame.f_back else None))

    path = Path(folder) / ".line.txt"
    path.write_text(line + "\n", encoding="utf-8")
    try:
        for _ in range(2):
            calls.clear()
            threading.setprofile(spy)
            sys.setprofile(spy)
            search = model.task.Search()
            writer = model.writer("text", search)
            inputs = model.task.read_inputs(schema.Source((str(path),)), model.config, search)
            for window in model.stream(inputs, search, buckets.Limits()):
                for example, prediction in window:
                    writer(example, prediction)
            sys.setprofile(None)
            threading.setprofile(None)  # type: ignore[arg-type]
    finally:
        path.unlink()
    entered = [call for call in calls if call[0].startswith(home) and not (call[2] or "").startswith(home)]
    task = [call for call in entered if call[0] == f"{home}task.py"]
    print(f"{len(calls)} calls in {len({file for file, _, _ in calls})} files")
    print(f"{home} is entered {len(entered)} times, {len(task)} of them task.py: {', '.join(n for _, n, _ in entered)}")


if __name__ == "__main__":
    main(*sys.argv[1:])
