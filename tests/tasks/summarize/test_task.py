"""Summaries: words that the vocabulary lacks, long documents, lengths, coverage, references, what is recognised."""

import dataclasses
import itertools
import logging
import tracemalloc

import pytest
import torch

from seqnlp import errors
from seqnlp.nn import copy, loss
from seqnlp.preprocess.corpora import schema
from seqnlp.preprocess.corpora.examples import Example, Examples
from seqnlp.preprocess.text import tokenizer
from seqnlp.tasks import registry

summarize, translate = registry.get("summarize"), registry.get("translate")

PAIRS = [(f"the {colour} cat sat on mat {n} .", f"{colour} cat sat") for n in range(9) for colour in ("red", "blue")]
SMALL = dict(embedding_size=7, hidden_size=5, decoder_hidden_size=6, dropout=0.0, vocab_size=300)


def corpus(pairs):
    rows = [Example(document, summary, None, "x", n) for n, (document, summary) in enumerate(pairs, 1)]
    return Examples(lambda: iter(rows), len(rows))


def fitted(pairs=PAIRS, **options):
    return summarize.fit(corpus(pairs), summarize.Config(**{**SMALL, **options}), {})


CONFIG, CODEC = fitted()
SIZE = len(CODEC.source)


def row(document, summary=None, codec=CODEC):
    return codec.encode(Example(document, summary, None, "x", 1))


def columns(rows):
    return {name: [one[name] for one in rows] for name in rows[0]}


def batch(rows, codec=CODEC):
    found = columns(rows)
    return summarize.collate(found, [max(sizes) for sizes in zip(*found["lengths"], strict=True)], codec)


def network(config=CONFIG, codec=CODEC):
    torch.manual_seed(0)
    return summarize.build(config, codec)


def predicted(documents, codec=CODEC, made=None, **options):
    search = summarize.Search(**options)
    rows = [row(document, codec=codec) for document in documents]
    with torch.inference_mode():
        return summarize.predict([(made or network()).eval()], codec, batch(rows, codec), columns(rows), search)


# Words that the vocabulary lacks


def test_unknown_words_have_ids_of_their_own_past_the_vocabulary():
    found = row("the Zorg cat saw Bim and Zorg .", "Bim Zorg Qux cat")
    assert found["unknown"] == ["ĠZorg", "Ġsaw", "ĠBim", "Ġand"]
    ids = [number - SIZE for number in found["source"][0] if number >= SIZE]
    assert ids == [0, 1, 2, 3, 0]
    assert [number - SIZE if number >= SIZE else None for number in found["target"]] == [2, 0, None, None]
    assert found["target"][2] == tokenizer.UNK  # it is not in the document


def test_what_is_copied_is_text_again():
    found = row("Zorg, the cat; 中x saw\tBim's  mat.")
    assert CODEC.source.decode(found["source"][0], found["unknown"]).strip() == "Zorg, the cat; 中x saw\tBim's  mat."


@pytest.mark.parametrize("level", ["bpe", "unigram"])
def test_of_subwords_nothing_is_unknown(level):
    _, codec = fitted(level=level)
    found = row("Žižek 猫 saw Bim", "猫", codec)
    assert found["unknown"] == [] and max(found["source"][0]) < len(codec.source)
    assert codec.source.decode(found["target"]) == "猫"


def test_unknown_words_are_predicted_where_all_is_copied():
    made = network()
    with torch.no_grad():
        made.decoder.gate.bias.fill_(-1e4)
    found = predicted(["Zorg saw Bim"], made=made, max_length=5, min_length=1, nbest=3)[0]
    assert all(set(one.text.split()) <= {"Zorg", "saw", "Bim"} and one.text for one in found.every)
    assert found.source == (" Zorg", " saw", " Bim", "</s>")


def test_an_unknown_word_learns_by_its_copies_alone():
    made = network()
    data = batch([row("Zorg saw the cat", "Zorg cat"), row("the red cat", "red")])
    found = made(data)
    state = made.begin(data.source, data.lengths)
    total = 0.0
    for step in range(data.inputs.size(1)):
        logs, state = made.step(data.inputs[:, step : step + 1], state)
        wanted = data.outputs[:, step]
        total -= sum(logs[n, token] for n, token in enumerate(wanted.tolist()) if token != loss.IGNORED)
    plain = network(dataclasses.replace(CONFIG, label_smoothing=0.0))(data)
    torch.testing.assert_close(plain.sum, total, atol=1e-4, rtol=1e-4)
    assert found.weight == (data.outputs != loss.IGNORED).sum()


# Documents, lengths


def test_of_a_long_document_the_beginning_is_read():
    codec = dataclasses.replace(CODEC, max_document_length=4)
    found = row("the red Zorg cat Bim sat", codec=codec)
    assert len(found["source"][0]) == 5 and found["cut"] and found["unknown"] == ["ĠZorg"]
    assert summarize.cuts(found) and not summarize.cuts(row("the red cat", codec=codec))
    assert [one.warnings for one in predicted(["the red Zorg cat Bim sat", "the"], codec)] == [("cut",), ()]


def test_a_document_of_twenty_thousand_words_needs_no_more_memory_than_what_is_read():
    text = " ".join(map("".join, itertools.islice(itertools.product("abcdefghijkl", repeat=4), 20_000)))
    made = network()
    predicted([text[:3000]], made=made, beam_size=2)
    tracemalloc.start()
    found = row(text)
    kept = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(found["source"][0]) == 401 and len(found["unknown"]) == 400 and kept < 30_000_000
    assert predicted([text], made=made, beam_size=2)[0].warnings == ("cut",)


