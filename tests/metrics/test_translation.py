"""BLEU, chrF and TER: sacrebleu's values and signatures, its bootstrap beside ours, and the edges."""

import json
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest
import sacrebleu

from seqnlp import errors
from seqnlp.metrics import translation

KNOWN = Path(os.environ.get("SEQNLP_CONFORMANCE", "nowhere")) / "bleu" / "cases.json"
WORDS = "the The of a man dog , . didn't U.S. 3.5 größte naïve & &quot; 10% -- (x) sat mat".split()
WORDS += "我们 都是 学生 。 東京タワー で".split()


def corpus(segments, seed, most=14):
    """Return hypotheses and references in several scripts: some equal, most alike, a few blank."""
    draw = random.Random(seed)
    references, hypotheses = [], []
    for number in range(segments):
        words = draw.choices(WORDS, k=draw.randint(1, most)) if number % 10 else []
        references.append(" ".join(words))
        kept = [word for word in words if draw.random() < 0.9] + draw.choices(WORDS, k=number % 3)
        if number % 4 == 1:
            kept.reverse()
        hypotheses.append(" ".join(kept) if number % 11 else "")
    return hypotheses, references


def ours(case):
    """Whether a known case asks for what we offer: one reference, the default order, smoothing and weights.

    chrF's cases with beta 3 do as well: precision and recall are the same number in them.
    """
    options = case["options"]
    return (
        len(case["reference_streams"]) == 1
        and options.get("smooth_method", "exp") == "exp"
        and not options.get("lowercase")
        and not options.get("eps_smoothing")
    )


CASES = [case for case in json.loads(KNOWN.read_text()) if ours(case)] if KNOWN.exists() else []


@pytest.mark.skipif(not KNOWN.exists(), reason="no SEQNLP_CONFORMANCE")
def test_the_known_cases_are_there():
    kinds = [case["metric"] for case in CASES]
    assert {kind: kinds.count(kind) for kind in kinds} == {"sentence_bleu": 4, "corpus_chrf": 5, "corpus_ter": 4}


@pytest.mark.parametrize("case", CASES)
def test_the_known_values(case):
    kind, name = case["metric"].split("_")
    hypotheses, (references,), options = case["hypotheses"], case["reference_streams"], case["options"]
    if kind == "sentence":
        found = translation.sentence(hypotheses[0], references[0], tokenize=options["tokenize"])
    else:
        found = translation.score(hypotheses, references, names=[name])[0].value
    assert found == pytest.approx(case["expected"], abs=case["tolerance"])


def by_command(folder, hypotheses, references, tokenize, lowercase):
    """Return what the sacrebleu command prints, by our names."""
    for name, lines in (("hypothesis", hypotheses), ("reference", references)):
        (folder / name).write_text("".join(line + "\n" for line in lines))
    command = [sys.executable, "-m", "sacrebleu", folder / "reference", "-i", folder / "hypothesis"]
    options = ["-m", "bleu", "chrf", "ter", "-w", "9", "--force", "-tok", tokenize]
    options += ["-lc", "--chrf-lowercase"] if lowercase else []
    done = subprocess.run([*command, *options], capture_output=True, check=True)
    return dict(zip(translation.NAMES, json.loads(done.stdout), strict=True))


@pytest.mark.parametrize(
    ("tokenize", "lowercase"), [("13a", False), ("zh", True), ("char", False), ("intl", True), ("none", False)]
)
def test_values_and_signatures_are_those_of_the_command(tmp_path, tokenize, lowercase):
    hypotheses, references = corpus(40, 3)
    command = by_command(tmp_path, hypotheses, references, tokenize, lowercase)
    for score in translation.score(hypotheses, references, tokenize=tokenize, lowercase=lowercase):
        assert f"{score.value:.9f}" == f"{command[score.name]['score']:.9f}"
        assert 0 < score.value < 100
        assert score.signature == command[score.name]["signature"]
        assert score.n == 40


def test_every_tokenizer_gives_another_value():
    hypotheses, references = corpus(60, 4)
    values = {
        translation.score(hypotheses, references, tokenize=name, names=["bleu"])[0].value
        for name in translation.TOKENIZERS
        if name != "ja-mecab"
    }
    assert len(values) == 5


def test_case_counts_by_default():
    values = {
        lowercase: [
            score.value
            for score in translation.score(["THE DOG BIT A MAN"], ["the dog bit a man"], lowercase=lowercase)
        ]
        for lowercase in (False, True)
    }
    assert values[True] == pytest.approx([100, 100, 0])
    assert values[False] == pytest.approx([0, 0, 0])  # TER ignores it anyway


def test_japanese_by_mecab_where_it_is_installed():
    pytest.importorskip("MeCab")
    pytest.importorskip("ipadic")
    said, reference = "私は学生です", "私たちは学生です"
    expected = sacrebleu.corpus_bleu([said], [[reference]], tokenize="ja-mecab").score
    assert translation.score([said], [reference], tokenize="ja-mecab", names=["bleu"])[0].value == expected


