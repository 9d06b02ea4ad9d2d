"""Readers: every format to records by role, and errors that name file, line, what is wrong and what to do."""

import gzip
import os
import threading
from pathlib import Path

import pytest

from seqnlp import errors
from seqnlp.preprocess.corpora import readers, schema, tables

ROLES = ("text", "label")


@pytest.fixture
def read(tmp_path):
    """Write files and read them: `read({name: content}, ...)` returns the values of each record."""

    def run(files, *, targets=True, roles=ROLES, whole=False, **options):
        paths = []
        for name, content in files.items():
            data = content if isinstance(content, bytes) else content.encode()
            (tmp_path / name).write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
            paths.append(str(tmp_path / name))
        names = dict(zip(paths, files, strict=True))
        source = schema.Source(tuple(paths), names=names, **options)
        found = list(readers.records(source, roles, targets=targets))
        return found if whole else [record.values for record in found]

    return run


@pytest.fixture
def fails(read):
    """Read what cannot be read, and return message and hint."""

    def run(files, *, kind=errors.DataError, **options):
        with pytest.raises(kind) as error:
            read(files, **options)
        return error.value.message, error.value.hint

    return run


def rows(*pairs):
    return [dict(zip(ROLES, pair, strict=False)) for pair in pairs]


GOOD = rows(("so good", "pos"), ("too bad", "neg"))
SAME = {
    "x.tsv": "so good\tpos\ntoo bad\tneg\n",
    "x.csv": "so good,pos\ntoo bad,neg\n",
    "x.jsonl": '{"text": "so good", "label": "pos"}\n{"label": "neg", "text": "too bad"}\n',
    "x.ndjson": '{"text": "so good", "label": "pos"}\n{"text": "too bad", "label": "neg"}\n',
}


@pytest.mark.parametrize("name", SAME)
def test_the_ending_names_the_format(read, name):
    assert read({name: SAME[name]}) == GOOD


@pytest.mark.parametrize("name", SAME)
def test_gz_is_read_like_the_file_in_it(read, name):
    assert read({f"{name}.gz": SAME[name]}) == GOOD


@pytest.mark.parametrize("name", SAME)
def test_a_byte_order_mark_and_crlf_make_no_difference(read, name):
    assert read({name: "\ufeff" + SAME[name].replace("\n", "\r\n")}) == GOOD


@pytest.mark.parametrize("encoding", ["latin-1", "utf-16"])
@pytest.mark.parametrize("name", SAME)
def test_other_encodings(read, name, encoding):
    content = SAME[name].replace("good", "gööd").encode(encoding)
    assert read({name: content}, encoding=encoding) == rows(("so gööd", "pos"), ("too bad", "neg"))


@pytest.mark.parametrize("format", ["tsv", "csv", "jsonl"])
def test_a_named_format_goes_before_the_ending(read, format):
    assert read({"data.text": SAME[f"x.{format}"]}, format=format) == GOOD


@pytest.mark.parametrize("targets", [True, False])
@pytest.mark.parametrize("name", SAME)
def test_a_file_without_lines_has_no_records(read, name, targets):
    assert read({name: ""}, targets=targets) == []


@pytest.mark.parametrize("blank", ["\u2028", "\x0b", "\x0c", "\x1c", "\x85"])
def test_no_other_separator_ends_a_line_or_a_cell(read, blank):
    assert read({"x.tsv": f"so{blank}good\tpos\n"}) == rows((f"so{blank}good", "pos"))
    assert read({"x.csv": f"so{blank}good,pos\n"}) == rows((f"so{blank}good", "pos"))


def test_several_corpora_are_read_one_after_the_other(read):
    found = read({"x.tsv": SAME["x.tsv"], "y.jsonl": SAME["x.jsonl"]}, whole=True)
    assert [record.where for record in found] == ["x.tsv:1", "x.tsv:2", "y.jsonl:1", "y.jsonl:2"]


def test_bytes_that_are_not_text_name_file_and_line(tmp_path):
    path = tmp_path / "x.tsv"
    path.write_bytes(b"so good\tpos\ntoo b\xe4d\tneg\n")
    with pytest.raises(errors.DataError, match=r"x\.tsv:2: not utf-8 \(byte 6 of the line"):
        list(readers.records(schema.Source((str(path),)), ROLES, targets=True))


# tsv


def test_tsv_has_no_quoting(read):
    assert read({"x.tsv": '"so" good\t"pos"\n'}) == rows(('"so" good', '"pos"'))


