"""Detection: what a file is, by its first lines and its name; what cannot be told is refused."""

import csv
import io
import logging

import pytest

from seqnlp import errors
from seqnlp.preprocess.corpora import readers, schema

ROLES = ("text", "label")


@pytest.fixture
def read(tmp_path, caplog):
    """Write a file and read it: `read(name, content)` returns its values and what was recognised."""
    caplog.set_level(logging.INFO, "seqnlp")

    def run(name, content, *, roles=ROLES, targets=True, **options):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        source = schema.Source((str(path),), names={str(path): name}, **options)
        found = list(readers.records(source, roles, targets=targets))
        return [tuple(record.values.values()) for record in found], source.schema

    return run


@pytest.fixture
def fails(read):
    """Read what cannot be read, and return message and hint."""

    def run(*arguments, kind=errors.DataError, **options):
        with pytest.raises(kind) as error:
            read(*arguments, **options)
        return error.value.message, error.value.hint

    return run


def table(rows, delimiter=",", header=None):
    """Rows as the text of a .csv."""
    file = io.StringIO()
    writer = csv.writer(file, delimiter=delimiter, lineterminator="\n")
    writer.writerows([header] * (header is not None) + rows)
    return file.getvalue()


GOOD = [(f"it was good, number {n}", "pos") if n % 2 else (f"it was bad, number {n}", "neg") for n in range(8)]

# headers


@pytest.mark.parametrize(
    "header", ["text,label", "Text,Label", "TEXT, LABEL", "sentence,class", "Review,Sentiment", "Comment Text,category"]
)
def test_a_header_is_known_by_usual_names_in_any_case(read, header):
    rows, found = read("x.csv", f"{header}\n" + table(GOOD))
    assert rows == GOOD
    assert found.header == tuple(header.split(","))


def test_a_first_row_that_is_like_none_below_is_a_header(read, caplog):
    rows, found = read("x.tsv", "remark\tverdict\n" + "".join(f"{text}\t{label}\n" for text, label in GOOD))
    assert rows == GOOD and found.header == ("remark", "verdict")
    assert "its first row (remark, verdict) is taken as a header" in caplog.text
    assert "--no-header" in caplog.text


@pytest.mark.parametrize(
    ("header", "field"), [("text\tmarks", "marks"), ("saying\tgold", "gold"), ("Review\tverdict", "verdict")]
)
def test_one_usual_name_is_enough_where_no_row_below_has_it(read, caplog, header, field):
    few = [("so good", "5"), ("bad", "1"), ("fine", "3")]
    rows, found = read("x.tsv", f"{header}\n" + table(few, "\t"))
    assert rows == few and found.fields["label"] == (field,)
    assert "a usual name; --no-header if it is none" in caplog.text
    row = header.split("\t")
    assert read("x.tsv", f"{header}\n" + table([*few, row], "\t"))[0] == [tuple(row), *few, tuple(row)]


def test_a_usual_name_among_texts_is_none(read):
    rows = [("question", "how are you"), ("statement", "I am here"), ("order", "go away")]
    assert read("x.tsv", table(rows, "\t"))[0] == rows


def test_what_the_options_say_of_a_header_counts(read):
    content = "remark\tverdict\n" + "".join(f"{text}\t{label}\n" for text, label in GOOD)
    assert read("x.tsv", content, header=False)[0] == [("remark", "verdict"), *GOOD]
    assert read("x.tsv", "so good\tpos\ntoo bad\tneg\n", header=True)[0] == [("too bad", "neg")]


def test_languages_make_a_header_of_translations(read, caplog):
    about = {"roles": ("source", "target")}
    assert read("x.tsv", "de\tEnglish\nHund\tdog\n", **about)[0] == [("Hund", "dog")]
    assert "x.tsv: its first row (de, English) is taken as a header; --no-header" in caplog.text
    assert len(read("x.tsv", "de\tEnglish\nHund\tdog\n", header=False, **about)[0]) == 2
    assert len(read("x.tsv", "die\tEnglish\nHund\tdog\n", **about)[0]) == 2


def test_few_rows_make_no_header(read):
    assert read("x.tsv", "fine\tpos\nso bad\tneg\ntoo bad\tneg\n")[0][0] == ("fine", "pos")


def test_a_header_once_more_is_left_out(read):
    part = table(GOOD, header=ROLES)
    assert read("x.csv", part + part + "\ufeff" + part)[0] == GOOD * 3
    assert read("x.csv", part + '"Text",LABEL\n' + table(GOOD))[0] == GOOD * 2


