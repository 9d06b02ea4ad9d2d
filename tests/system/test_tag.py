"""tag through the installed command: it learns from the ends of words, and reads and writes every format."""

import gzip
import json
import os
import random
import re
from pathlib import Path
from typing import NamedTuple

import pytest

from seqnlp.preprocess.text import tag_schemes

EWT = Path(os.environ.get("SEQNLP_CORPORA", "nowhere")) / "ud_english_ewt" / "en_ewt-ud-dev.conllu"
ENDS = {"B-PER": "ova", "I-PER": "ski", "B-LOC": "ton", "I-LOC": "shire", "O": "ing"}
FILES = ["labels.json", "model.safetensors"]
SPANS = [["O"], ["O"], ["B-PER"], ["B-PER", "I-PER"], ["B-LOC"], ["B-LOC", "I-LOC"]]
SIZES = [
    "--hidden-size",
    "9",
    "--embedding-size",
    "7",
    "--char-ngram-buckets",
    "1009",
    "--char-ngram-embedding-size",
    "16",
    "--affix-embedding-size",
    "9",
]
SPEED = [
    "--precision",
    "fp32",
    "--epochs",
    "10",
    "--batch-size",
    "8",
    "--learning-rate",
    "0.02",
    "--warmup-steps",
    "10",
    "--dropout",
    "0.1",
]


def sentences(number, seed):
    """Sentences of words whose last letters tell their tag; the rest of a word is chance."""
    draw = random.Random(seed)
    for _ in range(number):
        tags = [tag for _ in range(draw.randint(1, 4)) for tag in draw.choice(SPANS)]
        stems = ["".join(draw.choice("bdfgklmnprstvz") + draw.choice("aeiou") for _ in range(2)) for _ in tags]
        yield [(stem.title() + ENDS[tag], tag) for stem, tag in zip(stems, tags, strict=True)]


def conll(part, between="\t"):
    return "".join("".join(f"{word}{between}{tag}\n" for word, tag in sentence) + "\n" for sentence in part)


def conllu(part, column=4, filled=True):
    """Sentences in ten columns, with all that is no word; the tags in one column, or `_`."""
    found = []
    for number, sentence in enumerate(part, 1):
        found += [
            f"# sent_id = {number}",
            f"# text = {' '.join(word for word, _ in sentence)}",
            "\t".join(["1-2", "x", *"_" * 8]),
        ]
        for i, (word, tag) in enumerate(sentence, 1):
            cells = [str(i), word, word.lower(), "X", "Y", "Z=1", "0", "root", f"{i - 1}:root", "SpaceAfter=No"]
            cells[column] = tag if filled else "_"
            found.append("\t".join(cells))
        found += ["\t".join([f"{len(sentence)}.1", "e", *"_" * 8]), ""]
    return "".join(f"{line}\n" for line in found)


def texts(part):
    return "".join(f"{' '.join(word for word, _ in sentence)}\n" for sentence in part)


def slashed(part):
    return "".join(f"{' '.join(f'{word}/{tag}' for word, tag in sentence)}\n" for sentence in part)


class Tagger(NamedTuple):
    """The model that all tests share, sentences that it never saw, and what it says of them."""

    seqnlp: object
    folder: Path
    result: dict
    test: list
    said: list

    def predict(self, *arguments, **rest):
        return self.seqnlp("tag", "predict", self.folder, *arguments, **rest)

    def tags(self, *words):
        """What it says of these words as one sentence: few steps taught it, so that no test may know better."""
        return [word.rsplit("/", 1)[1] for word in self.predict(stdin=f"{' '.join(words)}\n").lines[0].split(" ")]

    def eval(self, *arguments, **rest):
        return self.seqnlp("tag", "eval", self.folder, *arguments, **rest)


@pytest.fixture(scope="module")
def tagger(seqnlp, tmp_path_factory):
    folder = tmp_path_factory.mktemp("tagger")
    train, dev, test = (list(sentences(number, seed)) for number, seed in ((200, 1), (40, 2), (120, 3)))
    known = {word for sentence in train for word, _ in sentence}
    test = [sentence for sentence in test if known.isdisjoint(word for word, _ in sentence)]
    (folder / "train.conllu").write_text(conllu(train))
    (folder / "dev.conll").write_text(conll(dev))
    (folder / "test.conll").write_text(conll(test))
    files = [folder / "train.conllu", "--dev", folder / "dev.conll"]
    result = seqnlp("tag", "train", *files, "--column", "xpos", "-o", folder / "model", *SIZES, *SPEED, "-q")
    assert result.err == ""
    lines = seqnlp("tag", "predict", folder / "model", stdin=texts(test)).lines
    said = [[tuple(word.rsplit("/", 1)) for word in line.split(" ")] for line in lines]
    return Tagger(seqnlp, folder / "model", result.json, test, said)


