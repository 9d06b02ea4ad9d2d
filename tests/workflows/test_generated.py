"""Generated corpora, as people write them: what they hold is read, and comes out of predict with a column more."""

import csv
import dataclasses
import gzip
import io

import hypothesis
import pytest
from hypothesis import strategies as st

from seqnlp.preprocess.corpora import readers, schema
from seqnlp.workflows import interface, predict

BRIEF = {"translate": {"beam_size": 1, "max_length_ratio": 0.1}}  # what it makes of a text is no matter
TINY = dict(embedding_size=3, hidden_size=3, epochs=1, batch_size=8, precision="fp32")
WORDS = st.sampled_from(["good", "bad", "über", "it's", "naïve,", "so;", "a|b", "x,y", "--", "end.", "#1"])
QUOTED = st.sampled_from(['"yes"', "two\nlines", "a\ttab", ' "'])
ENCODINGS = st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "cp1252"])
ENDS = st.sampled_from(["\n", "\r\n"])


@dataclasses.dataclass(frozen=True)
class Corpus:
    """A file, how it is to be read, what it holds: values by role, its header and cells."""

    name: str
    data: bytes
    options: dict
    values: list
    header: list | None
    cells: list


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """A tiny model of each task."""
    place = tmp_path_factory.mktemp("models")
    contents = {
        "classify": ("x.tsv", "so good\tpos\ntoo bad\tneg\n" * 4, dict(char_ngram_buckets=50)),
        "tag": ("x.conll", "so\tX\ngood\tY\n\n" * 8, dict(char_ngram_buckets=50, layers=1, column="NER")),
        "translate": ("x.tsv", "so good\tsehr gut\ntoo bad\tzu arg\n" * 4, dict(vocab_size=300)),
    }
    found = {}
    for task, (name, content, settings) in contents.items():
        path = place / name
        path.write_text(content)
        interface.train(task, path, place / task, dev=path, device="cpu", **TINY, **settings)
        found[task] = predict.load(place / task, device="cpu", precision="fp32")
    return found


def stored(draw, text, name):
    """A text as a file in some encoding, its lines in CRLF or LF, and what has to be said of it."""
    encoding = draw(ENCODINGS)
    data = text.replace("\n", draw(ENDS)).encode(encoding, "replace")
    if draw(st.booleans()):
        name, data = f"{name}.gz", gzip.compress(data)
    return draw(st.sampled_from([name, name.upper()])), data, "cp1252" if encoding == "cp1252" else "utf-8"


def written(draw, rows, delimiter):
    """Rows as a .csv, in which any cell may stand in quotes and some must."""

    def shown(cell):
        special = any(sign in cell for sign in ('"', "\n", delimiter)) or cell != cell.strip()
        return '"' + cell.replace('"', '""') + '"' if special or draw(st.booleans()) else cell

    return "".join(delimiter.join(map(shown, row)) + "\n" for row in rows)


@st.composite
def tables(draw, roles, headers, targets):
    """A table of two roles, maybe with a column more before them."""
    kind, delimiter = draw(st.sampled_from([("tsv", "\t"), *(("csv", sign) for sign in ",;\t|")]))
    words = st.lists(WORDS if kind == "tsv" else WORDS | QUOTED, min_size=3, max_size=7)
    texts = draw(st.lists(words, min_size=8, max_size=14))
    values = [(f"{n} {' '.join(text)}".strip(), draw(targets(n))) for n, text in enumerate(texts)]
    header = draw(st.sampled_from(headers))
    order = draw(st.sampled_from([(0, 1), (1, 0)])) if header or roles[1] == "label" else (0, 1)
    extra = draw(st.booleans())
    columns = {}
    if extra and (header is None or header[0] == "remark"):
        numbers = {role: str(order.index(place) + 2) for place, role in enumerate(roles)}
        columns = numbers if header is None else dict(zip(roles, header, strict=True))
    cells = [[f"n{n}"] * extra + [row[place] for place in order] for n, row in enumerate(values)]
    named = header and ["id"] * extra + [header[place] for place in order]
    rows = [named, *cells] if named else cells
    text = written(draw, rows, delimiter) if kind == "csv" else "".join("\t".join(row) + "\n" for row in rows)
    name, data, encoding = stored(draw, text, f"x.{kind}")
    return Corpus(name, data, {"columns": columns, "encoding": encoding}, values, named, cells)


def classes(draw_from):
    """The labels of rows in turn: each has to come often."""
    return lambda n: st.just(draw_from[n % 2])


