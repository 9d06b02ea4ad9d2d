"""translate: digits turned round through the installed command; searches, long and odd texts, scores, bad input."""

import importlib.util
import json
import random
from typing import NamedTuple

import pytest

from seqnlp.preprocess.text import tokenizer

SETTINGS = "--embedding-size 32 --hidden-size 16 --decoder-hidden-size 32 --vocab-size 300 --dropout 0".split()
SETTINGS += "--label-smoothing 0 --learning-rate 0.03 --warmup-steps 20 --ema-decay 0.9 --batch-size 64".split()
SETTINGS += "--max-tokens 1000 --precision fp32 --eval-every 100000".split()
NAMES = ["bleu", "chrf", "ter", "rouge1", "rouge2", "rougeL", "rougeLsum", "exact_match"]
STRANGE = (
    "\ufeff1 2 3\r\n"  # a byte order mark, CRLF
    "\r\n"
    "   \t \n"
    "1\t2\tstill the same line\u2028\u0085\x0b\x0c\x1c\n"
    "\x00\x01\x7f\x1b[31m 4 a lone \r in the line\n"
    "<s> <unk> <pad> </s> 5\n"
    "Ελληνικά العربية हिन्दी 中文也行 \U0001f600 \u202e\u0301\u0301\n"
    "\n"
    "3 2 1"
)


def rows(number, seed):
    """Two to four digits, and the same ones backwards."""
    draw = random.Random(seed)
    for _ in range(number):
        digits = draw.choices("0123456789", k=draw.randint(2, 4))
        yield " ".join(digits), " ".join(digits[::-1])


def train(seqnlp, name, *arguments, **rest):
    return seqnlp("translate", "train", *arguments, "-o", name, *SETTINGS, **rest)


def predict(seqnlp, *arguments, **rest):
    return seqnlp("translate", "predict", "turner", *arguments, **rest)


def write(seqnlp, name, lines):
    (seqnlp.folder / name).write_text("".join(f"{line}\n" for line in lines))


def as_json(result):
    return [json.loads(line)["translate"] if line else None for line in result.lines]


class Turner(NamedTuple):
    """What training printed, and the rows of the test part."""

    trained: object
    test: list


@pytest.fixture(scope="module")
def turner(seqnlp):
    """A model that turns digits round; beside it two others on the same corpus, and the files of all parts."""
    parts = {"turn": list(rows(2000, 1)), "turn-dev": list(rows(100, 2)), "turn-test": list(rows(120, 3))}
    for name, pairs in parts.items():
        for side, column in zip(("in", "out"), zip(*pairs, strict=True), strict=True):
            write(seqnlp, f"{name}.{side}", column)
    corpus = ["turn.in", "turn.out", "--dev", "turn-dev.in", "--dev", "turn-dev.out"]
    trained = train(seqnlp, "turner", *corpus, "--epochs", "8")
    train(seqnlp, "turn-other", *corpus, "--epochs", "1", "--seed", "2", "-q")
    return Turner(trained, parts["turn-test"])


@pytest.fixture(scope="module")
def translated(seqnlp, turner):
    """What the test part is translated to, as text, and as jsonl says it."""
    return predict(seqnlp, "turn-test.in"), predict(seqnlp, "turn-test.in", "--to", "jsonl", "--attention-weights")


@pytest.fixture(scope="module")
def says(seqnlp, turner):
    """What the model makes of a source by itself: few steps taught it, so that no test may know better."""
    sources = ["1 2", "3 4", "5", "1 2 3", "3 2 1"]
    return dict(zip(sources, predict(seqnlp, stdin="\n".join(sources)).lines, strict=True))


# what is learnt, and how it is scored


def test_the_chain_of_stages_gives_the_model_of_the_one_command(seqnlp, turner):
    text, rest = (
        ["--vocab-size", "300"],
        ["--hidden-size", "5", "--embedding-size", "6", "--decoder-hidden-size", "7", "--epochs", "1"],
    )
    dev = ["--dev", "turn-dev.in", "--dev", "turn-dev.out"]
    seqnlp("translate", "train", "turn.in", "turn.out", *dev, "-o", "turn-one", *text, *rest)
    seqnlp("encode", "translate", "turn.in", "turn.out", *text, "-o", "turn-encoded")
    seqnlp("pack", "turn-encoded", "-o", "turn-packed")
    seqnlp("translate", "train", "turn-packed", *dev, "-o", "turn-chain", *rest)
    for file in ("model.safetensors", "tokenizer.json", "lengths.json"):
        assert (seqnlp.folder / "turn-chain" / file).read_bytes() == (seqnlp.folder / "turn-one" / file).read_bytes(), (
            file
        )


