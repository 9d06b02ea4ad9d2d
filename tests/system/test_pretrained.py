"""--pretrained through the installed command: what begins with a language model, and is known by its weights."""

import json
import shutil

import pytest

SMALL = ["--hidden-size", "5", "--embedding-size", "3"]
QUICK = [*SMALL, "--epochs", "1", "--precision", "fp32"]
TAGGED = "the O\nlovely O\nfilm B-X\n\na O\nfilm B-X\n\n" * 3
CORPORA = {"classify": ("x.tsv", "y.tsv"), "tag": ("x.conll", "x.conll")}


@pytest.fixture(scope="module")
def place(seqnlp, tmp_path_factory, corpus, as_tsv):
    """A folder with corpora and a language model of their words, and of some that they lack."""
    folder = tmp_path_factory.mktemp("pretrained")
    (folder / "x.tsv").write_text(as_tsv(corpus["train"][:60]))
    (folder / "y.tsv").write_text(as_tsv(corpus["dev"]))
    (folder / "x.conll").write_text(TAGGED)
    (folder / "text.txt").write_text("".join(f"{text} unheard\n" for text, _ in corpus["train"]))
    train = ["lm", "train", folder / "text.txt", "--level", "word", "--direction", "both", "--layers", "1", *QUICK]
    for name, seed in (("lm", 1), ("other", 2)):
        seqnlp(*train, "-o", folder / name, "--seed", seed)
    return folder


def train(seqnlp, place, task, model, *flags, code=0, source="lm"):
    files = [place / CORPORA[task][0], "--dev", place / CORPORA[task][1]]
    return seqnlp(task, "train", *files, "-o", place / model, "--pretrained", place / source, *QUICK, *flags, code=code)


@pytest.mark.parametrize("task", CORPORA)
def test_a_model_knows_the_words_and_the_hash_of_what_it_began_with(seqnlp, place, task):
    done = train(seqnlp, place, task, task)
    (said,) = [line for line in done.errors if "begin with" in line]
    assert said.startswith(f"seqnlp: {place / 'lm'}: ")
    assert said.endswith(f"; 1 of {1 if task == 'classify' else 2} layers with its weights, forward and backward")
    config = json.loads((place / task / "config.json").read_text())
    source = json.loads((place / "lm" / "config.json").read_text())
    assert config["run"]["pretrained"] == source["files"]["model.safetensors"]
    assert "unheard" in json.loads((place / task / "tokenizer.json").read_text())["model"]["vocab"]
    again = train(seqnlp, place, task, task)
    assert again.json["scores"] == done.json["scores"] and "finished already" in again.err
    other = train(seqnlp, place, task, task, code=2, source="other")
    assert "holds another run (another model in --pretrained)" in other.err


def test_the_model_needs_it_no_more(seqnlp, place, tmp_path):
    shutil.copytree(place / "lm", tmp_path / "lm")
    train(seqnlp, place, "classify", tmp_path / "m", source=tmp_path / "lm")
    shutil.rmtree(tmp_path / "lm")
    assert len(seqnlp("classify", "predict", tmp_path / "m", stdin="a film\n\nunheard\n").lines) == 3


def test_an_encoded_corpus_begins_with_it_too(seqnlp, place, tmp_path):
    seqnlp("encode", "classify", place / "x.tsv", "-o", tmp_path / "e")
    files = [tmp_path / "e", "--dev", tmp_path / "e"]
    done = seqnlp("classify", "train", *files, "-o", tmp_path / "m", "--pretrained", place / "lm", *QUICK)
    assert " words begin with its vectors; 1 of 1 layers with its weights" in done.err


@pytest.mark.parametrize(
    ("flags", "source", "code", "words"),
    [
        (["--hidden-size", "7", "--cell", "gru"], "lm", 4, "cell and sizes; hint: --cell lstm --hidden-size 5"),
        (["--vectors", "x.vec"], "lm", 2, "--vectors and --pretrained exclude each other"),
        ([], "classify-model", 4, "is a model of classify, not of lm"),
        ([], "nothing", 4, "no model here"),
    ],
)
def test_what_does_not_fit_is_refused_in_a_line(seqnlp, place, model, tmp_path, flags, source, code, words):
    (place / "x.vec").write_text("film 1 2 3\n")
    flags = [place / flag if flag == "x.vec" else flag for flag in flags]
    source = model if source == "classify-model" else place / source
    done = train(seqnlp, place, "classify", tmp_path / "m", "-q", *flags, code=code, source=source)
    assert words in done.err and len(done.errors) == 1
