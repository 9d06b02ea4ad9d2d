"""classify: labels as they stand in corpora, what is fitted, rows and batches, results and their text."""

import dataclasses
import json
import math

import numpy as np
import pyarrow
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet

from seqnlp import errors
from seqnlp.preprocess.batching import buckets
from seqnlp.preprocess.corpora import arrow, schema, splits
from seqnlp.preprocess.corpora.examples import Example, Examples
from seqnlp.preprocess.text import labels
from seqnlp.tasks import registry
from seqnlp.tasks.words import vocabulary

classify = registry.get("classify")

SMALL = dict(embedding_size=3, hidden_size=5, char_ngram_buckets=11)
PAIRS = [("So good", ("pos",)), ("too bad !", ("neg",)), ("good good", ("pos",))]


def corpus(pairs=PAIRS):
    made = [Example(text, target, text, "x.tsv", number) for number, (text, target) in enumerate(pairs, 1)]
    return Examples(lambda: iter(made), len(made))


def fitted(pairs=PAIRS, **options):
    return classify.fit(corpus(pairs), classify.Config(**{**SMALL, **options}), {})


@pytest.fixture
def read(tmp_path):
    """Read a corpus: `read(name, content)` returns the labels of each text."""

    def run(name, content, several=False):
        (tmp_path / name).write_text(content, encoding="utf-8")
        source = schema.Source((str(tmp_path / name),), names={str(tmp_path / name): name})
        return [(e.source, e.target) for e in classify.read(source, classify.Config(multi_label=several))]

    return run


def jsonl(label):
    return json.dumps({"text": "a", "label": label}) + "\n"


# labels


def test_a_label_may_hold_commas_where_there_is_one_only(read):
    assert read("x.tsv", "a\tnews, sport\n") == [("a", ("news, sport",))]


def test_several_labels_are_joined_by_commas(read):
    content = "a\tnews, sport\nb\t\nc\tnews,news,\n"
    assert read("x.tsv", content, several=True) == [("a", ("news", "sport")), ("b", ()), ("c", ("news",))]


@pytest.mark.parametrize(
    ("label", "names"), [("b", ("b",)), (" b ", ("b",)), (3, ("3",)), (["b"], ("b",)), (0.5, ("0.5",))]
)
def test_one_label_of_jsonl(read, label, names):
    assert read("x.jsonl", jsonl(label)) == [("a", names)]


@pytest.mark.parametrize(("label", "names"), [(["b", "c"], ("b", "c")), ([], ()), ("b,c", ("b", "c")), ([1], ("1",))])
def test_several_labels_of_jsonl(read, label, names):
    assert read("x.jsonl", jsonl(label), several=True) == [("a", names)]


def test_labels_of_fasttext(read):
    assert read("x.txt", "__label__b __label__c a\n", several=True) == [("a", ("b", "c"))]


@pytest.mark.parametrize(("content", "what"), [(jsonl(["b", "c"]), "2 labels"), (jsonl([]), "no label")])
def test_other_than_one_label_is_reported_with_what_to_do(read, content, what):
    with pytest.raises(errors.DataError) as error:
        read("x.jsonl", jsonl("b") + content)
    assert error.value.message == f"x.jsonl:2: {what}, expected one"
    assert error.value.hint == "--multi-label, if items have several, or none"


@pytest.mark.parametrize("label", [{"name": "b"}, [["b"]]])
def test_a_label_of_another_kind_is_reported(read, label):
    with pytest.raises(errors.DataError, match=r"x\.jsonl:1: a label is a string or a number, or a list of them"):
        read("x.jsonl", jsonl(label))


@pytest.mark.parametrize("several", [False, True])
@pytest.mark.parametrize(
    ("label", "what"),
    [
        (math.nan, "the label is NaN"),
        (math.inf, "the label is infinite"),
        ([math.nan], "the label is NaN"),
        (["a", math.nan], "the label is NaN"),
        ([None], "the label is null"),
        (["a", ""], "an empty label in the list"),
        ([" "], "an empty label in the list"),
    ],
)
def test_a_label_that_is_missing_is_no_class(read, label, what, several):
    with pytest.raises(errors.DataError) as error:
        read("x.jsonl", jsonl("b") + jsonl(label), several=several)
    assert error.value.message == f"x.jsonl:2: {what}"


@pytest.mark.parametrize("several", [False, True])
@pytest.mark.parametrize("labels", [[1.0, math.nan], [["a"], ["b", None]], [["a"], ["b", ""]]])
def test_a_label_that_is_missing_in_parquet_is_no_class(tmp_path, labels, several):
    table = pyarrow.table({"text": ["x", "y"], "label": labels})
    parquet.write_table(table, tmp_path / "x.parquet")
    source = schema.Source((str(tmp_path / "x.parquet"),))
    with pytest.raises(errors.DataError, match=r"x\.parquet:2: "):
        list(classify.read(source, classify.Config(multi_label=several)))


