"""translate: pairs as they are read, what is fitted, rows and batches, searches, results and their text, scores."""

import dataclasses
import json
import logging

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from seqnlp import errors
from seqnlp.nn import loss, recurrent
from seqnlp.preprocess.corpora import schema
from seqnlp.preprocess.corpora.examples import Example, Examples
from seqnlp.preprocess.text import tokenizer
from seqnlp.tasks import registry
from seqnlp.tasks.seq2seq import prediction, search
from seqnlp.tasks.translate import codec as translation
from seqnlp.tasks.translate import output
from seqnlp.workflows import model_folder

translate = registry.get("translate")

PAIRS = [("eins und zwei", "one and two"), ("drei Häuser", "three houses"), ("zwei", "two")]
CHINESE = [("one two. three", "一二。三"), ("two", "二")]


def corpus(pairs=PAIRS):
    made = [Example(source, target, source, "x.tsv", number) for number, (source, target) in enumerate(pairs, 1)]
    return Examples(lambda: iter(made), len(made))


def fitted(pairs=PAIRS, given=None, **options):
    return translate.fit(corpus(pairs), translate.Config(**{"vocab_size": 300, **options}), given or {})


# reading


@pytest.fixture
def source(tmp_path):
    """Write a file and return it as a source."""

    def write(name, content):
        (tmp_path / name).write_text(content, encoding="utf-8")
        return schema.Source((str(tmp_path / name),), names={str(tmp_path / name): name})

    return write


def read(source):
    return [(one.source, one.target, one.line) for one in translate.read(source, translate.Config())]


def test_pairs_with_one_blank_side_are_left_out_with_a_count(source, caplog):
    with caplog.at_level(logging.WARNING):
        found = read(source("x.tsv", "a\tb\n\tc\nd\t \n \t\ne\tf\n"))
    assert found == [("a", "b", 1), ("e", "f", 5)]
    assert [record.getMessage() for record in caplog.records] == ["x.tsv: 2 pairs with one blank side are left out"]


def test_lines_that_are_blank_on_both_sides_are_nothing(source, caplog):
    assert read(source("x.tsv", "\na\tb\n \t \n")) == [("a", "b", 2)]
    assert read(source("x.jsonl", '{"source": "", "target": " "}\n{"source": "a", "target": "b"}')) == [("a", "b", 2)]
    assert not caplog.records


@pytest.mark.parametrize(("value", "kind"), [(3, "int"), (["a"], "list"), ({"a": 1}, "dict")])
@pytest.mark.parametrize("role", translate.roles)
def test_a_side_of_another_kind_is_reported(source, role, value, kind):
    content = json.dumps({"source": "a", "target": "b", role: value})
    with pytest.raises(errors.DataError, match=rf"x\.jsonl:1: the {role} is a {kind}, expected a string"):
        read(source("x.jsonl", content))


def inputs(source, **search):
    found = translate.read_inputs(source, translate.Config(), translate.Search(**search))
    return [(one.source, one.target) for one in found]


def test_every_line_to_translate_is_an_example(source):
    assert inputs(source("x.de", "a\n\n \nb\tc")) == [("a", None), ("", None), (" ", None), ("b\tc", None)]


def test_of_a_corpus_the_sources_are_translated(source):
    assert inputs(source("x.tsv", "a\tb\n\nc\n")) == [("a", None), ("", None), ("c", None)]
    assert inputs(source("x.jsonl", '{"target": "b", "source": "a"}\n')) == [("a", None)]


@pytest.fixture
def references(tmp_path):
    """Write lines and return their path."""

    def write(content):
        (tmp_path / "r.en").write_text(content)
        return str(tmp_path / "r.en")

    return write


def test_a_blank_source_or_reference_is_not_scored(source, references):
    found = inputs(source("x.de", "a\n\nc\nd\n"), score_reference=references("A\nB\n \nD\n"))
    assert found == [("a", "A"), ("", "B"), ("", " "), ("d", "D")]


