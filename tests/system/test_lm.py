"""Language models through the command: ranks beside log-probabilities, and texts that are like no other."""

import json
import math

import pytest

TINY = ["--hidden-size", "7", "--embedding-size", "5", "--epochs", "1", "--precision", "fp32", "-q"]
TEXT = "the cat sat on the mat\na dog\x00 ran off\n\n" * 30
LINES = "the cat sat\n\na dog\nthe cat sat\nzebra über\n"  # a blank one, one twice, symbols that are new


@pytest.fixture(scope="module")
def models(seqnlp, tmp_path_factory):
    """A folder with a model of each level."""
    folder = tmp_path_factory.mktemp("lm")
    (folder / "text.txt").write_text(TEXT)
    for level in ("char", "word", "bpe"):
        seqnlp("lm", "train", folder / "text.txt", "-o", folder / level, "--level", level, *TINY)
    return folder


def predict(seqnlp, model, *flags, stdin=LINES):
    return seqnlp("lm", "predict", model, *flags, stdin=stdin).lines


def test_ranks_stand_beside_what_there_is_without_them(seqnlp, models):
    plain, ranked = (predict(seqnlp, models / "char", *flags) for flags in ((), ("--rank",)))
    assert [line.split("\t")[-1] for line in ranked] == plain and plain[1] == ""
    logs = {float(line) for line in plain if line}
    for line in filter(None, ranked):
        rank, log = line.split("\t")
        better = sum(float(other) > float(log) for other in plain if other)
        assert int(rank) == better + 1  # equal lines share theirs
    assert len(logs) == 3


def test_every_form_of_ranks_is_scored_as_what_there_is_without_them(seqnlp, models, tmp_path):
    (tmp_path / "x.csv").write_text("text,n\n" + "".join(f"{line},7\n" for line in LINES.split("\n") if line))
    plain = predict(seqnlp, models / "char", tmp_path / "x.csv", "--to", "text")
    for form in ("text", "jsonl", "csv", "tsv"):
        lines = predict(seqnlp, models / "char", tmp_path / "x.csv", "--to", form, "--rank")
        (tmp_path / f"out.{form}").write_text("".join(f"{line}\n" for line in lines))
        found = seqnlp("score", "perplexity", tmp_path / "x.csv", tmp_path / f"out.{form}").json
        assert found["details"]["nats"] == pytest.approx(-sum(map(float, plain)), abs=1e-4), form
    records = [json.loads(line)["lm"] for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert [record["rank"] for record in records] == [int(line.split("\t")[0]) for line in read(tmp_path / "out.text")]
    assert read(tmp_path / "out.csv")[0] == "text,n,rank,log_probability"


def read(path):
    return path.read_text().splitlines()


def test_ranks_of_nothing_are_nothing(seqnlp, models):
    assert predict(seqnlp, models / "char", "--rank", stdin="") == []
    assert predict(seqnlp, models / "char", "--rank", stdin="\n\n") == ["", ""]


@pytest.mark.parametrize("level", ["char", "word", "bpe"])
def test_symbols_that_training_never_saw_are_counted_or_made_of_bytes(seqnlp, models, tmp_path, level):
    (tmp_path / "new.txt").write_text(LINES)
    found = seqnlp("lm", "eval", models / level, tmp_path / "new.txt", "-q").json
    assert found["details"]["unknown"] == {"char": 4, "word": 2, "bpe": 0}[level]
    assert f"|unknown:{found['details']['unknown']}|" in found["scores"][0]["signature"]
    assert math.isfinite(found["scores"][0]["value"])
    tokens = json.loads(predict(seqnlp, models / level, "--to", "jsonl", stdin="\x00 \U0001f40c\n")[0])["lm"]["tokens"]
    assert len(tokens) >= 3 and all(math.isfinite(log) for _, log in tokens)


@pytest.mark.parametrize(
    ("level", "text"),
    [("bpe", "the cat sat on the mat " * 9), ("word", "the cat sat " * 9), ("char", "a" * 99 + "\n"), ("char", "a")],
)
def test_a_text_of_one_line_or_one_symbol_is_learnt_and_gone_on_from(seqnlp, tmp_path, level, text):
    (tmp_path / "x.txt").write_text(text)
    train = seqnlp("lm", "train", tmp_path / "x.txt", "-o", tmp_path / "m", "--level", level, *TINY)
    assert math.isfinite(train.json["scores"][0]["value"])
    assert math.isfinite(seqnlp("lm", "eval", tmp_path / "m", tmp_path / "x.txt", "-q").json["scores"][0]["value"])
    assert seqnlp("lm", "generate", tmp_path / "m", "--max-tokens", "5", "-q").out.endswith("\n")


def test_as_many_texts_as_asked_for_and_the_same_ones_for_the_same_seed(seqnlp, models):
    flags = ("-n", "3", "--max-tokens", "9", "--one-line", "--prompt", "the cat", "--temperature", "9", "-q")
    first, again, other = (
        seqnlp("lm", "generate", models / "word", *flags, "--seed", seed).out for seed in ("1", "1", "2")
    )
    assert first == again != other
    texts = first.removesuffix("\n").split("\n\n")
    assert len(texts) == 3 and all(text.startswith("the cat") for text in texts)


@pytest.mark.parametrize("level", ["char", "word", "bpe"])
def test_a_text_without_any_is_refused(seqnlp, tmp_path, level):
    (tmp_path / "x.txt").write_text("\n \n\n" if level != "char" else "\n\n")
    found = seqnlp("lm", "train", tmp_path / "x.txt", "-o", tmp_path / "m", "--level", level, *TINY, code=3)
    assert "no text" in found.err and len(found.errors) == 1


@pytest.mark.slow
@pytest.mark.parametrize("level", ["char", "bpe"])
def test_ten_million_characters_without_a_line_end(seqnlp, models, tmp_path, level):
    (tmp_path / "long.txt").write_text("the cat sat on the mat, " * 416_667)
    flags = ["--level", level, *TINY, "--batch-size", "64", "--bptt", "256"]
    seqnlp.cold("lm", "train", tmp_path / "long.txt", "-o", tmp_path / "m", *flags)
    (log,) = predict(seqnlp, tmp_path / "m", tmp_path / "long.txt")
    found = seqnlp.cold("lm", "eval", tmp_path / "m", tmp_path / "long.txt", "--lines", "-q").json["details"]
    assert found["characters"] == 10_000_009 and found["nats"] == pytest.approx(-float(log), rel=1e-4)