@pytest.mark.parametrize(("text", "kind"), [(3, "int"), (["a"], "list"), ({"a": 1}, "dict")])
def test_a_text_of_another_kind_is_reported(read, text, kind):
    with pytest.raises(errors.DataError, match=rf"x\.jsonl:1: the text is a {kind}, expected a string"):
        read("x.jsonl", json.dumps({"text": text, "label": "b"}) + "\n")


# fitting


def test_one_class_only_is_reported():
    with pytest.raises(errors.DataError, match=r"part has only one class \(pos\); hint: a classifier needs"):
        fitted([("a", ("pos",)), ("b", ("pos",))])


def test_no_labels_are_reported():
    with pytest.raises(errors.DataError, match="the training part is empty: no labelled examples"):
        fitted([("a", ()), ("b", ())], multi_label=True)


def said(pairs, caplog, **options):
    caplog.clear()
    fitted(pairs, **options)
    return [record.getMessage() for record in caplog.records]


def test_what_looks_wrong_with_labels_is_said_once_each(caplog):
    usual = [("a", ("pos",)), ("b", ("neg",))] * 5
    assert said(usual, caplog) == []
    assert said([*usual, ("c", ("Pos",)), ("d", ("Pos",)), ("e", ("p os",)), ("f", ("p os",))], caplog) == [
        "labels that differ in case or blanks only: 'Pos' and 'p os' and 'pos'"
    ]
    assert said([*usual, ("c", ("rare",))], caplog) == ["a class occurs only once: 'rare'"]
    assert said([*usual, ("c", ("rare",)), ("c", ("rarer",))], caplog) == ["2 classes occur only once: 'rare', 'rarer'"]
    assert said([("a", (f"text {number}",)) for number in range(30)], caplog) == [
        "30 rows have 30 labels, nearly each its own: is this the field with the labels?"
    ]
    assert said([*usual, ("c", ("nan",)), ("d", ("nan",))], caplog) == [
        "'nan' is a class: is that a label that is missing?"
    ]


def test_texts_that_are_cut_are_counted_in_training_and_with_each_prediction(caplog):
    pairs = [("one two three four", ("a",)), ("one two three", ("b",)), ("one two", ("a",)), ("one", ("b",))]
    assert said(pairs, caplog, max_length=2) == [
        "2 of 4 texts have more than 2 words: the rest is cut off (--max-length)"
    ]
    assert said(pairs, caplog, max_length=4) == []
    _, codec = fitted(pairs, max_length=2)
    found = predicted([Fixed([[1.0, 0.0]] * 4)], codec, pairs)
    assert [classify.output.warnings_of(prediction) for prediction in found] == [("cut",), ("cut",), (), ()]


DEV = np.random.default_rng(1).choice(20, 2, replace=False)  # those of twenty rows that go to dev


def named(rows):
    return corpus([("a", (name,)) for name in rows])


def split(rows):
    """A split that no strata keep even."""
    return vocabulary.split(splits.split(named(rows), 1), "class")


def test_a_split_leaves_no_class_to_dev_alone_and_takes_of_each():
    train, dev = classify.split(named(["b", *"a" * 39]), 1)
    assert len(train) == 36 and {example.target for example in dev} == {("a",)}
    _, dev = classify.split(named(["ab"[number < 40] for number in range(60)]), 1)
    assert sorted(example.target[0] for example in dev) == [*"aabbbb"]


def test_one_class_after_the_split_is_reported_with_its_cause(caplog):
    split("a" * 20)  # there was one only before it, which `fit` says
    assert not caplog.records
    with pytest.raises(errors.DataError, match=r"after the split .* only one class \(a\): b is in dev alone"):
        split("b" if number in DEV else "a" for number in range(20))


def test_one_class_in_dev_after_the_split_is_said(caplog):
    split("ab" * 50)
    assert not caplog.records
    split("a" if number in DEV else "ab"[number % 2] for number in range(20))
    assert "dev has only one class (a)" in caplog.text


def test_words_are_normalised_as_the_config_says():
    _, codec = fitted(normalize="nfkc,lower")
    assert codec.words.words("SO ＧＯＯＤ") == ["so", "good"]


def test_labels_are_of_the_training_part():
    assert fitted()[1].classes.names == ["neg", "pos"]