@pytest.mark.parametrize(
    ("lines", "what"),
    [("A\n", "r.en: has 1 lines, fewer than x.de"), ("A\nB\nC\n", "more lines than x.de, which has 2")],
)
def test_references_are_as_many_as_sources(source, references, lines, what):
    with pytest.raises(errors.DataError, match=what):
        inputs(source("x.de", "a\nb\n"), score_reference=references(lines))


def test_stdin_is_read_once(stdin):
    stdin(b"a\n")
    with pytest.raises(errors.UsageError, match=r"- \(stdin\) can be read once only"):
        inputs(schema.Source(("-",)), score_reference="-")


# fitting


def test_no_pairs_are_reported():
    with pytest.raises(errors.DataError, match="the training part is empty: no pairs"):
        fitted([])


def test_vocabularies_are_chosen_by_the_corpus():
    config, codec = fitted(vocab_size=None)
    assert (config.vocabulary, config.vocab_size, codec.joint) == ("joint", 500, True)
    config, codec = fitted(CHINESE)
    assert (config.vocabulary, config.vocab_size, codec.joint) == ("separate", 300, False)


def test_a_wish_goes_before_the_choice():
    assert not fitted(vocabulary="separate")[1].joint
    assert fitted(CHINESE, vocabulary="joint")[1].joint


def test_one_given_tokenizer_is_for_both_sides_two_are_for_one_each():
    words = [tokenizer.train_vocabulary(["one two"]), tokenizer.train_vocabulary(["eins"])]
    config, codec = fitted(given={"tokenizers": words[:1]})
    assert codec.joint and codec.source is words[0] and config.vocabulary == "joint"
    config, codec = fitted(given={"tokenizers": words})
    assert [codec.source, codec.target] == words and config.vocabulary == "separate"


def test_going_on_keeps_the_pieces_and_learns_longer_sentences():
    _, codec = fitted()
    _, again = fitted([(f"{'zwei ' * 30}", "two")], {"codec": codec}, max_train_length=99)
    assert (again.source, again.target, again.ratio) == (codec.source, codec.target, codec.ratio)
    assert again.longest > codec.longest
    assert fitted([("zwei", "two")], {"codec": codec})[1] == codec


@pytest.mark.parametrize("given", [False, True])
def test_pairs_that_are_too_long_are_reported_with_a_count(caplog, given):
    known = {"codec": fitted()[1]} if given else {}
    with caplog.at_level(logging.WARNING):
        fitted([*PAIRS, ("zwei " * 100, "two"), ("zwei", "two " * 100)], known, max_train_length=50)
    assert [record.getMessage() for record in caplog.records] == [
        "2 pairs have more than 50 subwords on a side: left out of training"
    ]


@pytest.mark.parametrize("given", [False, True])
def test_where_all_pairs_are_too_long_it_is_reported(given):
    known = {"codec": fitted()[1]} if given else {}
    with pytest.raises(
        errors.DataError, match="no pair has at most 1 subwords on either side; hint: a greater --max-train-length"
    ):
        fitted([("zwei und zwei", "two and two")], known, max_train_length=1)


# rows and batches


def test_a_row_has_pieces_ends_and_lengths():
    _, codec = fitted()
    row = codec.encode(next(iter(corpus())))
    ((*source, end),) = row["source"]
    assert end == tokenizer.END
    assert codec.source.decode(source) == "eins und zwei" and codec.target.decode(row["target"]) == "one and two"
    assert row["lengths"] == [len(source) + 1, len(row["target"]) + 1]


def test_a_source_without_target_has_a_row():
    _, codec = fitted()
    assert codec.encode(Example("zwei", None, "", "x", 1))["target"] == []


@given(st.text(st.sampled_from("einszwu .!?。\t🎉é中\u0301"), max_size=90), st.integers(2, 9))
def test_the_parts_of_a_long_source_fit_and_lose_nothing(text, limit):
    codec = dataclasses.replace(CODEC, max_source_length=limit)
    parts = codec.parts(text)
    assert all(len(part) <= limit for part in parts)
    joined = codec.source.decode([piece for part in parts for piece in part])
    assert "".join(joined.split()) == "".join(codec.source.normal(text).split())


