"""Columns: sentences as blocks of lines, read with all that stands around them, and written as they came."""

import itertools
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqnlp import errors
from seqnlp.preprocess.corpora import conll, formats, readers, schema

EWT = Path(os.environ.get("SEQNLP_CORPORA", "nowhere")) / "ud_english_ewt" / "en_ewt-ud-dev.conllu"
READERS = {"conll": conll.conll, "conllu": conll.conllu}


def records(content, kind="conll", *, targets=True, **layout):
    """What is read from a file; layout: tokens and tags, from 1, or the column of CoNLL-U."""
    lines = content.split("\n")
    lines = lines[:-1] if lines[-1] == "" else lines
    file = formats.File("x", iter(lines), conll.ROLES, 2 if targets else 1, schema.Schema(kind), layout=layout)
    return list(READERS[kind](file))


def read(content, kind="conll", **options):
    """The tokens and tags of each sentence."""
    return [tuple(record.values.values()) for record in records(content, kind, **options)]


def fails(content, kind="conll", **options):
    """What a faulty file is answered with."""
    with pytest.raises(errors.DataError) as error:
        read(content, kind, **options)
    return str(error.value)


TWO = [(("Anna", "ran"), ("B-PER", "O")), (("Oslo",), ("B-LOC",))]

# CoNLL


@pytest.mark.parametrize(
    "content",
    [
        "Anna\tB-PER\nran\tO\n\nOslo\tB-LOC\n\n",
        "Anna B-PER\nran O\n\nOslo B-LOC\n",
        "Anna   B-PER\nran  O \n\nOslo B-LOC",
        "Anna NNP x B-PER\nran VBD y O\n\nOslo NNP z B-LOC\n",
        "Anna\t\t_\tB-PER\nran\tVBD\t_\tO\n \t \nOslo\tNNP\t_\tB-LOC\n",
        "-DOCSTART- -X- O\n\nAnna B-PER\nran O\n\n-DOCSTART- -X- O\n\nOslo B-LOC\n",
        "-DOCSTART-\nAnna B-PER\nran O\n\n\n\nOslo B-LOC\n\n\n",
        "\n\n# about all of it\n\n# about Anna\nAnna\tB-PER\nran\tO\n\n# no token\tat all\there\nOslo\tB-LOC\n\n",
    ],
    ids=["tabs", "blanks", "several blanks", "columns", "empty column", "documents", "blank lines", "comments"],
)
def test_the_token_comes_first_and_the_tag_last(content):
    assert [sentence for sentence in read(content) if sentence[0]] == TWO


@pytest.mark.parametrize(("places", "found"), [((1, 0), ("a", "d")), ((2, 3), ("b", "c")), ((4, 1), ("d", "a"))])
def test_other_columns_can_be_named(places, found):
    assert read("a b c d\n", tokens=str(places[0]), tags=str(places[1])) == [((found[0],), (found[1],))]


@pytest.mark.parametrize("header", ["token tag", "# about it all\nWord NER", "words tags x"])
def test_a_header_is_no_token(header, caplog):
    wide = header.endswith("x")
    content = f"{header}\n" + ("Anna B-PER _\ntoken tag _\n" if wide else "Anna B-PER\ntoken tag\n")
    layout = {"tags": "2"}
    assert read(content, **layout) == [(("Anna", "token"), ("B-PER", "tag"))]
    assert f"x:{header.count(chr(10)) + 1}: is taken as a header" in caplog.text
    block = records(content, targets=False, **layout)[0].raw
    assert "\n".join(block.lines) + "\n" == content and len(block.tokens) == 2


def test_without_targets_a_token_is_enough():
    assert read("Anna\nran\n\nOslo\n", targets=False) == [(("Anna", "ran"),), (("Oslo",),)]


EMPTY = ["", "\n", "\n\t\n\n", "# a comment\n", "# a b\n\n# c\td\n"]


@pytest.mark.parametrize(
    ("kind", "content"), [*itertools.product(READERS, EMPTY), ("conll", "-DOCSTART- O\n\n-DOCSTART-")]
)
def test_a_file_without_tokens_has_no_sentences(kind, content):
    assert [sentence for sentence in read(content, kind) if sentence[0]] == []
    assert len(records(content, kind)) == (content != "")  # one record keeps the lines


