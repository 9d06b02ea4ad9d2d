"""The score command: every metric, every form of file, and what it says of those that do not fit."""

import gzip
import hashlib
import json
import logging
import math
import os
import random
import subprocess
import sys
import threading
import types
from pathlib import Path
from typing import NamedTuple

import pyarrow
import pytest
import sacrebleu
from pyarrow import parquet
from rouge_score import rouge_scorer

from seqnlp import cli
from seqnlp.metrics import classification, spans
from seqnlp.metrics import registry as metrics
from seqnlp.tasks import registry

CONLLEVAL = Path(os.environ.get("SEQNLP_CONFORMANCE", "nowhere")) / "conlleval"
METRICS = ["accuracy", "f1", "spans", "bleu", "chrf", "ter", "rouge"]
REFERENCES = ["The dog bit the man.", "", "It was not unexpected.", "The man bit him first.", "größer, 3.5 %"]
HYPOTHESES = ["The dog bit a man.", "", "it wasn't unexpected", "", "Größer, 3,5 %"]
GOLD = [["B-PER", "I-PER", "O"], ["O", "B-LOC"], ["O"]]
SAID = [["B-PER", "O", "O"], ["O", "B-LOC"], ["B-PER"]]
TOKENS = [["Ada", "King", "1/2"], ["in", "Paris"], ["sic"]]


class Result(NamedTuple):
    """What the command ended with."""

    code: int
    out: str
    err: str

    @property
    def scores(self):
        """Values by name."""
        return {score["name"]: score["value"] for score in json.loads(self.out)["scores"]}


@pytest.fixture
def score(capsys, stdin, tmp_path, monkeypatch):
    """Run the command in a folder of its own; `code` is what it has to exit with."""
    monkeypatch.chdir(tmp_path)
    log = logging.getLogger("seqnlp")
    before = log.level, log.handlers, log.propagate

    def run(*arguments, piped="", code=0):
        stdin(piped.encode())
        with pytest.raises(SystemExit) as ended:
            cli.main(["score", *map(str, arguments)])
        out, err = capsys.readouterr()
        assert ended.value.code == code, err
        assert err.count("\n") == (code != 0) or code == 0
        return Result(code, out, err)

    yield run
    log.level, log.handlers, log.propagate = before


def lined(lines):
    return "".join(line + "\n" for line in lines)


def write(name, lines):
    Path(name).write_text(lined(lines), encoding="utf-8")


def columned(*columns):
    """Sentences as one token a line."""
    sentences = zip(*columns, strict=True)
    return "\n".join(lined(" ".join(cells) for cells in zip(*parts, strict=True)) for parts in sentences)


def objects(task, key, values):
    """Lines as predict prints them, with fields of the record before."""
    return lined(json.dumps({"id": 7, task: None if value is None else {key: value}}) for value in values)


# Texts


@pytest.fixture
def reference(score):
    """A file of references, one a line."""
    write("reference", REFERENCES)
    return "reference"


def expected_texts():
    rouge = rouge_scorer.RougeScorer(["rougeL"])
    return {
        "bleu": sacrebleu.corpus_bleu(HYPOTHESES, [REFERENCES]).score,
        "chrf": sacrebleu.corpus_chrf(HYPOTHESES, [REFERENCES]).score,
        "ter": sacrebleu.corpus_ter(HYPOTHESES, [REFERENCES]).score,
        "rougeL": 20
        * sum(rouge.score(r, h)["rougeL"].fmeasure for r, h in zip(REFERENCES[:4], HYPOTHESES, strict=False))
        + 20,  # the last line is the same but for case, and its first letter is beyond rouge_score
    }


@pytest.mark.parametrize("metric", ["bleu", "chrf", "ter", "rouge"])
def test_texts_line_by_line_blank_ones_too(score, reference, metric):
    result = score(metric, reference, piped=lined(HYPOTHESES))
    assert result.err == ""
    expected = expected_texts()
    found = {name: value for name, value in result.scores.items() if name in expected}
    assert found == pytest.approx({name: expected[name] for name in found}, abs=1e-6) and found
    content = json.loads(result.out)
    assert {row["n"] for row in content["scores"]} == {5}
    assert content["task"] == "score" and content["details"] == {"items": "segments"}
    assert content["data"] == {"reference": hashlib.sha256(lined(REFERENCES).encode()).hexdigest()}


def test_only_the_metric_that_was_asked_for_but_all_kinds_of_rouge(score, reference):
    for metric in ("bleu", "chrf", "ter"):
        assert list(score(metric, reference, reference).scores) == [metric]
    assert list(score("rouge", reference, reference).scores) == ["rouge1", "rouge2", "rougeL", "rougeLsum"]


@pytest.mark.parametrize("metric", ["rouge1", "rouge2", "rougeL", "rougeLsum"])
def test_one_kind_of_rouge_alone(score, reference, metric):
    write("said", HYPOTHESES)
    every = score("rouge", reference, "said").scores
    assert score(metric, reference, "said").scores == {metric: every[metric]}


def test_the_result_says_which_way_is_better(score, reference):
    for metric in ("bleu", "chrf", "ter", "rouge", "accuracy", "f1"):
        rows = json.loads(score(metric, reference, reference).out)["scores"]
        assert {row["higher_is_better"] for row in rows} == {metric != "ter"}