def test_it_learns_to_turn_digits_round(seqnlp, turner):
    scores = {score["name"]: score["value"] for score in turner.trained.json["scores"]}
    assert scores["exact_match"] > 90
    found = seqnlp("translate", "eval", "turner", "turn-test.in", "turn-test.out", "--fail-under", "90")
    assert {score["name"]: score["value"] for score in found.json["scores"]}["exact_match"] > 90


def test_the_result_has_the_scores_of_translation_and_summaries(turner):
    assert [score["name"] for score in turner.trained.json["scores"]] == NAMES
    assert all(score["n"] == 100 and score["interval"] for score in turner.trained.json["scores"])


def test_score_behind_predict_says_what_eval_says(seqnlp, turner, translated):
    text, jsonl = translated
    result = seqnlp("translate", "eval", "turner", "turn-test.in", "turn-test.out", "--errors", "turn.tsv")
    bleu = result.json["scores"][0]
    for predicted in (text, jsonl):
        assert seqnlp("score", "bleu", "turn-test.out", stdin=predicted.out).json["scores"][0] == bleu
    wrong = sum(line != target for line, (_, target) in zip(text.lines, turner.test, strict=True))
    lines = (seqnlp.folder / "turn.tsv").read_text().split("\n")[1:-1]
    assert len(lines) == wrong


def test_eval_takes_the_words_to_score_by_and_lower_case(seqnlp, turner):
    options = ["--tokenize", "char", "--lowercase", "--beam-size", "2"]
    result = seqnlp("translate", "eval", "turner", "turn-test.in", "turn-test.out", *options)
    signature = result.json["scores"][0]["signature"]
    assert "tok:char" in signature and "case:lc" in signature


# lines in, lines out


def test_a_pipe_translates_line_by_line(seqnlp, says):
    piped = seqnlp.shell("(echo 1 2 3; echo; echo 3 4) | seqnlp translate predict turner | tee copy | cat", warm=True)
    assert piped.code == 0 and piped.err == ""
    assert piped.lines == [says["1 2 3"], "", says["3 4"]]


def test_strange_lines_give_a_line_each(seqnlp, says):
    text, jsonl = predict(seqnlp, stdin=STRANGE), predict(seqnlp, "--to", "jsonl", stdin=STRANGE)
    blank = [not line.strip() for line in STRANGE.split("\n")]
    assert [not line for line in text.lines] == blank
    assert [value["text"] if value else "" for value in as_json(jsonl)] == text.lines
    assert (text.lines[0], text.lines[-1]) == (says["1 2 3"], says["3 2 1"])


def test_jsonl_adds_text_score_nbest_attention_and_quality(translated):
    text, jsonl = translated
    for line, value in zip(text.lines, as_json(jsonl), strict=True):
        assert list(value) == ["text", "score", "nbest", "quality", "attention"]
        assert value["text"] == line and value["nbest"] == [{"text": line, "score": value["score"]}]
        (weights,) = value["attention"]["weights"]
        assert len(weights) == len(value["attention"]["target"])
        assert all(len(row) == len(value["attention"]["source"]) for row in weights)
        assert all(sum(row) == pytest.approx(1, abs=0.01) for row in weights)
        assert set(value["quality"]) == {"length_ratio", "coverage", "flags"}


def test_jsonl_keeps_what_a_record_holds(seqnlp, says):
    records = [{"id": 1, "source": "1 2"}, {"source": ""}, {"in": {"x": "3 4"}, "source": "5"}]
    lines = "".join(json.dumps(record) + "\n" for record in records)
    found = predict(seqnlp, "--from", "jsonl", "--to", "jsonl", stdin=lines)
    kept = [json.loads(line) for line in found.lines]
    assert [{key: value for key, value in row.items() if key != "translate"} for row in kept] == records
    assert [row["translate"] and row["translate"]["text"] for row in kept] == [says["1 2"], None, says["5"]]
    line = json.dumps(records[2])
    nested = predict(seqnlp, "--from", "jsonl", "--source-field", "in.x", "--to", "text", stdin=line)
    assert nested.lines == [says["3 4"]]


def test_a_corpus_is_translated_from_its_sources(seqnlp, says):
    write(seqnlp, "turn.tsv", ["1 2\tx", "", "3 4\ty"])
    assert predict(seqnlp, "turn.tsv").lines == [says["1 2"], "", says["3 4"]]


