"""ROUGE against rouge_score, on ASCII as it is and in other scripts through words that ASCII stands for."""

import json
import os
import random
import statistics
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rouge_score import rouge_scorer, tokenizers

from seqnlp import errors
from seqnlp.metrics import rouge

KNOWN = Path(os.environ.get("SEQNLP_CONFORMANCE", "nowhere")) / "rouge" / "cases.json"
CASES = json.loads(KNOWN.read_text()) if KNOWN.exists() else []
WORDS = "the The cat's running runner runs of 3.5 sat_on mats, (mat) nation's national . - quickly ads gas".split()
ASCII = st.text(st.characters(max_codepoint=127), max_size=30)


def texts(number, seed):
    """Return texts of one to three lines."""
    draw = random.Random(seed)
    lines = [
        [" ".join(draw.choices(WORDS, k=draw.randint(0, 9))) for _ in range(draw.randint(1, 3))] for _ in range(number)
    ]
    return ["\n".join(part) for part in lines]


def values(hypotheses, references, **options):
    return {score.name: score.value for score in rouge.score(hypotheses, references, **options)}


def tok(hypotheses, references):
    (found,) = {score.signature.split("|")[1] for score in rouge.score(hypotheses, references)}
    return found


@pytest.mark.parametrize("case", CASES)
def test_the_known_values(case):
    (found,) = rouge.score([case["prediction"]], [case["reference"]], names=[case["rouge"]], stem=case["stemmer"])
    assert found.name == case["rouge"] and found.n == 1
    assert found.value == pytest.approx(100 * case["f"], abs=100 * case["tolerance"])


@pytest.mark.parametrize("stem", [False, True])
def test_the_mean_of_what_rouge_score_gives_each_item(stem):
    hypotheses, references = texts(60, 1), texts(60, 2)
    scorer = rouge_scorer.RougeScorer(list(rouge.NAMES), use_stemmer=stem)
    items = [scorer.score(reference, said) for said, reference in zip(hypotheses, references, strict=True)]
    expected = {name: 100 * statistics.fmean(item[name].fmeasure for item in items) for name in rouge.NAMES}
    assert values(hypotheses, references, stem=stem) == pytest.approx(expected)
    assert len(set(expected.values())) == 4


def test_stemming_makes_a_difference():
    assert values(["he runs"], ["he running"])["rouge1"] == 50
    assert values(["he runs"], ["he running"], stem=True)["rouge1"] == 100
    assert rouge.Tokenizer(stem=True).tokenize("ads cats größen") == ["ads", "cat", "größen"]


@pytest.mark.parametrize("stem", [False, True])
@given(text=st.one_of(ASCII, st.lists(st.sampled_from(WORDS)).map(" ".join)))
def test_on_ascii_our_words_are_those_of_rouge_score(stem, text):
    assert not rouge.beyond_ascii(text)
    assert rouge.Tokenizer(stem).tokenize(text) == tokenizers.DefaultTokenizer(stem).tokenize(text)


def test_an_item_in_ascii_scores_the_same_whatever_the_others_are_written_in():
    hypotheses, references = texts(20, 3), texts(20, 4)
    plain = values(hypotheses, references)
    mixed = values([*hypotheses, "学生"], [*references, "学生"])
    assert mixed["rouge1"] == pytest.approx((20 * plain["rouge1"] + 100) / 21)
    assert mixed["rougeLsum"] == pytest.approx((20 * plain["rougeLsum"] + 100) / 21)


SCRIPTS = {
    "Chinese": "我们都是学",
    "Japanese": "東京タワー",
    "with blanks": ["größe ", "Ärger ", "naïve ", "über ", "ñu "],
}


@pytest.mark.parametrize("script", SCRIPTS.values(), ids=SCRIPTS)
@given(said=st.lists(st.integers(0, 4), max_size=9), reference=st.lists(st.integers(0, 4), min_size=1, max_size=9))
def test_words_in_any_script_score_as_words_of_ascii(script, said, reference):
    ours, plain = ([["".join(alphabet[i] for i in ids)] for ids in (said, reference)] for alphabet in (script, PLAIN))
    assert values(*ours, intervals=False) == values(*plain, intervals=False)


