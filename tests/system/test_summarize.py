"""summarize through the installed command: forms of input and output, odd and long texts, scores, names, bad input."""

import csv
import io
import json
import re
from pathlib import Path

import pytest

DATA = Path(__file__).resolve().parents[2] / "data" / "headlines"
SETTINGS = "--embedding-size 16 --hidden-size 16 --decoder-hidden-size 32 --learning-rate 0.02 --dropout 0".split()
ROUGE = ["rouge1", "rouge2", "rougeL", "rougeLsum"]
MEASURES = ["copied", "new_ngrams", "length_ratio", "repeats"]


@pytest.fixture(scope="module")
def result(seqnlp):
    """What training on a part of the headlines printed."""
    rows = (DATA / "train.tsv").read_text(encoding="utf-8").splitlines(keepends=True)
    (seqnlp.folder / "news.tsv").write_text("".join(rows[:301]))
    (seqnlp.folder / "news-dev.tsv").write_text("".join([rows[0], *rows[301:331]]))
    return seqnlp("summarize", "train", "news.tsv", "--dev", "news-dev.tsv", "-o", "news", *SETTINGS, "--epochs", "3")


@pytest.fixture(scope="module")
def texts(seqnlp, result):
    """The documents of the dev part."""
    return [line.split("\t")[0] for line in (seqnlp.folder / "news-dev.tsv").read_text().splitlines()[1:]]


def predict(seqnlp, *arguments, **rest):
    return seqnlp("summarize", "predict", "news", *arguments, **rest)


def test_training_ends_with_one_result(result):
    found = json.loads(result.out)
    assert result.code == 0 and [score["name"] for score in found["scores"]] == ROUGE
    assert list(found["details"]["summaries"]) == MEASURES
    assert "document = text, summary = headline" in result.err


def test_eval_says_what_training_said(seqnlp, result):
    found = json.loads(seqnlp("summarize", "eval", "news", "news-dev.tsv").out)
    expected = json.loads(result.out)
    assert (found["scores"], found["details"]) == (expected["scores"], expected["details"])
    references = seqnlp.folder / "more.txt"
    references.write_text("".join(f"no {number}\n" for number in range(30)))
    several = json.loads(seqnlp("summarize", "eval", "news", "news-dev.tsv", "--reference", "more.txt").out)
    assert all("nrefs:2" in score["signature"] for score in several["scores"])
    assert several["scores"][0]["value"] >= found["scores"][0]["value"]


def test_every_form_of_input_and_output_says_the_same(seqnlp, texts):
    said = predict(seqnlp, stdin="".join(f"{text}\n" for text in texts)).lines
    assert predict(seqnlp, "news-dev.tsv").lines == said
    records = [{"id": n, "article": text, "highlights": "x"} for n, text in enumerate(texts)]
    (seqnlp.folder / "news.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))
    found = [json.loads(line) for line in predict(seqnlp, "news.jsonl", "--to", "jsonl").lines]
    assert [one.pop("summarize")["text"] for one in found] == said and found == records
    table = list(csv.DictReader(io.StringIO(predict(seqnlp, "news-dev.tsv", "--to", "csv").out)))
    assert [row["summary"] for row in table] == said and list(table[0]) == ["text", "headline", "summary", "score"]
    (seqnlp.folder / "said").write_text("".join(f"{line}\n" for line in said))
    score = json.loads(seqnlp("score", "rouge", "news-dev.tsv", "said").out)["scores"]
    assert score == json.loads(seqnlp("summarize", "eval", "news", "news-dev.tsv").out)["scores"]


def test_blank_odd_and_long_lines(seqnlp, result):
    long = "Žižek 中文 \U0001f600 \x00\x01 " * 4000  # 20,000 words
    found = predict(seqnlp, "--beam-size", "2", stdin=f"\n \t\n<s> <unk> </s>\n{long}\n\ufeffa\r\n")
    assert found.code == 0 and len(found.lines) == 5 and found.lines[:2] == ["", ""]
    assert "1 documents were longer than --max-document-length: only their beginning was read" in found.err


def test_given_summaries_are_scored_and_several_are_listed(seqnlp, texts):
    (seqnlp.folder / "given.txt").write_text("Storm leaves homes without power\n")
    (seqnlp.folder / "one").write_text(f"{texts[0]}\n")
    score = predict(seqnlp, "one", "--score-reference", "given.txt").lines
    assert len(score) == 1 and float(score[0]) < 0
    several = predict(seqnlp, "one", "--nbest", "3").lines
    assert [line.split(" ||| ")[0] for line in several] == ["0"] * len(several)
    assert predict(seqnlp, "one", "--min-length", "9", "--max-length", "9", "--no-repeat-ngram-size", "0").code == 0


def test_what_cannot_be_learnt_from_is_refused(seqnlp):
    (seqnlp.folder / "empty.tsv").write_text("text\theadline\n\t\n")
    found = seqnlp("summarize", "train", "empty.tsv", "-o", "none", code=3)
    assert "empty.tsv: no examples" in found.err
    (seqnlp.folder / "two.csv").write_text("summary,article,text\nx,y,z\n")
    found = seqnlp("summarize", "train", "two.csv", "-o", "none", code=3)
    assert "which is the document?" in found.err and "--document-field article" in found.err


@pytest.mark.slow
def test_names_that_training_never_saw_are_right(seqnlp):
    parts = [str(DATA / f"{name}.tsv") for name in ("train", "dev", "names")]
    sizes = "--epochs 5 --hidden-size 64 --embedding-size 64 --decoder-hidden-size 128 --learning-rate 0.004".split()
    assert seqnlp("summarize", "train", parts[0], "--dev", parts[1], "-o", "names", *sizes).code == 0
    said = seqnlp("summarize", "predict", "names", parts[2]).lines
    known = set(re.findall(r"\w+", Path(parts[0]).read_text(encoding="utf-8")))
    headlines = [line.split("\t")[1] for line in Path(parts[2]).read_text(encoding="utf-8").splitlines()[1:]]
    right = 0
    for headline, found in zip(headlines, said, strict=True):
        names = {word for word in re.findall(r"\w+", headline) if word[0].isupper() and word not in known}
        right += bool(names) and names <= set(re.findall(r"\w+", found))
    assert right >= 0.95 * len(headlines)
