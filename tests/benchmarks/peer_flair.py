"""Words a second of Flair's SequenceTagger, as one line of JSON; run by the python of an environment with flair 0.15.

    PYTHON tests/benchmarks/peer_flair.py TRAIN.conll TEST.conll [--sentences 300] [--rounds 5] [--threads 2]

A BiLSTM-CRF: one layer of 200 + 200, word embeddings of 100 learnt from scratch, Flair's CharacterEmbeddings, and its
trainer with its own settings (batches of 32, SGD). A round trains on so many sentences and predicts as many of the
test; the speeds are the medians of the rounds, loading and a first round left out. Files: a token a line, its tag last,
a blank line between sentences.

OMP_WAIT_POLICY is PASSIVE as in seqnlp: Flair calls many small operations, and with the default threads that wait for
one another spin, which beside any other work on the machine makes it ten times slower.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import random
import re
import statistics
import tempfile
import time
import warnings
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import flair
import torch
from flair.data import Corpus, Dictionary, Sentence
from flair.embeddings import CharacterEmbeddings, OneHotEmbeddings, StackedEmbeddings
from flair.models import SequenceTagger
from flair.trainers import ModelTrainer

LABEL = "tag"


def read(path: str) -> list[Sentence]:
    """Return the sentences of a file, each token with its tag."""
    blocks = re.split(r"\n\s*\n", Path(path).read_text(encoding="utf-8").strip())
    return [sentence([(line.split()[0], line.split()[-1]) for line in block.split("\n")]) for block in blocks]


def sentence(pairs: list[tuple[str, str]]) -> Sentence:
    """Return a sentence of (token, tag)."""
    made = Sentence([token for token, _ in pairs])
    for token, (_, tag) in zip(made, pairs, strict=True):
        token.add_label(LABEL, tag)
    return made


def bare(sentences: list[Sentence]) -> list[Sentence]:
    """Return sentences of the same tokens that know nothing yet."""
    return [Sentence([token.text for token in sentence]) for sentence in sentences]


def build(train: list[Sentence]) -> SequenceTagger:
    """Return an untrained tagger for the words, the characters and the tags of the training sentences."""
    corpus = Corpus(train=train, sample_missing_splits=False)
    characters = Dictionary()  # Flair's own list would be downloaded
    for character in sorted({c for sentence in train for token in sentence for c in token.text}):
        characters.add_item(character)
    words = OneHotEmbeddings.from_corpus(corpus, min_freq=1, embedding_length=100)
    return SequenceTagger(
        embeddings=StackedEmbeddings([words, CharacterEmbeddings(characters)]),
        tag_dictionary=corpus.make_label_dictionary(label_type=LABEL, add_unk=False),
        tag_type=LABEL,
        hidden_size=200,
        rnn_layers=1,
        use_crf=True,
    )


def train_round(tagger: SequenceTagger, chosen: list[Sentence]) -> float:
    """Train on some sentences once and return their words a second."""
    corpus = Corpus(train=chosen, sample_missing_splits=False)
    quiet = {"save_final_model": False, "create_file_logs": False, "create_loss_file": False}
    with tempfile.TemporaryDirectory() as folder:
        begin = time.perf_counter()
        ModelTrainer(tagger, corpus).train(folder, max_epochs=1, mini_batch_size=32, **quiet)
        return sum(map(len, chosen)) / (time.perf_counter() - begin)


def predict_round(tagger: SequenceTagger, chosen: list[Sentence]) -> float:
    """Tag some sentences and return their words a second."""
    fresh = bare(chosen)
    begin = time.perf_counter()
    tagger.predict(fresh, mini_batch_size=32)
    return sum(map(len, chosen)) / (time.perf_counter() - begin)


def main() -> None:
    """Measure, and print one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("train")
    parser.add_argument("test")
    parser.add_argument("--sentences", type=int, default=300, help="of one round")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    given = parser.parse_args()
    logging.getLogger("flair").setLevel(logging.WARNING)
    warnings.simplefilter("ignore", FutureWarning)  # of torch about Flair's calls
    torch.set_num_threads(given.threads)
    flair.set_seed(1)
    train, test = read(given.train), read(given.test)
    tagger = build(train)
    speeds: dict[str, list[float]] = {"train": [], "predict": []}
    for _ in range(given.rounds + 1):
        speeds["train"].append(train_round(tagger, random.sample(train, min(given.sentences, len(train)))))
        speeds["predict"].append(predict_round(tagger, random.sample(test, min(given.sentences, len(test)))))
    medians = {f"{step}_words_per_second": round(statistics.median(values[1:]), 1) for step, values in speeds.items()}
    print(json.dumps({"tool": "flair", "version": flair.__version__, **medians}))


if __name__ == "__main__":
    main()
