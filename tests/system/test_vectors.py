"""--vectors through the installed command: from pipes, kept by what encode makes and by a model, told apart."""

import struct

import pytest

VECTORS = {"film": (1, 2, 3), "lovely": (0, 1, 2), "the": (1, 1, 0), "unheard": (3, 2, 1)}
TEXT = "4 3\n" + "".join(f"{word} {' '.join(map(str, row))}\n" for word, row in VECTORS.items())
BINARY = b"4 3\n" + b"".join(word.encode() + b" " + struct.pack("<3f", *row) for word, row in VECTORS.items())
TAGGED = "the O\nlovely O\nfilm B-X\n\na O\nfilm B-X\n\n" * 3
SMALL = "--hidden-size 5 --epochs 1 --precision fp32"
GRAMS = "--char-ngram-buckets 99"  # of a text; encoded rows have theirs
TRAIN = f"seqnlp {{task}} train {{train}} --dev {{dev}} --vectors {{vectors}} -o {{model}} {GRAMS} {SMALL}"


@pytest.fixture
def place(tmp_path, corpus, as_tsv):
    """A folder with corpora and vectors."""
    (tmp_path / "x.tsv").write_text(as_tsv(corpus["train"][:60]))
    (tmp_path / "y.tsv").write_text(as_tsv(corpus["dev"]))
    (tmp_path / "x.conll").write_text(TAGGED)
    (tmp_path / "y.conll").write_text("the O\nfilm B-X\n\n")
    (tmp_path / "v.vec").write_text(TEXT)
    (tmp_path / "v.bin").write_bytes(BINARY)
    return tmp_path


@pytest.fixture
def train(place, seqnlp):
    """Train with vectors as a shell names them; return the result, whose `weights` are the model's."""

    def run(vectors, model, task="classify"):
        corpus = "x.conll" if task == "tag" else "x.tsv"
        line = TRAIN.format(task=task, train=corpus, dev=corpus, vectors=vectors, model=model)
        return seqnlp.shell(line, place, warm=True)

    return run


def weights(folder):
    return (folder / "model.safetensors").read_bytes()


PIPES = {"classify": {"b": "<(gzip -c v.vec)", "c": "v.bin"}, "tag": {"b": "<(cat v.bin)"}}


@pytest.mark.parametrize("task", PIPES)
def test_vectors_may_come_from_a_pipe_and_in_binary_form(train, place, task):
    done = train("v.vec", "a", task)
    assert done.code == 0, done.err
    (said,) = [line for line in done.errors if "have a vector" in line]
    assert said.startswith("seqnlp: v.vec: 4 of ")
    assert said.endswith(" words of the vocabulary have a vector of 3 numbers")
    for model, vectors in PIPES[task].items():
        assert train(vectors, model, task).code == 0
        assert weights(place / model) == weights(place / "a")


def test_a_run_is_known_by_what_its_vectors_are_not_by_their_name(train, place):
    first = train("<(cat v.vec)", "a")
    assert first.code == 0
    again = train("v.vec", "a")
    assert (again.code, again.json["scores"]) == (0, first.json["scores"])
    (place / "v.vec").write_text(TEXT.replace("1 2 3", "3 2 1"))
    other = train("v.vec", "a")
    assert other.code == 2 and "a: holds another run (other contents of a file that an option names" in other.err


@pytest.mark.parametrize("task", ["classify", "tag"])
def test_an_encoded_corpus_and_a_model_keep_their_vectors(train, place, seqnlp, task):
    corpus = "x.conll" if task == "tag" else "x.tsv"
    assert train("v.vec", "a", task).code == 0
    line = f"seqnlp encode {task} {corpus} --vectors <(cat v.vec) {GRAMS} -o e"
    line += f" && seqnlp encode {task} {corpus} --codec e -o d && seqnlp encode {task} {corpus} --codec a -o f"
    done = seqnlp.shell(line, place, warm=True)
    assert done.code == 0, done.err
    (place / "v.vec").unlink()
    (place / "elsewhere").mkdir()
    command = f"seqnlp {task} train {{}} -o {{}} {SMALL}"
    done = seqnlp.shell(command.format("../e --dev ../d", "m"), place / "elsewhere", warm=True)
    assert done.code == 0, done.err
    assert weights(place / "elsewhere" / "m") == weights(place / "a")
    for corpora, model in (("f --dev f", "g"), (f"{corpus} --dev y{corpus[1:]}", "h --init-from a")):
        line = command.format(corpora, model)
        done = seqnlp.shell(line.replace("--hidden-size 5", "") if "init" in model else line, place, warm=True)
        assert done.code == 0, done.err


def test_words_that_are_not_utf_8_are_counted_in_a_warning(place, seqnlp):
    (place / "v.vec").write_bytes(b"caf\xe9 1 2 3\n" + TEXT.encode().split(b"\n", 1)[1])
    done = seqnlp.shell("seqnlp encode classify x.tsv --vectors v.vec -o e", place, warm=True)
    assert done.code == 0
    assert done.err.startswith("seqnlp: warning: v.vec: 4 of ")
    assert done.err.endswith(" have a vector of 3 numbers; 1 of its words passed over, not UTF-8\n")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"PK\x03\x04\x14\0", "is a zip archive; hint: --vectors <(unzip -p"),
        (struct.pack("<ii", 793712314, 12) + bytes(50), "is a model of fastText; hint: its .vec file"),
        (BINARY[:-4], "ends after 3 of 4 word vectors"),
        (b"le 1 2\nla 2 1\n", "has no vector for any of the words"),
    ],
)
def test_what_cannot_be_vectors_is_said(place, seqnlp, content, words):
    (place / "v").write_bytes(content)
    done = seqnlp.shell("seqnlp encode classify x.tsv --vectors v -o e", place, warm=True)
    assert done.code == 3 and words in done.err and len(done.errors) == 1
    assert not (place / "e").exists()