CODEC = fitted()[1]


def test_a_source_that_fits_is_not_cut():
    text = "eins. zwei.  drei"
    (whole,) = dataclasses.replace(CODEC, max_source_length=99).parts(text)
    assert CODEC.source.decode(whole) == text
    assert dataclasses.replace(CODEC, max_source_length=len(whole)).parts(text) == [whole]
    assert len(dataclasses.replace(CODEC, max_source_length=len(whole) - 1).parts(text)) == 2


def test_a_source_is_long_from_twice_the_longest_in_training():
    text = "zwei " * (2 * CODEC.longest)
    assert max(map(len, CODEC.parts(text))) <= 2 * CODEC.longest
    assert len(translate.configured(CODEC, translate.Search(max_source_length=10**6)).parts(text)) == 1


def test_the_parts_of_a_source_are_sentences():
    parts = dataclasses.replace(CODEC, max_source_length=6).parts("eins und zwei. drei. zwei und eins.")
    assert [CODEC.source.decode(part) for part in parts] == ["eins und zwei.", "drei.", "zwei und eins."]


def test_with_references_no_source_is_cut():
    codec = translate.configured(CODEC, translate.Search(max_source_length=3, score_reference="x"))
    assert len(codec.parts("zwei " * 99)) == 1


def test_a_text_that_normalises_to_nothing_has_one_part():
    _, codec = fitted(normalize="space")
    assert codec.parts(" \t") == [[]]
    _, codec = fitted(normalize="accents")
    assert dataclasses.replace(codec, max_source_length=2).parts(f"{' ' * 50}\u0301") == [[]]


def test_rows_that_are_too_long_are_not_learnt_from():
    config, codec = fitted(max_train_length=9)
    codec = dataclasses.replace(codec, max_source_length=12)
    rows = [codec.encode(Example(source, "two", "", "x", 1)) for source in ("zwei", "z" * 9, "z" * 10, "zwei " * 99)]
    assert [row["lengths"][0] for row in rows[1:3]] == [10, 11]  # with the end
    assert [translate.is_trainable(row, config) for row in rows] == [True, True, False, False]


def columns(codec, pairs):
    rows = [codec.encode(example) for example in corpus(pairs)]
    return {name: [row[name] for row in rows] for name in rows[0]}


def dropped(seed, fitted_on=True):
    """A batch of a codec that passes merges over, as step `seed` would have it."""
    _, codec = fitted(bpe_dropout=0.5)
    rows = [codec.encode(example, fitted=fitted_on) for example in corpus(PAIRS)]
    torch.manual_seed(seed)
    batch = translate.collate({name: [row[name] for row in rows] for name in rows[0]}, (9, 9), codec)
    return codec, batch


def test_with_dropout_a_text_has_other_pieces_each_time_and_stays_the_same_text():
    codec, batch = dropped(1)
    for row, length, example in zip(batch.source.tolist(), batch.lengths.tolist(), corpus(PAIRS), strict=True):
        assert row[length - 1] == tokenizer.END
        assert codec.source.decode(row[:length]) == example.source
    for row, example in zip(batch.inputs.tolist(), corpus(PAIRS), strict=True):
        assert codec.target.decode(row) == example.target
    assert len({tuple(map(tuple, dropped(seed)[1].source.tolist())) for seed in range(5)}) == 5


def test_with_dropout_a_step_draws_the_same_again():
    assert torch.equal(dropped(3)[1].source, dropped(3)[1].source)
    assert torch.equal(dropped(3)[1].outputs, dropped(3)[1].outputs)


def test_what_is_only_translated_is_not_dropped_from():
    codec, batch = dropped(1, fitted_on=False)
    for row, length, example in zip(batch.source.tolist(), batch.lengths.tolist(), corpus(PAIRS), strict=True):
        assert row[: length - 1] == codec.source.encode([example.source])[0]


def test_dropout_needs_pieces_of_bpe():
    with pytest.raises(errors.UsageError, match="needs a BPE tokenizer"):
        fitted(bpe_dropout=0.1, subwords="unigram")