def test_going_on_keeps_vocabulary_and_labels():
    config, codec = fitted()
    _, again = classify.fit(corpus([("other", ("neg",)), ("words", ("pos",))]), config, {"codec": codec})
    assert again is codec


def test_going_on_with_a_label_that_the_model_does_not_know_is_reported():
    config, codec = fitted()
    with pytest.raises(errors.DataError, match="the codec does not know the label 'new'"):
        classify.fit(corpus([("other", ("neg",)), ("words", ("new",))]), config, {"codec": codec})


# rows and batches


def test_a_row_has_ids_words_and_label_numbers():
    _, codec = fitted()
    row = codec.encode(Example("good unheard", ("pos",), "", "x", 1))
    assert row["words"] == ["good", "unheard"]
    assert row["ids"] == [codec.words.vocabulary["good"], 1]
    assert row["labels"] == [1]
    assert row["lengths"] == [2]


def test_a_text_is_cut_at_the_greatest_length():
    _, codec = fitted(max_length=3)
    assert codec.encode(Example("a b c d e", None, "", "x", 1))["lengths"] == [3]


def test_a_text_without_words_has_one_empty_word():
    _, codec = fitted(normalize="space")
    assert codec.encode(Example("\u200b", None, "", "x", 1))["lengths"] == [1]


def test_a_label_that_training_never_saw_is_missing():
    _, codec = fitted()
    assert codec.encode(Example("a", ("new",), "", "x", 1))["labels"] == [labels.MISSING]


def columns(codec, pairs):
    rows = [codec.encode(example) for example in corpus(pairs)]
    return {name: [row[name] for row in rows] for name in rows[0]}


def test_a_batch_is_padded_to_its_width():
    _, codec = fitted()
    batch = classify.collate(columns(codec, PAIRS), (7,), codec)
    assert batch.words.shape == (3, 7)
    assert batch.lengths.tolist() == [2, 3, 2]
    assert batch.targets.tolist() == [1, 0, 1]
    assert not batch.words[0, 2:].any()


def test_targets_of_several_labels_are_zeros_and_ones():
    _, codec = fitted([("a", ("x", "z")), ("b", ("y",)), ("c", ())], multi_label=True)
    batch = classify.collate(columns(codec, [("a", ("z", "x")), ("b", ()), ("c", ("new", "y"))]), (1,), codec)
    assert batch.targets.tolist() == [[1, 0, 1], [0, 0, 0], [0, 1, 0]]


LONGER = [("a b c d e f", ("x",)), ("f e b a c d a", ("y",)), ("c d e", ("y",))]


def initialised(pairs, **options):
    """A network before its first step, and how its word vectors were before."""
    config, codec = fitted(pairs, min_count=1, **options)
    network = classify.build(config, codec)
    words = network.embedding.words.weight
    drawn = words.detach().clone()
    rows = arrow.in_memory((codec.encode(example) for example in corpus(pairs)), codec.features())
    classify.initialise(network, config, codec, rows)
    return codec, drawn, words.detach()


def test_word_vectors_begin_as_the_corpus_has_its_words():
    codec, drawn, words = initialised(LONGER)
    known = [codec.words.vocabulary[word] for word in "abcdef"]
    assert (words[known] != drawn[known]).all()
    torch.testing.assert_close(words[known].std(correction=0), drawn.std())
    others = [row for row in range(len(words)) if row not in known]
    assert torch.equal(words[others], drawn[others])


def test_word_vectors_begin_at_random_where_that_is_wanted():
    _, drawn, words = initialised(LONGER, own_vectors=False)
    assert torch.equal(words, drawn)


def test_the_loss_is_that_of_the_batch_and_of_its_perturbed_form():
    config, codec = fitted(adversarial=0.5, dropout=0.0, word_dropout=0.0, wide=False)
    network = classify.build(config, codec)
    batch = classify.collate(columns(codec, PAIRS), (3,), codec)
    both, clean = network(batch), network.eval()(batch)
    assert both.weight == 2 * clean.weight == 6
    assert both.sum > 2 * clean.sum
    plain = classify.build(dataclasses.replace(config, adversarial=0.0), codec)
    plain.load_state_dict(network.state_dict())
    torch.testing.assert_close(plain(batch).sum, clean.sum)


def test_balanced_weights_are_those_of_scikit_learn():
    from sklearn.utils.class_weight import compute_class_weight

    names = np.array(["a"] * 7 + ["b"] * 2 + ["c"])
    expected = compute_class_weight("balanced", classes=np.unique(names), y=names)
    config, codec = fitted([(name, (name,)) for name in names], class_weights="balanced")
    assert classify.build(config, codec).class_weights.tolist() == pytest.approx(expected.tolist())


# predictions


