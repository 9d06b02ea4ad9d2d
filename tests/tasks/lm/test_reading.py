"""Reading a text: blank lines belong to it, and its last tenth is dev."""

import pytest

from seqnlp.preprocess.corpora import examples, schema
from seqnlp.preprocess.corpora.examples import Example
from seqnlp.tasks import registry
from seqnlp.tasks.lm import reading

lm = registry.get("lm")


def corpus(lines):
    made = [Example(line, line, line, "x", number) for number, line in enumerate(lines, 1)]
    return examples.Examples(lambda: iter(made), len(made))


def texts(part):
    found = [example.source for example in part]
    assert len(found) == len(part)
    return found


def test_blank_lines_are_lines(tmp_path):
    (tmp_path / "x.txt").write_text("a b\n\n  c,d\n\n", encoding="utf-8")
    found = lm.read(schema.Source((str(tmp_path / "x.txt"),)), lm.Config())
    assert [example.source for example in found] == ["a b", "", "  c,d", ""]


@pytest.mark.parametrize("lines", [10, 11, 99, 100, 1000])
def test_the_last_tenth_of_the_characters_is_dev_in_order(lines):
    whole = [("ab" * (number % 7)) for number in range(lines)]
    train, dev = map(texts, reading.last_tenth(corpus(whole)))
    assert train + dev == whole
    sizes = [sum(len(line) + 1 for line in part) for part in (train, dev)]
    assert abs(sizes[1] - sum(sizes) / 10) <= 14  # a line at most


@pytest.mark.parametrize("lines", [["abcdefghij" * 10], ["ab" * 50, "cd" * 3], ["a", "b" * 100, ""]])
def test_a_text_of_few_lines_is_cut_inside_of_one(lines):
    train, dev = map(texts, reading.last_tenth(corpus(lines)))
    joined = "\n".join(train) + "\n".join(dev)
    assert joined == "\n".join(lines) or "\n".join(train + dev) == "\n".join(lines)
    assert 1 <= len("\n".join(dev)) <= 13


def test_a_text_of_one_symbol_has_no_dev_part_to_spare():
    train, dev = map(texts, reading.last_tenth(corpus(["a"])))
    assert "".join(train + dev) == "a"