def test_signatures_are_in_the_result(score, reference):
    signatures = {
        metric: json.loads(score(metric, reference, reference).out)["scores"][0]["signature"]
        for metric in ("bleu", "chrf", "ter", "rouge")
    }
    assert signatures["bleu"] == f"nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp|version:{sacrebleu.__version__}"
    assert "nc:6|nw:0" in signatures["chrf"] and "tok:tercom" in signatures["ter"]
    assert signatures["rouge"].startswith("rouge1|tok:unicode|stem:no|")


def test_options_of_bleu(score, reference):
    write("said", HYPOTHESES)
    for tokenize in ("13a", "zh", "char", "intl", "none"):
        expected = sacrebleu.corpus_bleu(HYPOTHESES, [REFERENCES], lowercase=True, tokenize=tokenize).score
        result = score("bleu", reference, "said", "--tokenize", tokenize, "--lowercase")
        assert result.scores["bleu"] == pytest.approx(expected, abs=1e-6)
        assert f"case:lc|eff:no|tok:{tokenize}" in result.out


def test_lowercase_is_for_chrf_as_well_and_no_matter_to_ter_and_rouge(score):
    write("upper", ["A SENTENCE"])
    write("lower", ["a sentence"])
    assert score("chrf", "upper", "lower").scores["chrf"] < 50
    assert score("chrf", "upper", "lower", "--lowercase").scores["chrf"] == 100
    assert score("ter", "upper", "lower", "--lowercase").scores == {"ter": 0}
    assert score("rouge", "upper", "lower", "--lowercase").scores["rouge1"] == 100


def test_stemming_for_rouge(score):
    write("gold", ["he runs"])
    assert score("rouge", "gold", piped="he running\n").scores["rouge1"] == 50
    assert score("rouge", "gold", "--stem", piped="he running\n").scores["rouge1"] == 100


STRANGERS = [
    ("bleu", "--stem"),
    ("bleu", "--multi-label"),
    ("chrf", "--tokenize=zh"),
    ("accuracy", "--lowercase"),
    ("spans", "--tokenize=13a"),
    ("spans", "--lowercase"),
]


@pytest.mark.parametrize(("metric", "option"), STRANGERS)
def test_an_option_of_another_metric_is_refused(score, reference, metric, option):
    result = score(metric, reference, reference, option, code=2)
    assert f"{option.split('=')[0]} has no effect on {metric}; hint: it is for" in result.err


@pytest.fixture
def summarize(monkeypatch):
    """Another task that predicts texts."""

    class Summarize(type(registry.get("translate"))):
        name = "summarize"

    monkeypatch.setitem(registry.REGISTRY, "summarize", "say it in fewer words")
    monkeypatch.setitem(sys.modules, "seqnlp.tasks.summarize.task", types.SimpleNamespace(TASK=Summarize()))


@pytest.mark.parametrize("task", ["translate", "summarize"])
def test_texts_in_json_as_predict_prints_them(score, reference, summarize, task):
    for none in (None, ""):
        lines = objects(task, "text", [text or none for text in HYPOTHESES])
        assert score("bleu", reference, piped=lines).scores["bleu"] == pytest.approx(expected_texts()["bleu"], abs=1e-6)
    blank = lines.split("\n")
    blank[1] = ""
    assert score("ter", reference, piped="\n".join(blank)).scores["ter"] == pytest.approx(
        expected_texts()["ter"], abs=1e-6
    )


def test_of_two_tasks_in_one_record_the_last_one_counts(score, summarize):
    write("gold", ["yes"])
    stages = {"translate": {"text": "no"}, "classify": {"label": "x"}, "summarize": {"text": "yes"}}
    assert score("ter", "gold", piped=json.dumps(stages) + "\n").scores["ter"] == 0
    assert score("ter", "gold", piped=json.dumps(dict(reversed(stages.items()))) + "\n").scores["ter"] == 100


@pytest.mark.parametrize(
    "line",
    ['{"text": "yes"}', '{"translate": "yes"}', '{"translate": {"text": ["yes"]}}', '{"translate": {}}', "[1]", "{"],
)
def test_json_without_a_text_is_refused(score, line):
    write("gold", ["yes", "yes"])
    good = objects("translate", "text", ["yes"])
    result = score("bleu", "gold", piped=good + line + "\n", code=3)
    assert "stdin:2: no prediction in this JSON; hint: lines of seqnlp translate predict" in result.err
    write("said.jsonl", [line])
    assert "said.jsonl:1:" in score("bleu", "gold", "said.jsonl", code=3).err


def test_a_brace_in_plain_text_is_text(score):
    write("gold", ["{ x }", '{"translate": 1', "3"])
    assert score("ter", "gold", "gold").scores["ter"] == 0


CORPORA = {
    "x.tsv": lambda rows: "".join(f"{s}\t{t}\n" for s, t in rows),
    "header.tsv": lambda rows: "".join(f"{s}\t{t}\n" for s, t in [("source", "target"), *rows]),
    "x.csv": lambda rows: "".join(f'"{s}","{t}"\n' for s, t in rows),
    "x.jsonl": lambda rows: lined(json.dumps({"source": s, "target": t}) for s, t in rows),
    "x.tsv.gz": lambda rows: "".join(f"{s}\t{t}\n" for s, t in rows),
}


