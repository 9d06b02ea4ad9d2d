"""Cutting: nothing is lost, every part fits, and the places are the best that there are."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqnlp.preprocess.text import segmentation

TEXTS = st.text(st.sampled_from("ab.!?…。！”\")' \t\nü我😀\u3000\u200b"), max_size=120)
MOST = st.integers(1, 30)


def letters(texts):
    return [len(text) for text in texts]


def words(texts):
    return [len(text.split()) for text in texts]


def pieces(texts):
    """As of tokenizers that know words with a blank before them better than without."""
    return [1 if text.startswith(" ") else len(text) for text in texts]


def parts(text, most, sizes=letters):
    return list(segmentation.parts(text, sizes, most))


@given(TEXTS, MOST, st.sampled_from([letters, words, pieces]))
def test_nothing_is_lost(text, most, sizes):
    found = parts(text, most, sizes)
    assert "".join(found) == text
    assert all(found)


@given(TEXTS, MOST, st.sampled_from([letters, words]))
def test_every_part_fits(text, most, sizes):
    assert all(sizes([part.strip()])[0] <= most for part in parts(text, most, sizes))


@given(st.lists(st.text("ab", min_size=1, max_size=9).map(lambda text: f"{text}."), max_size=20), st.integers(10, 40))
def test_a_part_has_as_many_sentences_as_fit(sentences, most):
    found = parts(" ".join(sentences), most)
    assert [sentence for part in found for sentence in part.split()] == sentences
    assert all(len(part.strip()) <= most for part in found)
    for part, following in itertools.pairwise(found):
        assert len(part.strip()) + len(following.split()[0]) + 1 > most


@given(st.text("ab .", max_size=40))
def test_what_fits_stays_whole(text):
    assert parts(text, 40) == [text] * bool(text)


@pytest.mark.parametrize(
    ("text", "most", "expected"),
    [
        ("One two. Three four!  Five?", 12, ["One two.", " Three four!", "  Five?"]),
        ("One two. Three four!  Five?", 20, ["One two. Three four!", "  Five?"]),
        ('"Oh." (He went.) So 3.5 e.g.', 8, ['"Oh."', " (He", " went.)", " So 3.5", " e.g."]),
        ("我们。他说：“好。”然后！走了", 7, ["我们。", "他说：“好。”", "然后！走了"]),
        ("one two three four. Five", 9, ["one two", " three", " four.", " Five"]),
        ("a abcdefgh b", 3, ["a", " abc", "def", "gh", " b"]),
        ("我们都在这里", 4, ["我们都在", "这里"]),
    ],
)
def test_sentence_ends_go_before_blanks_and_blanks_before_anything(text, most, expected):
    assert parts(text, most) == expected


def test_a_character_is_never_cut():
    assert parts("😀我a", 1, lambda texts: [len(text.encode()) for text in texts]) == ["😀", "我", "a"]


def test_a_sentence_may_be_shorter_beside_another_than_alone():
    assert parts("ab. cdefgh", 4, pieces) == ["ab. cdefgh"]
    assert parts("ab. cdefgh ij", 3, pieces) == ["ab.", " cde", "fgh", " ij"]


def test_blanks_around_a_part_count_for_nothing():
    assert parts("   ab   cd   ", 4) == ["   ab", "   cd   "]
    assert parts(f"a{' ' * 99}b", 3) == ["a", f"{' ' * 99}b"]


def test_a_long_text_is_cut_in_one_go():
    calls = []

    def sizes(texts):
        calls.append(len(texts))
        return words(texts)

    text = "one two three. " * 5000
    assert len(parts(text, 30, sizes)) == 500
    assert len(calls) == 2 and sum(calls) < 12_000