@pytest.mark.parametrize(
    ("first", "other"), [("text,label", "label,text"), ("text,label", "sentence,class"), ("so good,pos", "text,label")]
)
def test_another_header_in_the_middle_is_refused(fails, read, first, other):
    content = f"{first}\n{table(GOOD)}{other}\n{table(GOOD)}"
    message, hint = fails("x.csv", content)
    assert message == f"x.csv:10: looks like a header ({other.replace(',', ', ')}), unlike the first line"
    assert "--no-header it is a row" in hint
    assert tuple(other.split(",")) in read("x.csv", content, header="text" in first)[0]


def test_quotes_in_a_tsv_are_kept_and_said(read, caplog):
    content = "".join(f'"{text}"\t"{label}"\n' for text, label in GOOD)
    assert read("x.tsv", content)[0] == [(f'"{text}"', f'"{label}"') for text, label in GOOD]
    assert "x.tsv: cells stand in quotes, which tsv keeps; --from csv takes them off" in caplog.text
    assert read("x.tsv", content, format="csv")[0] == GOOD


def test_a_name_that_stands_twice_in_a_header_is_refused(fails, read):
    message, hint = fails("x.csv", "text,text,label\na,b,c\n")
    assert message == "x.csv:1: the header names 'text' twice"
    assert "by number" in hint
    assert read("x.csv", "text,text,label\na,b,c\n", columns={"text": "2", "label": "3"})[0] == [("b", "c")]


def test_a_row_that_is_longer_than_its_header_is_refused(fails):
    assert fails("x.csv", "text,label\nso, good,pos\n")[0] == "x.csv:2: 3 columns, the header has 2"


# columns


def test_columns_are_named_by_number(read):
    content = '"3","Wall St.","Reuters - short"\n"1","Peace","talks, again"\n'
    rows, found = read("x.csv", content, columns={"text": "3,2", "label": "1"})
    assert rows == [("Reuters - short Wall St.", "3"), ("talks, again Peace", "1")]
    assert str(found) == "csv, ',', no header; text = 3 + 2, label = 1"


def test_columns_between_others_are_found_by_their_names(read):
    rows, found = read("x.tsv", "id\tTeam\tBody\tCategory\n1\ta\tso good\tpos\n")
    assert rows == [("so good", "pos")]
    assert str(found) == "tsv, header id Team Body Category; text = Body, label = Category"


def test_what_cannot_be_told_is_refused_with_the_columns_and_the_option(fails):
    rows = [(f"this is text {n}", label, label.lower()) for n, (_, label) in enumerate(GOOD)]
    message, hint = fails("x.txt", "".join("\t".join(row) + "\n" for row in rows))
    assert message.startswith(
        "x.txt:1: 3 columns, expected 2 (text, label); which is the label? 1 'this is text 0', 2 'neg'"
    )
    assert hint.startswith("--label-field N says which, by number from 1")
    message, hint = fails("x.csv", "id;subject;body;team\n1;a;b;c\n", columns={"text": "subject,body"})
    assert message == "x.csv:1: 4 columns in the header, which is the label? it has: id, subject, body, team"
    assert hint == "--label-field NAME says which, by name or by number from 1"


def test_two_fields_of_usual_names_are_asked_for(fails):
    message, hint = fails("x.csv", "review,comment,label\na,b,c\n")
    assert message == "x.csv:1: review, comment: which is the text?"
    assert hint == "--text-field review, for example"
    assert (
        fails("x.jsonl", '{"review": "a", "comment": "b", "label": "c"}\n')[0]
        == "x.jsonl:1: review, comment: which is the text?"
    )


def test_the_only_column_of_texts_is_the_text(read):
    rows = [(f"this is text {n}", label, "x") for n, (_, label) in enumerate(GOOD)]
    content = "".join("\t".join(row) + "\n" for row in rows)
    assert read("x.tsv", content, columns={"label": "2"})[0] == [row[:2] for row in rows]


def test_a_label_may_come_first(read):
    rows, found = read("x.csv", table([(label, text) for text, label in GOOD]))
    assert [(text, label) for text, label in rows] == GOOD
    assert found.fields == {"text": ("2",), "label": ("1",)}


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("x.csv", "text,rude,late\na,1,0\nb,0,0\nc,1,1\n"),
        ("x.jsonl", "".join(f'{{"text": "{a}", "rude": {b}, "late": {c}}}\n' for a, b, c in ("a10", "b00", "c11"))),
    ],
)
def test_several_columns_of_0_and_1_are_several_labels(read, name, content):
    rows, _ = read(name, content, columns={"label": "rude,late"})
    assert rows == [("a", ["rude"]), ("b", []), ("c", ["rude", "late"])]
    assert read(name, content, columns={"text": "rude,late", "label": "text"})[0][0] == ("1 0", "a")
    floats = content.replace("1,", "1.0,").replace(" 1}", " true}").replace(",0", ",0.0")
    assert read(name, floats, columns={"label": "rude,late"})[0] == rows