NUMBER_SIGNS = {
    "a hashtag": ("#art O\nis O\n\n", ("#art", "is")),
    "with a tag": ("is O\n\n# O\n1 O\n\n", ("#", "1")),
    "first of all": ("# O\n1 O\n\n", ("#", "1")),
    "of chunking": ("# # B-NP\n1 CD I-NP\n\n", ("#", "1")),
    "inside": ("No. O\n# O\n1 O\n\n", ("No.", "#", "1")),
}
COMMENTS = {
    "words": ("# about it all\nis O\n\n", ("is",)),
    "two words before three columns": ("# newdoc\nis VB O\n\n", ("is",)),
    "as many words as columns": ("# sent_id = 4\nis VB x O\n\n", ("is",)),
    "blanks above tabs": ("# newdoc\nis\tO\n\n", ("is",)),
    "of MultiCoNER": ("# id 52\tdomain=en\nis _ _ O\n\n", ("is",)),
    "of GermEval": ("#\tn-tv.de vom 26.02.2005\n1\tis\tO\n\n", ("1",)),
    "alone above": ("# title\n\nis O\n\n", ("is",)),
    "two": ("# a title\n# x\ty\tz\nis O\n\n", ("is",)),
}


@pytest.mark.parametrize("name", NUMBER_SIGNS)
def test_a_number_sign_may_be_a_token(name):
    content, tokens = NUMBER_SIGNS[name]
    assert [tokens for tokens, _ in read(content)][-1] == tokens


@pytest.mark.parametrize("name", COMMENTS)
def test_a_number_sign_may_begin_a_comment_above_a_sentence(name):
    content, tokens = COMMENTS[name]
    assert [tokens for tokens, _ in read(content)] == [tokens]


def test_a_sentence_is_where_its_first_token_is():
    found = records("# a b c\nAnna O\nran O\n\n\n\nOslo O\n")
    assert [record.where for record in found] == ["x:2", "x:7"]


