"""A small corpus for every task, and what makes a small model of it: what the contract is tried on."""

import dataclasses
import math
import random
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from seqnlp import options
from seqnlp.preprocess.corpora import schema
from seqnlp.tasks import registry
from seqnlp.workflows import jobs

TRAINING = options.Training(
    epochs=8, learning_rate=0.02, warmup_steps=5, batch_size=16, max_tokens=200, precision="fp32"
)


class Case(NamedTuple):
    """A task as the contract tries it: a corpus by file name, what makes a small model of it, inputs to predict.

    more: another corpus with the same targets, to go on with;
    strange: a corpus with targets that training never saw, how many they are; None where a task has no such thing;
    again: a shorter training, of the model that is made again byte for byte; by default it is the same.
    """

    name: str
    task: str
    corpus: dict[str, str]
    more: dict[str, str]
    config: dict[str, Any]
    inputs: list[str]
    strange: tuple[dict[str, str], int] | None = None
    training: options.Training = TRAINING
    again: options.Training | None = None
    learnt: float = 95.0  # what a model that has learnt the corpus scores
    packs: bool = True  # whether it can be trained on what `pack` made
    dev: dict[str, str] | None = None  # by default the corpus itself

    def job(self, folder: Path, **changes):
        """What a train command of this case would say; the corpus is written beside the model."""
        chapter = registry.get(self.task)
        source = write(folder.parent, self.corpus)
        dev = source if self.dev is None else write(folder.parent, self.dev)
        job = jobs.Job(self.task, source, dev, folder, chapter.Config(**self.config), self.training, device="cpu")
        return dataclasses.replace(job, **changes)


def write(folder, files):
    """Write a corpus and return it as a source."""
    for name, content in files.items():
        (folder / name).write_text(content, encoding="utf-8")
    return schema.Source(tuple(str(folder / name) for name in files), names={str(folder / n): n for n in files})


def texts(count, seed):
    """Sentences of 1 to 12 words, each with the colour or fruit that one of its words names."""
    draw = random.Random(seed)
    kinds = {"colour": ["red", "green", "blau", "青"], "fruit": ["apple", "pear", "Birne", "桃"]}
    for number in range(count):
        kind = list(kinds)[number % 2]
        words = [draw.choice("the a of and we saw it here now".split()) for _ in range(draw.randrange(12))]
        words.insert(draw.randrange(len(words) + 1), draw.choice(kinds[kind]))
        yield " ".join(words), kind


def labelled(seed):
    """A corpus of one label an item."""
    return {f"{seed}.tsv": "".join(f"{text}\t{label}\n" for text, label in texts(60, seed))}


def several(seed):
    """A corpus of no label, one or both; one of them holds a comma."""
    ones, twos = list(texts(60, seed)), list(texts(41, seed + 1))
    rows = [f"{text}\t{HUE if label == 'colour' else label}\n" for text, label in ones[:30]]
    rows += [f"{one} {other}\t{HUE},fruit\n" for (one, _), (other, _) in zip(ones[30:], twos[1:31], strict=True)]
    return {f"{seed}.tsv": "".join([*rows, *["we saw it\t\n", "here now a\t\n"] * 5])}


HUE = "colour%2C hue"


def tagged(seed):
    """Sentences with spans of one and two words: colours, and fruit after "the"."""
    draw, rows = random.Random(seed), []
    for _ in range(60):
        for _ in range(draw.randint(1, 5)):
            word = draw.choice(["saw", "it", "and", "here"])
            spans = [
                [(word, "O")],
                [(draw.choice(["red", "blau", "青"]), "B-colour/hue")],
                [("the", "B-fruit"), (draw.choice(["pear", "桃"]), "I-fruit")],
            ]
            rows += draw.choice(spans)
        rows.append(("", ""))
    return {f"{seed}.conll": "".join(f"{token}\t{tag}\n" if token else "\n" for token, tag in rows)}