def test_a_batch_has_targets_as_they_are_read_and_as_they_are_written():
    found = columns(CODEC, PAIRS)
    batch = translate.collate(found, (20, 30), CODEC)
    assert batch.source.shape == (3, 20) and batch.inputs.shape == batch.outputs.shape == (3, 30)
    for row, target in enumerate(found["target"]):
        rest = 30 - len(target) - 1
        assert batch.inputs[row].tolist() == [tokenizer.START, *target, *[tokenizer.PAD] * rest]
        assert batch.outputs[row].tolist() == [*target, tokenizer.END, *[loss.IGNORED] * rest]


def test_the_parts_of_a_source_are_sentences_of_a_batch():
    codec = dataclasses.replace(CODEC, max_source_length=6)
    found = columns(codec, [("zwei", ""), ("eins und zwei. drei. zwei", "")])
    batch = translate.collate(found, (10, 1), codec)
    assert batch.lengths.tolist() == [len(part) for row in found["source"] for part in row]
    assert len(batch.source) == 3


@pytest.mark.parametrize("pairs", [PAIRS, CHINESE])
def test_a_saved_codec_comes_back(tmp_path, pairs):
    config, codec = fitted(pairs)
    names = codec.save(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == set(names)
    again = translate.Codec.load(tmp_path, config)
    assert (again.joint, again.longest, again.ratio) == (codec.joint, codec.longest, codec.ratio)
    assert again.bleu_tokenize == codec.bleu_tokenize
    assert columns(again, pairs) == columns(codec, pairs)
    assert model_folder.WEIGHTS not in names


# searches


class Copier:
    """A network that writes the source, looking at what it writes, but ends where the source begins with `silent`."""

    def __init__(self, silent=-1):
        self.silent = silent

    def begin(self, source, lengths):
        mask = recurrent.step_mask(lengths, source.size(1))
        begin = torch.zeros(len(source), dtype=torch.long)
        return {"source.tokens": source, "source.mask": mask, "next": begin, "coverage": mask * 0.0}

    def step(self, tokens, state):
        source = state["source.tokens"][state["place"] // state["source.rows"].size(1)]  # (N, S)
        place = state["next"].clamp(max=source.size(1) - 1).unsqueeze(1)  # (N, 1)
        logits = torch.linspace(0.0, 1.0, len(CODEC.source)).repeat(len(tokens), 1)
        logits.scatter_(1, source.gather(1, place), 9.0)
        logits[source[:, 0] == self.silent, tokenizer.END] = 99.0
        attention = torch.zeros(source.shape).scatter(1, place, 1.0)  # (N, S)
        coverage = state["coverage"] + attention
        return logits, {**state, "next": state["next"] + 1, "attention": attention, "coverage": coverage}


COPIER = Copier()


def predicted(texts, codec=CODEC, networks=(COPIER,), **options):
    search = translate.Search(**options)
    codec = translate.configured(codec, search)
    found = columns(codec, texts if isinstance(texts[0], tuple) else [(text, None) for text in texts])
    batch = translate.collate(found, [max(lengths) for lengths in zip(*found["lengths"], strict=True)], codec)
    return translate.predict(networks, codec, batch, found, search)


TEXTS = ["eins und zwei", "zwei", "drei Häuser und zwei Häuser"]
LONG = "eins und zwei. drei. zwei und eins."


def texts_of(predictions):
    return [prediction.best.text for prediction in predictions]


DRAWN = dict(sample=True, temperature=9.0)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"beam_size": 1},
        {"nbest": 3},
        {**DRAWN, "temperature": 0.1},
        {**DRAWN, "top_k": 1},
        {**DRAWN, "top_p": 0.001},
    ],
)
def test_every_search_gives_text(options):
    assert texts_of(predicted(TEXTS, **options)) == TEXTS


def test_a_prediction_has_pieces_attention_coverage_and_ratio():
    (found,) = predicted(["drei Häuser"])
    *pieces, end = found.source
    assert "".join(pieces).startswith("drei H") and end == "</s>"
    assert found.best.subwords == tuple(pieces)
    (weights,) = found.best.attention
    assert np.array_equal(weights, np.eye(len(pieces), len(pieces) + 1))
    assert (found.coverage, found.ratio, found.warnings) == (1.0, 1.0, ())


