"""Accuracy of a linear model on the corpora of text classification: what ten lines of scikit-learn give.

    SEQNLP_CORPORA=FOLDER python tests/benchmarks/linear_model.py [SET...]

TF-IDF of words (one and two) and of characters within words (two to five), sublinear, and a linear support vector
machine, C = 0.5. It is fitted on the training part as the recipes of pipelines/ name it, and scored on the test part.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.metrics import accuracy_score, f1_score
from sklearn.pipeline import make_pipeline, make_union
from sklearn.svm import LinearSVC

from seqnlp.preprocess.corpora import schema
from seqnlp.tasks import registry

CLASSIFY = registry.get("classify")


@dataclass(frozen=True)
class Corpus:
    """Files of a training and of a test part below $SEQNLP_CORPORA, and which columns are text and label."""

    train: tuple[str, ...]
    test: tuple[str, ...]
    format: str | None = None
    columns: Mapping[str, str] = field(default_factory=dict)


CORPORA = {
    "SST-2": Corpus(("sst2/train.tsv",), ("sst2/test.tsv",)),
    "Snips": Corpus(("snips/train/seq.in", "snips/train/label"), ("snips/test/seq.in", "snips/test/label")),
    "banking77": Corpus(("banking77/train.csv",), ("banking77/test.csv",)),
    "GermEval 2018 coarse": Corpus(
        ("germeval2018/train.txt",), ("germeval2018/test.txt",), "tsv", {"text": "1", "label": "2"}
    ),
    "arXiv": Corpus(
        ("arxiv_titles/train.jsonl.gz",),
        ("arxiv_titles/test.jsonl",),
        columns={"text": "title,abstract", "label": "category"},
    ),
}


def read(corpus: Corpus, names: tuple[str, ...]) -> tuple[list[str], list[str]]:
    """Return the texts and the labels of a part."""
    paths = tuple(os.path.join(os.environ["SEQNLP_CORPORA"], name) for name in names)
    source = schema.Source(paths, format=corpus.format, columns=corpus.columns)
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
    for name in sys.argv[1:] or CORPORA:
        corpus = CORPORA[name]
        (texts, labels), (unseen, gold) = (read(corpus, part) for part in (corpus.train, corpus.test))
        begin = time.perf_counter()
        found = linear_model().fit(texts, labels).predict(unseen)
        seconds = time.perf_counter() - begin
        accuracy, f1 = 100 * accuracy_score(gold, found), 100 * f1_score(gold, found, average="macro")
        print(f"{name:<22} {len(texts):>7} {len(gold):>6} {accuracy:>9.1f} {f1:>9.1f} {seconds:>8.0f}", flush=True)


if __name__ == "__main__":
    main()