def test_tsv_keeps_blanks(read):
    assert read({"x.tsv": " so  good \t pos\n"}) == rows((" so  good ", " pos"))


def test_tsv_with_too_few_columns(fails):
    message, hint = fails({"x.tsv": "so good\tpos\ntoo bad neg\n"})
    assert message == "x.tsv:2: 1 column, expected 2 (text, label)"
    assert hint == "columns are separated by one tab"


def test_tsv_with_too_many_columns(fails):
    message, _ = fails({"x.tsv": "so good\tpos\n\ntoo\tbad\tneg\n"})
    assert message == "x.tsv:3: 3 columns, expected 2 (text, label)"


def test_blank_lines_of_training_data_are_left_out_and_counted(read):
    found = read({"x.tsv": "\nso good\tpos\n \ntoo bad\tneg\n\n"}, whole=True)
    assert [record.line for record in found] == [2, 4]


@pytest.mark.parametrize(("name", "content"), [("x.tsv", "a\n\nb\n"), ("x.csv", "a\n\nb\n"), ("x.txt", "a\n\nb\n")])
def test_a_blank_line_to_predict_is_a_record(read, name, content):
    assert [values["text"] for values in read({name: content}, targets=False)] == ["a", "", "b"]


@pytest.mark.parametrize("name", SAME)
def test_targets_may_be_there_when_predicting(read, name):
    assert [values["text"] for values in read({name: SAME[name]}, targets=False)] == ["so good", "too bad"]


def test_more_columns_than_roles_are_an_error_when_predicting_too(fails):
    message, hint = fails({"x.tsv": "a\tb\tc\n"}, targets=False)
    assert message == "x.tsv:1: 3 columns, expected 2 (text, label); which is the text? 1 'a', 2 'b', 3 'c'"
    assert hint == "--text-field N says which, by number from 1; or columns are separated by one tab"


# headers


@pytest.mark.parametrize(("name", "tab"), [("x.tsv", "\t"), ("x.csv", ",")])
def test_a_first_line_of_field_names_is_a_header_in_any_order(read, name, tab):
    assert read({name: f"label{tab}text\npos{tab}so good\n"}) == rows(("so good", "pos"))


def test_another_first_line_is_data(read):
    assert read({"x.tsv": "Texting\tlabel\n"}) == rows(("Texting", "label"))


def test_a_header_of_other_names_is_taken_by_position(read):
    assert read({"x.tsv": "sentence\tclass\nso good\tpos\n"}, header=True) == rows(("so good", "pos"))


def test_a_header_may_have_more_columns_than_are_needed(read):
    assert read({"x.tsv": "id\tlabel\ttext\n1\tpos\tso good\n"}, header=True) == rows(("so good", "pos"))


def test_named_fields_need_no_header_flag(read):
    found = read({"x.tsv": "id\treview\tstars\n1\tso good\t5\n"}, columns={"text": "review", "label": "stars"})
    assert found == rows(("so good", "5"))


def test_several_fields_are_joined_by_a_blank(read):
    found = read({"x.csv": "label,title,body\npos,So,good\n"}, columns={"text": "title,body"})
    assert found == rows(("So good", "pos"))


def test_a_field_that_the_header_lacks(fails):
    message, hint = fails({"x.tsv": "id\tlabel\n1\tpos\n"}, columns={"text": "review"})
    assert message == "x.tsv:1: no column 'review' in the header (id, label)"
    assert hint == "name the field that holds the text with --text-field"


def test_a_header_with_too_few_columns(fails):
    message, _ = fails({"x.tsv": "sentence\nso good\n"}, header=True)
    assert message == "x.tsv:1: 1 column in the header, which is the label? it has: sentence"


def test_a_row_shorter_than_its_header(fails):
    message, _ = fails({"x.tsv": "text\tlabel\nso good\tpos\nbad\n"})
    assert message == "x.tsv:3: 1 column, fewer than the header has"


def test_every_file_has_its_own_header(read):
    assert read({"x.tsv": "text\tlabel\na\tb\n", "y.tsv": "label\ttext\nb\ta\n"}) == rows(("a", "b"), ("a", "b"))


def test_a_target_is_not_needed_in_a_header_when_predicting(read):
    found = read({"x.tsv": "id\ttext\n1\tso good\n"}, targets=False, header=True)
    assert found == rows(("so good",))


