"""What predict prints as jsonl, csv and tsv: what came in, with the prediction behind."""

import csv
import io
import json
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqnlp import errors
from seqnlp.preprocess.corpora import formats, readers, schema
from seqnlp.tasks import registry
from seqnlp.tasks.tag import output as tag_output
from seqnlp.workflows import writer, written_table

classify, tag = registry.get("classify"), registry.get("tag")


class Codec:
    """All that is asked of a codec here."""

    multi_label = False
    scheme = "none"


LABEL = classify.Prediction(("good",), [("good", 0.75), ("bad", 0.25)])


def records(path, task=classify, **how):
    source = schema.Source((str(path),), **how)
    return [task.example(record, task.Search()) for record in readers.records(source, task.roles, targets=False)]


def said(examples, output, search=None, found=LABEL, task=classify):
    write = writer.Writer(task, Codec(), output, search or task.Search())
    return "".join(write(example, None if example.blank else found) for example in examples)


def put(tmp_path, name, content):
    (tmp_path / name).write_text(content, encoding="utf-8")
    return tmp_path / name


TABLES = {
    "plain.txt": ("a, b\n\nc\n", 'text,label,score\n"a, b",good,0.7500\n\nc,good,0.7500\n'),
    "bare.tsv": ('say "a"\tx\nb\ty\n', '"say ""a""",x,good,0.7500\nb,y,good,0.7500\n'),
    "head.tsv": ("text\tlabel\na\tx\n", "text,label,predicted_label,score\na,x,good,0.7500\n"),
    "quoted.csv": ('text,label\n"a,\nb",x\n', 'text,label,predicted_label,score\n"a,\nb",x,good,0.7500\n'),
    "x.jsonl": (
        '{"id": 3, "text": "a", "more": {"b": null}, "n": null}\n',
        'id,text,more,n,label,score\n3,a,"{""b"": null}",,good,0.7500\n',
    ),
}


@pytest.mark.parametrize("name", TABLES)
def test_csv_has_what_came_in_and_the_prediction_behind(tmp_path, name):
    content, expected = TABLES[name]
    assert said(records(put(tmp_path, name, content)), "csv") == expected


def test_columns_are_kept_where_the_text_is_one_of_many(tmp_path):
    path = put(tmp_path, "x.csv", "id,body,team\n1,,red\n2,b,blue\n")
    examples = records(path, columns={"text": "body"})
    assert said(examples, "tsv") == "id\tbody\tteam\tlabel\tscore\n1\t\tred\t\t\n2\tb\tblue\tgood\t0.7500\n"
    first, second = map(json.loads, said(examples, "jsonl").splitlines())
    assert first == {"id": "1", "body": "", "team": "red", "text": "", "classify": None}
    assert (second["text"], second["classify"]["label"], second["team"]) == ("b", "good", "blue")


def test_names_are_never_twice_in_a_header(tmp_path):
    path = put(tmp_path, "x.csv", "text,label,predicted_label,score\na,x,y,z\n")
    examples = records(path, columns={"text": "text"})
    assert said(examples, "csv").split("\n")[0].endswith("score,predicted_predicted_label,predicted_score")


@pytest.mark.parametrize("name, how", [("a.tsv", {}), ("a.csv", {}), ("a.txt", {"format": "fasttext"})])
def test_the_text_of_a_record_is_its_text(tmp_path, name, how):
    line = {"a.tsv": "the text\tx", "a.csv": "the text,x", "a.txt": "__label__x the text"}[name]
    (found,) = said(records(put(tmp_path, name, line + "\n"), **how), "jsonl").splitlines()
    assert json.loads(found)["text"] == "the text" and "classify" in found


def test_tsv_refuses_what_it_cannot_hold(tmp_path):
    path = put(tmp_path, "x.csv", 'text,label\n"a\tb",x\n')
    with pytest.raises(errors.DataError, match=r"x\.csv:2: a tab or a line end inside a column .*--to csv"):
        said(records(path), "tsv")


def test_records_with_other_fields_are_refused(tmp_path):
    path = put(tmp_path, "x.jsonl", '{"text": "a", "n": 1}\n{"text": "b"}\n{"text": "b", "m": 1}\n')
    examples = records(path)
    assert said(examples[:2], "csv") == "text,n,label,score\na,1,good,0.7500\nb,,good,0.7500\n"
    with pytest.raises(errors.DataError, match=r"x\.jsonl:3: a field 'm', which the first record lacks"):
        said(examples, "csv")


def test_more_labels_have_more_columns(tmp_path):
    examples = records(put(tmp_path, "x.txt", "a\n"))
    expected = "text,label,score,label_2,score_2,label_3,score_3\na,good,0.7500,bad,0.2500,,\n"
    assert said(examples, "csv", classify.Search(top=3)) == expected