@pytest.mark.parametrize("name", CORPORA)
def test_the_reference_may_be_the_target_of_a_corpus(score, name):
    text = CORPORA[name]([("eine Quelle", text) for text in REFERENCES]).encode()
    Path(name).write_bytes(gzip.compress(text) if name.endswith("gz") else text)
    assert score("chrf", name, piped=lined(HYPOTHESES)).scores["chrf"] == pytest.approx(
        expected_texts()["chrf"], abs=1e-6
    )


def test_fields_of_a_corpus_have_names_and_the_source_need_not_be_there(score):
    write("x.jsonl", [json.dumps({"summary": text, "n": {"target": "b"}}) for text in ("yes\nyes", "no")])
    write("x.tsv", ["one\ttwo\tthree", "a\tb\tyes"])
    assert score("rouge", "x.jsonl", "--target-field", "summary", piped="yes yes\nno\n").scores["rougeLsum"] == 100
    assert score("ter", "x.jsonl", "--target-field", "n.target", piped="b\nb\n").scores["ter"] == 0
    assert score("ter", "x.tsv", "--target-field", "three", piped="yes\n").scores["ter"] == 0
    assert "no field 'target'" in score("ter", "x.jsonl", "--source-field", "summary", piped="b\n", code=3).err


def test_a_target_that_is_no_text_is_refused(score):
    write("x.jsonl", [json.dumps({"source": "a", "target": ["b"]})])
    assert "x.jsonl:1: the target is no text; hint: name its field" in score("ter", "x.jsonl", piped="b\n", code=3).err


def test_blank_lines_of_a_corpus_are_answered_by_blank_lines(score):
    write("x.tsv", ["a\tb", "", "c\td", "e\t", ""])
    for said in ("b\n\nd\nx\n\n", "b\nd\nx\n"):
        assert score("ter", "x.tsv", piped=said).scores["ter"] == 50
    assert score("ter", "x.tsv", piped="b\nd\n\n").scores["ter"] == 0  # an empty answer is an answer
    assert "3 references, 4 hypotheses" in score("ter", "x.tsv", piped="b\nd\nx\n\ny\n", code=3).err


def test_the_reference_may_come_from_stdin(score):
    write("said", HYPOTHESES)
    result = score("chrf", "-", "said", piped=lined(REFERENCES))
    assert result.scores["chrf"] == pytest.approx(expected_texts()["chrf"], abs=1e-6)
    assert list(json.loads(result.out)["data"]) == ["said"]


@pytest.mark.parametrize("hypothesis", [[], ["-"]])
def test_stdin_cannot_be_both(score, hypothesis):
    for metric in METRICS:
        if metric != "spans" or hypothesis:
            assert "cannot both be stdin" in score(metric, "-", *hypothesis, code=2).err


@pytest.mark.parametrize("metric", ["bleu", "chrf", "ter", "rouge"])
@pytest.mark.parametrize("lines", [["a"], ["a"] * 6, []])
def test_another_number_of_lines_is_refused_with_both_counts(score, reference, metric, lines):
    result = score(metric, reference, piped=lined(lines), code=3)
    assert f"5 references, {len(lines)} hypotheses" in result.err


def test_empty_files_are_bad_data(score):
    write("empty", [])
    for metric in METRICS:
        result = score(metric, "empty", "empty", code=3)
        assert "nothing to score" in result.err


def test_text_that_looks_split_into_tokens_is_reported(score):
    write("gold", ["it is ."] * 100)
    assert '100 lines end in " ."' in score("bleu", "gold", "gold").err
    assert score("bleu", "gold", "gold", "-q").err == score("chrf", "gold", "gold").err == ""


# Gates

GATES = {"accuracy": 1, "f1": 1, "spans": 1, "bleu": 1, "chrf": 1, "rouge": 1, "ter": -1}


@pytest.mark.parametrize("metric", GATES)
def test_fail_under_looks_at_the_first_score_of_every_metric(score, metric):
    gold, said = (
        ("aa B-X\nbb O\ncc B-X\n", "aa B-X\nbb O\ncc O\n") if metric == "spans" else ("a a a\nb\n", "a c a\nb\n")
    )
    Path("gold").write_text(gold)
    Path("said").write_text(said)
    name, value = next(iter(score(metric, "gold", "said").scores.items()))
    assert name == ("rouge1" if metric == "rouge" else "f1" if metric == "spans" else metric)
    score(metric, "gold", "said", "--fail-under", value - 0.1 * GATES[metric])
    score(metric, "gold", "said", "--fail-under", round(value, 6) if metric == "ter" else value - 1e-6)
    result = score(metric, "gold", "said", "--fail-under", value + 0.1 * GATES[metric], code=5)
    side = "under" if GATES[metric] > 0 else "over"
    assert f"{name} {value:.2f} is {side} {value + 0.1 * GATES[metric]:g}" in result.err
    assert result.scores[name] == value


# Tags


def expected_spans():
    return {score.name: pytest.approx(score.value, abs=1e-6) for score in spans.score(GOLD, SAID)[0]}