PLAIN = ["alpha ", "beta ", "gamma ", "delta ", "epsilon "]

SPLIT = {
    "我爱Tianjin大学2024年!": ["我", "爱", "tianjin", "大", "学", "2024", "年"],
    "コーヒーを飲む。": ["コ", "ー", "ヒ", "ー", "を", "飲", "む"],
    "Die Größe ist 3,5 m²": ["die", "größe", "ist", "3", "5", "m²"],
    "सन्धि विच्छेद": ["सन्धि", "विच्छेद"],
    "한국어 문장": ["한국어", "문장"],
    "l’été — déjà_vu": ["l", "été", "déjà", "vu"],
    "ПРИВЕТ, Мир": ["привет", "мир"],
    "🙂 ！、": [],
}


@pytest.mark.parametrize(("text", "words"), SPLIT.items())
def test_words_of_every_script(text, words):
    assert rouge.Tokenizer().tokenize(text) == words


def test_one_letter_in_two_code_points_is_that_letter():
    whole, apart = (unicodedata.normalize(form, "un café déjà vu") for form in ("NFC", "NFD"))
    assert rouge.beyond_ascii(apart)
    assert values([apart], [whole])["rougeL"] == 100
    assert len(rouge.Tokenizer().tokenize(apart)) == 4


def test_the_signature_names_the_tokenizer_that_ran():
    assert tok(["a “quoted” — text…"], ["it’s 5 €"]) == "tok:ascii"
    assert tok(["café", "b"], ["a", "b"]) == "tok:unicode"
    assert tok(["a", "b"], ["a", "生"]) == "tok:unicode"
    assert tok(["a"], ["٣"]) == "tok:unicode"


@pytest.mark.parametrize(("stem", "said"), [(False, "no"), (True, "yes")])
def test_the_signature_says_how_the_score_was_made(stem, said):
    for score in rouge.score(["a"], ["a"], stem=stem):
        assert score.signature.startswith(f"{score.name}|tok:ascii|stem:{said}|rouge-score:0.1.")
        assert "|bs:1000|seed:12345|v:" in score.signature


def test_a_line_is_a_sentence_of_rouge_l_sum_alone():
    said, reference = "the cat sat\na dog ran", "a dog ran\nthe cat sat"
    found = values([said], [reference])
    assert found["rougeLsum"] == 100 and found["rougeL"] == 50
    flat = values([said.replace("\n", " ")], [reference.replace("\n", " ")])
    assert flat["rougeLsum"] == flat["rougeL"] == 50


@pytest.mark.parametrize("names", [("rougeLsum",), ("rougeL", "rouge1")])
def test_scores_come_in_the_order_that_was_asked_for(names):
    assert tuple(score.name for score in rouge.score(["a"], ["a"], names=names)) == names


def test_intervals_are_over_items():
    scores = rouge.score(texts(50, 5), texts(50, 6))
    for score in scores:
        low, high = score.interval
        assert low < score.value < high and score.n == 50
    assert rouge.score(["a b"], ["a c"])[0].interval is None
    assert rouge.score(["a"] * 3, ["a"] * 3, intervals=False)[0].interval is None
    assert rouge.score(["a", "b"], ["a", "b"])[0].interval == (100, 100)


@pytest.mark.parametrize(("said", "reference"), [("", ""), ("", "a"), ("a", ""), ("!", "生")])
def test_blank_items_score_nothing(said, reference):
    assert set(values([said], [reference]).values()) == {0}


def test_numbers_of_items_that_differ():
    with pytest.raises(errors.DataError, match="2 references, 1 hypotheses"):
        rouge.score(["a"], ["a", "b"])


def test_nothing_to_score():
    with pytest.raises(errors.DataError, match="nothing to score"):
        rouge.score([], [])