@pytest.mark.parametrize("other", ["2", "", "-1.5"])
def test_a_label_that_is_neither_0_nor_1_is_refused(fails, other):
    message, _ = fails("x.csv", f"text,rude,late\na,1,0\nb,0,{other}\n", columns={"label": "rude,late"})
    assert message == f"x.csv:3: late is '{other}', another of rude, late is 0 or 1"


def test_labels_of_several_columns_stand_one_behind_the_other(read):
    rows, _ = read("x.csv", "text,kind,level\na,bank,1\nb,bank,2\n", columns={"label": "kind,level"})
    assert rows == [("a", "bank 1"), ("b", "bank 2")]


@pytest.mark.parametrize("name", ["x.txt", "x.conll"])
def test_fields_of_what_has_none_are_refused(fails, name):
    message, _ = fails(name, "a b\n", targets=False, columns={"text": "body"}, kind=errors.UsageError)
    assert "--text-field has no effect" in message


# formats


@pytest.mark.parametrize("ending", ["TSV", "Tsv"])
def test_endings_count_in_any_case(read, ending):
    assert read(f"x.{ending}", "so good\tpos\n")[0] == [("so good", "pos")]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("header", [None, ROLES])
def test_the_delimiter_of_a_csv_is_found(read, delimiter, header):
    rows, found = read("x.csv", table(GOOD, delimiter, header))
    assert rows == GOOD and found.delimiter == delimiter


def test_a_tsv_of_semicolons_is_read_as_csv_and_said(read, caplog):
    assert read("x.tsv", table(GOOD, ";"))[0] == GOOD
    assert "x.tsv: is named like tsv, but looks like csv: read as that" in caplog.text


ARRAY = '[{"text": "so good", "label": "pos"},\n {"text": "too bad",\n "label": "neg"}]\n'


@pytest.mark.parametrize(
    "content",
    [ARRAY, ARRAY.replace("[", "[\n"), '{"text": "so good", "label": "pos"}\n{"text": "too bad", "label": "neg"}\n'],
)
@pytest.mark.parametrize("name", ["x.json", "x.jsonl", "x.txt"])
def test_json_is_lines_or_an_array(read, name, content):
    assert read(name, content)[0] == [("so good", "pos"), ("too bad", "neg")]


def test_errors_in_an_array_name_the_line(fails):
    assert fails("x.json", ARRAY.replace('"neg"', "neg"))[0].startswith("x.json:3: not JSON (")
    assert fails("x.json", ARRAY.replace('label": "neg', 'class": "neg'))[0].startswith("x.json:2: no field 'label'")


CONLL = "-DOCSTART- -X- O\n\nAnna NNP B-PER\nran VBD O\n\nOslo NNP B-LOC\n\n"
TREC = "".join(f"DESC:manner How did it end {n} ?\nLOC:city Where is it {n} ?\n" for n in range(5))


@pytest.mark.parametrize("name", ["x.txt", "x", "x.tsv", "x.conll", "x.bio", "x.IOB"])
@pytest.mark.parametrize("content", [CONLL, CONLL.replace(" ", "\t"), CONLL[18:]])
def test_conll_is_known_whatever_its_name(read, name, content):
    rows, found = read(name, content, roles=("tokens", "tags"))
    assert [tags for tokens, tags in rows if tokens] == [("B-PER", "O"), ("B-LOC",)]
    assert found.format == "conll"


def test_conllu_is_known_whatever_its_name(read):
    content = "# text = Go\n1\tGo\tgo\tVERB\tVB\t_\t0\troot\t_\t_\n\n"
    for name in ("x.txt", "x.conll", "x.conllu"):
        rows, found = read(name, content, roles=("tokens", "tags"))
        assert rows[0] == (("Go",), ("VERB",)) and found.format == "conllu"


PLUS = "# global.columns = ID FORM NER\n# text = #Go\n1-2\t#Go\t_\n1\t#\tO\n2\tGo\tB-ORG\n\n"


@pytest.mark.parametrize("name", ["x.conllup", "x.txt", "x.conllu", "x.conll"])
def test_conllu_plus_names_its_columns(read, name):
    rows, found = read(name, PLUS + PLUS, roles=("tokens", "tags"), layout={"column": "ner"})
    assert rows == [(("#", "Go"), ("O", "B-ORG"))] * 2
    assert str(found) == "conllu, header ID FORM NER" and schema.Schema.from_dict(found.to_dict()) == found
    assert read(name, PLUS, roles=("tokens", "tags"), targets=False)[0] == [(("#", "Go"),)]


