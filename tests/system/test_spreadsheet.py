"""A table from a spreadsheet: semicolons, cp1252, rows without labels; what comes back looks as it did."""

import pytest

HEADER = "id;subject;body;team\n"
TINY = ["--hidden-size", "3", "--embedding-size", "3", "--char-ngram-buckets", "11", "--epochs", "1"]
FIELDS = ["--text-field", "subject,body", "--label-field", "team"]


@pytest.fixture(scope="module")
def tickets(seqnlp):
    """The folder of a model that was trained on such a table, tickets.csv."""
    rows = "".join(f"{n};no {n};good café {n};sales\n{n};so {n};bad, bad {n};help\n" for n in range(20))
    (seqnlp.folder / "tickets.csv").write_bytes((HEADER + rows).encode("cp1252"))
    said = seqnlp("classify", "train", "tickets.csv", *FIELDS, *TINY, "--encoding", "cp1252", "-o", "tickets")
    assert "csv, ';', header id subject body team; text = subject + body, label = team" in said.err
    return seqnlp.folder / "tickets"


def test_new_rows_lack_the_label_on_stdin_too(seqnlp, tickets):
    done = seqnlp("classify", "predict", tickets, "--to", "csv", stdin='id;subject;body\n7;my;"a; b"\n8;to;good\n')
    assert done.lines[0] == "id;subject;body;label;score"
    assert [line.rsplit(";", 2)[0] for line in done.lines[1:]] == ['7;my;"a; b"', "8;to;good"]


def test_what_predict_gives_back_is_scored(seqnlp, tickets):
    known = ["tickets.csv", "--encoding", "cp1252"]
    predicted = seqnlp("classify", "predict", tickets, *known, "--to", "csv").out
    scored = seqnlp("score", "accuracy", *known, *FIELDS[2:], stdin=predicted)
    evaluated = seqnlp("classify", "eval", tickets, *known)
    assert scored.json["scores"] == evaluated.json["scores"]
    assert "40 of 40 rows of tickets.csv were trained on by" in evaluated.err


@pytest.mark.parametrize(("content", "out"), [(HEADER, "id;subject;body;team;label;score\n"), ("", "")])
def test_a_table_without_rows_is_said(seqnlp, tickets, content, out, tmp_path):
    (tmp_path / "x.csv").write_text(content)
    done = seqnlp("classify", "predict", tickets, tmp_path / "x.csv", "--to", "csv")
    assert done.out == out and done.errors == [f"seqnlp: warning: {tmp_path}/x.csv: holds no records"]


def test_what_was_said_of_its_encoding_is_said_again(seqnlp, tickets):
    assert f"seqnlp classify predict {tickets} FILE --encoding cp1252" in seqnlp("info", tickets).json["use"]
    refused = seqnlp("classify", "eval", tickets, "tickets.csv", code=3)
    assert "tickets.csv:2: not utf-8" in refused.err and "--encoding (cp1252, if" in refused.err


def test_cp1252_that_is_read_as_latin_1_is_said(seqnlp, tickets, tmp_path):
    (tmp_path / "x.txt").write_bytes("ten – twenty\n".encode("cp1252") * 2)
    done = seqnlp("classify", "predict", tickets, tmp_path / "x.txt", "--encoding", "latin-1")
    assert len(done.lines) == 2 and len(done.errors) == 1 and "--encoding cp1252?" in done.err
