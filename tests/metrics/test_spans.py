"""Scores of spans to the last digit of conlleval, live against seqeval and scikit-learn, and each kind of error."""

import json
import os
from pathlib import Path

import hypothesis
import numpy as np
import pytest
import sklearn.metrics
from hypothesis import given
from hypothesis import strategies as st
from seqeval.metrics import sequence_labeling

from seqnlp import errors
from seqnlp.metrics import spans
from seqnlp.preprocess.text import tag_schemes

CONFORMANCE = os.environ.get("SEQNLP_CONFORMANCE", "")
FILES = [
    "conll2000_sample",
    "e_tags",
    "masakhaner_amh_bilstm_crf",
    "masakhaner_hau_bilstm_crf",
    "masakhaner_pcm_bilstm_crf",
    "masakhaner_yor_bilstm_crf",
]
PREFIXES = {"IOB1": "BI", "IOB2": "BI", "BIOES": "BIES"}
MOST = {"max_size": 8}


def corpora(prefixes, labels=("X", "Y", "a-b")):
    """Gold and predicted tags, legal or not, of a few sentences."""
    tag = st.sampled_from(["O", "O", *(f"{prefix}-{label}" for prefix in prefixes for label in labels)])
    sentence = st.lists(st.tuples(tag, st.none() | tag), **MOST)  # None: predicted as gold
    return st.lists(sentence, min_size=1, max_size=5).map(
        lambda corpus: ([[g for g, _ in pairs] for pairs in corpus], [[p or g for g, p in pairs] for pairs in corpus])
    )


def values(gold, predicted, score=spans.score, **options):
    scores, details = score(gold, predicted, intervals=False, **options)
    return {score.name: score.value for score in scores}, details


def counted(gold, predicted):
    """The errors of one sentence."""
    return values([gold.split()], [predicted.split()])[1]["errors"]


def read(path):
    """Gold and predicted tags of a file with the two in its last columns."""
    blocks = path.read_text(encoding="utf-8").strip("\n").split("\n\n")
    rows = [[line.split()[-2:] for line in block.splitlines() if line.strip()] for block in blocks]
    return [[g for g, _ in block] for block in rows], [[p for _, p in block] for block in rows]


def report(gold, predicted):
    """The scores in the manner of conlleval."""
    found, details = values(gold, predicted)
    rules = tag_schemes.rules_for(tag for tags in (*gold, *predicted) for tag in tags)
    said = [span.label for tags in predicted for span in tag_schemes.spans(tags, rules)]
    wrong = sum(details["errors"][kind] for kind in ("boundary", "type", "spurious"))
    phrases = sum(row["support"] for row in details["classes"].values())
    line = "precision: {precision:6.2f}%; recall: {recall:6.2f}%; FB1: {f1:6.2f}"
    return [
        f"processed {sum(map(len, gold))} tokens with {phrases} phrases; "
        f"found: {len(said)} phrases; correct: {len(said) - wrong}.",
        f"accuracy: {found['accuracy']:6.2f}%; {line.format(**found)}",
        *(f"{name:>17}: {line.format(**row)}  {said.count(name)}" for name, row in details["classes"].items()),
    ]


@pytest.mark.skipif(not CONFORMANCE, reason="SEQNLP_CONFORMANCE is not set")
@pytest.mark.parametrize("name", FILES)
def test_every_digit_of_conlleval(name):
    path = Path(CONFORMANCE, "conlleval", name)
    expected = path.with_suffix(".expected").read_text(encoding="utf-8").splitlines()
    assert report(*read(path.with_suffix(".txt"))) == expected


def by_seqeval(gold, predicted, average):
    found = sequence_labeling.precision_recall_fscore_support(gold, predicted, average=average, zero_division=0)
    return {name: 100 * part for name, part in zip(("precision", "recall", "f1"), found[:3], strict=True)}, found[3]


@pytest.mark.parametrize("scheme", PREFIXES)
@given(st.data())
def test_as_seqeval(scheme, data):
    gold, predicted = data.draw(corpora(PREFIXES[scheme]))
    gold = [tag_schemes.convert(tags, scheme) for tags in gold]  # the predicted ones may be illegal
    found, details = values(gold, predicted, rules=tag_schemes.EXTENDED)
    hypothesis.assume(details["classes"])  # seqeval fails where there are no spans at all
    names = ("precision", "recall", "f1")
    micro, _ = by_seqeval(gold, predicted, "micro")
    macro, _ = by_seqeval(gold, predicted, "macro")
    each, support = by_seqeval(gold, predicted, None)
    assert {name: found[name] for name in names} == pytest.approx(micro)
    assert details["macro"] == pytest.approx(macro, abs=1e-5)
    assert [row["support"] for row in details["classes"].values()] == list(support)
    for name in names:
        assert [row[name] for row in details["classes"].values()] == pytest.approx(list(each[name]), abs=1e-5)
    hits = [g == p for g_tags, p_tags in zip(gold, predicted, strict=True) for g, p in zip(g_tags, p_tags, strict=True)]
    assert found["accuracy"] == pytest.approx(100 * np.mean(hits))


