"""The Python interface: the same model as the command makes, the same errors."""

import logging

import pytest

import seqnlp
from seqnlp import errors
from seqnlp.cli import main

SMALL = {"embedding_size": 3, "hidden_size": 3, "char_ngram_buckets": 11, "epochs": 2, "precision": "fp32"}


@pytest.fixture
def shell():
    """Run a command in this process, and leave the log as it was."""
    log = logging.getLogger("seqnlp")
    before = log.level, log.propagate, list(log.handlers)

    def run(*arguments):
        with pytest.raises(SystemExit) as end:
            main(list(map(str, arguments)))
        assert not end.value.code

    yield run
    log.setLevel(before[0])
    log.propagate, log.handlers = before[1:]


@pytest.fixture
def corpus(tmp_path):
    path = tmp_path / "x.tsv"
    path.write_text("so good\tpos\ntoo bad\tneg\n" * 5)
    return path


def test_it_makes_the_model_that_the_command_makes(tmp_path, corpus, shell):
    result = seqnlp.train("classify", corpus, tmp_path / "python", dev=corpus, **SMALL)
    flags = [part for name, value in SMALL.items() for part in (f"--{name.replace('_', '-')}", str(value))]
    shell("classify", "train", corpus, "--dev", corpus, "-o", tmp_path / "shell", "-q", *flags)
    for name in ("model.safetensors", "tokenizer.json", "labels.json"):
        assert (tmp_path / "python" / name).read_bytes() == (tmp_path / "shell" / name).read_bytes()
    assert result["model"] == str(tmp_path / "python")
    assert seqnlp.load(result["model"]).predict(["so good"]) == seqnlp.load(tmp_path / "shell").predict(["so good"])


def test_a_model_says_in_a_line_what_it_is(tmp_path, corpus):
    seqnlp.train("classify", corpus, tmp_path / "m", dev=corpus, **SMALL)
    model = seqnlp.load(tmp_path / "m", device="cpu")
    number = model.content["sizes"]["parameters"]
    score = f"accuracy {model.content['scores'][0]['value']:.2f} on dev"
    assert repr(model) == f"<seqnlp model: classify, 2 labels, {score}, {number:,} parameters, cpu>"
    assert model.predict(iter(["so good", " "]))[1] is None
    for one in ("so good", b"so good", {"text": "so good"}):
        with pytest.raises(TypeError, match=r"expected a list: predict\(\[text\]\)"):
            model.predict(one)
    with pytest.raises(errors.UsageError, match="no setting 'treshold'; hint: did you mean threshold"):
        model.predict(["so good"], treshold=0.5)
    with pytest.raises(errors.UsageError, match=r"threshold is 5, expected a number from 0\.0"):
        model.predict(["so good"], threshold=5)


@pytest.mark.parametrize("wrong", [5, None, {"a": 1}])
def test_an_input_that_is_no_text_is_refused_with_its_number(tmp_path, corpus, wrong):
    seqnlp.train("classify", corpus, tmp_path / "m", dev=corpus, **SMALL)
    with pytest.raises(errors.DataError, match="input:2"):
        seqnlp.load(tmp_path / "m", device="cpu").predict(["so good", wrong])


def test_only_public_names_are_public():
    assert dir(seqnlp) == sorted(seqnlp.__all__) == ["__version__", "errors", "load", "train"]


def test_a_task_s_own_defaults_hold(tmp_path, corpus):
    seqnlp.train("classify", [corpus], tmp_path / "m", dev=[corpus], **SMALL)
    settings = seqnlp.load(tmp_path / "m").content["training"]
    assert (settings["learning_rate"], settings["ema_decay"]) == (8e-3, 0.99)


@pytest.mark.parametrize(
    ("task", "settings", "said"),
    [
        ("classify", {"hiden_size": 3}, "classify has no setting 'hiden_size'; hint: did you mean hidden_size?"),
        ("clasify", {}, "no task 'clasify'"),
        ("classify", {"layers": 0}, "layers is 0, expected a whole number from 1 to 8"),
        ("classify", {"init_from": "elsewhere", "layers": 2}, "layers cannot be given with init_from"),
    ],
)
def test_wrong_settings_are_refused(tmp_path, corpus, task, settings, said):
    with pytest.raises(errors.UsageError, match=said.replace("?", r"\?")):
        seqnlp.train(task, corpus, tmp_path / "m", **settings)
    assert not (tmp_path / "m").exists()


def test_a_file_that_is_not_there_is_told(tmp_path):
    with pytest.raises(errors.UsageError, match="no such file"):
        seqnlp.train("classify", "nowhere.tsv", tmp_path / "m")