# searches


SEARCHES = [
    [],
    ["--beam-size", "1"],
    ["--beam-size", "2", "--nbest", "4", "--length-penalty", "1.2", "--coverage-penalty", "0.2"],
    ["--sample", "--temperature", "1.5", "--top-k", "9", "--top-p", "0.95"],
    ["--ensemble", "turn-other"],
    ["--prefix", "7", "--no-repeat-ngram-size", "2", "--min-length-ratio", "1", "--max-length-ratio", "1"],
]


@pytest.mark.parametrize("options", SEARCHES, ids=" ".join)
def test_results_do_not_depend_on_the_batch_size(seqnlp, turner, options):
    lines = "\n".join([source for source, _ in turner.test[:20]] + ["1 2 3 4 5 6 7 8 9 " * 5, "", "x y z"])
    whole, *others = (
        as_json(predict(seqnlp, "--to", "jsonl", *options, *limits, "-q", stdin=lines))
        for limits in ([], ["--batch-size", "1"], ["--batch-size", "7"], ["--max-tokens", "30"])
    )
    for other in others:
        for one, same in zip(whole, other, strict=True):
            assert (one and one["text"]) == (same and same["text"])
            assert (one and one["score"]) == pytest.approx(same and same["score"], abs=2e-4)


@pytest.mark.parametrize("options", SEARCHES[:5], ids=" ".join)
def test_the_score_of_a_reference_is_what_the_search_reports(seqnlp, turner, options):
    found = as_json(predict(seqnlp, "turn-test.in", "--to", "jsonl", "--attention-weights", *options))
    write(seqnlp, "turn.ref", [value["text"] for value in found])
    place = options.index("--nbest") if "--nbest" in options else len(options)
    one = [*options[:place], *options[place + 2 :]]  # a reference has one score
    scores = predict(seqnlp, "turn-test.in", "--score-reference", "turn.ref", *one).lines
    known = tokenizer.Tokenizer.load(seqnlp.folder / "turner" / "tokenizer.json")

    def pieces(text):
        return [known.names[i] for i in known.encode([text])[0]]

    usual = [
        abs(float(score) - value["score"])
        for score, value in zip(scores, found, strict=True)
        if pieces(value["text"]) == value["attention"]["target"]  # a search may find the text in other pieces
    ]
    assert len(usual) > 100 and max(usual) <= 1.6e-4  # a half of 1e-4 is rounding


def test_references_are_scored_one_by_one(seqnlp, turner, says):
    references = [says["1 2"], "", "9 9 9 9 9", "中文"]
    write(seqnlp, "turn.ref", references)
    found, blank, *others = predict(seqnlp, "--score-reference", "turn.ref", stdin="1 2\n" * 4).lines
    assert blank == "" and max(map(float, others)) < float(found) < 0  # the search found nothing better
    for reference, score in zip(references[2:], others, strict=True):
        write(seqnlp, "turn.ref", [reference])
        (alone,) = predict(seqnlp, "--score-reference", "turn.ref", stdin="1 2\n").lines
        assert float(alone) == pytest.approx(float(score), abs=1e-4)


def test_nbest_are_different_and_best_first(seqnlp, turner):
    for value in as_json(predict(seqnlp, "--nbest", "6", "--to", "jsonl", stdin="1 2 3\n4 5\n")):
        scores = [one["score"] for one in value["nbest"]]
        assert len(scores) == 6 and scores == sorted(scores, reverse=True)
        assert value["nbest"][0] == {"text": value["text"], "score": value["score"]}


def test_an_ensemble_of_the_same_model_is_the_model(seqnlp, turner, translated):
    text, jsonl = translated
    assert predict(seqnlp, "turn-test.in", "--ensemble", "turner").out == text.out
    other = predict(seqnlp, "turn-test.in", "--ensemble", "turn-other", "--to", "jsonl")
    assert [one["score"] for one in as_json(other)] != [one["score"] for one in as_json(jsonl)]


def test_samples_are_the_same_for_the_same_seed(seqnlp, turner):
    options = ["--sample", "--temperature", "3"]
    first, again, other = (predict(seqnlp, "turn-test.in", *options, "--seed", seed).out for seed in ("1", "1", "2"))
    assert first == again != other


