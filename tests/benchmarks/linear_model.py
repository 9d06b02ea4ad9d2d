"""Accuracy of a linear model on the corpora of text classification: what ten lines of scikit-learn give.

    SEQNLP_CORPORA=FOLDER python tests/benchmarks/linear_model.py [SET...]

TF-IDF of words (one and two) and of characters within words (two to five), sublinear, and a linear support vector
machine, C = 0.5. It is fitted on the training part of a set of pipelines/classification.txt, scored on the test part.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path

from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.metrics import accuracy_score, f1_score
from sklearn.pipeline import make_pipeline, make_union
from sklearn.svm import LinearSVC

from seqnlp.preprocess.corpora import schema
from seqnlp.tasks import registry

CLASSIFY = registry.get("classify")


SETS = Path(__file__).parents[2] / "pipelines" / "classification.txt"


def sets() -> dict[str, list[str]]:
    """Return by name the train, dev and test files of each set, and how to read them, if that is said."""
    rows = [line.split(None, 4) for line in SETS.read_text(encoding="utf-8").splitlines()]
    return {row[0]: row[1:] for row in rows if row and not row[0].startswith("#")}


def read(names: str, reading: str = "") -> tuple[list[str], list[str]]:
    """Return the texts and the labels of files below $SEQNLP_CORPORA."""
    parser = argparse.ArgumentParser()
    for flag in ("--from", "--text-field", "--label-field"):
        parser.add_argument(flag)
    said = vars(parser.parse_args(reading.split()))
    columns = {role: said[f"{role}_field"] for role in ("text", "label") if said[f"{role}_field"]}
    paths = tuple(os.path.join(os.environ["SEQNLP_CORPORA"], name) for name in names.split(","))
    source = schema.Source(paths, format=said["from"], columns=columns)
    examples = list(CLASSIFY.read(source, CLASSIFY.Config()))
    return [example.source for example in examples], [example.target[0] for example in examples]


def linear_model():
    """Return the model, not fitted."""
    words = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, token_pattern=r"\b\w+\b")
    characters = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True)
    return make_pipeline(make_union(words, characters), LinearSVC(C=0.5, random_state=0))


def main() -> None:
    """Measure, and print a table."""
    print(f"{'corpus':<22} {'train':>7} {'test':>6} {'accuracy':>9} {'macro F1':>9} {'seconds':>8}")
    known = sets()
    for name in sys.argv[1:] or known:
        train, _, test, *reading = known[name]
        (texts, labels), (unseen, gold) = (read(part, *reading) for part in (train, test))
        begin = time.perf_counter()
        found = linear_model().fit(texts, labels).predict(unseen)
        seconds = time.perf_counter() - begin
        accuracy, f1 = 100 * accuracy_score(gold, found), 100 * f1_score(gold, found, average="macro")
        print(f"{name:<22} {len(texts):>7} {len(gold):>6} {accuracy:>9.1f} {f1:>9.1f} {seconds:>8.0f}", flush=True)


if __name__ == "__main__":
    main()
