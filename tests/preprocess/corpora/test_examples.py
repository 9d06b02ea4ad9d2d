"""Examples: where they stand, which are blank, and how a dev part is split off."""

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


@pytest.mark.parametrize(("size", "dev"), [(1, 0), (2, 1), (9, 1), (10, 1), (29, 2), (100, 10), (50_000, 2000)])
def test_a_tenth_is_split_off_but_two_thousand_at_most(size, dev):
    train_part, dev_part = examples.random_split(corpus(size), 1)
    assert len(numbers(dev_part)) == dev
    assert sorted(numbers(train_part) + numbers(dev_part)) == list(range(size))


def test_a_split_keeps_the_order():
    for part in examples.random_split(corpus(100), 1):
        assert numbers(part) == sorted(numbers(part))


def test_a_split_is_a_function_of_the_seed():
    splits = [numbers(examples.random_split(corpus(100), seed)[1]) for seed in (1, 1, 2)]
    assert splits[0] == splits[1] != splits[2]
