"""Pairs: which pieces suit a corpus, and the lengths that are learnt from."""

import pytest

from seqnlp.preprocess.corpora.examples import Example, Examples
from seqnlp.preprocess.text import bitext, tokenizer


def corpus(*rows):
    made = [Example(source, target, source, "x.tsv", number) for number, (source, target) in enumerate(rows, 1)]
    return Examples(lambda: iter(made), len(made))


GERMAN = ("ein kleines Haus am See", "a little house by the lake")
CHINESE = ("a little house", "湖边的小房子")


@pytest.mark.parametrize(("row", "kind"), [(GERMAN, "joint"), (CHINESE, "separate"), (CHINESE[::-1], "separate")])
def test_languages_of_one_alphabet_share_their_pieces(row, kind):
    assert bitext.settled(corpus(row))[0] == kind


@pytest.mark.parametrize(
    ("words", "size"), [(10, 500), (90_000, 1000), (94_400, 1000), (94_600, 1100), (2_000_000, 16_000)]
)
def test_the_vocabulary_grows_with_the_corpus_within_bounds(words, size):
    side = " ".join(["a"] * (words // 2))
    assert bitext.settled(corpus((side, side)))[1] == size


def trained(row, joint, size=280):
    return bitext.trained(corpus(row), joint=joint, kind="bpe", size=size, normalization="nfc")


def test_a_joint_vocabulary_is_one():
    source, target = trained(GERMAN, True)
    assert source is target
    assert len(source) == 280


def test_separate_vocabularies_are_of_their_sides():
    source, target = trained(CHINESE, False, 300)
    assert "Ġhouse" in source.vocabulary and "Ġhouse" not in target.vocabulary
    assert len(source.encode(["湖边"])[0]) > len(target.encode(["湖边"])[0])


def words(text):
    """A tokenizer of the words of a text."""
    return tokenizer.train_vocabulary([text])


def test_lengths_are_of_the_pairs_that_are_short_enough():
    known = words("a b")
    rows = [("a a", "b"), ("a", "b b b"), ("a a a a", "b"), ("a", "b b b b b")]
    found = bitext.lengths(corpus(*rows), known, known, 3)
    assert found == bitext.Lengths(longest=2, ratio=round(5 / 4, 4), left_out=2, kept=2)


def test_where_all_are_too_long_there_are_no_lengths():
    known = words("a b")
    assert bitext.lengths(corpus(("a a", "b")), known, known, 1) == bitext.Lengths(1, 1.0, 1, 0)


@pytest.mark.parametrize(
    ("target", "name"),
    [
        ("湖边的小房子。", "zh"),
        ("湖のそばの小さな家。", "char"),
        ("湖畔の家屋", "char"),
        ("a house", "13a"),
        ("дом у озера", "13a"),
        ("a 家", "13a"),
    ],
)
def test_the_words_of_bleu_suit_the_script_of_the_targets(target, name):
    assert bitext.tokenization(corpus(("x", target))) == name