def plain(seed):
    """The same sentences with tags that make no spans."""
    ((name, content),) = tagged(seed).items()
    for tag, word_class in (("B-colour/hue", "ADJ"), ("B-fruit", "DET"), ("I-fruit", "NOUN"), ("\tO", "\tX")):
        content = content.replace(tag, word_class)
    return {name: content}


ENGLISH = {"eins": "one", "zwei": "two", "drei": "three", "vier": "four", "und": "and"}


def pairs(seed):
    """Sentences of one to five number words, and their translation word by word."""
    draw = random.Random(seed)
    rows = [[draw.choice(list(ENGLISH)) for _ in range(draw.randint(1, 4))] for _ in range(120)]
    return {f"{seed}.tsv": "".join(f"{' '.join(row)}\t{' '.join(ENGLISH[w] for w in row)}\n" for row in rows)}


def summaries(seed):
    """A number word among words that say nothing, and what it is in English: what is English already is copied."""
    draw, rows = random.Random(seed), []
    for _ in range(120):
        before, behind = ([draw.choice("the a of it now".split()) for _ in range(draw.randint(0, 3))] for _ in "ab")
        thing = draw.choice([*ENGLISH, *ENGLISH.values()])
        rows.append((" ".join([*before, thing, *behind]), ENGLISH.get(thing, thing)))
    return {f"{seed}.tsv": "".join(f"{document}\t{summary}\n" for document, summary in rows)}


def counting(seed):
    """Lines that count on from any number word to the next ones; a blank line between them now and then."""
    draw, words = random.Random(seed), [*ENGLISH.values()]
    rows = [[words[(first + n) % len(words)] for n in range(7)] for first in (draw.randrange(5) for _ in range(60))]
    return {f"{seed}.txt": "".join(" ".join(row) + "\n" * (1 + (number % 10 == 0)) for number, row in enumerate(rows))}


def waves(first, last, names="abc"):
    """The values of series with a season of seven steps, from one step to another."""
    pairs = [(name, step) for name in names for step in range(first, last)]
    values = [10 * ord(name) + 5 * math.sin(2 * math.pi * step / 7) + 0.1 * step for name, step in pairs]
    rows = [f"{name},{step},{value:.3f}\n" for (name, step), value in zip(pairs, values, strict=True)]
    return {f"{names}{first}.csv": "".join(["id,time,value\n", *rows])}


SMALL = dict(embedding_size=7, hidden_size=5, char_ngram_buckets=101, dropout=0.1, word_dropout=0.0)
INPUTS = [text for text, _ in texts(30, 2)] + ["", "unheard of words", "x", " \t", "桃 " * 40, "<s> <unk> </s>"]
TAGGER = dict(
    embedding_size=7,
    char_ngram_embedding_size=7,
    affix_embedding_size=5,
    hidden_size=9,
    layers=1,
    char_ngram_buckets=101,
    dropout=0.1,
)
TRANSLATOR = dict(
    embedding_size=16, hidden_size=16, decoder_hidden_size=32, vocab_size=300, dropout=0.0, label_smoothing=0.0
)
MODEL = dict(embedding_size=16, hidden_size=24, layers=2, dropout=0.1, bptt=13)
LONGER = dataclasses.replace(TRAINING, epochs=25, eval_every=100)  # an evaluation searches
SHORT = dataclasses.replace(TRAINING, epochs=6, eval_every=25)
READING = dataclasses.replace(TRAINING, batch_size=8)
SOURCES = [
    *(" ".join(list(ENGLISH)[n % 5 : n % 5 + n % 4 + 1]) for n in range(12)),
    "",
    "unheard of",
    "eins",
    " ",
    "<s> </s>",
]

NUMBERS = [(1, 20), (-5, 14), (100, 31), (3, 5), (2, 1)]  # where series begin, and how long they are