def test_coverage_is_the_share_of_pieces_that_were_looked_at():
    (found,) = predicted(["eins und zwei"], max_length_ratio=0.0, prefix="")
    assert found.coverage == 1.0
    short = translation.MORE
    (found,) = predicted(["zwei " * 19], max_source_length=99, max_length_ratio=0.0)
    size = len(found.source) - 1
    assert (found.coverage, found.ratio) == (round(short / size, 4), round(short / size, 4))


def test_nbest_come_best_first():
    (found,) = predicted(["zwei"], nbest=4, beam_size=2)
    scores = [found.best.score, *(one.score for one in found.others)]
    assert len(scores) == 4 and scores == sorted(scores, reverse=True)
    assert len({found.best.subwords, *(one.subwords for one in found.others)}) == 4
    (other,) = predicted(["zwei"], nbest=4, beam_size=4)
    assert [one.subwords for one in other.others] == [one.subwords for one in found.others]
    assert len(predicted(["zwei"], nbest=4, sample=True)[0].others) == 3


def test_the_parts_of_a_source_are_translated_and_joined():
    (found, other) = predicted([LONG, "zwei"], max_source_length=6, nbest=3)
    assert (found.best.text, found.warnings, found.others) == (LONG, ("cut",), ())
    assert (other.best.text, other.warnings, len(other.others)) == ("zwei", (), 2)
    alone = predicted(["eins und zwei.", "drei.", "zwei und eins."], nbest=3)
    assert found.best.score == pytest.approx(sum(one.best.score for one in alone))
    assert found.source == tuple(piece for one in alone for piece in one.source)
    assert [weights.shape for weights in found.best.attention] == [one.best.attention[0].shape for one in alone]
    assert (found.coverage, found.ratio) == (1.0, 1.0)


def test_languages_without_blanks_are_joined_without():
    codec = dataclasses.replace(CODEC, bleu_tokenize="zh")
    assert texts_of(predicted([LONG], codec, max_source_length=6)) == ["eins und zwei.drei.zwei und eins."]
    asked = dataclasses.replace(CODEC, scored_tokenize="char")
    assert texts_of(predicted([LONG], asked, max_source_length=6, tokenize="char")) == [LONG]


def test_a_part_without_a_translation_leaves_no_blank():
    silent = Copier(CODEC.source.encode(["drei."])[0][0])
    assert texts_of(predicted([LONG], networks=(silent,), max_source_length=6)) == ["eins und zwei. zwei und eins."]


@pytest.mark.parametrize("size", [1, 2, 5])
def test_parts_are_searched_some_at_a_time(monkeypatch, size):
    options = dict(max_source_length=6, prefix="drei", sample=True)
    together = predicted([LONG, "zwei", LONG], **options)
    monkeypatch.setattr(search, "MAX_PARTS", size)
    apart = predicted([LONG, "zwei", LONG], **options)
    assert texts_of(apart) == texts_of(together)
    assert [one.best.score for one in apart] == pytest.approx([one.best.score for one in together])


def test_a_prefix_begins_a_translation_not_each_of_its_parts():
    found = texts_of(predicted([LONG, "zwei"], max_source_length=6, prefix="drei"))
    assert found[0].startswith("drei") and found[0].count("drei") == 2
    assert found[1].startswith("drei")


def test_least_and_most_pieces_go_by_the_source():
    (found,) = predicted(["eins und zwei"], min_length_ratio=3.0, max_length_ratio=4.0)
    assert 3 * len(found.source) <= len(found.best.subwords) <= 4 * len(found.source) + translation.MORE


def test_no_piece_comes_twice_where_it_must_not():
    (found,) = predicted(["zwei zwei zwei"], no_repeat_ngram_size=1)
    assert len(set(found.best.subwords)) == len(found.best.subwords)