# csv


def test_csv_fields_hold_commas_quotes_and_line_ends(read):
    assert read({"x.csv": '"so, ""very"" good\r\nindeed",pos\r\n'}) == rows(('so, "very" good\nindeed', "pos"))


def test_a_csv_record_stands_where_it_begins(read):
    found = read({"x.csv": 'a,pos\n"b\nb\nb",neg\nc,pos\n'}, whole=True)
    assert [record.line for record in found] == [1, 2, 5]


def test_an_error_after_a_csv_field_of_several_lines_names_the_right_line(fails):
    message, _ = fails({"x.csv": '"a\na",pos\nb\n'})
    assert message == "x.csv:3: 1 column, expected 2 (text, label)"


def test_an_unquoted_comma(fails):
    message, hint = fails({"x.csv": "so, good,pos\n"})
    assert message.startswith(
        "x.csv:1: 3 columns, expected 2 (text, label); which is the text, which the label? 1 'so',"
    )
    assert hint.endswith('a field that holds a comma stands in quotes "..."')


@pytest.mark.parametrize("content", ['a,pos\n"so "very" good",pos\n', 'a,pos\n"never closed,pos\n'])
def test_wrong_quotes_are_told_where_the_record_begins(fails, content):
    message, hint = fails({"x.csv": content})
    assert message.startswith("x.csv:2: not CSV (")
    assert hint == 'a quote inside a quoted field is written ""'


def test_a_csv_field_may_be_a_long_text(read):
    text = "word " * 50_000
    assert read({"x.csv": f'"{text}",pos\n'}) == rows((text, "pos"))


# jsonl


def test_a_record_of_jsonl_is_kept_whole(read):
    (found,) = read({"x.jsonl": '{"id": 7, "text": "a", "label": "b", "more": [1]}\n'}, whole=True)
    assert found.raw == {"id": 7, "text": "a", "label": "b", "more": [1]}


def test_fields_inside_objects_are_named_with_dots(read):
    content = '{"translation": {"de": "eins", "en": "one"}}\n'
    columns = {"source": "translation.de", "target": "translation.en"}
    assert read({"x.jsonl": content}, roles=("source", "target"), columns=columns) == [
        {"source": "eins", "target": "one"}
    ]


def test_a_dot_may_belong_to_a_name(read):
    assert read({"x.jsonl": '{"a.b": "yes", "label": "c"}\n'}, columns={"text": "a.b"}) == rows(("yes", "c"))


def test_several_fields_of_jsonl_are_joined_as_text(read):
    found = read({"x.jsonl": '{"title": "So", "year": 2001, "label": "c"}\n'}, columns={"text": "title,year"})
    assert found == rows(("So 2001", "c"))


def test_values_of_jsonl_keep_their_kind(read):
    assert read({"x.jsonl": '{"text": "a", "label": ["b", "c"]}\n'}) == rows(("a", ["b", "c"]))


def test_what_is_not_json(fails):
    message, hint = fails({"x.jsonl": '{"text": "a", "label": "b"}\n{"text": "a",}\n'})
    assert message.startswith("x.jsonl:2: not JSON (")
    assert "at character" in message
    assert hint == "one object a line"


@pytest.mark.parametrize(("line", "kind"), [("[1]", "list"), ('"a"', "str"), ("3", "int")])
def test_json_that_is_no_object(fails, line, kind):
    assert fails({"x.jsonl": f"{line}\n"})[0] == f"x.jsonl:1: a JSON {kind}, expected an object"


@pytest.mark.parametrize("line", ["[" * 100_000, '{"text": ' + "1" * 5000 + "}"])
def test_json_that_python_refuses(fails, line):
    assert fails({"x.jsonl": f"{line}\n"})[0].startswith("x.jsonl:1: not JSON that can be read (")


def test_a_missing_field_is_told_with_those_that_are_there(fails):
    message, hint = fails({"x.jsonl": '{"id": 1, "said": "a", "label": "b"}\n'})
    assert message == "x.jsonl:1: no field 'text' (it has: id, said, label)"
    assert hint == "name the field that holds the text with --text-field"


def test_a_field_of_null_is_told(fails):
    assert fails({"x.jsonl": '{"text": "a", "label": null}\n'})[0] == "x.jsonl:1: the field 'label' is null"


