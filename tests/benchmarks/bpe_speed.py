"""Seconds to learn BPE and to encode with it, `seqnlp bpe` beside subword-nmt, both as whole processes.

    python tests/benchmarks/bpe_speed.py TEXT... --peer PYTHON [--size 8000] [--rounds 5] [--raw] [--workers 1]

PYTHON is that of an environment with subword-nmt. Both learn about the same number of pieces from the same lines and
encode these lines with them, in turns, round by round; the ratio is that of the medians. subword-nmt parts words at
blanks only and is meant for text that a tokeniser has been over: it gets the lines with punctuation split off, which is
done beforehand and not in its time. --raw gives it the lines as they are. seqnlp takes all cores, subword-nmt one as
long as --workers does not say otherwise.
"""

from __future__ import annotations

import argparse
import re
import statistics
import subprocess
import sys
import sysconfig
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

STEPS = ("train", "encode")


@dataclass(frozen=True)
class Tool:
    """One tool: its name, the command of each step, the file that encoding writes."""

    name: str
    commands: dict[str, list[str]]
    encoded: Path


def seqnlp(folder: Path, size: int) -> Tool:
    """Return our commands."""
    command = str(Path(sysconfig.get_path("scripts"), "seqnlp"))
    text, pieces = str(folder / "text"), str(folder / "bpe.json")
    steps = {
        "train": [command, "bpe", "train", text, "--size", str(size), "-o", pieces],
        "encode": [command, "bpe", "encode", pieces, text],
    }
    return Tool(output([command, "--version"]), steps, folder / "encoded")


def subword_nmt(python: str, folder: Path, size: int, workers: int) -> Tool:
    """Return the peer's commands; `-t` counts the characters in, so that the size is that of the vocabulary."""
    text, codes = str(folder / "text.peer"), str(folder / "codes")
    run, files = [python, "-m"], ["-i", text, "--num-workers", str(workers)]
    steps = {
        "train": [*run, "subword_nmt.learn_bpe", *files, "-s", str(size), "-t", "-o", codes],
        "encode": [*run, "subword_nmt.apply_bpe", *files, "-c", codes],
    }
    version = output([python, "-c", "from importlib import metadata as m; print(m.version('subword-nmt'))"])
    return Tool(f"subword-nmt {version}", steps, folder / "encoded.peer")


def output(command: list[str]) -> str:
    """Return what a command prints."""
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def write_text(paths: list[str], folder: Path, raw: bool) -> list[str]:
    """Write the text for either tool and return its lines."""
    lines = [line for path in paths for line in Path(path).read_text(encoding="utf-8").removesuffix("\n").split("\n")]
    split = lines if raw else [" ".join(re.findall(r"\w+|[^\w\s]+", line)) for line in lines]
    for name, chosen in {"text": lines, "text.peer": split}.items():
        (folder / name).write_text("".join(f"{line}\n" for line in chosen), encoding="utf-8")
    return lines


def seconds(tool: Tool, step: str) -> float:
    """Return the wall time of one command, from its start to its end."""
    with open(tool.encoded if step == "encode" else "/dev/null", "wb") as stdout:
        begin = time.perf_counter()
        # The peer's bar goes to stderr; shown only where something went wrong.
        done = subprocess.run(tool.commands[step], stdout=stdout, stderr=subprocess.PIPE)
        spent = time.perf_counter() - begin
    if done.returncode:
        sys.exit(f"{' '.join(tool.commands[step])}\n{done.stderr.decode()}")
    return spent


def measure(tools: list[Tool], rounds: int) -> dict[str, dict[str, list[float]]]:
    """Return each tool's seconds of each step, one for each round."""
    spent: dict[str, dict[str, list[float]]] = {tool.name: {step: [] for step in STEPS} for tool in tools}
    for number in range(rounds + 1):
        for step in STEPS:
            for tool in tools:
                value = seconds(tool, step)
                if number:  # the first round warms up
                    spent[tool.name][step].append(value)
    return spent


def row(tool: Tool, spent: dict[str, list[float]]) -> str:
    """Return a tool's line of the table: median, least and most seconds of each step, and what the encoding holds."""
    times = (f"{statistics.median(v):>8.2f} ({min(v):>5.2f} to {max(v):>5.2f})" for v in spent.values())
    pieces = tool.encoded.read_text(encoding="utf-8").split()
    return f"{tool.name:<18} {' '.join(times)} {len(pieces):>10,} {len(set(pieces)):>9,}"


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("text", nargs="+")
    parser.add_argument("--peer", required=True, help="the python of an environment with subword-nmt")
    parser.add_argument("--size", type=int, default=8000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--raw", action="store_true", help="punctuation is not split off for the peer")
    parser.add_argument("--workers", type=int, default=1, help="processes of the peer")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        lines = write_text(given.text, folder, given.raw)
        tools = [seqnlp(folder, given.size), subword_nmt(given.peer, folder, given.size, given.workers)]
        spent = measure(tools, given.rounds)
        rows = [row(tool, spent[tool.name]) for tool in tools]
    megabytes = sum(len(line.encode()) + 1 for line in lines) / 1e6
    print(f"{len(lines):,} lines, {megabytes:.1f} MB, {given.size:,} pieces; seconds, median of {given.rounds} rounds")
    print(f"{'tool':<18} {'train':>8} {'':<16} {'encode':>7} {'':<16} {'pieces':>10} {'distinct':>9}")
    print("\n".join(rows))
    ours, theirs = (spent[tool.name] for tool in tools)
    ratios = {step: statistics.median(theirs[step]) / statistics.median(ours[step]) for step in STEPS}
    print(f"{'ratio':<18} {ratios['train']:>8.1f} {'':<16} {ratios['encode']:>7.1f}")


if __name__ == "__main__":
    main()