@pytest.mark.parametrize("scheme", ["IOB2", "BIOES", "BILOU"])
@given(corpora("BI"))
def test_the_scheme_makes_no_difference_to_the_spans(scheme, corpus):
    other = [[tag_schemes.convert(tags, scheme) for tags in part] for part in corpus]
    found, details = values(*corpus, rules=tag_schemes.EXTENDED)
    again, details_again = values(*other, rules=tag_schemes.EXTENDED)
    assert {**again, "accuracy": 0} == {**found, "accuracy": 0}
    assert details_again == details


def test_by_hand():
    gold = ["B-X I-X O B-Y".split(), "B-X O O".split()]
    predicted = ["B-X I-X O B-X".split(), "O B-Y O".split()]
    found, details = values(gold, predicted)
    assert found == pytest.approx({"f1": 100 / 3, "precision": 100 / 3, "recall": 100 / 3, "accuracy": 400 / 7})
    assert details == {
        "classes": {
            "X": {"precision": 50, "recall": 50, "f1": 50, "support": 2},
            "Y": {"precision": 0, "recall": 0, "f1": 0, "support": 1},
        },
        "macro": {"f1": 25, "precision": 25, "recall": 25},
        "errors": {"boundary": 0, "type": 1, "missed": 1, "spurious": 1},
    }


@pytest.mark.parametrize(
    ("gold", "predicted", "expected"),
    [
        ("B-X I-X O B-X", "B-X I-X O B-X", {}),
        ("O O O", "O O O", {}),
        ("B-X I-X O", "B-X O O", {"boundary": 1}),
        ("B-X I-X O", "O B-X I-X", {"boundary": 1}),
        ("B-X I-X O", "B-Y I-Y O", {"type": 1}),
        ("B-X I-X O", "O B-Y I-Y", {"type": 1}),  # other limits too
        ("B-X I-X B-Y", "B-Y I-Y I-Y", {"boundary": 1}),  # of the gold spans that it overlaps one is of its type
        ("B-X I-X I-X", "B-X O B-Y", {"boundary": 1, "type": 1}),
        ("B-X I-X B-X", "B-X I-X I-X", {"boundary": 1}),
        ("B-X I-X I-X", "B-X B-X B-X", {"boundary": 3}),
        ("B-X O O", "O O O", {"missed": 1}),
        ("O O B-X", "B-X I-X O", {"missed": 1, "spurious": 1}),
        ("B-X B-X", "B-X O", {"missed": 1}),
        ("B-X O", "B-X B-X", {"spurious": 1}),
        ("B-X I-X O B-Y O O", "B-X I-X O B-X B-Y O", {"type": 1, "spurious": 1}),
    ],
)
def test_each_kind_of_error(gold, predicted, expected):
    assert counted(gold, predicted) == {"boundary": 0, "type": 0, "missed": 0, "spurious": 0, **expected}


def test_errors_are_counted_over_all_sentences():
    gold, predicted = [["B-X"], ["B-X"], ["O"], ["B-X"]], [["B-Y"], ["O"], ["B-X"], ["B-Y"]]
    assert values(gold, predicted)[1]["errors"] == {"boundary": 0, "type": 2, "missed": 1, "spurious": 1}


@given(corpora("BI"))
def test_every_wrong_span_is_one_error(corpus):
    gold, predicted = ([set(tag_schemes.spans(tags)) for tags in part] for part in corpus)
    found = values(*corpus)[1]["errors"]
    wrong = sum(len(p - g) for g, p in zip(gold, predicted, strict=True))
    assert found["boundary"] + found["type"] + found["spurious"] == wrong
    assert found["missed"] <= sum(len(g - p) for g, p in zip(gold, predicted, strict=True))


def test_the_letter_of_conlleval_unless_it_does_not_know_the_prefixes():
    touching = "B-X E-X B-X E-X".split()
    assert values([touching], [touching])[1]["classes"]["X"]["support"] == 1
    assert values([touching, ["S-Y"]], [touching, ["O"]])[1]["classes"]["X"]["support"] == 2
    assert values([touching], [touching], rules=tag_schemes.EXTENDED)[1]["classes"]["X"]["support"] == 2
    assert values([touching, ["O"]], [touching, ["U-X"]])[1]["classes"]["X"]["support"] == 2  # predicted ones count too


def test_names_order_and_signatures():
    scores, _ = spans.score([["B-X"]], [["B-X"]])
    assert [score.name for score in scores] == ["f1", "precision", "recall", "accuracy"]
    assert scores[0].signature.startswith("f1|average:micro|spans:conlleval|bs:")
    assert scores[3].signature.startswith("accuracy|of:tags|bs:")
    assert spans.score([["S-X"]], [["S-X"]])[0][0].signature.startswith("f1|average:micro|spans:conlleval+ESLU|bs:")
    scores, _ = spans.class_score([["DET"]], [["DET"]])
    assert [score.name for score in scores] == ["accuracy", "f1", "precision", "recall"]
    assert scores[1].signature.startswith("f1|average:macro|bs:")