@pytest.fixture
def gold(score):
    """A file of tokens and gold tags."""
    Path("gold.conll").write_text(columned(TOKENS, GOLD))
    return "gold.conll"


FORMS = {
    "columns": columned(TOKENS, SAID),
    "columns with more between": columned(TOKENS, [["NN"] * len(tags) for tags in SAID], SAID),
    "tabs": columned(TOKENS, SAID).replace(" ", "\t"),
    "blank lines": "\n\n" + columned(TOKENS, SAID).replace("\n\n", "\n\n\n") + "\n",
    "carriage returns": columned(TOKENS, SAID).replace("\n", "\r\n"),
    "json": objects("tag", "tags", [*SAID[:1], None, [], *SAID[1:]]),
    "words with tags": lined(
        " ".join(map("/".join, zip(*pair, strict=True))) for pair in zip(TOKENS, SAID, strict=True)
    ),
}


@pytest.mark.parametrize("form", FORMS)
def test_spans_of_every_form(score, gold, form):
    result = score("spans", gold, piped=FORMS[form])
    assert result.scores == expected_spans()
    assert next(iter(result.scores)) == "f1" and result.err == ""
    assert "LOC" in json.loads(result.out)["details"]["classes"]
    Path("said").write_text(FORMS[form])
    assert (
        score("spans", gold, "said").scores == score("spans", gold, "-", piped=FORMS[form]).scores == expected_spans()
    )


def test_the_gold_tags_may_be_in_json_too(score):
    write("gold.jsonl", [json.dumps({"tokens": t, "tags": g}) for t, g in zip(TOKENS, GOLD, strict=True)])
    lines = [json.dumps({"tags": g, "tag": {"tags": s, "spans": []}}) for g, s in zip(GOLD, SAID, strict=True)]
    assert score("spans", "gold.jsonl", piped=lined(lines)).scores == expected_spans()
    result = score("spans", "gold.jsonl", "gold.jsonl", code=3)  # no prediction there: gold is not scored with itself
    assert "gold.jsonl:1: no prediction in this JSON" in result.err


def test_fields_of_tags_have_names(score):
    write("gold.jsonl", [json.dumps({"words": t, "ner": g}) for t, g in zip(TOKENS, GOLD, strict=True)])
    fields = ["--tokens-field", "words", "--tags-field", "ner"]
    assert score("spans", "gold.jsonl", *fields, piped=FORMS["json"]).scores == expected_spans()


def test_comments_and_marks_of_documents_are_no_tokens(score):
    text = "-DOCSTART- -X- O O\n\n# id 7 of ten\n" + columned(TOKENS, [["NN"] * len(g) for g in GOLD], GOLD)
    Path("gold.conll").write_text(text)
    said = columned(TOKENS, SAID)
    for form in (said, "-DOCSTART- O\n\n" + said, FORMS["json"], "\n" + FORMS["words with tags"]):
        assert score("spans", "gold.conll", piped=form).scores == expected_spans()


def test_columns_of_conllu_are_read_as_such_on_both_sides(score):
    def conllu(tags):
        rows = ["\t".join([str(i), "word", "_", tag, *"______"]) for i, tag in enumerate(tags, 1)]
        return "# text = x\n" + lined(rows) + "\n"

    Path("gold.conllu").write_text("".join(map(conllu, GOLD)))
    assert score("spans", "gold.conllu", piped="".join(map(conllu, SAID))).scores == expected_spans()


def test_gold_tags_from_stdin(score):
    Path("said.conll").write_text(FORMS["columns"])
    assert score("spans", "-", "said.conll", piped=columned(TOKENS, GOLD)).scores == expected_spans()


@pytest.mark.parametrize("more", [[], ["-"]])
def test_one_file_with_gold_and_predicted(score, more):
    both = columned(TOKENS, [["NN"] * len(tags) for tags in SAID], GOLD, SAID)
    Path("both").write_text(both)
    if more:
        assert score("spans", "-", piped=both).scores == expected_spans()
    else:
        assert score("spans", "both").scores == expected_spans()


@pytest.mark.skipif(not CONLLEVAL.exists(), reason="no SEQNLP_CONFORMANCE")
@pytest.mark.parametrize("name", sorted(path.stem for path in CONLLEVAL.glob("*.txt")))
def test_what_conlleval_prints(score, name):
    line = (CONLLEVAL / f"{name}.expected").read_text().split("\n")[1]
    printed = {key: float(value.rstrip("%")) for key, value in (part.split(":") for part in line.split(";"))}
    found = score("spans", CONLLEVAL / f"{name}.txt").scores
    assert {key.strip().replace("FB1", "f1"): value for key, value in printed.items()} == {
        key: round(value, 2) for key, value in found.items()
    }


def test_columns_that_have_nothing_in_common_are_reported(score):
    Path("conll2003").write_text("Ada NNP B-NP B-PER\nruns VBZ B-VP O\n")
    assert "no tag in common: 'B-NP', 'B-VP'; 'B-PER'" in score("spans", "conll2003").err
    assert score("spans", "conll2003", "-q").err == ""
    Path("nothing found").write_text("Ada NNP B-PER O\nruns VBZ O O\n")
    assert score("spans", "nothing found").err == ""