def test_rules_that_leave_no_translation_are_reported():
    with pytest.raises(
        errors.UsageError, match="no output satisfies all constraints of the search; hint: a smaller --min-length"
    ):
        predicted(["zwei zwei zwei"], no_repeat_ngram_size=1, min_length_ratio=100.0, max_length_ratio=100.0)


@pytest.mark.parametrize(
    "options", [{}, {"length_penalty": 1.5, "coverage_penalty": 0.3}, {"sample": True}, {"nbest": 3}]
)
def test_the_score_of_a_reference_is_what_the_search_reports(options):
    found = predicted(TEXTS, **options)
    scored = predicted(
        [(text, one.best.text) for text, one in zip(TEXTS, found, strict=True)], score_reference="x", **options
    )
    assert texts_of(scored) == texts_of(found)
    assert [one.best.score for one in scored] == pytest.approx([one.best.score for one in found], abs=1e-4)


def test_any_reference_has_a_score():
    found = predicted(
        [("zwei", "two"), ("zwei", "🎉 something else, far longer than the source " * 3)], score_reference="x"
    )
    assert found[0].best.text == "two" and found[1].best.text.startswith("🎉 something")
    assert found[0].best.score > found[1].best.score > -np.inf
    (short,) = predicted([("drei Häuser und zwei Häuser", "two")], score_reference="x")
    assert short.best.text == "two"


def test_penalties_shape_the_score():
    pair = [("zwei zwei zwei", "two")]
    (plain,) = predicted(pair, score_reference="x", length_penalty=0.0)
    (shorter,) = predicted(pair, score_reference="x", length_penalty=1.0)
    length = len(plain.best.subwords) + 1  # with the end
    assert shorter.best.score == pytest.approx(plain.best.score / ((5 + length) / 6))
    (covered,) = predicted(pair, score_reference="x", length_penalty=0.0, coverage_penalty=0.1)
    assert covered.best.score < plain.best.score - 0.1


def test_special_tokens_are_never_written():
    class Loud(Copier):
        def step(self, tokens, state):
            scores, state = super().step(tokens, state)
            scores[:, [tokenizer.PAD, tokenizer.UNK, tokenizer.START]] = 99.0
            return scores, state

    assert texts_of(predicted(TEXTS, networks=(Loud(),))) == TEXTS


def test_a_translation_is_one_line():
    assert texts_of(predicted([" eins\nzwei ", "zwei"])) == ["eins zwei", "zwei"]


def test_an_ensemble_of_the_same_is_the_same():
    alone, together = predicted(TEXTS), predicted(TEXTS, networks=(COPIER,) * 3)
    assert texts_of(together) == texts_of(alone)
    assert [one.best.score for one in together] == pytest.approx([one.best.score for one in alone], abs=1e-5)
    assert [one.coverage for one in together] == [1.0] * 3


def test_samples_depend_on_the_sentence_and_the_seed_alone():
    first, second, third = predicted(TEXTS, **DRAWN)
    assert texts_of(predicted(TEXTS[::-1], **DRAWN)) == texts_of([third, second, first])
    assert texts_of(predicted(TEXTS, seed=2, **DRAWN)) != texts_of([first, second, third])


# predictions


def found(text="two", score=-0.5, **more):
    weights = (np.array([[0.25, 0.75]], dtype=np.float32),)
    best = prediction.Answer(text, score, (text,), weights)
    others = (prediction.Answer("too", -1.23456),)
    return translate.Prediction(**{"best": best, "others": others, "source": ("zwei", "</s>"), **more})


def test_a_prediction_as_text():
    assert translate.output.write(None, found(), "text", translate.Search(nbest=2), CODEC) == "two"
    assert translate.output.write(None, None, "text", translate.Search(), CODEC) == ""


def test_the_n_best_as_text_and_in_columns():
    search = translate.Search(nbest=3)
    assert translate.output.ranked(None, found(), search) == [("two", -0.5), ("too", -1.23456)]
    assert translate.output.ranked(None, found(), translate.Search()) is None
    cells = translate.output.cells(None, found(), search, CODEC)
    assert list(translate.output.columns(None, search))[:4] == list(cells)
    assert list(cells.values()) == ["two", "-0.5000", "too", "-1.2346"]