@pytest.mark.parametrize("corpus", [[["O", "O"], ["O"]], [[], []]])
def test_a_corpus_without_spans(corpus):
    found, details = values(corpus, corpus)
    assert found == {"f1": 0, "precision": 0, "recall": 0, "accuracy": 100 if corpus[0] else 0}
    assert details["classes"] == {}
    assert details["macro"] == {"f1": 0, "precision": 0, "recall": 0}
    assert set(details["errors"].values()) == {0}


def test_spans_on_one_side_only():
    assert values([["O"]], [["B-X"]])[0] == {"f1": 0, "precision": 0, "recall": 0, "accuracy": 0}
    assert values([["B-X"]], [["O"]])[0] == {"f1": 0, "precision": 0, "recall": 0, "accuracy": 0}


@pytest.mark.parametrize("score", [spans.score, spans.class_score])
def test_corpora_that_do_not_fit_together(score):
    with pytest.raises(errors.DataError) as error:
        score([["O"]] * 3, [["O"]] * 2)
    assert str(error.value) == "3 sentences of references, 2 of predictions; hint: both must have the same sentences"
    with pytest.raises(errors.DataError) as error:
        score([["O"], ["O", "O"]], [["O"], ["O", "O", "O"]])
    assert str(error.value) == (
        "sentence 2: 2 tags in the reference, 3 in the prediction; hint: both must have one tag for each token"
    )
    with pytest.raises(errors.DataError, match="nothing to score: no sentences"):
        score([], [])


def noisy(sentences, share, tags, seed=7):
    """Gold tags, and predicted ones of which a share is drawn anew."""
    generator = np.random.default_rng(seed)
    gold = [[str(tag) for tag in generator.choice(tags, generator.integers(1, 9))] for _ in range(sentences)]
    return gold, [[str(generator.choice(tags)) if generator.random() < share else tag for tag in row] for row in gold]


@pytest.mark.parametrize("score", [spans.score, spans.class_score])
@pytest.mark.parametrize("share", [0.1, 0.5])
def test_every_interval_holds_its_value(score, share):
    for one in score(*noisy(200, share, ["O", "O", "B-X", "I-X", "B-Y"]))[0]:
        low, high = one.interval
        assert 0 <= low < one.value < high <= 100, one
        assert one.n == 200


@pytest.mark.parametrize("score", [spans.score, spans.class_score])
def test_intervals_are_left_out_when_nobody_wants_them(score):
    corpus = noisy(5, 0.5, ["O", "B-X"])
    assert {one.interval for one in score(*corpus, intervals=False)[0]} == {None}


@pytest.mark.parametrize("score", [spans.score, spans.class_score])
def test_the_bootstrap_draws_sentences_and_not_tags(score):
    """Sentences that are all right or all wrong: as many independent items as sentences, however long they are."""
    gold = [["B-X"] * 25] * 40
    predicted = [["B-X"] * 25] * 20 + [["O"] * 25] * 20
    for one in score(gold, predicted)[0]:
        if one.name == "accuracy":
            low, high = one.interval
            assert high - low == pytest.approx(2 * 1.96 * 100 * (0.25 / 40) ** 0.5, rel=0.15)


@given(corpora("BI"))
def test_plain_classes_as_scikit_learn(corpus):
    gold, predicted = ([tag for tags in part for tag in tags] for part in corpus)
    names = sorted({*gold, *predicted})
    hypothesis.assume(len(names) > 1)  # scikit-learn warns
    found, details = values(*corpus, score=spans.class_score)
    keys = ("precision", "recall", "f1")
    each = sklearn.metrics.precision_recall_fscore_support(gold, predicted, labels=names, zero_division=0)
    assert found["accuracy"] == pytest.approx(100 * sklearn.metrics.accuracy_score(gold, predicted))
    assert [found[key] for key in keys] == pytest.approx([100 * float(np.mean(part)) for part in each[:3]])
    assert list(details["classes"]) == names
    assert [row["support"] for row in details["classes"].values()] == list(each[3])
    for key, part in zip(keys, each, strict=False):
        assert [row[key] for row in details["classes"].values()] == pytest.approx(list(100 * part), abs=1e-5)
    matrix = sklearn.metrics.confusion_matrix(gold, predicted, labels=names).tolist()
    assert details["confusion"] == {"labels": names, "matrix": matrix}


def test_plain_classes_without_a_token():
    found, details = values([[], []], [[], []], score=spans.class_score)
    assert set(found.values()) == {0}
    assert details["classes"] == {}


def test_a_confusion_matrix_that_nobody_reads_is_left_out():
    gold = [[f"c{n:03}"] for n in range(101)]
    assert "confusion" not in values(gold, gold, score=spans.class_score)[1]
    assert "confusion" in values(gold[1:], gold[1:], score=spans.class_score)[1]


@pytest.mark.parametrize("score", [spans.score, spans.class_score])
@pytest.mark.parametrize("sentences", [1, 30])
def test_scores_and_details_are_json(score, sentences):
    scores, details = score(*noisy(sentences, 0.5, ["O", "B-X", "I-X"]))
    json.dumps([[one.to_dict() for one in scores], details], allow_nan=False)