class Fixed(torch.nn.Module):
    """A network that always says the same."""

    def __init__(self, logits, attention=None, thresholds=None):
        super().__init__()
        self.found = torch.tensor([logits]), None if attention is None else torch.tensor(attention)
        self.fusion = torch.ones(1)
        self.thresholds = None if thresholds is None else torch.tensor(thresholds)

    def parts(self, batch, texts):
        return self.found


def predicted(networks, codec, pairs=PAIRS, **search):
    return classify.predict(networks, codec, None, columns(codec, pairs), classify.Search(**search))


def test_the_best_label_comes_first_with_its_probability():
    _, codec = fitted()
    first, *_ = predicted([Fixed([[1.0, 3.0], [2.0, 0.0], [0.0, 0.0]])], codec)
    assert first.labels == ("pos",)
    assert first.probability("pos") == pytest.approx(1 / (1 + np.exp(-2)))
    assert sum(share for _, share in first.ranked) == pytest.approx(1)


def test_several_networks_are_averaged_in_probability():
    _, codec = fitted()
    first, *_ = predicted([Fixed([[0.0, 0.0]] * 3), Fixed([[100.0, 0.0]] * 3)], codec)
    assert (first.labels, first.probability("neg")) == (("neg",), pytest.approx(0.75))


@pytest.mark.parametrize(("threshold", "chosen"), [(0.5, ("x", "z")), (0.9, ("x",)), (0.1, ("x", "z", "y"))])
def test_labels_above_the_threshold_are_chosen_best_first(threshold, chosen):
    pairs = [("a", ("x", "z")), ("b", ("y",))]
    _, codec = fitted(pairs, multi_label=True)
    first, _ = predicted([Fixed([[3.0, -1.0, 0.5]] * 2)], codec, pairs, threshold=threshold)
    assert first.labels == chosen


@pytest.mark.parametrize(("threshold", "chosen"), [(None, ("x", "y")), (0.5, ("x", "z"))])
def test_each_label_has_the_threshold_of_dev_where_none_is_given(threshold, chosen):
    pairs = [("a", ("x", "z")), ("b", ("y",))]
    _, codec = fitted(pairs, multi_label=True)
    networks = [Fixed([[3.0, -1.0, 0.5]] * 2, thresholds=own) for own in ([0.9, 0.3, 0.9], [0.9, 0.1, 0.7])]
    first, _ = predicted(networks, codec, pairs, threshold=threshold)
    assert first.labels == chosen


def test_attention_is_given_word_by_word():
    _, codec = fitted()
    first, *_ = predicted([Fixed([[0.0, 1.0]] * 3, [[0.25, 0.75, 0.0]] * 3)], codec)
    assert first.attention == [("so", 0.25), ("good", 0.75)]


FOUND = classify.Prediction(("pos",), [("pos", 0.81234), ("neg", 0.15), ("so-so", 0.03766)])


def test_a_least_probability_is_for_one_label_only():
    search = classify.Search(min_score=0.5)
    for config in (None, classify.Config()):
        classify.output.check(search, "text", config)
    with pytest.raises(errors.UsageError, match="--min-score is for one label an item; hint: --threshold"):
        classify.output.check(search, "text", classify.Config(multi_label=True))


@pytest.mark.parametrize(
    ("search", "text"),
    [
        ({}, "pos"),
        ({"scores": True}, "pos\t0.8123"),
        ({"top": 2}, "pos\t0.8123\tneg\t0.1500"),
        ({"top": 9}, "pos\t0.8123\tneg\t0.1500\tso-so\t0.0377"),
    ],
)
def test_a_prediction_as_text(search, text):
    assert classify.output.write(None, FOUND, "text", classify.Search(**search), None) == text


def test_several_labels_as_text():
    found = classify.Prediction(("a", "b"), [("a", 0.9), ("b", 0.6), ("c", 0.1)])
    assert classify.output.write(None, found, "text", classify.Search(), None) == "a,b"
    assert classify.output.write(None, classify.Prediction((), []), "text", classify.Search(), None) == ""


NAME = st.text("aB,%2C5 F", min_size=1).map(labels.printed).filter(bool)


@given(st.lists(NAME, unique=True))
def test_several_labels_come_back_from_text(names):
    found = classify.Prediction(tuple(names), [(name, 0.5) for name in names], multi_label=True)
    for search in (classify.Search(), classify.Search(scores=True), classify.Search(top=99)):
        written = classify.output.write(None, found, "text", search, None)
        assert classify.output.parse(written, classify.Config(multi_label=True)) == tuple(names)