def test_half_a_character_is_replaced_in_values_and_kept_in_the_record(read):
    (found,) = read({"x.jsonl": '{"text": "a\\ud83d", "label": "\\ud83d\\ude00"}\n'}, whole=True)
    assert found.values == {"text": "a\ufffd", "label": "😀"}
    assert found.raw == {"text": "a\ud83d", "label": "😀"}


def test_blank_lines_of_jsonl(read):
    content = '{"text": "a", "label": "b"}\n\n{"text": "c", "label": "d"}\n'
    assert len(read({"x.jsonl": content})) == 2
    assert [values["text"] for values in read({"x.jsonl": content}, targets=False)] == ["a", "", "c"]


# fastText


def test_labels_of_fasttext_stand_anywhere(read):
    content = "__label__pos so good\ntoo bad __label__neg __label__sad\n"
    assert read({"x.txt": content}) == rows(("so good", ["pos"]), ("too bad", ["neg", "sad"]))


def test_a_tab_parts_words_of_fasttext(read):
    assert read({"x.txt": "__label__pos\tso good\n"}) == rows(("so good", ["pos"]))


def test_a_line_of_fasttext_without_a_label(fails):
    message, hint = fails({"x.txt": "__label__pos so good\n\ntoo bad\n"})
    assert message == "x.txt:3: no __label__"
    assert hint == "every line names its label, as in: __label__good I liked it"


def test_labels_of_fasttext_are_taken_out_when_predicting(read):
    found = read({"x.txt": "__label__pos so good\n\nplain\n"}, targets=False, format="fasttext")
    assert [values["text"] for values in found] == ["so good", "", "plain"]


def test_lines_to_predict_are_text_whatever_they_begin_with(read):
    assert read({"x.txt": "__label__pos so good\n"}, targets=False) == rows(("__label__pos so good",))


# pairs


def test_plain_files_are_taken_two_by_two(read):
    files = {"a.txt": "one\ntwo\n", "a.lab": "1\n2\n", "b.txt": "three\n", "b.lab": "3\n"}
    assert read(files) == rows(("one", "1"), ("two", "2"), ("three", "3"))


def test_pairs_and_corpora_may_stand_together(read):
    assert read({"a.txt": "one\n", "a.lab": "1\n", "x.tsv": "two\t2\n"}) == rows(("one", "1"), ("two", "2"))


def test_blank_lines_of_a_pair_belong_together(read):
    assert read({"a.txt": "one\n\n", "a.lab": "1\n\n"}) == rows(("one", "1"), ("", ""))


@pytest.mark.parametrize(("left", "right"), [(3, 5), (5, 3), (0, 1), (1, 0)])
def test_pairs_of_different_length_are_told_with_both_counts(fails, left, right):
    message, hint = fails({"a.txt": "x\n" * left, "a.lab": "y\n" * right})
    assert message == f"a.txt has {left} lines, a.lab has {right}"
    assert hint == "the two files must belong together line by line"


def test_a_plain_file_alone(fails):
    message, hint = fails({"a.txt": "one\n"}, kind=errors.UsageError)
    assert message == "a.txt: a plain text file needs a second one with the label of each line"
    assert hint == "give both, or a .tsv with text and label, or say what it is with --from"


# stdin


def test_stdin_is_lines_to_predict(stdin):
    stdin(b"one\n\ntwo")
    found = readers.records(schema.Source(("-",)), ROLES, targets=False)
    assert [(record.where, record.values["text"]) for record in found] == [
        ("stdin:1", "one"),
        ("stdin:2", ""),
        ("stdin:3", "two"),
    ]


def test_stdin_with_a_named_format(stdin):
    stdin(SAME["x.jsonl"].encode())
    found = readers.records(schema.Source(("-",), format="jsonl"), ROLES, targets=True)
    assert [record.values for record in found] == GOOD


def test_a_copy_of_stdin_is_read_as_often_as_needed(stdin):
    stdin(SAME["x.tsv"].encode())
    source = schema.copied(schema.Source(("-",), format="tsv"))
    for _ in range(2):
        assert [record.values for record in readers.records(source, ROLES, targets=True)] == GOOD


def test_a_copy_of_stdin_keeps_its_name(stdin):
    stdin(b"one column\n")
    source = schema.copied(schema.Source(("-",), format="tsv"))
    assert list(source.hashes()) == ["stdin"]
    with pytest.raises(errors.DataError, match=r"^stdin:1: 1 column"):
        list(readers.records(source, ROLES, targets=True))