def test_the_first_of_the_n_best_is_what_one_best_gives():
    for size in (1, 2, 5):
        for nbest in (2, 4, 7):
            several = predicted(TEXTS, nbest=nbest, beam_size=size)
            assert texts_of(several) == texts_of(predicted(TEXTS, beam_size=size))
            for one in several:
                every = [one.best.subwords, *(other.subwords for other in one.others)]
                assert len(set(every)) == len(every) <= nbest


def test_options_without_a_place_are_refused():
    with pytest.raises(errors.UsageError, match="--attention-weights has no place in text"):
        translate.output.check(translate.Search(attention_weights=True), "text")
    with pytest.raises(errors.UsageError, match="--nbest has no effect with --score-reference"):
        translate.output.check(translate.Search(nbest=2, score_reference="x"), "text")


def test_a_text_is_right_if_it_is_one_of_the_references():
    one = Example("zwei", "zwo", None, "x", 1, ("two",))
    scores = {score.name: score.value for score in translate.output.score([one] * 2, [found()] * 2, CODEC)[0]}
    assert scores["exact_match"] == scores["chrf"] == scores["rouge1"] == 100 and scores["ter"] == 0
    assert translate.output.mistakes([one], [found()], CODEC) == []


def test_with_references_the_scores_are_written():
    assert translate.output.write(None, found(), "text", translate.Search(score_reference="x"), CODEC) == "-0.500000"
    assert translate.output.write(None, None, "text", translate.Search(score_reference="x"), CODEC) == ""


def test_a_prediction_as_json():
    value = translate.output.value(None, found(), CODEC)
    assert value == {
        "text": "two",
        "score": -0.5,
        "nbest": [{"text": "two", "score": -0.5}, {"text": "too", "score": -1.2346}],
        "quality": {"length_ratio": 1.0, "coverage": 1.0, "flags": []},
    }
    third = (np.array([[1 / 3, 2 / 3]], dtype=np.float32),)
    best = prediction.Answer("two", -0.5, ("two",), third)
    value = translate.output.value(None, found(best=best, attention_weights=True), CODEC)
    assert value["attention"]["source"] == ("zwei", "</s>") and value["attention"]["target"] == ("two",)
    assert json.dumps(value["attention"]["weights"]) == "[[[0.333, 0.667]]]"


@pytest.mark.parametrize(
    ("ratio", "coverage", "flags"),
    [
        (1.0, 1.0, []),
        (0.39, 1.0, ["short"]),
        (1.61, 1.0, ["long"]),
        (1.0, 0.49, ["uncovered"]),
        (0.1, 0.1, ["short", "uncovered"]),
        (0.41, 0.5, []),
        (1.59, 0.5, []),
    ],
)
def test_what_is_far_from_the_usual_is_flagged(ratio, coverage, flags):
    codec = dataclasses.replace(CODEC, ratio=0.8)
    long, short = found(ratio=ratio, coverage=coverage, source=("a",) * 6), found(ratio=ratio, coverage=coverage)
    assert translate.output.value(None, long, codec)["quality"]["flags"] == flags
    assert translate.output.value(None, short, codec)["quality"]["flags"] == []  # a few pieces tell nothing


# scores


def judged(*pairs):
    """Examples and predictions from (reference, translation)."""
    return list(corpus([("x", gold) for gold, _ in pairs])), [found(said) for _, said in pairs]


JUDGED = judged(("the cat sat here now", "the cat sat here now"), ("a dog ran home fast", "a dog ran far away"))
NAMES = ["bleu", "chrf", "ter", "rouge1", "rouge2", "rougeL", "rougeLsum", "exact_match"]


def values(pairs, codec=CODEC):
    return {score.name: score.value for score in translate.output.score(*pairs, codec)[0]}


def test_scores_are_those_of_translation_and_summaries():
    scores = translate.output.score(*JUDGED, CODEC).scores
    assert [score.name for score in scores] == NAMES
    assert all(score.interval for score in scores)
    assert values(JUDGED)["exact_match"] == 50


