"""Words a second of spaCy's tagger, as one line of JSON; run by the python of an environment with spaCy 3.8.

    PYTHON tests/benchmarks/peer_spacy.py TRAIN.conll TEST.conll [--sentences 2000] [--rounds 5] [--threads 2]

The tagger of a blank English pipeline with its default network (a CNN over hashed embeddings), trained with spaCy's
default optimiser, dropout and batches (1,000 words, where its schedule ends). A round trains on so many sentences and
predicts as many of the test, tokens given; the speeds are the medians of the rounds, loading and a first round left
out. Files: a token a line, its tag last, a blank line between sentences. spaCy works on one core whatever --threads
says, which is there so that all peers are called alike.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import statistics
import time
from pathlib import Path

import spacy
from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example
from spacy.training.batchers import minibatch_by_words

Tagged = tuple[list[str], list[str]]


def read(path: str) -> list[Tagged]:
    """Return the tokens and the tags of each sentence of a file."""
    blocks = re.split(r"\n\s*\n", Path(path).read_text(encoding="utf-8").strip())
    rows = [[line.split() for line in block.split("\n")] for block in blocks]
    return [([fields[0] for fields in row], [fields[-1] for fields in row]) for row in rows]


def examples(nlp: Language, sentences: list[Tagged]) -> list[Example]:
    """Return what spaCy trains on."""
    return [Example.from_dict(Doc(nlp.vocab, words=words), {"tags": tags}) for words, tags in sentences]


def words(sentences: list[Tagged]) -> int:
    """Return the number of tokens."""
    return sum(len(tokens) for tokens, _ in sentences)


def train_round(nlp: Language, sentences: list[Tagged]) -> float:
    """Train on some sentences once and return their words a second."""
    chosen = examples(nlp, sentences)
    begin = time.perf_counter()
    for batch in minibatch_by_words(chosen, size=1000):
        nlp.update(batch, drop=0.1)
    return words(sentences) / (time.perf_counter() - begin)


def predict_round(nlp: Language, sentences: list[Tagged]) -> float:
    """Tag some sentences and return their words a second."""
    documents = [Doc(nlp.vocab, words=tokens) for tokens, _ in sentences]
    begin = time.perf_counter()
    for _ in nlp.pipe(documents):
        pass
    return words(sentences) / (time.perf_counter() - begin)


def main() -> None:
    """Measure, and print one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("train")
    parser.add_argument("test")
    parser.add_argument("--sentences", type=int, default=2000, help="of one round")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2, help="spaCy takes one")
    given = parser.parse_args()
    random.seed(1)
    train, test = read(given.train), read(given.test)
    nlp = spacy.blank("en")
    nlp.add_pipe("tagger")
    nlp.initialize(lambda: examples(nlp, train))
    speeds: dict[str, list[float]] = {"train": [], "predict": []}
    for _ in range(given.rounds + 1):
        speeds["train"].append(train_round(nlp, random.sample(train, min(given.sentences, len(train)))))
        speeds["predict"].append(predict_round(nlp, random.sample(test, min(given.sentences, len(test)))))
    medians = {f"{step}_words_per_second": round(statistics.median(values[1:]), 1) for step, values in speeds.items()}
    print(json.dumps({"tool": "spacy", "version": spacy.__version__, **medians}))


if __name__ == "__main__":
    main()