def test_no_label_is_an_empty_line_and_null():
    example = classify.example(formats.Record({"text": "a"}, "a", "x", 1), None)
    none = classify.Prediction((), LABEL.ranked)
    search = classify.Search(min_score=0.9)
    assert said([example], "text", search, none) == "\n"
    found = json.loads(said([example], "jsonl", search, none))["classify"]
    assert (found["label"], found["best"]) == (None, "good")
    assert said([example], "csv", search, none) == "text,best,label,score\na,good,,0.7500\n"
    assert said([example], "text", classify.Search(min_score=0.9, scores=True), none) == "\t0.7500\n"


def test_the_best_label_stands_beside_another_in_its_place():
    example = classify.example(formats.Record({"text": "a"}, "a", "x", 1), None)
    search, asked = classify.Search(min_score=0.9, otherwise="ask"), classify.Prediction(("ask",), LABEL.ranked)
    assert json.loads(said([example], "jsonl", search, asked))["classify"]["best"] == "good"
    assert said([example], "csv", search, asked) == "text,best,label,score\na,good,ask,0.7500\n"
    assert "best" not in json.loads(said([example], "jsonl", search))["classify"]


TAGS = tag_output.Prediction(("DET", "NOUN"), (0.5, 0.25), ((("DET", "NOUN"), 0.6), (("DET", "X"), 0.3)), scores=True)


def test_tags_in_every_form(tmp_path):
    plain = records(put(tmp_path, "x.txt", "the cat\n\n"), tag)
    columns = records(put(tmp_path, "x.conll", "the D\ncat N\n\n"), tag)
    one = tag.Search(scores=True)
    assert said(plain, "text", one, TAGS, tag) == "the/DET cat/NOUN\t0.5000 0.2500\n\n"
    assert said(plain, "conll", one, TAGS, tag) == "the\tDET\t0.5000\ncat\tNOUN\t0.2500\n\n\n"
    assert said(columns, "conll", one, TAGS, tag) == "the D DET 0.5000\ncat N NOUN 0.2500\n\n"
    assert json.loads(said(plain, "jsonl", one, TAGS, tag).split("\n")[0])["tag"]["scores"] == [0.5, 0.25]
    assert said(plain, "csv", one, TAGS, tag) == ("text,tokens,tags,scores\nthe cat,the cat,DET NOUN,0.5000 0.2500\n\n")
    assert said(columns, "tsv", tag.Search(), TAGS, tag) == "tokens\ttags\nthe cat\tDET NOUN\n"
    several = tag.Search(nbest=2)
    plain_scores = tag_output.Prediction(TAGS.tags, TAGS.probabilities, TAGS.nbest)
    assert said(plain[::-1], "text", several, plain_scores, tag) == (
        "\n1 ||| the/DET cat/NOUN ||| 0.6000\n1 ||| the/DET cat/X ||| 0.3000\n"
    )


@pytest.mark.parametrize("options, output", [({"scores": True}, "conllu"), ({"nbest": 2}, "conll")])
def test_what_has_no_place_in_a_format_is_refused(options, output):
    with pytest.raises(errors.UsageError, match=f"no place in {output}"):
        tag.output.check(tag.Search(**options), output)


CELL = st.text(st.sampled_from("ab ,;\"'|\u2028é"), min_size=1, max_size=5).map(lambda cell: f"x{cell}")
ROWS = st.integers(2, 4).flatmap(lambda n: st.lists(st.lists(CELL, min_size=n, max_size=n), min_size=1, max_size=6))


@given(ROWS, st.booleans(), st.sampled_from("ct"))
def test_tables_come_back_as_they_were_made(rows, header, kind):
    """With as many columns more as the prediction has, and the column with the answer is found again."""
    place = random.Random(str(rows)).randrange(len(rows[0]))
    names = tuple(f"n{i}" for i in range(len(rows[0]))) if header else None
    write = writer.Writer(classify, Codec(), f"{kind}sv", classify.Search())
    text = ""
    for number, row in enumerate(rows, 1):
        raw = formats.Row(row[place], tuple(row), names)
        text += write(classify.example(formats.Record({"text": row[place]}, raw, "x", number), None), LABEL)
    lines = text.split("\n")[:-1]
    back = list(csv.reader(io.StringIO(text))) if kind == "c" else [line.split("\t") for line in lines]
    assert [row[:-2] for row in back[header:]] == rows and all(row[-2:] == ["good", "0.7500"] for row in back[header:])
    assert not header or tuple(back[0]) == (*names, "label", "score")
    found = written_table.cells(lines, classify)
    assert [cell for _, cell in found] == ["good"] * len(rows)


NO_TABLES = ["good\nbad\n", "good\t0.7500\nbad\t0.5000\n", "a\t0.7500\tb\t0.2500\n", "label\ngood\n", 'a, "b"\n', ""]


@pytest.mark.parametrize("text", NO_TABLES)
def test_lines_that_are_no_table(text):
    assert written_table.cells(text.split("\n")[:-1], classify) is None


def test_columns_of_words_are_no_table_of_tags():
    assert written_table.cells(["the\tDET", "cat\tNOUN", "", "sat\tVERB"], tag) is None
    assert written_table.cells(["the cat\tDET NOUN", "sat\tVERB"], tag) == [(1, "DET NOUN"), (2, "VERB")]
