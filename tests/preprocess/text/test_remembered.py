"""Pieces that are remembered word by word are those of the whole line."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqnlp.preprocess.text import subword, tokenizer

TEXTS = ["low lower lowest", "new newer newest wide wider", "it's the lowest, 'tis said: 12 34", "Straße 桃 é"] * 5
MADE = {
    (kind, steps): subword.train(iter(TEXTS), kind=kind, size=330, normalization=steps)
    for kind in ("bpe", "unigram", "wordpiece")
    for steps in ("nfc", "nfkc,lower", "none", "space")
}
HARD = st.lists(st.sampled_from([*" \t\n\r\x1c\x85\u00a0\u200b\u3000'sΣσeaé1,\u0301\u1100\u1161桃", "low", "'s "])).map(
    "".join
)


@pytest.mark.parametrize("kind", MADE)
@given(texts=st.lists(st.text(max_size=20) | HARD, max_size=5))
def test_the_pieces_are_those_of_the_whole_line(kind, texts):
    made = MADE[kind]
    assert made.pieces(texts) == made._pieces(texts)
    assert made.pieces(texts) == made._pieces(texts)  # now from memory


@pytest.mark.parametrize("kind", ["bpe", "unigram"])
def test_words_are_remembered_where_no_piece_crosses_a_blank(kind):
    assert MADE[kind, "nfc"]._by_words
    assert not MADE[kind, "space"]._by_words  # a word by itself would lose its blank
    assert not MADE["wordpiece", "nfc"]._by_words


def test_memory_has_an_end(monkeypatch):
    monkeypatch.setattr(tokenizer, "KNOWN_WORDS", 5)
    made = subword.train(iter(TEXTS), size=330)
    texts = [f"low{n} new{n}" for n in range(20)]
    assert [made.pieces([text])[0] for text in texts] == made._pieces(texts)
    assert len(made._known) <= 5 + 2


def test_with_dropout_nothing_is_remembered():
    made = subword.train(iter(TEXTS), size=330)
    made.pieces(["lowest"])
    made.set_dropout(0.5)
    assert len({tuple(made.pieces(["lowest newest"])[0]) for _ in range(40)}) > 3