BAD_TAGS = {
    "no prediction": ("", 3, "gold.conll:1: 2 columns, expected a token, its gold tag and the predicted one; hint: or"),
    "no tags": ("Ada\nKing\n", 3, "stdin:1: 1 column, expected at least 2; hint: a token and its tag"),
    "a lost tag": ("Ada B-PER\nKing\n", 3, "stdin:2: 1 column"),
    "half slashed": ("Ada/B-PER King/O\nin Paris/O\n", 3, "stdin:2: a word without its tag"),
    "other json": (objects("classify", "label", "aaa"), 3, "stdin:1: no prediction in this JSON"),
    "no list": (objects("tag", "tags", ["O"]), 3, "stdin:1: no prediction in this JSON"),
    "fewer sentences": ("Ada O\nKing O\n1/2 O\n", 3, "3 sentences of references, 1 of predictions"),
    "fewer tags": (columned([["Ada"], *TOKENS[1:]], [["O"], *SAID[1:]]), 3, "sentence 1: 3 tags in the reference, 1"),
}


@pytest.mark.parametrize("case", BAD_TAGS)
def test_tags_that_do_not_fit(score, gold, case):
    piped, code, words = BAD_TAGS[case]
    assert words in score("spans", gold, piped=piped, code=code).err


# Labels


def test_labels_in_every_form(score):
    draw = random.Random(1)
    truth, said = (draw.choices("abc", k=30) for _ in range(2))
    expected, _ = classification.score([(label,) for label in truth], [(label,) for label in said])
    write("gold", truth)
    write("gold.tsv", [f"text\t{label}" for label in truth])
    forms = lined(said), lined(f"{label}\t0.5" for label in said), objects("classify", "label", [*said, None])
    for metric in ("accuracy", "f1", "precision", "recall"):
        for file in ("gold", "gold.tsv"):
            for form in forms:
                result = score(metric, file, piped=form)
                assert next(iter(result.scores)) == metric
                assert result.scores == pytest.approx({row.name: row.value for row in expected}, abs=1e-6)


def test_several_labels(score):
    write("gold", ["a,b", "", "c"])
    for said in ("b,a\n\nb\n", "b\t0.9\ta\t0.8\n\nb\t0.3\n", objects("classify", "labels", [["b", "a"], [], ["b"]])):
        assert score("accuracy", "gold", "--multi-label", piped=said).scores["exact_match"] == pytest.approx(200 / 3)
    assert next(iter(score("f1", "gold", "gold", "--multi-label").scores)) == "f1"


def test_labels_that_have_nothing_in_common_are_reported(score):
    write("gold", ["pos", "neg"])
    assert "no label in common: 'neg', 'pos'; 'NEG', 'POS'" in score("accuracy", "gold", piped="POS\nNEG\n").err
    assert score("accuracy", "gold", piped="POS\npos\n").err == ""


@pytest.mark.parametrize("line", ['{"label": "a"}', '{"classify": 3}', "{"])
def test_json_without_a_label_is_refused(score, line):
    write("gold", ["a"])
    assert "stdin:1: no prediction in this JSON" in score("accuracy", "gold", piped=line, code=3).err


# The command


def test_the_help_has_every_metric_and_an_example_of_each(score):
    shown = score("--help").out
    example = shown.split("Example:")[1]
    assert all(f"seqnlp score {metric} " in example for metric in METRICS)
    assert all(option in shown for option in ("--tokenize", "--lowercase", "--stem", "--multi-label", "--fail-under"))
    assert all(name in shown for name in metrics.METRICS)
    assert "--target-field" in score("--help-all").out


def test_files_that_are_not_there(score, reference):
    for metric in METRICS:
        assert "nowhere: no such file" in score(metric, "nowhere", reference, code=2).err
        assert "nowhere: no such file" in score(metric, reference, "nowhere", code=2).err


def test_an_encoding(score):
    Path("gold").write_bytes("größer\n".encode("latin-1"))
    assert score("chrf", "gold", "gold", "--encoding", "latin-1").scores["chrf"] == 100
    assert "gold:1: not utf-8" in score("chrf", "gold", "gold", code=3).err


LOADED = """
import json, sys
from seqnlp.cli import main
found = {}
for metric in sys.argv[1:]:
    try:
        main(["score", metric, "gold", "said"])
    except SystemExit as end:
        assert not end.code, metric
    found[metric] = sorted({name.split(".")[0] for name in sys.modules})
print(json.dumps(found), file=sys.stderr)
"""


def test_no_metric_loads_torch(tmp_path):
    for name in ("gold", "said"):
        (tmp_path / name).write_text("a O\nb B-X\n")
    order = ["accuracy", "f1", "bleu", "chrf", "ter", "spans", "rouge"]
    command = [sys.executable, "-c", LOADED, *order]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    loaded = {metric: set(names) for metric, names in json.loads(done.stderr).items()}
    assert set(loaded) == set(METRICS)
    assert "sacrebleu" not in loaded["f1"] and "sacrebleu" in loaded["bleu"]
    assert not loaded["bleu"] & {"scipy", "sklearn", "regex", "joblib"}  # each takes longer than the score
    assert not loaded["ter"] & {"torch", "datasets", "pandas", "pyarrow", "rich", "nltk"}
    assert not loaded["spans"] & {"torch", "datasets", "pandas", "pyarrow", "rich", "nltk"}
    assert not loaded["rouge"] & {"torch", "datasets"}  # nltk takes along what it finds