CASES = [
    Case(
        "classify",
        "classify",
        labelled(1),
        labelled(7),
        SMALL,
        INPUTS,
        ({"x.tsv": "a red\tcolour\na dog\tbeast\nown\tbeast\n"}, 2),
    ),
    Case(
        "classify-attention",
        "classify",
        labelled(1),
        labelled(7),
        {**SMALL, "pooling": "attention+max", "layers": 2, "wide": False, "class_weights": "balanced"},
        INPUTS,
        training=dataclasses.replace(TRAINING, epochs=12),
    ),
    Case(
        "classify-several",
        "classify",
        several(1),
        several(7),
        {**SMALL, "multi_label": True},
        INPUTS,
        ({"x.tsv": f"a red\t{HUE}\na dog\tbeast\nred\t{HUE},beast\n"}, 2),
        dataclasses.replace(TRAINING, epochs=18, learning_rate=0.03),
        SHORT,
    ),
    Case(
        "tag",
        "tag",
        tagged(1),
        tagged(7),
        TAGGER,
        INPUTS,
        ({"x.conll": "a\tO\nred\tB-colour/hue\n\na\tO\ndog\tB-beast\n\n"}, 1),
    ),
    Case(
        "tag-plain",
        "tag",
        plain(1),
        plain(7),
        {**TAGGER, "char_encoder": "lstm"},
        INPUTS,
        ({"x.conll": "saw\tX\nred\tADJ\n\ndog\tBEAST\n\n"}, 1),
    ),
    Case(
        "tag-characters",
        "tag",
        tagged(1),
        tagged(7),
        {**TAGGER, "char_encoder": "cnn", "char_ngram_buckets": 0, "layers": 2},
        INPUTS,
    ),
    Case("translate", "translate", pairs(1), pairs(7), TRANSLATOR, SOURCES, None, LONGER, SHORT),
    Case(
        "translate-separate",
        "translate",
        pairs(1),
        pairs(7),
        {**TRANSLATOR, "vocabulary": "separate", "attention": "additive"},
        SOURCES,
        None,
        LONGER,
        SHORT,
    ),
    Case(
        "summarize",
        "summarize",
        summaries(1),
        summaries(7),
        TRANSLATOR,
        SOURCES,
        training=dataclasses.replace(LONGER, epochs=14),
        again=SHORT,
    ),
    *(
        Case(
            f"lm-{level}",
            "lm",
            counting(1),
            counting(7),
            {**MODEL, "level": level, **more},
            SOURCES,
            training=READING,
            again=dataclasses.replace(READING, epochs=3),
            learnt=bound,
            packs=False,
        )
        for level, bound, more in [
            ("char", 0.6, {"direction": "both", "self_attention": 3}),
            ("word", 2.0, {"cell": "gru"}),
        ]
    ),
    *(
        Case(
            f"forecast-{name}",
            "forecast",
            waves(0, 70),
            waves(0, 70, "abcd"),
            {"horizon": 3, "window": 14, "season": 7, "hidden_size": 9, "model": "network", **more},
            [" ".join(str(start + n * (n % 5)) for n in range(size)) for start, size in NUMBERS] + ["", " \t", "7"],
            training=dataclasses.replace(TRAINING, epochs=6),
            learnt=0.5,
            packs=False,
            dev=waves(70, 80),
        )
        for name, more in [("quantiles", {}), ("point", {"loss": "mse", "subtract": "last", "cell": "lstm"})]
    ),
    Case(
        "classify-words",
        "classify",
        labelled(1),
        labelled(7),
        {**SMALL, "char_ngram_buckets": 0, "pooling": "last", "wide": False},
        INPUTS,
    ),
]

NAMES = ("classify", "tag", "translate", "summarize", "lm-word", "forecast-quantiles")
ONE_A_TASK = [case for case in CASES if case.name in NAMES]


def tried_on(cases):
    """Try a test on these cases alone."""
    return pytest.mark.parametrize("case", cases, indirect=True, ids=lambda case: case.name)


def others_slow(*names):
    """All cases, those of other names with the slow tests: there a test costs much and shows little that is new."""
    return [case if case.name in names else pytest.param(case, marks=pytest.mark.slow) for case in CASES]


one_a_task, first_task = tried_on(ONE_A_TASK), tried_on(ONE_A_TASK[:1])
most_slow = tried_on(others_slow(*NAMES))