LABELS = st.sampled_from([["pos", "neg"], ["1", "0"], ["Bank, Karte", "Größe"]])
TEXTS = LABELS.flatmap(
    lambda labels: tables(
        ("text", "label"),
        [None, ("text", "label"), ("Review", "Sentiment"), ("remark", "verdict")],
        classes(labels),
    )
)
PAIRS = tables(
    ("source", "target"),
    [None, ("source", "target"), ("SRC", "Tgt"), ("de", "en")],
    lambda n: st.lists(WORDS, min_size=1, max_size=4).map(" ".join),
).filter(lambda corpus: not corpus.header or corpus.options["columns"] or _in_order(corpus.header))


def _in_order(header):
    """Languages name the columns in the order of source and target; id is a language too, so it must not come first."""
    return "de" not in header or (header.index("de") < header.index("en") and header[:2] != ["id", "de"])


@st.composite
def columns(draw):
    """Sentences in columns of CoNLL, CoNLL-U or CoNLL-U Plus."""
    form = draw(st.sampled_from(["\t", " ", "plus"]))
    width = draw(st.integers(2, 4))
    token = st.sampled_from(["Anna", "über", "it's", ",", "#1", "x/y", '"', "1"])
    sentences = draw(st.lists(st.lists(token, min_size=1, max_size=4), min_size=4, max_size=8))
    tags = [["B-PER", *["O"] * (len(sentence) - 1)] for sentence in sentences]
    text = "# global.columns = ID FORM NER\n" if form == "plus" else draw(st.sampled_from(["", "-DOCSTART- O\n\n"]))
    for sentence, row in zip(sentences, tags, strict=True):
        text += draw(st.sampled_from(["", "# text = a comment as there are many\n"]))
        for number, (word, tag) in enumerate(zip(sentence, row, strict=True), 1):
            cells = [str(number), word, tag] if form == "plus" else [word, *["_"] * (width - 2), tag]
            text += ("\t" if form == "plus" else form).join(cells) + "\n"
        text += "\n"
    names = ["x.conll", "x.txt", "x.tsv", *["x.conllu"] * (form == "plus")]
    name, data, encoding = stored(draw, text, draw(st.sampled_from(names)))
    values = [(tuple(sentence), tuple(row)) for sentence, row in zip(sentences, tags, strict=True)]
    return Corpus(name, data, {"encoding": encoding}, values, None, [[" ".join(sentence)] for sentence in sentences])


def come_back(folder, model, corpus):
    """Read a corpus with its targets, then predict as a model does that was trained on it; compare with what it is."""
    path = folder / corpus.name
    path.write_bytes(corpus.data)
    task, config = model.task, model.config
    source = schema.Source((str(path),), layout=task.layout(config), **corpus.options)
    found = [tuple(record.values.values())[:2] for record in readers.records(source, task.roles, targets=True)]
    assert [values for values in found if values[0]] == corpus.values
    model = dataclasses.replace(model, remembered=schema.Schema.from_dict(source.schema.to_dict()))
    search = task.Search(**BRIEF.get(task.name, {}))
    inputs = schema.Source((str(path),), encoding=corpus.options["encoding"])
    examples = list(task.read_inputs(model.source(inputs), config, search))
    write = model.writer("csv", search, source.schema)
    text = "".join(map(write, examples, model.run(examples, search)))
    parted = source.schema.delimiter or ","
    rows = [row for row in csv.reader(io.StringIO(text, newline=""), delimiter=parted, strict=True) if row]
    if corpus.header is not None:
        assert rows.pop(0)[: len(corpus.header)] == corpus.header
    return rows


@hypothesis.given(TEXTS)
@hypothesis.settings(max_examples=80)
def test_texts_and_labels_come_back_as_they_were_made(tmp_path_factory, models, corpus):
    rows = come_back(tmp_path_factory.mktemp("corpus"), models["classify"], corpus)
    assert [row[:-2] for row in rows] == corpus.cells
    assert all(row[-2] in ("pos", "neg") and 0 < float(row[-1]) <= 1 for row in rows)


@hypothesis.given(PAIRS)
@hypothesis.settings(max_examples=25)
def test_pairs_come_back_as_they_were_made(tmp_path_factory, models, corpus):
    rows = come_back(tmp_path_factory.mktemp("corpus"), models["translate"], corpus)
    assert [row[:-2] for row in rows] == corpus.cells


@hypothesis.given(columns())
@hypothesis.settings(max_examples=60)
def test_columns_come_back_as_they_were_made(tmp_path_factory, models, corpus):
    rows = come_back(tmp_path_factory.mktemp("corpus"), models["tag"], corpus)
    assert rows.pop(0) == ["tokens", "tags"]
    assert [row[:1] for row in rows if row[0]] == corpus.cells