def test_in_training_the_first_two_are_enough():
    scores = translate.output.score(*JUDGED, CODEC, intervals=False).scores
    assert [score.name for score in scores] == NAMES[:2]
    assert [score.value for score in scores] == [values(JUDGED)[name] for name in NAMES[:2]]


def test_words_are_those_that_suit_the_target_or_were_asked_for():
    assert "tok:13a" in translate.output.score(*JUDGED, CODEC)[0][0].signature
    codec = dataclasses.replace(CODEC, bleu_tokenize="zh")
    assert "tok:zh" in translate.output.score(*JUDGED, codec)[0][0].signature
    asked = translate.configured(codec, translate.Search(tokenize="char"))
    assert "tok:char" in translate.output.score(*JUDGED, asked)[0][0].signature


def test_in_lower_case_capitals_make_no_difference():
    pairs = judged(("The Cat sat here", "the cat SAT here"))
    lower = translate.configured(CODEC, translate.Search(lowercase=True))
    assert (values(pairs)["exact_match"], values(pairs, lower)["exact_match"]) == (0, 100)
    assert values(pairs)["bleu"] < 90 and values(pairs, lower)["bleu"] == pytest.approx(100)
    assert len(translate.output.mistakes(*pairs, CODEC)) == 1 and translate.output.mistakes(*pairs, lower) == []


def test_ter_is_left_out_where_it_would_take_minutes(monkeypatch, caplog):
    monkeypatch.setattr(output, "TER_WORDS", 4)
    with caplog.at_level(logging.WARNING):
        scores = translate.output.score(*JUDGED, CODEC).scores
    assert [score.name for score in scores] == [name for name in NAMES if name != "ter"]
    assert caplog.messages == ["a sentence and its translation have 5 words or more: TER would take too long"]


def test_mistakes_come_worst_first_with_gold_beside_predicted():
    pairs = judged(("a b c d e f", "a b c d e x"), ("right", " right "), ("a b c d", "x y z"))
    rows = translate.output.mistakes(*pairs, CODEC)
    assert [(row["where"], row["gold"], row["predicted"], row["source"]) for row in rows] == [
        ("x.tsv:3", "a b c d", "x y z", "x"),
        ("x.tsv:1", "a b c d e f", "a b c d e x", "x"),
    ]
    assert rows[0]["bleu"] < rows[1]["bleu"] < 100


# the network


def test_a_joint_vocabulary_makes_one_embedding():
    config, codec = fitted(embedding_size=3, hidden_size=5, decoder_hidden_size=7)
    network = translate.build(config, codec)
    assert network.decoder.output is network.embedding.weight
    config, codec = fitted(CHINESE, embedding_size=3, hidden_size=5, decoder_hidden_size=7)
    network = translate.build(config, codec)
    assert network.decoder.output.shape == (len(codec.target), 3)


def test_a_real_network_predicts_the_same_whatever_is_beside_a_sentence():
    config, codec = fitted(embedding_size=3, hidden_size=5, decoder_hidden_size=7)
    torch.manual_seed(1)
    network = translate.build(config, codec).eval()
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.5)
    texts = [*TEXTS, LONG, "unheard 中文 🎉", "x"]
    together = predicted(texts, codec, (network,), nbest=2)
    for text, expected in zip(texts, together, strict=True):
        (alone,) = predicted([text], codec, (network,), nbest=2)
        assert (alone.best.text, alone.best.subwords) == (expected.best.text, expected.best.subwords)
        assert alone.best.score == pytest.approx(expected.best.score, abs=1e-4)


def test_of_a_source_without_end_only_so_much_is_translated_and_that_is_said(caplog):
    _, codec = fitted()
    parts = codec.parts("eins zwei " * 40_000)
    assert sum(map(len, parts)) <= translation.MAX_SUBWORDS
    assert codec.source.decode(parts[0]).startswith("eins zwei")
    (line,) = caplog.messages
    assert line.startswith("a source of ") and line.endswith(f"the first {translation.MAX_SUBWORDS} are translated")
