"""Predict the lines of many files with Ray Data: each actor loads the model once; what comes out are lines of JSON.

    python pipelines/ray_predict.py MODEL OUTPUT FILE... [--workers N] [--gpus SHARE]

The files of the folder OUTPUT, one after the other by name, hold what `seqnlp TASK predict MODEL FILE --from text
--to jsonl` prints. A file is read whole by one worker: cut a large one into some first (`split -n l/64`). Needs the
extra `ray`.
"""

from __future__ import annotations

import argparse
from typing import Any

import ray
from ray.data.block import BlockAccessor
from ray.data.datasource import BlockBasedFileDatasink

import seqnlp
from seqnlp.io import jsonl
from seqnlp.tasks import base

BATCH = 2048  # lines that are predicted together


class Predictor:
    """A model in a worker, from a batch of lines to lines of JSON."""

    def __init__(self, folder: str) -> None:
        self.model = seqnlp.load(folder)

    def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:
        texts = [text.removesuffix("\r") for text in batch["text"]]
        pairs = zip(texts, self.model.predict(texts), strict=True)
        return {"line": [line(self.model.task, text, found) for text, found in pairs]}


def line(task: base.AnyTask, text: str, found: Any) -> str:
    """Return the line that the command prints for a prediction."""
    return "" if found is None else jsonl.to_json({task.text_key: text, task.name: found})


def split(file: dict[str, Any]) -> list[dict[str, str]]:
    """Return the lines of a file: only \\n ends one, where Ray's own reader takes other signs for an end too."""
    *lines, last = file["bytes"].decode().split("\n")
    return [{"text": text} for text in [*lines, *([last] if last else [])]]


class Lines(BlockBasedFileDatasink):
    """Files of lines."""

    def write_block_to_file(self, block: BlockAccessor, file: Any) -> None:
        for line in block.to_arrow().column("line").to_pylist():
            file.write(f"{line}\n".encode())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("output")
    parser.add_argument("files", nargs="+")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--gpus", type=float, default=0)
    given = parser.parse_args()
    ray.data.DataContext.get_current().execution_options.preserve_order = True
    lines = ray.data.read_binary_files(given.files).flat_map(split)
    predicted = lines.map_batches(
        Predictor,
        fn_constructor_args=(given.model,),
        batch_size=BATCH,
        concurrency=given.workers,
        num_cpus=1,
        num_gpus=given.gpus,
    )
    predicted.write_datasink(Lines(given.output, file_format="jsonl"))


if __name__ == "__main__":
    main()