def test_japanese_without_mecab_says_what_to_install(monkeypatch):
    translation._bleu.cache_clear()
    monkeypatch.setattr("sacrebleu.tokenizers.tokenizer_ja_mecab.MeCab", None)
    with pytest.raises(errors.UsageError, match=r'ja-mecab .*not installed; hint: pip install "seqnlp\[ja\]"'):
        translation.score(["a"], ["a"], tokenize="ja-mecab")
    translation.score(["a"], ["a"], tokenize="ja-mecab", names=["chrf", "ter"])  # no need for it


def test_an_unknown_tokenizer():
    with pytest.raises(errors.UsageError, match="no tokenizer '14a'; hint: one of 13a, zh, char"):
        translation.score(["a"], ["a"], tokenize="14a")


@pytest.mark.parametrize("names", [("ter",), ("chrf", "bleu"), ("bleu", "chrf", "ter")])
def test_scores_come_in_the_order_that_was_asked_for(names):
    assert tuple(score.name for score in translation.score(["a b"], ["a b"], names=names)) == names


@pytest.mark.parametrize("seed", [1, 2])
def test_intervals_are_those_of_sacrebleus_bootstrap(seed):
    hypotheses, references = corpus(150, seed, most=7)
    metrics = {"bleu": sacrebleu.BLEU(force=True), "chrf": sacrebleu.CHRF(), "ter": sacrebleu.TER()}
    for score in translation.score(hypotheses, references):
        theirs = metrics[score.name].corpus_score(hypotheses, [references], n_bootstrap=1000)
        low, high = score.interval
        assert low < score.value < high
        mean, half = float(theirs._mean), float(theirs._ci)
        assert (low + high) / 2 == pytest.approx(mean, abs=0.15 * half)
        assert (high - low) / 2 == pytest.approx(half, rel=0.1)


@pytest.mark.parametrize("name", translation.NAMES)
def test_intervals_sum_what_was_counted_and_read_no_segment_again(name, monkeypatch):
    metric, read = translation._metric(name, "13a", False), []
    counts = metric._extract_corpus_statistics
    monkeypatch.setattr(metric, "_extract_corpus_statistics", lambda *both: read.append(len(both[0])) or counts(*both))
    monkeypatch.setattr(translation, "_metric", lambda *_: metric)
    hypotheses, references = corpus(30, 5, most=5)
    (score,) = translation.score(hypotheses, references, names=[name])
    assert score.interval is not None and read == [30]


@pytest.mark.parametrize(("names", "expected"), [(("bleu", "chrf"), 100), (("ter",), 0)])
def test_what_is_right_is_right_in_every_resample(names, expected):
    texts = [f"sentence number {n} of a few" for n in range(7)]
    for score in translation.score(texts, texts, names=names):
        assert score.to_dict()["value"] == expected
        assert score.to_dict()["interval"] == [expected, expected]


@pytest.mark.parametrize("hypotheses", [["", ""], ["", "x"]])
@pytest.mark.parametrize("references", [["", ""], ["y", ""]])
def test_blank_segments_are_segments(hypotheses, references):
    scores = translation.score(hypotheses, references)
    json.dumps([score.to_dict() for score in scores], allow_nan=False)
    assert {score.n for score in scores} == {2}
    assert [score.value for score in scores][:2] == [0, 0]


def test_one_segment_has_no_interval():
    assert [score.interval for score in translation.score(["a b"], ["a c"])] == [None] * 3


def test_numbers_of_segments_that_differ():
    with pytest.raises(errors.DataError) as error:
        translation.score(["a"] * 3, ["a"] * 2)
    assert str(error.value) == "2 references, 3 hypotheses; hint: both must have one line for each segment"


def test_nothing_to_score():
    with pytest.raises(errors.DataError, match="nothing to score"):
        translation.score([], [])


@pytest.mark.parametrize("tokenize", ["13a", "zh", "char", "intl", "none"])
def test_a_sentence_scores_as_sacrebleu_scores_sentences(tokenize):
    for said, reference in zip(*corpus(30, 6), strict=True):
        expected = sacrebleu.sentence_bleu(said, [reference], tokenize=tokenize).score
        assert translation.sentence(said, reference, tokenize=tokenize) == expected


def test_sentences_are_sorted_by_how_wrong_they_are():
    reference = "the dog bit the man"
    said = ["a cat", "the cat", "the dog bit a man", reference]
    values = [translation.sentence(text, reference) for text in said]
    assert values == sorted(values) and len(set(values)) == 4
    assert values[0] == 0 and values[-1] == pytest.approx(100)
    assert translation.sentence("two words", "two words") == pytest.approx(100)


def test_no_word_of_sacrebleus_own_reaches_stderr(caplog):
    translation.score(["it is . "] * 200 + ["it is ."] * 200, ["it is ."] * 400, intervals=False)
    translation.sentence("it is .", "it is .")
    assert not caplog.records
