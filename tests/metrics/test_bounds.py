"""Bounds: what is compared of very long texts, and that it is said."""

import random

import pytest

from seqnlp.metrics import bounds, rouge, translation


def text(words, seed):
    return " ".join(random.Random(seed).choices("the cat's dog runs - Äpfel 桃 3.5".split(), k=words))


@pytest.mark.parametrize(("words", "kept"), [(1, 1), (7, 7), (8, 7), (1000, 7)])
def test_a_text_is_cut_behind_its_last_word(words, kept):
    bound = bounds.Bound(r"\S+", 7)
    assert bound(text(words, 1)) == " ".join(text(words, 1).split()[:kept])
    assert bound.cut == (words > 7)


@pytest.mark.parametrize("lines", [1, 3])
def test_rouge_of_long_texts_is_that_of_their_first_words_and_says_so(caplog, monkeypatch, lines):
    monkeypatch.setattr(rouge, "WORDS", 20)
    said, gold = ("\n".join(text(40, seed + n) for n in range(lines)) for seed in (1, 7))
    found = {score.name: score for score in rouge.score([said], [gold], intervals=False)}
    splitter = rouge.bounds.Bound(rouge.WORD, rouge.WORDS)
    cut = {score.name: score for score in rouge.score([splitter(said)], [splitter(gold)], intervals=False)}
    for name in ("rougeL", "rougeLsum"):
        assert found[name].value == cut[name].value
    assert found["rouge1"].value != cut["rouge1"].value
    assert "words:20" in found["rougeL"].signature and "words" not in cut["rougeL"].signature
    assert caplog.messages == ["rougeL and rougeLsum: of 2 texts only the first 20 words are compared"]


def test_ter_of_long_segments_is_that_of_their_first_words_and_says_so(caplog):
    words = " ".join(f"w{n}" for n in range(9000))
    (found,) = translation.score([words, "a b"], [f"x {words}", "a c"], names=["ter"], intervals=False)
    assert found.value == pytest.approx(100 * 3 / 502)  # a word too few, one too many at the end, one wrong
    assert found.signature.endswith("|words:500")
    assert caplog.messages == ["ter: of 2 texts only the first 500 words are compared"]
