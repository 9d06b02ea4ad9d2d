"""Print so many generated lines, a text and its label: words by Zipf's law, some of which tell the label.

python tests/benchmarks/generated.py 1000000 > lines.tsv
"""

from __future__ import annotations

import sys

import numpy as np

WORDS, LABELS, LONGEST, CHUNK = 100_000, 5, 24, 10_000  # lines are made in chunks: memory does not grow with them


def word(number: int) -> str:
    """Return a word of letters for a number."""
    letters = "etaoinshrdlu"
    made = ""
    while number >= 0:
        made, number = letters[number % len(letters)] + made, number // len(letters) - 1
    return made


def main(lines: int, seed: int = 1) -> None:
    """Print the lines."""
    rng = np.random.default_rng(seed)
    vocabulary = np.array([word(number) for number in range(WORDS)])
    shares = 1 / np.arange(1, WORDS + 1)
    ends = np.cumsum(shares / shares.sum())
    for start in range(0, lines, CHUNK):
        rows = min(CHUNK, lines - start)
        lengths, labels = rng.integers(3, LONGEST, rows), rng.integers(0, LABELS, rows)
        drawn = np.minimum(np.searchsorted(ends, rng.random(lengths.sum())), WORDS - 1)
        places = np.cumsum(lengths) - 1
        drawn[places] = 100 + 20 * labels + rng.integers(0, 20, rows)  # the last word tells the label
        texts = np.split(vocabulary[drawn], np.cumsum(lengths)[:-1])
        sys.stdout.write(
            "".join(f"{' '.join(text)}\tlabel{label}\n" for text, label in zip(texts, labels, strict=True))
        )


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
