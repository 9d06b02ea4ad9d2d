"""Tokenizers: how words are split, which ones are kept, special tokens, BPE and back, the same file every time."""

import json
import os
import subprocess
import sys
import unicodedata

import pytest
import tokenizers
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import pre_tokenizers

from seqnlp import errors
from seqnlp.preprocess.text import subword, tokenizer
from seqnlp.preprocess.text.tokenizer import END, PAD, START, UNK

CORPUS = [
    "the cat sat on the mat .",
    "the dog sat on the cat !",
    "a <s> or an <unk> in the text is text </s> <pad>",
    "das Ärgernis, die Größe; 3,5 Prozent",
    "日本語のテキスト と 中文文本",
]


@pytest.fixture(scope="module")
def bpe():
    return subword.train(CORPUS * 3, size=330)


def words(text, level="word", **options):
    return tokenizer.train_vocabulary([], level=level, **options).words(text)


def vocabulary(texts, **options):
    """The words that are kept, without the special tokens, by id."""
    trained = tokenizer.train_vocabulary(texts, **options)
    return sorted(trained.vocabulary, key=trained.vocabulary.__getitem__)[4:]


# splitting


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a cat.", ["a", "cat", "."]),
        ("it's 3.5%!?", ["it", "'", "s", "3", ".", "5", "%!?"]),
        ("snake_case", ["snake_case"]),
        ("Ärger über Öl", ["Ärger", "über", "Öl"]),
        ("我喜欢猫。", ["我", "喜", "欢", "猫", "。"]),
        ("猫がスキー", ["猫", "が", "ス", "キ", "ー"]),
        ("用iPhone 15拍照", ["用", "iPhone", "15", "拍", "照"]),
        ("한국어 문장", ["한국어", "문장"]),
        ("привет, мир", ["привет", ",", "мир"]),
        ("a\u2028b\u00a0c", ["a", "b", "c"]),
        ("", []),
        (" \t", []),
    ],
)
def test_words(text, expected):
    assert words(text) == expected


def test_characters_are_code_points_and_blanks_are_kept():
    assert words("ab c\n猫😀", level="char") == ["a", "b", " ", "c", "\n", "猫", "😀"]


def test_words_are_normalised_first():
    assert words("ＣＡＴ", normalization="nfkc,lower") == ["cat"]


# vocabularies


def test_a_vocabulary_is_ordered_by_count_then_by_code_point():
    assert vocabulary(["b a c b", "c b d"]) == ["b", "c", "a", "d"]


def test_a_vocabulary_is_cut_to_its_size_special_tokens_included():
    trained = tokenizer.train_vocabulary(["b a c b", "c b d"], size=6)
    assert len(trained) == 6
    assert trained.lookup(["b", "c", "a"]) == [4, 5, UNK]


def test_rare_words_are_left_out():
    assert vocabulary(["b a c b", "c b d"], min_count=2) == ["b", "c"]


@pytest.mark.parametrize("size", [0, 3, 4])
def test_a_tiny_size_leaves_the_special_tokens(size):
    assert len(tokenizer.train_vocabulary(["a b"], size=size)) == 4


def test_special_tokens_have_the_first_ids():
    trained = tokenizer.train_vocabulary(["a"])
    assert [trained.vocabulary[name] for name in tokenizer.SPECIALS] == [PAD, UNK, START, END] == [0, 1, 2, 3]


def test_counts_are_of_normalised_words():
    assert tokenizer.count(["A a b"], tokenizer.train_vocabulary([], normalization="lower")) == {"a": 2, "b": 1}


def test_words_that_were_not_seen_are_unknown():
    trained = tokenizer.train_vocabulary(["a b"])
    assert trained.lookup(["b", "z", "a"]) == [5, UNK, 4]


@pytest.mark.parametrize("level", ["word", "char"])
@pytest.mark.parametrize("name", tokenizer.SPECIALS)
def test_a_special_token_s_name_in_the_text_is_text(level, name):
    trained = tokenizer.train_vocabulary([f"a {name} b"], level=level)
    for ids in (trained.lookup(trained.words(name)), *trained.encode([name])):
        assert ids
        assert all(i > END for i in ids)


