"""Examples: where they stand, and which are blank."""

import pytest

from seqnlp.preprocess.corpora import examples


def corpus(size):
    return examples.Examples(lambda: (examples.Example(str(n), None, None, "x", n) for n in range(size)), size)


def numbers(part):
    return [example.line for example in part]


@pytest.mark.parametrize("source", ["", " ", "\t\u3000", None, []])
def test_blank(source):
    assert examples.Example(source, None, None, "x", 1).blank


@pytest.mark.parametrize("source", ["a", ".", ["a"]])
def test_not_blank(source):
    assert not examples.Example(source, None, None, "x", 1).blank


def test_an_example_says_where_it_stands():
    assert examples.Example("a", None, None, "x.tsv", 7).where == "x.tsv:7"


def test_examples_are_gone_through_as_often_as_needed():
    found = corpus(3)
    assert numbers(found) == numbers(found) == [0, 1, 2]
