"""score: several references, corpora and tables as the hypothesis, items without a label."""

import json
import logging
from pathlib import Path

import pytest
import sacrebleu
from rouge_score import rouge_scorer

from seqnlp import cli

FIRST = ["The dog bit the man.", "It was not unexpected.", "The man bit him first."]
SECOND = ["The dog had bit the man.", "No one was surprised.", "The man had bitten the dog."]
SAID = ["The dog bit a man.", "it wasn't surprising", "The man had just bitten him."]


@pytest.fixture
def score(capsys, stdin, tmp_path, monkeypatch):
    """Run the command in a folder of its own that has three files; `code` is what it has to exit with."""
    monkeypatch.chdir(tmp_path)
    log = logging.getLogger("seqnlp")
    before = log.level, log.handlers, log.propagate
    for name, lines in {"first": FIRST, "second": SECOND, "said": SAID}.items():
        put(name, "".join(f"{line}\n" for line in lines))

    def run(*arguments, piped="", code=0):
        stdin(piped.encode())
        with pytest.raises(SystemExit) as ended:
            cli.main(["score", *map(str, arguments)])
        out, err = capsys.readouterr()
        assert ended.value.code == code, err
        return err if code else json.loads(out)

    yield run
    log.level, log.handlers, log.propagate = before


def put(name, content):
    Path(name).write_text(content, encoding="utf-8")


def test_several_references_as_sacrebleu_counts_them(score):
    expected = {
        "bleu": sacrebleu.corpus_bleu(SAID, [FIRST, SECOND]).score,
        "chrf": sacrebleu.corpus_chrf(SAID, [FIRST, SECOND]).score,
        "ter": sacrebleu.corpus_ter(SAID, [FIRST, SECOND]).score,
    }
    for metric, value in expected.items():
        content = score(metric, "first", "said", "--reference", "second")
        (row,) = content["scores"]
        assert row["value"] == pytest.approx(value, abs=1e-6)
        assert "nrefs:2" in row["signature"] and list(content["data"]) == ["first", "said", "second"]


def test_rouge_takes_the_best_reference(score):
    scorer = rouge_scorer.RougeScorer(["rouge1", "rougeL"])
    several = [scorer.score_multi(both, said) for *both, said in zip(FIRST, SECOND, SAID, strict=True)]
    found = {row["name"]: row for row in score("rouge", "first", "said", "--reference", "second")["scores"]}
    for name in ("rouge1", "rougeL"):
        assert found[name]["value"] == pytest.approx(sum(100 * row[name].fmeasure for row in several) / 3, abs=1e-6)
        assert "nrefs:2" in found[name]["signature"]


def test_a_further_reference_may_be_a_corpus_and_more_than_one(score):
    put("third.tsv", "".join(f"x\t{line}\n" for line in SAID))
    assert score("ter", "first", "said", "--reference", "second", "--reference", "third.tsv")["scores"][0]["value"] == 0


def test_references_that_do_not_fit(score):
    put("short", "one\n")
    assert "3 references, 1 further ones" in score("bleu", "first", "said", "--reference", "short", code=3)
    assert "nowhere: no such file" in score("bleu", "first", "said", "--reference", "nowhere", code=2)
    assert "--reference has no effect on accuracy" in score("accuracy", "first", "said", "--reference", "first", code=2)
    assert "cannot be stdin" in score("bleu", "first", "said", "--reference", "-", code=2)


CORPORA = {
    "pairs.tsv": "drei Katzen\tthree cats\nein Haus\ta house\n",
    "pairs.csv": 'drei Katzen,"three, cats"\nein Haus,a house\n',
    "pairs.jsonl": '{"source": "ein Haus", "target": "a house"}\n',
    "pairs": "drei Katzen\tthree cats\nein Haus\ta house\n",
}


@pytest.mark.parametrize("name", CORPORA)
def test_a_corpus_of_texts_as_the_hypothesis_is_read_or_refused(score, name):
    put(name, CORPORA[name])
    reference = "pairs.tsv" if name == "pairs" else name
    put("pairs.tsv", CORPORA["pairs.tsv"])
    if name == "pairs.jsonl":
        assert "no prediction in this JSON" in score("chrf", reference, name, code=3)
    else:
        assert score("chrf", reference, name)["scores"][0]["value"] == 100


def test_a_table_of_translations_from_stdin(score):
    put("gold", "a house\nthree, cats\n")
    tables = [
        'source,translation,score\nein Haus,a house,-0.5000\n\ndrei,"three, cats",-1.2500\n',
        'ein Haus,a house,-0.5000\ndrei,"three, cats",-1.2500\n',
        "ein Haus\ta Haus\ta house\t-0.5000\ndrei\tx\tthree, cats\t-1.2500\n",
    ]
    for table in tables[1:]:
        assert score("chrf", "gold", piped=table)["scores"][0]["value"] == 100
    put("gold.tsv", "ein Haus\ta house\ndrei\tthree, cats\n")
    for table in tables:
        assert score("chrf", "gold.tsv", piped=table)["scores"][0]["value"] == 100


@pytest.mark.parametrize(
    "said",
    [
        "a\n\nb\n\n",
        "a\t0.9000\n\t0.4000\nb\t0.8000\n\t0.3000\n",
        "text,label,predicted_label,score\nx,a,a,0.9000\ny,b,,0.4000\nz,b,b,0.8000\nz,b,,0.3000\n",
        "".join(f'{{"classify": {{"label": {label}}}}}\n' for label in ('"a"', "null", '"b"', "null")),
    ],
)
def test_items_without_a_label_are_wrong_and_the_coverage_is_said(score, said):
    put("gold", "a\na\nb\nb\n")
    content = score("accuracy", "gold", piped=said)
    assert content["scores"][0]["value"] == 50
    assert content["details"]["coverage"] == 50
    assert content["details"]["confusion"]["matrix"] == [[1, 0], [0, 1]]


def test_blank_lines_of_blank_texts_are_no_items(score):
    put("gold", "a\nb\n")
    content = score("accuracy", "gold", piped="a\n\nb\n")
    assert content["scores"][0]["value"] == 100 and "coverage" not in content["details"]