@pytest.mark.parametrize("name", tokenizer.SPECIALS)
def test_a_word_that_is_a_special_token_s_name_is_unknown(name):
    assert tokenizer.train_vocabulary(["a"]).lookup([name]) == [UNK]


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_no_text_gives_a_special_id_but_unknown(text):
    trained = tokenizer.train_vocabulary(CORPUS)
    assert not {PAD, START, END} & set(trained.lookup(trained.words(text)))


def test_encode_equals_lookup_of_the_words():
    trained = tokenizer.train_vocabulary(CORPUS)
    assert trained.encode(CORPUS) == [trained.lookup(trained.words(text)) for text in CORPUS]


def test_decode_leaves_special_tokens_out():
    trained = tokenizer.train_vocabulary(["a b"])
    assert trained.decode([START, 4, UNK, 5, END, PAD]) == "a b"


# BPE


def known_characters():
    """Characters that every version of Unicode in use agrees on."""
    return st.characters(exclude_categories=["Cs", "Cn", "Co"])


@given(text=st.text(known_characters()))
def test_bpe_gives_any_text_back_as_nfc(bpe, text):
    assert bpe.decode(bpe.encode([text])[0]) == bpe.backend.normalizer.normalize_str(text)


@given(text=st.text(known_characters().filter(lambda c: ord(c) < 0x10000), max_size=5))
def test_the_normaliser_is_unicode_s_nfc(bpe, text):
    assert bpe.backend.normalizer.normalize_str(text) == unicodedata.normalize("NFC", text)


@pytest.mark.parametrize("text", ["<s>", "a <unk> b", "</s><pad>", "x<s>y", " <s> "])
def test_special_tokens_names_survive_bpe(bpe, text):
    (ids,) = bpe.encode([text])
    assert all(i > END for i in ids)
    assert bpe.decode(ids) == text


def test_bpe_has_the_size_asked_for(bpe):
    assert len(bpe) == 330


def test_bpe_knows_every_byte(bpe):
    assert UNK not in bpe.encode(["\x00\x7f😀\U000e0001"])[0]


def test_bpe_has_the_special_tokens_first(bpe):
    assert [bpe.vocabulary[name] for name in tokenizer.SPECIALS] == [0, 1, 2, 3]


def test_bpe_merges_what_is_frequent(bpe):
    assert len(bpe.encode(["the cat"])[0]) < len("the cat")


# files


MAKERS = {
    "word": "tokenizer.train_vocabulary(CORPUS)",
    "char": "tokenizer.train_vocabulary(CORPUS, level='char')",
    "bpe": "subword.train(CORPUS, size=300)",
    "unigram": "subword.train(CORPUS * 9, kind='unigram', size=300)",
    "wordpiece": "subword.train(CORPUS, kind='wordpiece', size=80)",
}


@pytest.mark.parametrize("kind", MAKERS)
def test_training_twice_gives_the_same_file(kind):
    first, second = (eval(MAKERS[kind]).backend.to_str() for _ in range(2))
    assert first == second


def test_the_order_of_the_texts_makes_no_difference():
    first, second = (tokenizer.train_vocabulary(texts).backend.to_str() for texts in (CORPUS, CORPUS[::-1]))
    assert first == second


def test_every_process_writes_the_same_files(tmp_path):
    script = ["from seqnlp.preprocess.text import subword, tokenizer", f"CORPUS = {CORPUS!r}"]
    script += [f"({maker}).save({kind + '.json'!r})" for kind, maker in MAKERS.items()]
    folders = [tmp_path / "1", tmp_path / "2"]
    for folder in folders:
        folder.mkdir()
        environment = {**os.environ, "PYTHONHASHSEED": folder.name, "RAYON_NUM_THREADS": folder.name}
        subprocess.run([sys.executable, "-c", "\n".join(script)], cwd=folder, env=environment, check=True)
    for kind in MAKERS:
        first, second = ((folder / f"{kind}.json").read_bytes() for folder in folders)
        assert first == second, kind