def test_a_comma_in_a_label_is_escaped_only_where_commas_part_labels():
    for several, text in ((True, "a%2C b"), (False, "a, b")):
        found = classify.Prediction(("a, b",), [("a, b", 1.0)], multi_label=several)
        assert classify.output.write(None, found, "text", classify.Search(), None) == text
        assert classify.output.parse(text, classify.Config(multi_label=several)) == ("a, b",)


def test_a_blank_text_gives_a_blank_line():
    assert classify.output.write(None, None, "text", classify.Search(scores=True), None) == ""


def test_a_prediction_as_json():
    _, codec = fitted()
    assert classify.output.value(None, FOUND, codec) == {
        "label": "pos",
        "score": 0.8123,
        "scores": {"pos": 0.8123, "neg": 0.15, "so-so": 0.0377},
    }


def test_several_labels_as_json():
    _, codec = fitted([("a", ("x",)), ("b", ("y",))], multi_label=True)
    assert classify.output.value(None, classify.Prediction((), [("x", 0.3)]), codec) == {
        "labels": [],
        "scores": {"x": 0.3},
    }


# scores


def judged():
    gold = [("a", ("pos",)), ("b", ("pos",)), ("c", ("neg",)), ("d", ("new",))]
    found = [
        classify.Prediction(("pos",), [("pos", 0.9), ("neg", 0.1)]),
        classify.Prediction(("neg",), [("neg", 0.6), ("pos", 0.4)]),
        classify.Prediction(("pos",), [("pos", 0.7), ("neg", 0.3)]),
        classify.Prediction(("pos",), [("pos", 0.5), ("neg", 0.5)]),
    ]
    return list(corpus(gold)), found, fitted()[1]


def test_a_label_that_training_never_saw_counts_as_wrong():
    scores, _, unseen = classify.output.score(*judged())
    assert (scores[0].name, scores[0].value) == ("accuracy", 25)
    assert unseen == 1


def test_the_parts_of_a_classifier_are_scored_beside_both():
    corpus, found, codec = judged()
    says = {"neg": [1.0, -1.0], "pos": [-1.0, 1.0]}
    wide, recurrent = ("pos", "pos", "neg", "neg"), ("pos", "neg", "neg", "neg")
    pairs = zip(found, wide, recurrent, strict=True)
    found = [dataclasses.replace(one, parts=np.array([says[part] for part in parts])) for one, *parts in pairs]
    _, details, _ = classify.output.score(corpus, found, codec)
    assert {name: scores["accuracy"] for name, scores in details["parts"].items()} == {
        "wide": 75,
        "recurrent": 50,
        "both": 25,
    }


def test_the_calibration_error_is_of_the_best_labels():
    _, details, _ = classify.output.score(*judged())
    gaps = [0.9 - 1, 0.6 - 0, 0.7 - 0, 0.5 - 0]
    assert details["calibration_error"] == pytest.approx(100 * sum(map(abs, gaps)) / 4)


def test_an_accuracy_that_is_wanted_gives_a_cut_off():
    corpus, found, codec = judged()
    assert classify.output.wanted(corpus, found, codec, classify.Search()) == {}
    wanted = classify.output.wanted(corpus, found, codec, classify.Search(want_accuracy=95))["selective"]
    assert wanted["proposed"] == {"wanted": 95, "min_score": 0.8, "coverage": 25, "accuracy": 100}
    with pytest.raises(errors.UsageError, match="--want-accuracy is for one label an item"):
        classify.output.check(classify.Search(want_accuracy=95), "jsonl", classify.Config(multi_label=True))


def test_mistakes_come_worst_first_with_gold_beside_predicted():
    found = classify.output.mistakes(*judged())
    assert [(row["where"], row["gold"], row["predicted"], row["gold_score"]) for row in found] == [
        ("x.tsv:4", "new", "pos", 0.0),
        ("x.tsv:3", "neg", "pos", 0.3),
        ("x.tsv:2", "pos", "neg", 0.4),
    ]
    assert found[0]["text"] == "d"


# the registry


def test_a_task_that_does_not_exist_is_reported_with_those_that_do():
    with pytest.raises(errors.UsageError, match="no task 'cooking'; hint: the tasks are classify"):
        registry.get("cooking")


def test_a_whole_corpus_fits_its_batches():
    config, codec = fitted()
    network = classify.build(config, codec).eval()
    rows = columns(codec, PAIRS * 5)
    for numbers, widths in buckets.by_length(np.array(rows["lengths"]), buckets.Limits(12, 4)):
        part = {name: [column[number] for number in numbers] for name, column in rows.items()}
        logits, _ = network.logits(classify.collate(part, widths, codec))
        assert logits.shape == (len(numbers), 2)
