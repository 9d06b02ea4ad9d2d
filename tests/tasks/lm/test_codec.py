"""The codec of lm: what it reads it can write; what is unknown is counted."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seqnlp.preprocess.corpora import examples
from seqnlp.preprocess.corpora.examples import Example
from seqnlp.preprocess.text import tokenizer
from seqnlp.tasks.lm import codec, fitting
from seqnlp.tasks.lm.options import Config

LINES = ["the cat, the dog", "a cat sees 桃 and the\u0000end", "", "the the end"]


def example(line):
    return Example(line, line, line, "x", 1)


def fitted(level, **options):
    made = [example(line) for line in LINES]
    corpus = examples.Examples(lambda: iter(made), len(made))
    return fitting.fit(corpus, Config(level=level, **options), {})[1]


CODECS = {level: fitted(level) for level in ("char", "bpe")}


@pytest.mark.parametrize("level", ["char", "bpe"])
@pytest.mark.parametrize("line", LINES)
def test_known_text_comes_back(level, line):
    row = CODECS[level].encode(example(line))
    assert row["ids"][-1] == tokenizer.END and row["unknown"] == 0
    assert CODECS[level].text(row["ids"]) == line + "\n"


@settings(deadline=None, max_examples=50)
@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\n")))
def test_subwords_know_every_text(line):
    row = CODECS["bpe"].encode(example(line))
    assert row["unknown"] == 0
    assert CODECS["bpe"].text(row["ids"]) == CODECS["bpe"].tokens.normal(line) + "\n"


def test_a_long_line_is_read_in_segments(monkeypatch):
    monkeypatch.setattr(codec, "SEGMENT", 5)
    line = "the cat, the dog"
    assert CODECS["bpe"].text(CODECS["bpe"].encode(example(line))["ids"]) == line + "\n"


def test_unseen_words_and_characters_are_unknown_and_counted():
    assert CODECS["char"].encode(example("thé cat!"))["unknown"] == 2
    word = fitted("word", min_count=2)
    row = word.encode(example("the bird, the cat"))
    assert row["unknown"] == 2  # a bird and a comma, of which there was one
    assert word.text(row["ids"]) == "the <unk> <unk> the cat\n"


def test_words_end_at_blanks_only_where_that_is_asked_for():
    assert "cat," in fitted("word", split="blanks").tokens.vocabulary
    assert {"cat", ","} <= fitted("word").tokens.vocabulary.keys()