FAULTS = {
    "a column too many": ("a O\nb O O\n", "x:2: 3 columns, the lines before have 2; hint: every token has the same"),
    "a column too few": ("a\tO\n\nb\n", "x:3: 1 column, the lines before have 2; hint: every token has the same"),
    "no tags": ("a\nb\n", "x:1: 1 column, expected at least 2; hint: a token and its tag"),
    "no tag": ("# a\n\na\tO\nb\t\n", "x:4: an empty column, where the tags are; hint: one tab between columns"),
    "no token": ("a\tO\n\tO\n", "x:2: an empty column, where the tokens are; hint: one tab between columns"),
    "a comment inside": ("a O\n# b c\n", "x:2: 3 columns, the lines before have 2"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_faulty_line_is_told(name):
    content, message = FAULTS[name]
    assert fails(content).startswith(message)


def test_a_column_that_is_not_there_is_told():
    assert fails("a O\n", tags="3").startswith("x:1: 2 columns, expected at least 3")
    assert fails("a O\n", tokens="4", targets=False).startswith("x:1: 2 columns, expected at least 4")


def test_predict_needs_even_columns_too():
    assert fails("a O\nb\n", targets=False).startswith("x:2: 1 column, the lines before have 2")


# CoNLL-U

UD = """# sent_id = 1
# text = She's in
1-2\tShe's\t_\t_\t_\t_\t_\t_\t_\t_
1\tShe\tshe\tPRON\tPRP\tCase=Nom\t3\tnsubj\t3:nsubj\tSpaceAfter=No
2\t's\tbe\tAUX\tVBZ\tMood=Ind\t3\tcop\t3:cop\t_
3\tin\tin\tADV\tRB\t_\t0\troot\t0:root\t_
3.1\t_\t_\tVERB\t_\t_\t_\t_\t_\t_

# text = #
1\t#\t#\tSYM\tNN\t_\t0\troot\t0:root\t_
"""
WORDS = [("She", "'s", "in"), ("#",)]


@pytest.mark.parametrize(
    ("column", "tags"),
    [
        ("upos", [("PRON", "AUX", "ADV"), ("SYM",)]),
        ("xpos", [("PRP", "VBZ", "RB"), ("NN",)]),
        ("feats", [("Case=Nom", "Mood=Ind", "_"), ("_",)]),
    ],
)
def test_a_column_of_conllu(column, tags):
    assert read(UD, "conllu", column=column) == list(zip(WORDS, tags, strict=True))


def test_the_column_of_conllu_is_upos_by_default():
    assert read(UD, "conllu") == read(UD, "conllu", column="upos")


@pytest.mark.parametrize("more", [-1, 1])
def test_conllu_has_ten_columns(more):
    line = "\t".join(["1", "a", *"_" * (8 + more)])
    message = f"x:2: {10 + more} columns, CoNLL-U has 10; hint: --from conll takes any number of columns"
    assert fails(f"# text = a\n{line}\n", "conllu") == message
    assert fails(f"# text = a\n{line}\n", "conllu", targets=False) == message


def test_conllu_with_blanks_is_told():
    assert fails("1 a _ X _ _ 0 root _ _\n", "conllu").startswith("x:1: 1 column, CoNLL-U has 10")


# the way back


def written(content, kind, write):
    """A file through reader and writer, as predict prints it."""
    found = records(content, kind, targets=False)
    return "".join(f"{write(record.raw, record.values['tokens'])}\n" for record in found)


def conll_line():
    token = st.sampled_from(["a\tX", "# b", "#c O", "d  e ", "-DOCSTART- O"])
    return st.one_of(token, st.sampled_from(["", " ", "\t"]))


def ud_line():
    rows = ["\t".join([number, *"_" * 9]) for number in ("1", "2-3", "2.1", "27")]
    return st.sampled_from([*rows, "", " \t", "# a", "# text = 1", "#"])


@given(st.lists(ud_line()))
def test_conllu_comes_out_as_it_went_in_but_for_the_column(lines):
    content = "".join(f"{line}\n" for line in lines)
    found = written(content, "conllu", lambda block, tokens: conll.filled(block, tokens, "X" * len(tokens), "xpos"))
    for before, after in itertools.zip_longest(content.split("\n"), found.split("\n")):
        if before[:2] in ("1\t", "27"):
            assert after == before.removesuffix("_\t_\t_\t_\t_\t_") + "X\t_\t_\t_\t_\t_"
        else:
            assert after == before


@given(st.lists(conll_line()))
def test_every_line_of_conll_is_in_one_block(lines):
    content = "".join(f"{line}\n" for line in lines)
    file = formats.File("x", iter(lines), conll.ROLES, 1, schema.Schema("conll"))
    found = list(conll.conll(file))
    assert "".join(f"{line}\n" for record in found for line in record.raw.lines) == content
    assert all(record.values["tokens"] for record in found[:-1])


@given(st.lists(st.sampled_from(["a O", "", "\t"])))
def test_there_are_as_many_sentences_as_runs_of_tokens(lines):
    runs = sum(1 for filled, _ in itertools.groupby(lines, lambda line: bool(line.strip())) if filled)
    found = records("".join(f"{line}\n" for line in lines))
    assert sum(1 for record in found if record.values["tokens"]) == runs


@pytest.mark.skipif(not EWT.is_file(), reason="needs SEQNLP_CORPORA")
@pytest.mark.parametrize("column", ["upos", "xpos", "feats"])
def test_a_treebank_comes_out_byte_for_byte(column):
    content = EWT.read_bytes().decode()
    gold = iter([tags for _, tags in read(content, "conllu", column=column)])
    found = written(content, "conllu", lambda block, tokens: conll.filled(block, tokens, next(gold), column))
    assert found == content


def test_a_sentence_is_there_when_its_blank_line_is():
    taken = []

    def lines():
        for line in ["# a b", "a", "", "# c", "b", "", ""]:
            taken.append(line)
            yield line

    found = conll.conll(formats.File("x", lines(), conll.ROLES, 1, schema.Schema("conll")))
    assert next(found).values["tokens"] == ("a",)
    assert len(taken) == 3


# writers


def one(content, kind="conll"):
    """The block of a file with one sentence."""
    (record,) = records(content, kind, targets=False)
    return record.raw


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("a\nb\n\n", "a\tO\nb\tB-X\n"),
        ("a\tO\nb\tO", "a\tO\tO\nb\tO\tB-X"),
        ("a O\nb O\n \n", "a O O\nb O B-X\n "),
        ("-DOCSTART- O\n\n# c\nc d\tO\ne\tO\n\t", "-DOCSTART- O\n\n# c\nc d\tO\tO\ne\tO\tB-X\n\t"),
    ],
)
def test_conll_has_the_tags_appended(before, after):
    assert conll.appended(one(before), ("a", "b"), ("O", "B-X")) == after


def test_conll_from_another_format():
    assert conll.appended(None, ("a", "b"), ("O", "B-X")) == "a\tO\nb\tB-X\n"
    assert conll.appended(None, (), ()) == ""


