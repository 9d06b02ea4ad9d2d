"""Predict the lines of many files with Spark: each task loads the model once; what comes out are lines of JSON.

    spark-submit pipelines/spark_predict.py MODEL OUTPUT FILE...
    python pipelines/spark_predict.py MODEL OUTPUT FILE... [--master local[2]]

The files of the folder OUTPUT, one after the other by name, hold what `seqnlp TASK predict MODEL FILE --from text
--to jsonl` prints. MODEL is a folder that every executor sees, or one that `--archives` brings there. Needs the extra
`spark`, and Java.
"""

from __future__ import annotations

import argparse
import functools
from collections.abc import Iterator
from typing import Any

import pandas
from pyspark.sql import SparkSession

import seqnlp
from seqnlp.io import jsonl
from seqnlp.tasks import base

BATCH = 2048  # lines that are predicted together


def predict(batches: Iterator[pandas.DataFrame], folder: str) -> Iterator[pandas.DataFrame]:
    """Yield lines of JSON for the batches of lines of one task."""
    model = seqnlp.load(folder)
    for batch in batches:
        texts = [text.removesuffix("\r") for text in batch["value"]]
        pairs = zip(texts, model.predict(texts), strict=True)
        yield pandas.DataFrame({"value": [line(model.task, text, found) for text, found in pairs]})


def line(task: base.AnyTask, text: str, found: Any) -> str:
    """Return the line that the command prints for a prediction."""
    return "" if found is None else jsonl.to_json({task.text_key: text, task.name: found})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("output")
    parser.add_argument("files", nargs="+")
    parser.add_argument("--master", help="by default what spark-submit says, else the cores of this machine")
    given = parser.parse_args()
    builder = SparkSession.builder.appName("seqnlp").config("spark.sql.execution.arrow.maxRecordsPerBatch", BATCH)
    spark = (builder.master(given.master) if given.master else builder).getOrCreate()
    lines = spark.read.text(given.files, lineSep="\n")
    predicted = lines.mapInPandas(functools.partial(predict, folder=given.model), "value string")
    predicted.write.mode("overwrite").text(given.output, lineSep="\n")
    spark.stop()


if __name__ == "__main__":
    main()
