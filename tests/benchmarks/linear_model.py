"""Accuracy of a linear model on the corpora of text classification: what ten lines of scikit-learn give.

    SEQNLP_CORPORA=FOLDER python tests/benchmarks/linear_model.py [SET...]

TF-IDF of words (one and two) and of characters within words (two to five), sublinear, and a linear support vector
machine, C = 0.5. It is fitted on the training part of a set of pipelines/classification.txt, scored on the test part.
The calibration error is with a temperature and a bias of each class, fitted to the dev part as `classify train` does
it; where there is none, a tenth is split off by seed 1, and the scores that are calibrated are of the other rows.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path

import numpy as np
from scipy import special
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.metrics import accuracy_score, f1_score
from sklearn.pipeline import make_pipeline, make_union
from sklearn.svm import LinearSVC

from seqnlp.metrics import calibration
from seqnlp.preprocess.corpora import examples, schema
from seqnlp.tasks import registry
from seqnlp.tasks.classify import fusion
from seqnlp.workflows import corpora

CLASSIFY = registry.get("classify")
SETS = Path(__file__).parents[2] / "pipelines" / "classification.txt"


def sets() -> dict[str, list[str]]:
    """Return by name the train, dev and test files of each set, and how to read them, if that is said."""
    rows = [line.split(None, 4) for line in SETS.read_text(encoding="utf-8").splitlines()]
    return {row[0]: row[1:] for row in rows if row and not row[0].startswith("#")}


def read(names: str, reading: str = "") -> examples.Examples:
    """Return the examples of files below $SEQNLP_CORPORA."""
    parser = argparse.ArgumentParser()
    for flag in ("--from", "--text-field", "--label-field"):
        parser.add_argument(flag)
    said = vars(parser.parse_args(reading.split()))
    columns = {role: said[f"{role}_field"] for role in ("text", "label") if said[f"{role}_field"]}
    paths = tuple(os.path.join(os.environ["SEQNLP_CORPORA"], name) for name in names.split(","))
    source = schema.Source(paths, format=said["from"], columns=columns)
    return corpora.opened(CLASSIFY, source, CLASSIFY.Config()).examples


def parted(corpus: examples.Examples) -> tuple[list[str], list[str]]:
    """Return the texts and the labels."""
    pairs = [(example.source, example.target[0]) for example in corpus]
    return [text for text, _ in pairs], [label for _, label in pairs]


def linear_model():
    """Return the model, not fitted."""
    words = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, token_pattern=r"\b\w+\b")
    characters = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True)
    return make_pipeline(make_union(words, characters), LinearSVC(C=0.5, random_state=0))


def calibration_error(model, dev: examples.Examples, test: examples.Examples) -> float:
    """Return the expected calibration error on test of a fitted model's scores, calibrated on dev."""

    def scored(corpus: examples.Examples) -> tuple[np.ndarray, np.ndarray]:
        texts, labels = parted(corpus)
        scores = model.decision_function(texts)
        known = np.array(labels)[:, None] == model.classes_
        numbers = np.where(known.any(1), known.argmax(1), -1)
        return np.stack([-scores, scores], axis=1) if scores.ndim == 1 else scores, numbers

    (scores, numbers), (unseen, gold) = scored(dev), scored(test)
    weights, bias = fusion.likeliest(scores[None, numbers >= 0], numbers[numbers >= 0])
    probabilities = special.softmax(weights[0] * unseen + bias, axis=1)
    return calibration.expected_error(probabilities.max(1), (probabilities.argmax(1) == gold).astype(float))


def main() -> None:
    """Measure, and print a table."""
    print(f"{'corpus':<14} {'train':>7} {'test':>6} {'accuracy':>9} {'macro F1':>9} {'seconds':>8} {'calibration':>12}")
    known = sets()
    for name in sys.argv[1:] or known:
        train, dev, test, *reading = known[name]
        whole, unseen = read(train, *reading), read(test, *reading)
        (texts, labels), (others, gold) = parted(whole), parted(unseen)
        begin = time.perf_counter()
        model = linear_model().fit(texts, labels)
        found = model.predict(others)
        seconds = time.perf_counter() - begin
        accuracy, f1 = 100 * accuracy_score(gold, found), 100 * f1_score(gold, found, average="macro")
        row = f"{name:<14} {len(texts):>7} {len(gold):>6} {accuracy:>9.1f} {f1:>9.1f} {seconds:>8.0f}"
        held = read(dev, *reading) if dev != "-" else None
        if held is None:
            rest, held = CLASSIFY.split(whole, CLASSIFY.Config(), 1)
            model = linear_model().fit(*parted(rest))
        print(f"{row} {calibration_error(model, held, unseen):>12.1f}", flush=True)


if __name__ == "__main__":
    main()