def test_conllu_plus_needs_no_numbers(read):
    content = "# global.columns = FORM UPOS\n# about it\n#\tSYM\nGo\tVERB\n"
    assert read("x.txt", content, roles=("tokens", "tags"))[0] == [(("#", "Go"), ("SYM", "VERB"))]


def test_a_column_that_conllu_plus_lacks_is_refused(fails):
    about = {"roles": ("tokens", "tags")}
    assert fails("x.txt", PLUS, **about)[0] == "x.txt:1: no column upos (it has: ID FORM NER)"
    other = PLUS.replace("NER", "FORM")
    message = fails("x.txt", PLUS + other, layout={"column": "NER"}, **about)[0]
    assert message == "x.txt:7: other columns than those before (ID FORM NER)"
    message = fails("x.conllup", PLUS + "1\ta\n", layout={"column": "NER"}, **about)[0]
    assert message == "x.conllup:7: 2 columns, CoNLL-U Plus has 3"


def test_a_table_of_sentences_is_no_conll(read):
    rows, found = read("x.tsv", "a b\tX Y\n\nc\tX\n", roles=("tokens", "tags"))
    assert rows == [("a b", "X Y"), ("c", "X")] and found.format == "tsv"


def test_conll_read_as_texts_is_said(read, caplog):
    read("x.txt", "Anna\tB-PER\nran\tO\n\nOslo\tB-PER\n")
    assert "x.txt: looks like CoNLL" in caplog.text


@pytest.mark.parametrize(("cells", "said"), [("Anna ran", False), ("Anna", True)])
def test_a_token_a_row_of_a_table_is_said(read, caplog, cells, said):
    read("x.csv", f"Word,Tag\n{cells},A\n" + "Oslo,B\n" * 3, roles=("tokens", "tags"))
    assert ("x.csv: every row has one token" in caplog.text) == said


def test_a_label_may_stand_before_each_text(read):
    rows, found = read("x.txt", TREC)
    assert rows[0] == ("How did it end 0 ?", "DESC:manner") and found.format == "label-text"


def test_lines_that_end_in_cr_alone_are_refused(fails):
    assert "end in CR alone" in fails("x.csv", 'text,label\r"so\rgood",pos\r"too bad",neg\r')[0]
    message, hint = fails("x.tsv", "so good\tpos\rtoo bad\tneg\r")
    assert message == "x.tsv:1: its lines end in CR alone, which ends no line here"
    assert "tr" in hint


def test_plain_lines_to_predict_stay_plain(read):
    lines = ["a, b", "c, d", "text\tlabel", "__label__x e"]
    rows, _ = read("x.txt", "\n".join(lines) + "\n", targets=False)
    assert rows == [(line,) for line in lines]


def test_what_datasets_has_saved_is_a_corpus(tmp_path):
    datasets = pytest.importorskip("datasets")
    part = datasets.Dataset.from_list([{"text": text, "label": label} for text, label in GOOD])
    part.save_to_disk(tmp_path / "one")
    datasets.DatasetDict(train=part).save_to_disk(tmp_path / "several")
    source = schema.Source((str(tmp_path / "one"),))
    source.check()
    assert [tuple(record.values.values()) for record in readers.records(source, ROLES, targets=True)] == GOOD
    assert list(source.hashes()) == [str(tmp_path / "one")]
    with pytest.raises(errors.DataError, match=r"holds several splits \(train\)"):
        list(readers.records(schema.Source((str(tmp_path / "several"),)), ROLES, targets=True))


# what is remembered

MEMORY = schema.Schema(
    "csv", ";", ("id", "subject", "body", "team"), {"text": ("subject", "body"), "label": ("team",)}, 4
)


def test_a_schema_comes_back_from_json():
    assert schema.Schema.from_dict(MEMORY.to_dict()) == MEMORY
    with pytest.raises((KeyError, TypeError)):
        schema.Schema.from_dict({"format": "csv", "width": "4"})


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("x.csv", "id;subject;body;team\n1;a;b;c\n"),
        ("x.txt", "id;subject;body;team\n1;a;b;c\n"),
        ("x.csv", "team,subject,body\nc,a,b\n"),
        ("x.csv", "1;a;b;c\n2;a;b;c\n"),
        ("x.jsonl", '{"subject": "a", "body": "b", "team": "c"}\n'),
    ],
)
@pytest.mark.parametrize("targets", [True, False])
def test_remembered_fields_are_found_without_options(read, name, content, targets):
    rows, _ = read(name, content, remembered=MEMORY, targets=targets)
    assert rows[0] == ("a b", "c")