def test_summaries_are_as_long_as_in_training():
    assert (CODEC.shortest, CODEC.longest, CODEC.words) == (3, 3, 3.0)
    for options, most, least in (({}, 3, 3), ({"max_length": 5, "min_length": 4}, 5, 4), ({"max_length": 1}, 1, 1)):
        sizes = [len(one.best.subwords) for one in predicted(["the red cat", "Bim"], **options)]
        assert all(least <= size <= most for size in sizes), options


def test_no_three_words_come_twice_by_default():
    found = predicted(["a b c d e f g h i j"] * 2, min_length=30, max_length=30)
    grams = [list(zip(*(one.best.subwords[n:] for n in range(3)), strict=False)) for one in found]
    assert all(len(set(one)) == len(one) for one in grams)


def test_pairs_with_long_summaries_are_left_out(caplog):
    with caplog.at_level(logging.WARNING):
        config, codec = fitted([*PAIRS, ("a b", " ".join("x" * 9))], max_summary_length=8)
    assert "1 summaries have more than 8 tokens: left out of training" in caplog.text
    rows = [row("a", " ".join("x" * size), codec) for size in (8, 9)]
    assert [summarize.is_trainable(one, config) for one in rows] == [True, False]
    with pytest.raises(errors.DataError, match="no summary has at most 2 tokens"):
        fitted(max_summary_length=2)


# Fitting


def test_one_vocabulary_serves_both_sides():
    pieces = CODEC.source
    with pytest.raises(errors.UsageError, match="share one vocabulary"):
        summarize.fit(corpus(PAIRS), CONFIG, {"tokenizers": [pieces, pieces]})
    _, codec = summarize.fit(corpus(PAIRS), CONFIG, {"tokenizers": [pieces]})
    assert codec.source is codec.target is pieces


def test_a_codec_is_loaded_as_it_was_saved(tmp_path):
    assert sorted(CODEC.save(tmp_path)) == ["lengths.json", "tokenizer.json"]
    again = summarize.Codec.load(tmp_path, CONFIG)
    assert row("Zorg, the cat", "Zorg", again) == row("Zorg, the cat", "Zorg")
    assert (again.shortest, again.longest, again.words) == (3, 3, 3.0)


def test_words_that_are_rare_are_not_in_the_vocabulary():
    assert "Ġcat" in CODEC.source.vocabulary and "Ġ3" not in CODEC.source.vocabulary
    with pytest.raises(errors.DataError, match="no pairs"):
        fitted([])


# Coverage


def test_the_coverage_loss_comes_in_the_last_tenth_of_the_steps():
    made, data = network(), batch([row("the red cat sat", "red cat sat")])
    sums = {}
    for share in (0.0, 0.5, 0.89, 0.9, 0.99):
        made.share = share
        sums[share] = made(data).sum.item()
    _, state = made.decoder(data.inputs, made.begin(data.source, data.lengths))
    again = copy.coverage(state["attention"], data.outputs != loss.IGNORED).item()
    assert sums[0.0] == sums[0.5] == sums[0.89]
    assert sums[0.9] == sums[0.99] == pytest.approx(sums[0.0] + again, rel=1e-5) != sums[0.0]


def test_the_coverage_penalty_is_on_what_is_told_again():
    documents = ["the red cat sat on mat Bim ."]
    plain, strict = (predicted(documents, coverage_penalty=b, max_length=9)[0] for b in (0.0, 50.0))
    looked = [sum(max(share - 1, 0) for share in one.best.attention[0].sum(0)) for one in (plain, strict)]
    assert looked[1] <= looked[0] + 1e-6


# Reading and scoring


@pytest.mark.parametrize("names", [("article", "highlights"), ("abstract", "title"), ("text", "headline")])
def test_fields_are_known_by_their_usual_names(tmp_path, names):
    (tmp_path / "x.csv").write_text(f"id,{names[1]},{names[0]}\n1,short,long text\n2,,none\n")
    source = schema.Source((str(tmp_path / "x.csv"),))
    assert [(one.source, one.target) for one in summarize.read(source, CONFIG)] == [("long text", "short")]


def test_summaries_are_told_from_translations():
    summaries = list(corpus(PAIRS))
    pairs = list(corpus([(f"der Hund sieht {n} Katzen", f"the dog sees {n} cats") for n in range(9)]))
    assert summarize.recognises(summaries) and not translate.recognises(summaries)
    assert translate.recognises(pairs) and not summarize.recognises(pairs)


def test_scores_stand_beside_what_needs_no_model():
    examples = list(corpus(PAIRS[:2]))
    found = predicted([one.source for one in examples])
    result = summarize.output.score(examples, found, CODEC)
    assert [score.name for score in result.scores] == ["rouge1", "rouge2", "rougeL", "rougeLsum"]
    assert list(result.details) == ["baselines", "summaries"]
    assert "first 3 words" in result.details["baselines"]
    assert result.scores[0].signature.startswith("rouge1|tok:")
    assert summarize.output.score(examples, found, CODEC, intervals=False).details == {}


def test_of_several_references_the_best_counts():
    (example,) = [dataclasses.replace(one, target="dog", others=("red cat", "x")) for one in list(corpus(PAIRS[:1]))]
    (found,) = predicted([example.source])
    found = dataclasses.replace(found, best=dataclasses.replace(found.best, text="red cat"))
    scores = summarize.output.score([example], [found], CODEC).scores
    assert scores[0].value == 100 and "nrefs:3" in scores[0].signature
    assert summarize.output.mistakes([example], [found], CODEC) == []
    (wrong,) = summarize.output.mistakes([dataclasses.replace(example, others=())], [found], CODEC)
    assert (wrong["rouge1"], wrong["predicted"], wrong["gold"]) == (0.0, "red cat", "dog")