@pytest.mark.parametrize("kind", MAKERS)
def test_a_loaded_tokenizer_is_the_saved_one(tmp_path, kind):
    saved = eval(MAKERS[kind])
    saved.save(tmp_path / "x.json")
    loaded = tokenizer.Tokenizer.load(tmp_path / "x.json")
    assert loaded.encode(CORPUS) == saved.encode(CORPUS)
    assert [loaded.words(text) for text in CORPUS] == [saved.words(text) for text in CORPUS]
    assert loaded.vocabulary == saved.vocabulary


def test_the_normaliser_is_inside_the_file(tmp_path):
    tokenizer.train_vocabulary(["a"], normalization="nfkc,lower").save(tmp_path / "x.json")
    assert tokenizer.Tokenizer.load(tmp_path / "x.json").words("Ａ") == ["a"]


@pytest.mark.parametrize("kind", MAKERS)
def test_no_token_of_the_file_is_looked_for_in_the_text(tmp_path, kind):
    eval(MAKERS[kind]).save(tmp_path / "x.json")
    assert json.loads((tmp_path / "x.json").read_text(encoding="utf-8"))["added_tokens"] == []


def test_a_missing_file(tmp_path):
    with pytest.raises(errors.UsageError, match="no such file"):
        tokenizer.Tokenizer.load(tmp_path / "x.json")


@pytest.mark.parametrize("content", [b"", b"{}", b"[1]", b"\xff", b'{"model": {"type": "Magic"}}'])
def test_a_file_that_is_no_tokenizer(tmp_path, content):
    (tmp_path / "x.json").write_bytes(content)
    with pytest.raises(errors.DataError, match=r"x\.json: not a tokenizer \(.*; hint: make one with seqnlp vocab"):
        tokenizer.Tokenizer.load(tmp_path / "x.json")


def test_where_the_library_panics_it_is_an_error_for_people():
    made = tokenizer.train_vocabulary(["a b"])
    made.backend.pre_tokenizer = pre_tokenizers.Split(tokenizers.Regex("(x+x+)+y"), behavior="isolated")
    for method, text in ((made.split, "x" * 60), (made.encode, ["x" * 60]), (made.words, "x" * 60)):
        with pytest.raises(errors.ModelError, match=r"gives up on a text \(Onig"):
            method(text)


@pytest.mark.parametrize("pattern", ["(x+x+)+y", "(a*)*", "(?:ab{2,})+", "([a-z]+)*z"])
def test_a_pattern_that_may_search_for_ever_is_refused(tmp_path, pattern):
    made = tokenizer.train_vocabulary(["a b"])
    made.backend.pre_tokenizer = pre_tokenizers.Split(tokenizers.Regex(pattern), behavior="isolated")
    made.save(tmp_path / "t.json")
    with pytest.raises(errors.DataError, match="may search for ever"):
        tokenizer.Tokenizer.load(tmp_path / "t.json")


def test_the_patterns_of_others_that_do_not_are_taken(tmp_path):
    pattern = (
        r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s+(?!\S)|\s+"
    )
    made = tokenizer.train_vocabulary(["a b"])
    made.backend.pre_tokenizer = pre_tokenizers.Split(tokenizers.Regex(pattern), behavior="isolated")
    made.save(tmp_path / "t.json")
    assert tokenizer.Tokenizer.load(tmp_path / "t.json").words("a b") == ["a", " b"]


@pytest.mark.parametrize("kind", ["bpe", "unigram", "wordpiece"])
def test_pieces_are_learnt_from_the_beginning_of_a_word_without_end(caplog, kind):
    long, marks = "ab" * 30_000, "+-" * 30_000
    made = subword.train([f"the cat {long} the {marks} dog"] * 3, kind=kind, size=300)
    assert made.words("the cat")
    assert "6 words were longer than 10000 characters: pieces are learnt from their beginnings" in caplog.messages