def test_near_no_temperature_and_the_best_piece_alone_are_greedy(seqnlp, turner):
    greedy = predict(seqnlp, "turn-test.in", "--beam-size", "1")
    for options in (["--top-k", "1"], ["--top-p", "0.001"]):
        assert predict(seqnlp, "turn-test.in", "--sample", *options).out == greedy.out
    cold = predict(seqnlp, "turn-test.in", "--sample", "--temperature", "0.01")
    differing = sum(one != other for one, other in zip(cold.lines, greedy.lines, strict=True))
    assert differing <= 5  # of 120: where two pieces are all but equally good, chance may take either


def test_a_prefix_and_lengths_shape_every_translation(seqnlp, turner):
    lines = predict(seqnlp, "turn-test.in", "--prefix", "7 7").lines
    assert all(line.startswith("7 7") for line in lines)
    (long,) = as_json(
        predict(seqnlp, "--min-length-ratio", "3", "--to", "jsonl", "--attention-weights", stdin="1 2 3 4 5 6\n")
    )
    assert len(long["attention"]["target"]) >= 3 * len(long["attention"]["source"])
    assert "long" in long["quality"]["flags"] and long["quality"]["length_ratio"] >= 3


# long texts


def test_a_long_text_is_translated_in_parts(seqnlp, turner):
    """Cut at its sentences, each as it is translated alone; what the model makes of them is its own business."""
    sentences = ["1 2 3.", "4 5 6.", "7 8 9.", "2 4 6."]
    known = tokenizer.Tokenizer.load(seqnlp.folder / "turner" / "tokenizer.json")
    sizes = [len(pieces) for pieces in known.encode(sentences)]
    limit = ["--max-source-length", max(sizes)]
    assert max(sizes) < 2 * min(sizes)  # no two sentences fit into one part
    alone = as_json(predict(seqnlp, "--to", "jsonl", "--attention-weights", *limit, stdin="\n".join(sentences)))

    lines = ["1 2", " ".join(sentences), " ".join(sentences[:2])]
    result = predict(seqnlp, "--to", "jsonl", "--attention-weights", *limit, stdin="\n".join(lines))
    assert result.errors == [
        "seqnlp: warning: 2 inputs were longer than --max-source-length: cut, translated in parts, and joined"
    ]
    short, *long = as_json(result)
    assert len(short["attention"]["weights"]) == 1
    for found, parts in zip(long, (alone, alone[:2]), strict=True):
        assert len(found["attention"]["weights"]) == len(parts)
        assert found["attention"]["source"] == [piece for part in parts for piece in part["attention"]["source"]]
        assert found["text"] == " ".join(part["text"] for part in parts if part["text"])
        assert found["score"] == pytest.approx(sum(part["score"] for part in parts), abs=1e-3)
    assert predict(seqnlp, "--max-source-length", "999", stdin="\n".join(lines)).err == ""


LONG = ["1 2 3 4. " * 12_000, "1" * 100_000, "中" * 20_000, "\U0001f600 " * 10_000]


@pytest.mark.parametrize("line", LONG, ids=["sentences", "one word", "unseen", "pictures"])
def test_a_line_of_a_hundred_thousand_characters_is_translated(seqnlp, turner, line):
    options = ["--beam-size", "1", "--max-length-ratio", "1"]
    result, others = (predict(seqnlp, *options, stdin=stdin) for stdin in (f"1 2\n{line}\n3 4\n", "1 2\n3 4\n"))
    assert len(result.lines) == 3 and result.lines[::2] == others.lines
    assert "1 inputs were longer" in result.err and "the first 5000 are translated" in result.err


# bad input


def test_pairs_that_cannot_be_learnt_from_are_left_out_with_counts(seqnlp, turner):
    pairs = list(rows(200, 5))
    sources = [source for source, _ in pairs] + ["", "1 2", "", "7 " * 50_000]
    write(seqnlp, "odd.in", sources)
    write(seqnlp, "odd.out", [target for _, target in pairs] + ["1", " ", "", "7"])
    dev = ["--dev", "turn-dev.in", "--dev", "turn-dev.out"]
    result = train(seqnlp, "odd", "odd.in", "odd.out", *dev, "--epochs", "1")
    warnings = [line for line in result.errors if "left out" in line]
    assert warnings == [
        "seqnlp: warning: odd.in, odd.out: 2 pairs with one blank side are left out",
        "seqnlp: warning: 1 pairs have more than 200 subwords on a side: left out of training",
    ]
    assert any("train 200, dev 100" in line for line in result.errors)