def score(result, name):
    (found,) = [score["value"] for score in result["scores"] if score["name"] == name]
    return found


# it learns


def test_it_learns_tags_from_the_ends_of_words_it_never_saw(tagger):
    assert len(tagger.test) > 80
    result = tagger.eval(tagger.folder.parent / "test.conll").json
    assert score(result, "accuracy") > 95
    assert score(result, "f1") > 90
    assert result["scores"][0]["name"] == tagger.result["scores"][0]["name"] == "f1"
    assert score(tagger.result, "accuracy") > 95


def test_no_text_gets_illegal_tags(tagger):
    draw = random.Random(5)
    letters = "".join(ENDS.values()) + "-1."
    lines = [
        " ".join("".join(draw.choices(letters, k=draw.randint(1, 7))) for _ in range(draw.randint(1, 9)))
        for _ in range(300)
    ]
    found = tagger.predict(stdin="".join(f"{line}\n" for line in lines)).lines
    for line, text in zip(found, lines, strict=True):
        tags = [word.rsplit("/", 1)[1] for word in line.split(" ")]
        assert len(tags) == len(text.split(" "))
        assert tag_schemes.convert(tags, "IOB2") == tags


# what goes in


@pytest.mark.parametrize(
    ("name", "write", "arguments"),
    [
        ("x.conll", conll, []),
        ("x.conll", lambda part: conll(part, " "), []),
        ("x.bio", lambda part: conll(part).replace("\n\n", "\n \t\n\n"), ["--from", "conll"]),
        ("x.conllu", conllu, []),
        ("x.conllu.gz", lambda part: gzip.compress(conllu(part).encode()), []),
        (
            "x.jsonl",
            lambda part: "".join(
                json.dumps({"tokens": [word for word, _ in row], "tags": [tag for _, tag in row]}) + "\n"
                for row in part
            ),
            [],
        ),
    ],
    ids=["tabs", "blanks", "named", "conllu", "gz", "jsonl"],
)
def test_every_format_is_scored_the_same(tagger, tmp_path, name, write, arguments):
    content = write(tagger.test)
    (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    expected = tagger.eval(tagger.folder.parent / "test.conll").json
    assert tagger.eval(tmp_path / name, *arguments).json["scores"] == expected["scores"]


def test_two_files_of_words_and_tags_are_scored_the_same(tagger, tmp_path):
    (tmp_path / "words").write_text(texts(tagger.test))
    (tmp_path / "tags").write_text("".join(" ".join(tag for _, tag in row) + "\n" for row in tagger.test))
    expected = tagger.eval(tagger.folder.parent / "test.conll").json
    assert tagger.eval(tmp_path / "words", tmp_path / "tags").json["scores"] == expected["scores"]


# what comes out


@pytest.mark.parametrize("to", ["text", "conll", "conllu", "jsonl"])
@pytest.mark.parametrize("kind", ["text", "conll", "conllu"])
def test_every_way_in_and_out_says_the_same(tagger, kind, to):
    content = {"text": texts, "conll": conll, "conllu": lambda part: conllu(part, filled=False)}[kind](tagger.test)
    result = tagger.predict("--from", kind, "--to", to, stdin=content)
    assert result.err == ""
    if to == "text":
        assert result.out == slashed(tagger.said)
    elif to == "jsonl":
        found = [json.loads(line)["tag"] for line in result.lines]
        assert [list(zip(row["tokens"], row["tags"], strict=True)) for row in found] == tagger.said
    else:
        rows = [re.split("[\t ]", line) for line in result.lines if re.match(r"(\d+|[A-Z]\w+)[\t ]", line)]
        word, tag = (1, 4) if to == "conllu" else (1, 10) if kind == "conllu" else (0, -1)
        assert [(row[word], row[tag]) for row in rows] == [pair for sentence in tagger.said for pair in sentence]


def test_columns_come_back_with_the_tag_behind_them(tagger):
    content = "-DOCSTART- -X- O\n\n" + conll(tagger.test, " ").replace("\n\n", "\n\n\n", 3)
    found = tagger.predict("--from", "conll", stdin=content)
    assert [line.rsplit(" ", 1)[0] if " " in line and "DOC" not in line else line for line in found.lines] == (
        content.split("\n")[:-1]
    )


ODD = {
    "as it is": lambda content: content,
    "no blank line at the end": lambda content: content[:-1],
    "no line end at the end": lambda content: content[:-2],
    "several blank lines": lambda content: "\n\n" + content.replace("\n\n", "\n\n \t\n\n"),
    "comments between": lambda content: content.replace("\n\n", "\n\n# newdoc\n\n#\n\n", 5),
    "comments alone": lambda content: "# a\n# b\n\n# c",
    "blank lines": lambda content: "\n\n\n",
    "nothing": lambda content: "",
}


@pytest.mark.parametrize("name", ODD)
def test_conllu_comes_out_byte_for_byte_but_for_the_column(tagger, name):
    before, filled = (
        ODD[name](conllu(part, filled=full)) for part, full in ((tagger.test, False), (tagger.said, True))
    )
    found = tagger.predict("--from", "conllu", stdin=before).out
    assert found == filled if filled.endswith("\n") or not filled else found == filled + "\n"


@pytest.mark.skipif(not EWT.is_file(), reason="needs SEQNLP_CORPORA")
def test_a_treebank_comes_out_byte_for_byte_but_for_the_column(tagger):
    def without(content):
        return re.sub(r"^(\d+\t(?:[^\t\n]*\t){3})[^\t\n]*", r"\1*", content, flags=re.MULTILINE)

    before = EWT.read_bytes().decode()
    found = tagger.predict(EWT).out
    assert found != before
    assert without(found) == without(before)


def test_json_keeps_its_fields_and_gets_one_more(tagger):
    rows = [
        {"id": 1, "tokens": ["Badova", "Relaski", "New York"], "tags": "?"},
        {"tokens": "Badova Relaski", "z": {"a": [None]}},
        {"tokens": []},
    ]
    content = "".join(json.dumps(row) + "\n" for row in rows)
    found = [json.loads(line) for line in tagger.predict("--from", "jsonl", stdin=content).lines]
    assert [{key: row[key] for key in row if key != "tag"} for row in found] == rows
    assert found[0]["tag"]["tokens"] == rows[0]["tokens"]
    assert found[1]["tag"]["tags"] == tagger.tags("Badova", "Relaski")
    assert found[2]["tag"] is None


@pytest.mark.parametrize("field", [[], ["--tokens-field", "text", "--from", "jsonl"]])
def test_spans_have_their_place_in_the_text(tagger, field):
    text = "  (Bading Kulova Bozaski), deming\tNutaton."
    content = json.dumps({"text": text}) if field else text
    found = json.loads(tagger.predict("--to", "jsonl", "--tokenize", *field, stdin=content + "\n").out)
    assert found["text"] == text
    assert found["tag"]["tokens"] == ["(", "Bading", "Kulova", "Bozaski", ")", ",", "deming", "Nutaton", "."]
    spans = found["tag"]["spans"]
    assert "LOC" in [span["label"] for span in spans]
    for span in spans:
        assert list(span) == ["label", "start", "end", "score", "start_char", "end_char"]
        piece = text[span["start_char"] : span["end_char"]]
        assert "".join(piece.split()) == "".join(found["tag"]["tokens"][span["start"] : span["end"]])
        assert 0 < span["score"] <= 1


def test_the_best_sequences_come_best_first(tagger):
    found = json.loads(tagger.predict("--to", "jsonl", "--nbest", "5", stdin="Bading Kulova Bozaski\n").out)["tag"]
    probabilities = [row["score"] for row in found["nbest"]]
    assert found["nbest"][0]["tags"] == found["tags"] == tagger.tags("Bading", "Kulova", "Bozaski")
    assert len({tuple(row["tags"]) for row in found["nbest"]}) == 5
    assert probabilities == sorted(probabilities, reverse=True)
    assert 0 < probabilities[0] <= sum(probabilities) < 1.001


def test_a_model_with_itself_says_the_same(tagger):
    found = tagger.predict("--ensemble", tagger.folder, "--ensemble", tagger.folder, stdin=texts(tagger.test))
    assert found.out == slashed(tagger.said)


STRANGE = (
    "\ufeffBading Kulova\r\n"
    "\n"
    " \t \n"
    "one\u2028line\u0085and\x0bso\x0con \x00\x1b[31m\n"
    "<s> <unk> / // a/b\n"
    "\u00a0\n"
    f"{'Bading ' * 1000}\n"
    f"{'a' * 50_000} Kulova\n"
    "😀 中文\n"
    "x"
)


def test_as_many_lines_out_as_in(tagger):
    found = tagger.predict(stdin=STRANGE)
    lines = STRANGE.removeprefix("\ufeff").split("\n")
    assert found.err == ""
    assert [re.sub(r"/[BIO](-[A-Z]+)?( |$)", r"\2", line) for line in found.lines] == [
        " ".join(re.split("[ \t]+", line.strip(" \t\r"))) if line.strip() else "" for line in lines
    ]
    first, second = tagger.tags("Bading", "Kulova")
    assert found.lines[0] == f"Bading/{first} Kulova/{second}"


def test_predictions_can_be_scored_in_a_pipe(tagger):
    expected = tagger.eval(tagger.folder.parent / "test.conll").json["scores"]
    for to in ("text", "conll", "jsonl"):
        printed = tagger.predict(tagger.folder.parent / "test.conll", "--to", to).out
        found = tagger.seqnlp("score", "spans", tagger.folder.parent / "test.conll", stdin=printed).json
        assert found["scores"] == expected


def test_a_sentence_is_answered_before_the_next_one_comes(tagger, reader):
    with tagger.seqnlp.start("tag", "predict", tagger.folder, "--from", "conll", warm=True) as process:
        lines = reader(process.stdout)
        for word in ("Kulova", "Nutaton"):
            (tag,) = tagger.tags(word)
            process.stdin.write(f"{word}\tx\n\n".encode())
            process.stdin.flush()
            lines.wait_for(lambda found, last=f"{word}\tx\t{tag}": found[-2:] == [last, ""])
        process.stdin.close()
        assert process.wait(60) == 0


# scores and mistakes


def test_a_tag_that_training_never_saw_is_reported_and_wrong(tagger, tmp_path):
    first, second, *_ = tagger.tags("Kulova", "Bading", "Relaton", "Relaton")
    (tmp_path / "x.conll").write_text(f"Kulova {first}\nBading {second}\nRelaton B-NEW\nRelaton I-NEW\n")
    found = tagger.eval(tmp_path / "x.conll")
    assert found.errors == ["seqnlp: warning: 2 labels that training never saw: counted as wrong"]
    assert found.json["details"]["unseen"] == 2
    assert score(found.json, "accuracy") == 50


def test_mistakes_are_written_with_gold_beside_predicted(tagger, tmp_path):
    """Gold is what the model says, but for the last two tokens of the second sentence and the one of the third."""
    sentences = [["Bading"], ["Kulova", "Bading", "Relaton"], ["Kulova"]]
    said = [list(zip(words, tagger.tags(*words), strict=True)) for words in sentences]
    wrong = {(1, 1), (1, 2), (2, 0)}
    gold = [
        [(word, tag if (i, j) not in wrong else "B-LOC" if tag == "O" else "O") for j, (word, tag) in enumerate(row)]
        for i, row in enumerate(said)
    ]
    (tmp_path / "x.conll").write_text(conll(gold))
    tagger.eval(tmp_path / "x.conll", "--errors", tmp_path / "e.tsv")

    def differing(row, other):
        return " ".join("/".join(pair) for pair, second in zip(row, other, strict=True) if pair != second)

    header, *rows = (tmp_path / "e.tsv").read_text().splitlines()
    assert header == "where\terrors\tgold\tpredicted\ttext"
    assert [row.split("\t")[1:] for row in rows] == [
        ["2", differing(gold[1], said[1]), differing(said[1], gold[1]), "Kulova Bading Relaton"],
        ["1", differing(gold[2], said[2]), differing(said[2], gold[2]), "Kulova"],
    ]
    assert rows[0].startswith(f"{tmp_path / 'x.conll'}:3\t")


def test_a_score_under_the_wanted_one_is_reported(tagger):
    found = tagger.eval(tagger.folder.parent / "test.conll", "--fail-under", "100.1", code=5)
    assert "is under 100.1" in found.err


# other trainings


def test_vectors_give_the_size_of_the_embedding(seqnlp, tmp_path):
    (tmp_path / "v.txt").write_text("2 3\nKulova 1 2 3\nbading -1 2 0.5\n")
    (tmp_path / "x.conll").write_text("Kulova B-PER\nBading O\n\n" * 5)
    command = ["tag", "train", tmp_path / "x.conll", "--vectors", tmp_path / "v.txt", "-o", tmp_path / "m"]
    seqnlp(*command, *SIZES, "--epochs", "1", "-q")
    assert json.loads((tmp_path / "m" / "config.json").read_text())["config"]["embedding_size"] == 3
    assert seqnlp("tag", "predict", tmp_path / "m", stdin="Kulova\n").code == 0


# what is wrong

GOOD = "Kulova B-PER\nBading O\n\n" * 5
TRAIN = {
    "ragged": ("x.conll", GOOD + "a O\nb O O\n", [], ["x.conll:17: 3 columns, the lines before have 2; hint:"]),
    "no tags": ("x.conll", "a\nb\n", [], ["x.conll:1: 1 column, expected at least 2; hint: a token and its tag"]),
    "an empty tag": ("x.conll", "a\tO\nb\t\n", [], ["x.conll:2: an empty column, where the tags are"]),
    "nine columns": ("x.conllu", "1\ta\t_\tX\t_\t_\t_\t_\t_\n", [], ["x.conllu:1: 9 columns, CoNLL-U has 10"]),
    "empty": ("x.conll", "", [], ["x.conll: no examples"]),
    "blank": ("x.conll", "\n \t\n# a b c\n", [], ["x.conll: no examples"]),
    "one tag": ("x.conll", "a B-X\n\nb B-X\n", [], ["x.conll: the training part has only one tag (B-X)"]),
    "lengths": ("x.jsonl", '{"tokens": ["a", "b"], "tags": ["O"]}\n', [], ["x.jsonl:1: 2 tokens, 1 tag; hint:"]),
    "numbers": ("x.jsonl", '{"tokens": ["a"], "tags": [1]}\n', [], ["x.jsonl:1: the tags are not a list of strings"]),
    "no field": (
        "x.jsonl",
        '{"said": ["a"], "tags": ["O"]}\n',
        [],
        ["x.jsonl:1: no field 'tokens'", "--tokens-field"],
    ),
    "a blank in a tag": ("x.conll", "a\tB X\nb\tO\n", [], ["x.conll:1: not a tag: 'B X'"]),
    "column": ("x.conll", GOOD, ["--tag-column", "3"], ["x.conll:1: 2 columns, expected at least 3"]),
    "vectors": ("x.conll", GOOD, ["--vectors", "v.txt"], ["v.txt:2: not a word and 2 numbers"]),
}


@pytest.mark.parametrize("name", TRAIN)
def test_a_corpus_that_cannot_be_trained_on_is_reported(seqnlp, name):
    file, content, flags, words = TRAIN[name]
    (seqnlp.folder / file).write_text(content)
    (seqnlp.folder / "v.txt").write_text("Kulova 1 2\nBading 1\n")
    found = seqnlp("tag", "train", "-q", file, *flags, "-o", "nothing", *SIZES, "--epochs", "1", code=3)
    assert len(found.errors) == 1, found.err
    assert all(word in found.err for word in words), found.err
    assert found.out == ""
    assert not (seqnlp.folder / "nothing").exists()


PREDICT = {
    "ragged": ("conll", "a x\n\nb\n", "stdin:3: 1 column, the lines before have 2"),
    "conllu": ("conllu", "# a\n1 a b\n", "stdin:2: 1 column, CoNLL-U has 10"),
    "json": ("jsonl", '{"tokens": ["a"]}\n{"tokens"\n', "stdin:2: not JSON"),
    "null": ("jsonl", '{"tokens": null}\n', "stdin:1: the field 'tokens' is null"),
    "number": ("jsonl", '{"tokens": 3}\n', "stdin:1: the tokens are not a list of strings"),
}


@pytest.mark.parametrize("name", PREDICT)
def test_an_input_that_cannot_be_read_is_reported(tagger, name):
    kind, content, message = PREDICT[name]
    found = tagger.predict("--from", kind, stdin=content, code=3)
    assert len(found.errors) == 1
    assert message in found.err


def test_a_span_without_a_beginning_is_repaired(seqnlp, tmp_path):
    models = []
    for tag in ("I-PER", "B-PER"):
        folder = tmp_path / tag
        folder.mkdir()
        (folder / "x.conll").write_text(f"Kulova {tag}\nBading O\nDemiton B-LOC\n\n" * 9)
        corpus = [folder / "x.conll", "--dev", folder / "x.conll"]
        result = seqnlp("tag", "train", *corpus, "-o", folder / "m", *SIZES, *SPEED, "--epochs", "2", "-q").json
        models.append([score(result, "f1"), *((folder / "m" / file).read_bytes() for file in FILES)])
    assert models[0] == models[1]
