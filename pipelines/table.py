"""Prints the results of `seqnlp ... eval`, one JSON object a file, as a table, with means over several seeds.

python pipelines/table.py RESULT.json...
"""

import json
import statistics
import sys
from pathlib import Path


def main(paths: list[str]) -> None:
    """Print one line a score, then the means over the files."""
    results = [json.loads(Path(path).read_text(encoding="utf-8")) for path in paths]
    width = max(len(result["model"]) for result in results)
    print(f"{'model':<{width}}  {'seed':>4}  {'score':<11} {'value':>7}  {'95% interval':<15} {'items':>6}")
    for result in results:
        for score in result["scores"]:
            low, high = score["interval"]
            row = f"{score['name']:<11} {score['value']:>7.2f}  {low:>6.2f} to {high:>5.2f} {score['n']:>6}"
            print(f"{result['model']:<{width}}  {result['seed']:>4}  {row}")
        if "calibration_error" in result["details"]:
            error = result["details"]["calibration_error"]
            print(f"{result['model']:<{width}}  {result['seed']:>4}  {'calibration_error':<11} {error:>7.2f}")
        for name, values in result["details"].get("baselines", {}).items():
            print(f"{'':<{width}}  {name}:", ", ".join(f"{score} {value:.2f}" for score, value in values.items()))
    if len({result["seed"] for result in results}) < 2:
        return
    for place, score in enumerate(results[0]["scores"]):
        values = [result["scores"][place]["value"] for result in results]
        print(f"{f'mean of {len(values)}':<{width}}  {'':>4}  {score['name']:<11} {statistics.mean(values):>7.2f}")


if __name__ == "__main__":
    main(sys.argv[1:])