def test_a_missing_file(tmp_path):
    with pytest.raises(errors.UsageError, match="no such file"):
        list(readers.records(schema.Source((str(tmp_path / "x.tsv"),)), ROLES, targets=True))


# pipes and tables


def test_a_named_pipe_is_opened_only_when_it_is_read(tmp_path, monkeypatch):
    def refuse(path):
        raise AssertionError("who wrote into it would be left without a reader")

    path = str(tmp_path / "pipe")
    os.mkfifo(path)
    writer = threading.Thread(target=lambda: Path(path).write_text(SAME["x.tsv"]), daemon=True)
    source = schema.Source((path,), format="tsv")
    with monkeypatch.context() as patched:
        patched.setattr(schema.files, "open_bytes", refuse)
        source.check()
    writer.start()
    copied = schema.copied(source)
    writer.join(timeout=10)
    for _ in range(2):
        assert [record.values for record in readers.records(copied, ROLES, targets=True)] == GOOD
    assert list(copied.hashes()) == [path]


@pytest.mark.parametrize("name", ["nothing.tsv", ""])
def test_a_source_without_its_file_is_told_before_it_is_read(tmp_path, name):
    with pytest.raises(errors.UsageError):
        schema.Source((str(tmp_path / name),)).check()


def test_half_a_character_in_a_list_is_replaced_too(read):
    content = '{"text": "a", "label": ["b\\ud83d", ["\\ud83d"], 1]}\n'
    assert read({"x.jsonl": content}) == rows(("a", ["b\ufffd", ["\ufffd"], 1]))


def test_parquet_is_a_format_by_its_name_and_by_its_ending(tmp_path):
    from pyarrow import Table, parquet

    table = Table.from_pylist([{"text": text, "label": label} for text, label in (values.values() for values in GOOD)])
    for name, format in (("x.parquet", None), ("data", "parquet")):
        parquet.write_table(table, tmp_path / name)
        source = schema.Source((str(tmp_path / name),), format=format)
        assert [record.values for record in readers.records(source, ROLES, targets=True)] == GOOD


def encoded(folder):
    folder.mkdir()
    (folder / tables.ENCODED).write_text("{}")
    return str(folder)


def test_encoded_corpora_stand_by_themselves(tmp_path):
    one, other = encoded(tmp_path / "one"), encoded(tmp_path / "other")
    assert schema.Source((one,)).encoded == schema.Source((one, other)).encoded == one
    assert schema.Source(("x.tsv", "y.tsv")).encoded is None
    for paths in ((one, "x.tsv"), ("x.tsv", one)):
        with pytest.raises(errors.UsageError, match="an encoded corpus cannot be read together with others"):
            schema.Source(paths).check()


@pytest.mark.parametrize("targets", [True, False])
def test_where_inputs_are_all_a_plain_text_stands_alone(tmp_path, targets):
    (tmp_path / "lines.txt").write_text("one\ntwo\n")
    found = readers.records(schema.Source((str(tmp_path / "lines.txt"),)), ("text",), targets=targets)
    assert [record.values for record in found] == [{"text": "one"}, {"text": "two"}]


MARKED = {
    "x.tsv": "{0}so good\tpos\n{0}too bad\tneg\n",
    "x.csv": '{0}text,label\nso good,pos\n{0}"text","label"\n{0}"too bad",neg\n',
    "x.jsonl": '{0}{{"text": "so good", "label": "pos"}}\n{0}{{"text": "too bad", "label": "neg"}}\n',
    "x.conll": "{0}-DOCSTART- O\n\n{0}so pos\ngood pos\n\n{0}-DOCSTART- O\n\ntoo neg\nbad neg\n\n",
}


@pytest.mark.parametrize("name", MARKED)
def test_marks_of_byte_order_where_files_were_joined_are_no_part_of_a_record(tmp_path, name):
    roles = ("tokens", "tags") if name == "x.conll" else ("text", "label")
    path = tmp_path / name
    path.write_text(MARKED[name].format("\N{ZERO WIDTH NO-BREAK SPACE}"), encoding="utf-8")
    found = [record.values for record in readers.records(schema.Source((str(path),)), roles, targets=True)]
    first, last = ("so good", "too bad"), ("pos", "neg")
    if roles[0] == "tokens":
        first, last = [tuple(text.split()) for text in first], [(tag, tag) for tag in last]
    assert found == [dict(zip(roles, pair, strict=True)) for pair in zip(first, last, strict=True)]
