"""Duplicates: against a dictionary of everything that came before."""

import re

from hypothesis import given
from hypothesis import strategies as st

from seqnlp.checks import base, duplicates
from seqnlp.preprocess.corpora.examples import Example

rows = st.lists(st.tuples(st.sampled_from("abcdef"), st.sampled_from("xy"), st.sampled_from(["1.tsv", "2.tsv"])))


def examples(part):
    return [Example(text, (label,), None, file, line) for line, (text, label, file) in enumerate(part, 3)]


def found(train, dev):
    """The rows of each finding with their twins, as many as are shown, by a word that only its message has."""
    check = duplicates.Duplicates("text")
    for part, corpus in ((base.TRAIN, train), (base.DEV, dev)):
        for example in corpus:
            check.see(example, part)
    return {
        re.search("another target|included|of dev", finding.message)[0]: (finding.count, list(finding.examples))
        for finding in check.findings()
    }


def expected(train, dev):
    pairs, first = {"included": [], "another target": [], "of dev": []}, {}
    for example in train:
        twin = first.setdefault(example.source, example)
        if twin is not example:
            pairs["included" if twin.target == example.target else "another target"].append((example, twin))
    pairs["of dev"] = [(example, first[example.source]) for example in dev if example.source in first]
    shown = {
        name: [f"{one.where} = {other.where}" for one, other in held[: base.SHOWN]] for name, held in pairs.items()
    }
    return {name: (len(held), shown[name]) for name, held in pairs.items() if held}


@given(rows, rows)
def test_each_row_is_compared_with_the_first_one_of_its_input(train, dev):
    train, dev = examples(train), examples(dev)
    assert found(train, dev) == expected(train, dev)
