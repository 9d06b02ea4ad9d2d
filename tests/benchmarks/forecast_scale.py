"""Measure how time and memory of forecast grow with the number of series, each of 1,000 hours.

    python tests/benchmarks/forecast_scale.py [100 1000 3000]

Of each number of series a row for train (one epoch of a small network), eval (two origins each) and predict: seconds of
processor time, the start included, and the megabytes that the process had at the most.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

LENGTH, HORIZON = 1000, 24
SMALL = f"--hidden-size 8 --window 48 --horizon {HORIZON} --batch-size 1024 --epochs 1 --overwrite".split()


def write(path: Path, series: int, first: int, last: int) -> None:
    """Write some hours of so many series: days, each at another hour, and a random walk."""
    with path.open("w") as file:
        file.write("id,hour,value\n")
        for number in range(series):
            rng, hours = np.random.default_rng(number), np.arange(last)
            days = 10 * np.sin(2 * np.pi * (hours + rng.integers(24)) / 24)
            values = 50 + days + np.cumsum(rng.normal(size=len(hours)))
            file.writelines(f"s{number},{hour},{values[hour]:.2f}\n" for hour in range(first, last))


def measured(command: list[str]) -> tuple[float, float]:
    """Return the seconds of processor time that a command takes, and its megabytes at the most."""
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(["seqnlp", "forecast", *command], stdout=log, stderr=log)
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            log.seek(0)
            sys.exit(log.read().decode())
    return used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


def rows(folder: Path, series: int) -> Iterator[tuple[str, float, float]]:
    """Yield for each command its name, seconds and megabytes."""
    train, test, model = folder / "train.csv", folder / "test.csv", str(folder / "model")
    write(train, series, 0, LENGTH)
    write(test, series, LENGTH, LENGTH + 2 * HORIZON)
    yield "train", *measured(["train", str(train), "-o", model, *SMALL])
    yield "eval", *measured(["eval", model, str(test)])
    yield "predict", *measured(["predict", model])
    yield "predict FILE", *measured(["predict", model, str(train)])


def main(numbers: list[int]) -> None:
    """Print the table."""
    print("| series | rows | command | seconds | MB |\n| --- | --- | --- | --- | --- |")
    with tempfile.TemporaryDirectory() as folder:
        for series in numbers:
            for command, seconds, size in rows(Path(folder), series):
                print(f"| {series:,} | {LENGTH * series:,} | {command} | {seconds:.1f} | {size:.0f} |", flush=True)


if __name__ == "__main__":
    main([*map(int, sys.argv[1:])] or [100, 1000, 3000])