@pytest.mark.skipif(not Path("/dev/fd").exists(), reason="no names for open pipes")
def test_pipes_are_files_too(tmp_path):
    line = '"$0" -m seqnlp score ter <(echo a b) <(echo a c)'
    done = subprocess.run(
        ["bash", "-c", line, sys.executable], capture_output=True, text=True, timeout=60, cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["scores"][0]["value"] == 50
    assert json.loads(done.stdout)["data"] == {}


# Answers in corpora


def test_tags_by_accuracy_as_plain_classes(score):
    write("gold.jsonl", [json.dumps({"tokens": t, "tags": g}) for t, g in zip(TOKENS, GOLD, strict=True)])
    Path("gold.conll").write_text(columned(TOKENS, GOLD))
    Path("both.conll").write_text(columned(TOKENS, GOLD, SAID))
    Path("said.conll").write_text(FORMS["columns"])
    expected, details = spans.class_score(GOLD, SAID)
    values = {row.name: pytest.approx(row.value, abs=1e-6) for row in expected}
    for metric in ("accuracy", "f1", "precision", "recall"):
        for form in FORMS.values():
            found = score(metric, "gold.conll", piped=form)
            assert found.scores == values and next(iter(found.scores)) == metric
        assert score(metric, "both.conll").scores == values
        assert score(metric, "gold.jsonl", piped=FORMS["json"]).scores == values
        assert score(metric, "-", "said.conll", piped=columned(TOKENS, GOLD)).scores == values
    assert json.loads(score("accuracy", "both.conll").out)["details"]["classes"] == details["classes"]
    assert "--multi-label has no effect on tags" in score("f1", "both.conll", "--multi-label", code=2).err


def test_plain_classes_have_no_spans_which_is_said(score):
    for tags in ("DET NOUN", "PER O", "B_PER I_PER", "PER-B PER-I", "b-per o", "S E"):
        Path("x.conll").write_text(columned([["a", "b"]], [tags.split()]))
        found = score("spans", "x.conll", "x.conll")
        assert next(iter(found.scores.items())) == ("accuracy", 100)
        assert "the tags make no spans" in found.err
    Path("x.conll").write_text(columned([["a", "b", "c"]], [["B-PER", "I-PER", "PER"]]))
    found = score("spans", "x.conll", "x.conll")
    assert next(iter(found.scores.items())) == ("f1", 100) and "the tag PER fits no scheme" in found.err


def test_document_marks_and_comments_are_no_sentences_in_two_columns(score):
    more = "-DOCSTART- -X- O O O\n\n# a comment of one\n"
    Path("both").write_text(more + columned(TOKENS, [["NN"] * len(tags) for tags in SAID], GOLD, SAID) + more)
    result = score("spans", "both")
    assert result.scores == expected_spans()
    assert {row["n"] for row in json.loads(result.out)["scores"]} == {len(GOLD)}


LABELLED = {
    "x.tsv": "good food\tpositive\nbad food\tnegative one\n",
    "numbers.tsv": "good food\t1\nbad food\t0\nso so\t0.5\n",
    "x.csv": "text,label\ngood food,positive\nbad food,negative one\n",
    "bare.csv": "good food,positive\nbad food,negative one\n",
    "x.txt": "__label__positive good food\n__label__negative one bad food\n",
    "bare.txt": "__label__positive\n__label__negative\n",
    "without ending": "good food\tpositive\nbad food\tnegative one\n",
}


@pytest.mark.parametrize("name", LABELLED)
def test_a_corpus_as_the_hypothesis_is_read_as_labels(score, name):
    Path(name).write_text(LABELLED[name])
    for more in ([], ["--multi-label"]) if name != "bare.csv" else ([],):
        for hypothesis, piped in ((name, ""), ("-", LABELLED[name])) if "csv" not in name else ((name, ""),):
            assert next(iter(score("accuracy", name, hypothesis, *more, piped=piped).scores.values())) == 100


def test_a_corpus_of_pairs_as_the_hypothesis_is_read_as_texts(score):
    Path("pairs.tsv").write_text("drei kleine Katzen\tthree small cats\nein Haus\ta house\n")
    Path("said.tsv").write_text("three small cats\na house\n")
    assert score("chrf", "pairs.tsv", "pairs.tsv").scores["chrf"] == 100
    assert score("chrf", "pairs.tsv", "said.tsv").scores["chrf"] == 100


def test_labels_are_compared_as_they_are_printed(score):
    write("gold.jsonl", [json.dumps({"text": "x", "label": label}) for label in (" a  b ", 3, "c\td")])
    write("gold.txt", ["a  b", "3", "c d"])
    for gold in ("gold.jsonl", "gold.txt"):
        assert score("accuracy", gold, piped="a b\n3 \nc d\t0.9000\n").scores["accuracy"] == 100


@pytest.mark.parametrize("label", ["__label__a", "{a}", "a,b", "a%2Cb", "0.5", "# a", "a/b", '"a"', "a;b", "1"])
@pytest.mark.parametrize("several", [False, True])
def test_labels_full_of_separators_come_back(score, label, several):
    names = [label, "b", label]
    write("gold.jsonl", [json.dumps({"text": "x", "label": [name] if several else name}) for name in names])
    task = registry.get("classify")
    for search in (task.Search(), task.Search(scores=True), task.Search(top=2)):
        found = [task.Prediction((name,), [(name, 0.5), ("c", 0.4)], multi_label=several) for name in names]
        said = lined(task.output.write(None, prediction, "text", search, None) for prediction in found)
        if not several or search.top == 1:
            result = score("accuracy", "gold.jsonl", *["--multi-label"] * several, piped=said)
            assert next(value for name, value in result.scores.items() if name in ("accuracy", "exact_match")) == 100


def test_names_of_metrics_in_any_case(score, reference):
    assert score("BLEU", reference, reference).scores == score("bleu", reference, reference).scores
    assert list(score("ROUGEl", reference, reference).scores) == ["rougeL"]


def test_words_and_tags_with_slashes_in_columns_are_columns(score):
    tokens, tags = [["1/2", "of"], ["a/b"]], [["B-X/Y", "O"], ["B-X/Y"]]
    Path("gold.conll").write_text(columned(tokens, tags))
    for said in (columned(tokens, tags), columned(tokens, tags).replace(" ", "\t"), "1/2/B-X%2FY of/O\na/b/B-X%2FY\n"):
        assert score("spans", "gold.conll", piped=said).scores["f1"] == 100


PAIRS = [(f"so good {n}", "pos") if n % 2 else (f"too bad {n}", "neg") for n in range(8)]
TSV = "".join(f"{text}\t{label}\n" for text, label in PAIRS)
SEMICOLONS = "text;label\n" + TSV.replace("\t", ";")
SAME_LABELS = {
    "tsv": TSV,
    "csv": SEMICOLONS.replace(";", ","),
    "semicolons": SEMICOLONS,
    "bars": SEMICOLONS.replace(";", "|"),
    "labels": "".join(f"{label}\n" for _, label in PAIRS),
    "fasttext": "".join(f"__label__{label} {text}\n" for text, label in PAIRS),
}


@pytest.mark.parametrize("ending", ["", ".gz", "fifo"])
@pytest.mark.parametrize("form", SAME_LABELS)
def test_labels_are_known_in_files_and_pipes_without_an_ending(score, form, ending):
    for name in ("gold", "said"):
        content = SAME_LABELS[form].encode()
        if ending == "fifo":
            os.mkfifo(name)
            threading.Thread(target=Path(name).write_bytes, args=(content,), daemon=True).start()
        else:
            Path(name + ending).write_bytes(gzip.compress(content) if ending else content)
    ending = ending.removeprefix("fifo")
    result = score("Accuracy", "gold" + ending, "said" + ending)
    assert json.loads(result.out)["scores"][0]["n"] == 8 and result.scores["accuracy"] == 100


def test_labels_that_stand_before_their_texts(score):
    write("trec", [f"LOC:{label} {text}" for text, label in PAIRS])
    write("said", [f"LOC:{label}" for _, label in PAIRS])
    assert score("accuracy", "trec", "said").scores["accuracy"] == 100
    assert score("accuracy", "trec", "trec").scores["accuracy"] == 100


def test_the_field_that_is_asked_for_is_read_on_both_sides(score):
    write("gold.csv", ["text,team,label", *(f"{text},{label},x" for text, label in PAIRS)])
    write("said.csv", ["text,team,label", *(f"{text},{label},{n}" for n, (text, label) in enumerate(PAIRS))])
    about = ["--label-field", "team"]
    assert score("accuracy", "gold.csv", "said.csv", *about).scores["accuracy"] == 100
    write("predicted.csv", ["text,team,label,score", *(f"{text},?,{label},0.9000" for text, label in PAIRS)])
    assert score("accuracy", "gold.csv", "predicted.csv", *about).scores["accuracy"] == 100
    write("other.csv", ["text,label", *(f"{text},{label}" for text, label in PAIRS)])
    assert "no column 'team'" in score("accuracy", "gold.csv", "other.csv", *about, code=3).err


UD = "# text = Go on\n1\tGo\tgo\tVERB\tVB\t_\t0\troot\t_\t_\n2\ton\ton\tADP\tRP\t_\t1\tx\t_\t_\n\n"


@pytest.mark.parametrize("metric", ["accuracy", "spans"])
@pytest.mark.parametrize("name", ["x", "x.txt", "x.conllu"])
def test_tags_are_known_whatever_the_file_is_called(score, metric, name):
    Path(name).write_text(UD)
    Path("said").write_text(UD.replace("RP", "IN"))
    assert score(metric, name, "said").scores["accuracy"] == 100
    assert score(metric, name, "said", "--tags-field", "xpos").scores["accuracy"] == 50
    Path(name).write_text("# global.columns = ID FORM NER\n1\tGo\tO\n2\tOslo\tB-LOC\n\n")
    assert score(metric, name, name, "--tags-field", "NER").scores["accuracy"] == 100


def test_texts_in_a_pipe_are_known_as_a_corpus(score):
    write("pairs", ["source\ttarget", "ein\tone two three four", "zwei\ttwo"])
    write("said", ["one two three four", "two"])
    assert score("BLEU", "pairs", "said").scores["bleu"] == pytest.approx(100)


@pytest.mark.parametrize("said", ["-3.5\n-2.25\n", "a b\tx\t-3.5\nc d\ty\t-2.25\n", "a b,-3.5\nc d,-2.25\n"])
def test_log_probabilities_are_lines_or_the_last_column(score, said):
    Path("gold.txt").write_text("a b\nc d\n")
    Path("said").write_text(said)
    assert score("perplexity", "gold.txt", "said").scores["perplexity"] == pytest.approx(math.exp(5.75 / 6))


@pytest.mark.parametrize("name", ["pairs", "pairs.csv", "pairs.txt"])
def test_texts_in_csv_are_known_by_their_header_whatever_the_file_is_called(score, name):
    write(name, ["Source;Target", 'ein;"one; two"', "zwei;three"])
    write("said", ["one; two", "three"])
    assert score("chrf", name, "said").scores["chrf"] == score("chrf", name, name).scores["chrf"] == 100
    assert score("chrf", "said", piped=Path(name).read_text()).scores["chrf"] == 100


@pytest.mark.parametrize("name", ["one.csv", "one.tsv"])
def test_a_table_of_one_column_holds_answers(score, name):
    quote = '"' if name == "one.csv" else ""
    write("gold", ["three, cats", "a house"])
    for header in ([], ["Target"]):
        write(name, [*header, f"{quote}three, cats{quote}", "a house"])
        assert score("chrf", "gold", name).scores["chrf"] == score("chrf", name, "gold").scores["chrf"] == 100


def test_labels_with_commas_are_no_columns(score):
    write("gold", ["Smith, John", "Doe, Jane", "Roe; Ann", "Roe; Ann"] * 3)
    write("said.csv", ["Label", *(f'"{name}"' for name in ["Smith, John", "Doe, Jane", "Roe; Ann", "?"] * 3)])
    for pair in (("gold", "gold"), ("said.csv", "said.csv")):
        result = score("accuracy", *pair)
        assert result.scores["accuracy"] == 100 and json.loads(result.out)["scores"][0]["n"] == 12
    assert score("accuracy", "gold", "said.csv").scores["accuracy"] == 75
    assert score("accuracy", "said.csv", "gold").scores["accuracy"] == 75


def test_accuracy_of_tags_in_objects_however_their_fields_are_called(score):
    rows = [{"words": t, "ner_tags": g, "topic": "x"} for t, g in zip(TOKENS, GOLD, strict=True)]
    write("gold.jsonl", [json.dumps(row) for row in rows])
    write("gold.json", ["[", ",\n".join(json.dumps(row) for row in rows), "]"])
    write("gold", [json.dumps(row) for row in rows])
    for name in ("gold.jsonl", "gold.json", "gold"):
        assert score("accuracy", name, piped=FORMS["columns"]).scores["accuracy"] == pytest.approx(66.666667)


@pytest.mark.parametrize("name", ["one.csv", "one.tsv"])
def test_the_header_of_a_column_of_labels_is_no_answer(score, name):
    labels = ["pos", "neg", "pos"]
    write("gold", labels)
    write(name, ["label", *labels])
    for pair in ((name, name), (name, "gold"), ("gold", name)):
        result = score("accuracy", *pair)
        assert result.scores["accuracy"] == 100 and json.loads(result.out)["scores"][0]["n"] == 3
    write(name, ["pos,neg", "neg", "pos"])
    assert score("f1", name, name, "--multi-label", "--from", "text").scores["f1"] == 100
    write("gold", ["pos,neg", "neg", "pos"])
    assert score("f1", "gold", name, "--multi-label").scores["f1"] == 100


def test_marks_of_byte_order_are_no_part_of_a_line_where_files_were_joined(score):
    mark = "\N{ZERO WIDTH NO-BREAK SPACE}"
    write("gold", ["pos", "neg", "pos"])
    for joined in ("{0}pos\nneg\n{0}pos\n", '{0}"text","label"\n"a","pos"\nb,neg\n{0}"text","label"\nc,pos\n'):
        Path("x.csv" if "text" in joined else "x").write_text(joined.format(mark), encoding="utf-8")
        name = "x.csv" if "text" in joined else "x"
        assert score("accuracy", name, "gold").scores["accuracy"] == 100
        assert score("accuracy", "gold", name).scores["accuracy"] == 100


@pytest.mark.parametrize("name", ["said.parquet", "said"])
def test_tags_in_parquet_are_read_on_both_sides(score, gold, name):
    rows = [{"tokens": t, "ner_tags": s} for t, s in zip(TOKENS, SAID, strict=True)]
    parquet.write_table(pyarrow.Table.from_pylist(rows), name)
    assert score("spans", gold, name).scores == expected_spans()
    assert score("accuracy", name, name).scores["accuracy"] == 100


@pytest.mark.parametrize(("metric", "field"), [("accuracy", "label"), ("bleu", "target"), ("rouge", "summary")])
def test_a_field_of_plain_lines_is_refused(score, metric, field):
    write("gold", ["a", "b"])
    write("said", ["a", "a"])
    found = score(metric, "gold", "said", f"--{field}-field", "2", code=2)
    assert f"--{field}-field has no effect: neither gold nor said has fields" in found.err