def test_conll_from_conllu_keeps_its_columns():
    block = records(UD, "conllu")[0].raw
    lines = conll.appended(block, WORDS[0], ("A", "B", "C")).split("\n")
    assert lines[:3] == UD.split("\n")[:3]
    assert lines[3] == UD.split("\n")[3] + "\tA"
    assert lines[6] == UD.split("\n")[6]


PLUS = conll.Block(("# global.columns = ID FORM NER", "1\ta\t_", "2\tb\t_", ""), (1, 2), ("ID", "FORM", "NER"))


def test_conllu_plus_is_filled_in_by_name_and_is_none_with_a_column_more():
    filled = conll.filled(PLUS, ("a", "b"), ("O", "B-X"), "ner")
    assert filled == "# global.columns = ID FORM NER\n1\ta\tO\n2\tb\tB-X\n"
    assert conll.appended(PLUS, ("a", "b"), ("O", "B-X")) == "# columns = ID FORM NER\n1\ta\t_\tO\n2\tb\t_\tB-X\n"
    for block in (PLUS, None):
        with pytest.raises(errors.UsageError, match=r"no column sense to fill in \(it has: ID FORM .*--to conll"):
            conll.filled(block, ("a", "b"), ("O", "B-X"), "sense")


FRESH = "1\ta\t_\tX\t_\t_\t_\t_\t_\t_\n2\tb\t_\tY\t_\t_\t_\t_\t_\t_\n"


@pytest.mark.parametrize("block", [None, one("# c d e\na O\nb O\n\n"), one("\t".join("abcdefghij") + "\n")])
def test_conllu_from_another_format_has_the_tokens(block):
    assert conll.filled(block, ("a", "b"), ("X", "Y"), "upos") == FRESH


def test_what_it_wrote_can_be_read_again():
    tokens, tags = ("a", "b"), ("X", "Y")
    assert read(conll.filled(None, tokens, tags, "feats"), "conllu", column="feats") == [(tokens, tags)]
    assert read(conll.appended(None, tokens, tags)) == [(tokens, tags)]


def test_a_text_stands_above_the_tokens_that_it_was_split_into():
    lines = conll.filled(None, ("do", "n't", "!"), ("A", "B", "C"), "upos", " don't ! ").split("\n")
    assert lines[0] == "# text = don't !" and lines[-1] == ""
    assert [(line.split("\t")[3], line.split("\t")[9]) for line in lines[1:-1]] == [
        ("A", "SpaceAfter=No"),
        ("B", "_"),
        ("C", "_"),
    ]
    assert conll.filled(None, (), (), "upos", " ") == ""


@pytest.mark.parametrize("write", [conll.appended, lambda *given: conll.filled(*given, "xpos")])
def test_a_token_never_ends_a_line_or_a_column(write):
    lines = write(None, ("a\nb", "c\td", "", "e f"), ("T",) * 4).split("\n")
    cells = [line.split("\t") for line in lines if line]
    assert len(cells) == 4
    assert len(set(map(len, cells))) == 1
    assert [row[1 if len(row) > 2 else 0] for row in cells] == ["a_b", "c_d", "_", "e f"]


def test_a_comment_with_as_many_words_as_there_are_columns_has_no_tag():
    content = "# one more here\nAnna x y B-PER\n\n# x y O\n1 x y O\n\n"
    assert [tokens for tokens, _ in read(content)] == [("Anna",), ("#", "1")]


def test_what_stands_above_numbered_tokens_is_a_comment_whatever_its_columns():
    content = "#\tn-tv.de\t[2005]\tx\n1\tAnna\tB-PER\tO\n2\tran\tO\tO\n\n#\ta\tb\tc\n1\tOslo\tB-LOC\tO\n\n"
    assert read(content, tokens=2, tags=3) == TWO


@pytest.mark.parametrize("token", ["-DOCSTART-", "-DOCSTART-x", "# a = b", "# ", "a\tb", "", "#", "-DOC"])
def test_a_token_of_a_list_stays_one_in_columns(token, tmp_path):
    (tmp_path / "x.conll").write_text(conll.appended(None, [token, "x"], ["B-X", "O"]) + "\n")
    (found,) = readers.records(schema.Source((str(tmp_path / "x.conll"),)), conll.ROLES, targets=True)
    assert found.values["tags"] == ("B-X", "O")