@pytest.mark.parametrize("verb", ["train", "eval"])
def test_files_of_different_length_are_reported_with_the_place(seqnlp, turner, verb):
    draw = random.Random(1)
    sizes = [draw.randint(1, 20) for _ in range(300)]
    write(seqnlp, "shift.in", ["x y" * size for size in sizes])
    write(seqnlp, "shift.out", ["a b c" * size for size in sizes[:100] + sizes[101:]])
    arguments = ["train", "-q", "-o", "shift"] if verb == "train" else ["eval", "turner"]
    result = seqnlp("translate", *arguments, "shift.in", "shift.out", code=3)
    assert result.out == ""
    assert result.errors == [
        "seqnlp: shift.in has 300 lines, shift.out has 299; from line 101 on they look shifted; "
        "hint: the two files must belong together line by line"
    ]


def test_one_file_alone_is_no_corpus_of_pairs(seqnlp, turner):
    result = seqnlp("translate", "train", "turn.in", "-o", "alone", code=2)
    assert result.errors == [
        "seqnlp: turn.in: a plain text file needs a second one with the target of each line; "
        "hint: give both, or a .tsv with source and target, or say what it is with --from"
    ]


def test_where_all_pairs_are_too_long_it_is_reported(seqnlp, turner):
    result = seqnlp("translate", "train", "turn.in", "turn.out", "-o", "none", "--max-train-length", "1", code=3)
    assert "turn.in, turn.out: no pair has at most 1 subwords on either side" in result.errors[-1]


@pytest.mark.parametrize(("lines", "what"), [(1, "has 1 lines, fewer than stdin"), (3, "has more lines than stdin")])
def test_references_must_be_as_many_as_sources(seqnlp, turner, lines, what):
    write(seqnlp, "few.ref", ["2 1"] * lines)
    result = predict(seqnlp, "--score-reference", "few.ref", stdin="1 2\n3 4\n", code=3)
    assert f"few.ref: {what}" in result.errors[0]


@pytest.mark.parametrize(
    ("options", "what"),
    [
        (["--beam-size", "0"], "'--beam-size': 0 is not in the range"),
        (["--top-p", "0"], "'--top-p'"),
        (["--temperature", "0"], "'--temperature'"),
        (["--max-length-ratio", "1e30"], "'--max-length-ratio'"),
        (["--length-penalty", "nan"], "'--length-penalty'"),
        (["--max-source-length", "1"], "'--max-source-length'"),
        (["--score-reference", "nothing"], "nothing: no such file"),
        (["--score-reference", "-"], "- (stdin) can be read once only"),
        (
            ["--min-length-ratio", "99", "--max-length-ratio", "99", "--no-repeat-ngram-size", "1"],
            "no output satisfies all constraints",
        ),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_what_cannot_be_done_is_reported(seqnlp, turner, options, what):
    result = predict(seqnlp, *options, stdin="1 2 3 4 5 6\n", code=2)
    assert len(result.errors) == 1 and what in result.err


def test_an_ensemble_is_of_one_codec(seqnlp, turner):
    pairs = list(rows(60, 8))
    write(seqnlp, "small.tsv", [f"{source}\t{target} x" for source, target in pairs])
    train(seqnlp, "stranger", "small.tsv", "--dev", "small.tsv", "--epochs", "1", "-q")
    result = predict(seqnlp, "--ensemble", "stranger", stdin="1 2\n", code=4)
    assert "stranger: has another codec than turner" in result.err
    assert "nothing: no model here" in predict(seqnlp, "--ensemble", "nothing", stdin="1 2\n", code=4).err


# pictures


@pytest.mark.skipif(importlib.util.find_spec("matplotlib") is not None, reason="matplotlib is there")
def test_without_matplotlib_the_error_says_what_to_install(seqnlp, turner):
    result = predict(seqnlp, "--plot-attention", "pictures", stdin="1 2\n", code=2)
    assert result.errors == ["seqnlp: pictures need matplotlib; hint: pip install 'seqnlp[plot]'"]
    assert result.out == "" and not (seqnlp.folder / "pictures").exists()


@pytest.mark.skipif(importlib.util.find_spec("matplotlib") is None, reason="needs matplotlib")
def test_every_sentence_has_a_picture_with_the_number_of_its_line(seqnlp, turner):
    result = predict(
        seqnlp, "--plot-attention", "pictures", "--max-source-length", "9", stdin="1 2\n\n$x$ 中文\n" + "3 4 " * 9
    )
    assert len(result.lines) == 4 and len(result.errors) == 1
    pictures = sorted((seqnlp.folder / "pictures").iterdir())
    assert [path.name for path in pictures] == ["000001.png", "000003.png", "000004.png"]
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in pictures)
