"""Writes every file of this folder anew, byte for byte: python data/make.py [OUTDIR]

Needs the standard library only. The texts come from small grammars in generators/, written for this project.
"""

import sys
from collections.abc import Iterable
from pathlib import Path

from generators import corpus, headlines, reviews, reviews_zh, series, tags, translation
from generators.rng import Rng

SEED = 20240
REVIEWS = {"train": 2000, "dev": 300, "test": 300}
REVIEWS_ZH = {"train": 800, "dev": 150, "test": 150}
TAGS = {"train": 2000, "dev": 300, "test": 300}
NUMBERS = {"train": 8000, "dev": 300, "test": 300}
HEADLINES = {"train": 2000, "dev": 200, "test": 200}
NAMES = {"names": 300}  # whose people, places and companies no other headline has
CORPUS = {"reviews": 1200, "reviews_zh": 600, "headlines": 1200}

Files = dict[str, str]
TextPair = tuple[str, str]


def as_lines(lines: Iterable[str]) -> str:
    """The lines as the text of a file."""
    return "".join(f"{line}\n" for line in lines)


def as_table(rows: Iterable[TextPair], separator: str = "\t") -> str:
    """Two columns."""
    return as_lines(separator.join(row) for row in rows)


def as_conll(sentences: Iterable[list[TextPair]]) -> str:
    """A token and its tag a line, a blank line between sentences."""
    return "\n".join(as_table(sentence) for sentence in sentences)


def labelled(folder: str, splits: dict[str, list[TextPair]]) -> Files:
    """A text and its label a line."""
    return {f"{folder}/{split}.tsv": as_table(rows) for split, rows in splits.items()}


def tagged(splits: dict[str, list[list[TextPair]]]) -> Files:
    """Sentences in CoNLL form."""
    return {f"tags/{split}.conll": as_conll(sentences) for split, sentences in splits.items()}


def parallel(splits: dict[str, list[TextPair]]) -> Files:
    """Two files a split, whose lines belong together."""
    english = {f"numbers/{split}.en": as_lines(source for source, _ in pairs) for split, pairs in splits.items()}
    german = {f"numbers/{split}.de": as_lines(target for _, target in pairs) for split, pairs in splits.items()}
    return english | german


def summaries(splits: dict[str, list[TextPair]]) -> Files:
    """A text and its headline a line, below the names of the columns."""
    return {f"headlines/{split}.tsv": as_table([("text", "headline"), *rows]) for split, rows in splits.items()}


def time_series() -> Files:
    """A date and a value a line, below the names of the columns."""
    makers = {"monthly": series.monthly, "daily": series.daily, "shift": series.shift}
    return {
        f"series/{name}.csv": as_table([("date", "value"), *make(Rng(SEED + 10 + at))], separator=",")
        for at, (name, make) in enumerate(makers.items())
    }


def generate() -> Files:
    """The text of every file, by its path in this folder; each corpus has a seed of its own."""
    english = reviews.splits(Rng(SEED), REVIEWS)
    chinese = reviews_zh.splits(Rng(SEED + 1), REVIEWS_ZH)
    news = headlines.splits(Rng(SEED + 4), HEADLINES)
    names = headlines.splits(Rng(SEED + 13), NAMES, headlines.NEW)
    plain = {"reviews": english["train"], "reviews_zh": chinese["train"], "headlines": news["train"]}
    texts = {name: [text for text, _ in rows] for name, rows in plain.items()}
    return {
        **labelled("reviews", english),
        **labelled("reviews_zh", chinese),
        **tagged(tags.splits(Rng(SEED + 2), TAGS)),
        **parallel(translation.splits(Rng(SEED + 3), NUMBERS)),
        **summaries(news | names),
        **time_series(),
        "corpus.txt": as_lines(corpus.lines(Rng(SEED + 5), texts, CORPUS)),
    }


def main() -> None:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent
    for name, text in generate().items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode("utf-8"))


if __name__ == "__main__":
    main()