def test_what_is_remembered_of_one_role_counts_beside_an_option_for_the_other(read, fails):
    content = "title,said,team\na,b,c\n"
    assert read("x.csv", content, remembered=MEMORY, columns={"text": "said"})[0] == [("b", "c")]
    message, _ = fails("x.csv", content, remembered=MEMORY)
    assert message == "x.csv:1: 3 columns in the header, which is the text? it has: title, said, team"


def test_where_a_file_differs_from_what_is_remembered_is_said(read, caplog):
    assert read("x.csv", "text,label\na,b\n", remembered=MEMORY)[0] == [("a", "b")]
    assert "x.csv: other columns than the corpus before (id subject body team)" in caplog.text
    caplog.clear()
    read("x.csv", "1;a;b;c\n2;a;b;c\n", remembered=MEMORY)
    assert "x.csv: has no header" in caplog.text


@pytest.mark.parametrize(
    ("first", "rows"),
    [
        (b"id;subject;body;team\n1;a;b;c\n", [("a b", "c")]),
        (b"1;a;b;c\n2;a;b;c\n", [("1;a;b;c",), ("2;a;b;c",)]),
        (b'{"subject": "a", "body": "b"}\n', [("a b",)]),
        (b"{no json\n", [("{no json",)]),
        (b"text,label\n", [("text,label",)]),
    ],
)
def test_stdin_to_predict_is_plain_lines_but_for_the_remembered_header_and_json(stdin, first, rows):
    stdin(first)
    source = schema.Source(("-",), remembered=MEMORY)
    assert [tuple(record.values.values()) for record in readers.records(source, ROLES, targets=False)] == rows


@pytest.mark.parametrize(
    ("memory", "first", "tokens"),
    [
        (schema.Schema("conll", "\t", width=2), b"Anna\tB-PER\nran\tO\n\n", ("Anna", "ran")),
        (schema.Schema("conll", " ", width=2), b"Anna B-PER\nran O\n\n", ("Anna", "ran")),
        (schema.Schema("conll", " ", width=2), b"Anna ran\n", "Anna ran"),
        (schema.Schema("conll", " ", width=2), b"# text = Anna\nAnna NNP\n\n", ("Anna",)),
        (schema.Schema("conllu"), b"1\tGo\t_\t_\t_\t_\t_\t_\t_\t_\n\n", ("Go",)),
        (schema.Schema("conllu"), b"Anna ran\n", "Anna ran"),
        (schema.Schema("csv"), PLUS.encode(), ("#", "Go")),
        (schema.Schema("conllu", header=("ID", "FORM", "NER"), width=3), b"1\tGo\t_\n\n", ("Go",)),
        (schema.Schema("conllu", header=("ID", "FORM", "NER"), width=3), b"Anna\tran\n", "Anna\tran"),
    ],
)
def test_a_line_of_the_remembered_columns_tells_what_comes_on_stdin(stdin, memory, first, tokens):
    stdin(first)
    source = schema.Source(("-",), remembered=memory)
    (record,) = readers.records(source, ("tokens", "tags"), targets=False)
    assert record.values["tokens"] == tokens


@pytest.mark.parametrize("first", ["", "# about the first\n", "\n", "-DOCSTART- -X- O\n\n"])
@pytest.mark.parametrize("tags", ["X O", "B-PER O"])
def test_a_file_in_the_remembered_columns_is_one_whatever_stands_above(read, first, tags):
    one, other = tags.split()
    content = f"{first}Anna {one}\nran {other}\n\nOslo {one}\nis {other}\n"
    about = {"roles": ("tokens", "tags"), "targets": False}
    rows, _ = read("x.txt", content, remembered=schema.Schema("conll", " ", width=2), **about)
    assert [values for values in rows if values[0]] == [(("Anna", "ran"),), (("Oslo", "is"),)]


@pytest.mark.parametrize("first", ["[", "[{x}] is a set", "[ ]", '{"a": 1} is JSON', "Well, yes"])
@pytest.mark.parametrize("memory", [None, schema.Schema("csv", ",", None, {"text": ("1",), "label": ("2",)}, 2)])
def test_texts_that_look_a_little_like_something_else_stay_texts(read, first, memory):
    rows, _ = read("x.txt", f"{first}\nno, no\n", targets=False, remembered=memory)
    assert rows == [(first,), ("no, no",)]
