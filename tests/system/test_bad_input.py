"""What a person gets wrong: one line on stderr that says where and what to do, the right code, nothing half-written."""

import gzip
import json
import os
import shutil
import sys

import pytest

GOOD = "a lovely film\tgood\nan awful film\tbad\n" * 5


def damaged_gzip():
    """A .gz file with a damaged middle."""
    content = bytearray(gzip.compress(os.urandom(5000) + GOOD.encode() * 100))
    content[300:340] = bytes(byte ^ 0x55 for byte in content[300:340])
    return bytes(content)


# file name -> content
CORPORA = {
    "empty.tsv": "",
    "blank.tsv": "\n\n",
    "one.tsv": "a\tx\nb\tx\n",
    "few.tsv": GOOD + "no label here\n",
    "many.tsv": GOOD + "a\tb\tc\n",
    "nolabel.tsv": GOOD + "text\t\n",
    "bytes.tsv": GOOD.encode() + b"caf\xe9\tgood\n",
    "broken.csv": 'text,label\na,x\n"b\nc,y\n',
    "broken.jsonl": '{"text": "a", "label": "x"}\n{"text": \n',
    "array.jsonl": '{"text": "a", "label": "x"}\n["a", "x"]\n',
    "field.jsonl": '{"text": "a", "label": "x"}\n{"txt": "a", "label": "x"}\n',
    "null.jsonl": '{"text": "a", "label": "x"}\n{"text": null, "label": "x"}\n',
    "number.jsonl": '{"text": "a", "label": "x"}\n{"text": {"a": 1}, "label": "x"}\n',
    "label.jsonl": '{"text": "a", "label": "x"}\n{"text": "a", "label": {"a": 1}}\n',
    "header.csv": "a,b\n1,2\n",
    "short.txt": "a\n",
    "long.txt": "a\nb\nc\n",
    "nomark.ft": "__label__x a\nno mark\n",
    "damaged.tsv.gz": damaged_gzip(),
    "cut.tsv.gz": gzip.compress(GOOD.encode() * 1000)[:60],
    "not.tsv.gz": GOOD,
}

# case -> (TRAIN and flags, exit code, words of the message)
TRAIN = {
    "missing": (["nowhere.tsv"], 2, ["nowhere.tsv", "no such file"]),
    "second missing": (["good.tsv", "nowhere.tsv"], 2, ["nowhere.tsv", "no such file"]),
    "folder": (["folder"], 2, ["folder"]),
    "dev missing": (["good.tsv", "--dev", "nowhere.tsv"], 2, ["nowhere.tsv", "no such file"]),
    "one of a pair": (["long.txt"], 2, ["long.txt", "label"]),
    "pair": (["long.txt", "short.txt"], 3, ["long.txt", "3", "short.txt", "1"]),
    "encoding": (["good.tsv", "--encoding", "nonsense"], 2, ["nonsense", "utf-8"]),
    "normalize": (["good.tsv", "--normalize", "nonsense"], 2, ["nonsense", "nfkc"]),
    "device": (["good.tsv", "--device", "nonsense"], 2, ["nonsense", "cpu"]),
    "grams": (["good.tsv", "--min-char-ngram", "5", "--max-char-ngram", "3"], 2, ["gram"]),
    "init missing": (["good.tsv", "--init-from", "nowhere"], 4, ["nowhere"]),
    "init folder": (["good.tsv", "--init-from", "folder"], 4, ["folder"]),
    "init flags": (["good.tsv", "--init-from", "model", "--hidden-size", "99"], 2, ["hidden"]),
    "memory": (["good.tsv", "--hidden-size", "30000000"], 1, ["memory"]),
    "empty": (["empty.tsv"], 3, ["empty.tsv"]),
    "blank": (["blank.tsv"], 3, ["blank.tsv"]),
    "dev empty": (["good.tsv", "--dev", "empty.tsv"], 3, ["empty.tsv"]),
    "one class": (["one.tsv"], 3, ["one class", "x"]),
    "few columns": (["few.tsv"], 3, ["few.tsv:11", "1 column", "expected 2"]),
    "many columns": (["many.tsv"], 3, ["many.tsv:11", "3 columns", "expected 2"]),
    "no label": (["nolabel.tsv"], 3, ["nolabel.tsv:11", "no label"]),
    "bytes": (["bytes.tsv"], 3, ["bytes.tsv:11", "utf-8", "--encoding"]),
    "csv": (["broken.csv"], 3, ["broken.csv:3", "CSV"]),
    "json": (["broken.jsonl"], 3, ["broken.jsonl:2", "JSON"]),
    "array": (["array.jsonl"], 3, ["array.jsonl:2", "object"]),
    "field": (["field.jsonl"], 3, ["field.jsonl:2", "'text'", "txt", "--text-field"]),
    "null": (["null.jsonl"], 3, ["null.jsonl:2", "text", "null"]),
    "number": (["number.jsonl"], 3, ["number.jsonl:2", "string"]),
    "label": (["label.jsonl"], 3, ["label.jsonl:2", "label"]),
    "column": (["header.csv", "--text-field", "body"], 3, ["header.csv:1", "body", "--text-field"]),
    "fastText": (["nomark.ft"], 3, ["nomark.ft:2", "__label__"]),
    "damaged gz": (["damaged.tsv.gz"], 3, ["damaged.tsv.gz"]),
    "cut gz": (["cut.tsv.gz"], 3, ["cut.tsv.gz"]),
    "no gz": (["not.tsv.gz"], 3, ["not.tsv.gz"]),
    "-o file": (["good.tsv", "-o", "good.tsv"], 2, ["good.tsv", "folder"]),
    "-o under a file": (["good.tsv", "-o", "good.tsv/model"], 2, ["good.tsv"]),
}


@pytest.fixture(scope="module")
def told(seqnlp, model):
    """What train says in each case."""
    for name, content in {"good.tsv": GOOD, **CORPORA}.items():
        (seqnlp.folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    (seqnlp.folder / "folder").mkdir(exist_ok=True)
    commands = {}
    for number, (case, (arguments, _, _)) in enumerate(TRAIN.items()):
        dev = [] if "--dev" in arguments else ["--dev", "good.tsv"]
        out = [] if "-o" in arguments else ["-o", f"bad{number}"]
        commands[case] = (["classify", "train", "-q", *out, *dev, "--epochs", "1", *arguments], b"")
    return {case: seqnlp(*arguments, stdin=stdin, code=None) for case, (arguments, stdin) in commands.items()}


@pytest.mark.parametrize("case", TRAIN)
def test_train_says_in_one_line_where_and_what(told, seqnlp, case):
    result, (_, code, words) = told[case], TRAIN[case]
    assert result.code == code, result
    assert result.out == "" and len(result.errors) == 1 and result.err.startswith("seqnlp: "), result
    assert "internal error" not in result.err and "Traceback" not in result.err
    for word in words:
        assert word in result.err
    folder = seqnlp.folder / f"bad{list(TRAIN).index(case)}"
    assert not (folder / "config.json").exists() and not (folder / "model.safetensors").exists()


def edited(**changes):
    """Return what edits config.json."""

    def edit(folder):
        path = folder / "config.json"
        path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))

    return edit


def setting(part="config", **changes):
    """Return what edits settings in config.json; those that become `...` go."""

    def edit(folder):
        before = json.loads((folder / "config.json").read_text())[part]
        edited(**{part: {name: value for name, value in {**before, **changes}.items() if value is not ...}})(folder)

    return edit


def removed(name):
    """Return what removes a file."""
    return lambda folder: (folder / name).unlink()


def written(name, content):
    """Return what overwrites a file."""
    return lambda folder: (folder / name).write_bytes(content)


def flipped(folder):
    """Flip a bit in the weights."""
    path = folder / "model.safetensors"
    content = bytearray(path.read_bytes())
    content[-5] ^= 1
    path.write_bytes(bytes(content))


# case -> (what is done to the folder, words of the message)
MODELS = {
    "weights damaged": (flipped, ["model.safetensors", "damaged"]),
    "weights cut": (written("model.safetensors", b"short"), ["model.safetensors"]),
    "weights missing": (removed("model.safetensors"), ["model.safetensors", "missing"]),
    "labels missing": (removed("labels.json"), ["labels.json", "missing"]),
    "labels changed": (written("labels.json", b"{}"), ["labels.json", "changed"]),
    "tokenizer missing": (removed("tokenizer.json"), ["tokenizer.json", "missing"]),
    "config missing": (removed("config.json"), ["no model"]),
    "config not json": (written("config.json", b"{"), ["config.json"]),
    "config empty": (written("config.json", b'{"format_version": 1}'), ["copied"]),
    "another program's": (written("config.json", b'{"model_type": "bert"}'), ["config.json"]),
    "another format": (edited(format_version=99), ["99", "1", "train again"]),
    "another task": (edited(task="tag"), ["tag", "classify"]),
    "no task": (edited(task="nonsense"), ["nonsense"]),
    "other sizes": (setting(hidden_size=99), ["copied", "do not fit together", "train again"]),
    "unknown setting": (setting(hiden=7), ["config.json", "unknown setting 'hiden'"]),
    "missing setting": (setting(hidden_size=...), ["config.json", "missing setting 'hidden_size'"]),
    "setting out of range": (setting(layers=9), ["config.json", "layers", "9", "from 1 to 8"]),
    "setting of another type": (setting(dropout="0.5"), ["config.json", "dropout", "a number from 0.0 to 0.95"]),
    "setting of no choice": (setting(pooling="median"), ["config.json", "pooling", "median", "mean+max"]),
    "setting of the training": (setting("training", seed=None), ["config.json", "seed", "null"]),
    "file elsewhere": (setting("files", **{"../labels.json": "ab" * 32}), ["config.json", "../labels.json"]),
}


@pytest.fixture(scope="module")
def refused(seqnlp, model, tmp_path_factory):
    """What predict says to each damaged model."""
    commands = {}
    for case, (harm, _) in MODELS.items():
        folder = shutil.copytree(model, tmp_path_factory.mktemp("harmed") / "copied")
        harm(folder)
        commands[case] = (["classify", "predict", folder], b"text\n")
    commands["no folder"] = (["classify", "predict", "nowhere"], b"text\n")
    commands["a file"] = (["classify", "predict", "train.tsv"], b"text\n")
    (seqnlp.folder / "void").mkdir()
    commands["an empty folder"] = (["classify", "predict", "void"], b"text\n")
    return {case: seqnlp(*arguments, stdin=stdin, code=None) for case, (arguments, stdin) in commands.items()}


@pytest.mark.parametrize("case", [*MODELS, "no folder", "a file", "an empty folder"])
def test_a_model_that_is_none_is_reported_in_one_line(refused, case):
    result, words = refused[case], MODELS[case][1] if case in MODELS else ["no model"]
    assert result.code == 4, result
    assert result.out == "" and len(result.errors) == 1 and "internal error" not in result.err, result
    assert "; hint: " in result.err
    for word in words:
        assert word in result.err


# case -> (arguments after the model, exit codes, words)
PREDICT = {
    "missing": (["nowhere.txt"], [2], ["nowhere.txt"]),
    "folder": (["."], [2], ["folder"]),
    "no such folder": (["train.tsv", "-o", "nowhere/out"], [1, 2], ["nowhere/out"]),
    "output is a folder": (["train.tsv", "-o", "."], [1, 2], ["folder"]),
    "gz": (["x.txt.gz"], [3], ["x.txt.gz"]),
    "jsonl": (["x.jsonl"], [3], ["x.jsonl:2"]),
    "bytes": (["x.txt"], [3], ["x.txt:2", "utf-8"]),
    "device": (["train.tsv", "--device", "cuda:99"], [2], ["cuda:99"]),
}


@pytest.fixture(scope="module")
def predicted(seqnlp, model):
    """What predict says to bad input."""
    (seqnlp.folder / "x.txt.gz").write_bytes(damaged_gzip())
    (seqnlp.folder / "x.jsonl").write_text('{"text": "a"}\nnot json\n')
    (seqnlp.folder / "x.txt").write_bytes(b"a\n\xff\n")
    return {
        case: seqnlp("classify", "predict", model, *arguments, code=None) for case, (arguments, _, _) in PREDICT.items()
    }


@pytest.mark.parametrize("case", PREDICT)
def test_predict_says_in_one_line_where_and_what(predicted, case):
    result, (_, codes, words) = predicted[case], PREDICT[case]
    assert result.code in codes, result
    assert len(result.errors) == 1 and "internal error" not in result.err, result
    for word in words:
        assert word in result.err


def test_eval_looks_at_the_place_for_errors_before_it_works(seqnlp, model):
    result = seqnlp("classify", "eval", model, "dev.tsv", "--errors", "nowhere/errors.tsv", code=None)
    assert result.code in (1, 2) and len(result.errors) == 1
    assert "nowhere/errors.tsv" in result.err and "/.errors" not in result.err


def test_eval_of_an_empty_file_is_bad_data(seqnlp, model):
    (seqnlp.folder / "empty.tsv").write_text("")
    result = seqnlp("classify", "eval", model, "empty.tsv", code=3)
    assert len(result.errors) == 1 and "empty" in result.err


def test_debug_shows_the_traceback_and_nothing_else_does(seqnlp, tmp_path):
    (tmp_path / "gold.tsv").write_text("a\tb\n")
    command = ["score", "accuracy", tmp_path / "gold.tsv", tmp_path / "nowhere"]
    assert "Traceback" not in seqnlp(*command, "-v", code=2).err
    shown = seqnlp(*command, "--debug", code=2)
    assert "Traceback (most recent call last)" in shown.err and shown.errors[-1].startswith("seqnlp: ")


def test_a_label_that_would_break_the_lines_is_refused_or_folded(seqnlp, tmp_path):
    (tmp_path / "train.csv").write_text('text,label\n"lovely one","a\nb"\n"awful one",c\n' + 'x,"a\nb"\ny,c\n')
    train = ["classify", "train", tmp_path / "train.csv", "--dev", tmp_path / "train.csv", "-o", tmp_path / "model"]
    result = seqnlp(*train, "-q", "--epochs", "1", "--hidden-size", "3", code=None)
    assert result.code in (0, 3)
    if result.code == 3:
        assert "train.csv:2" in result.err and "label" in result.err
    else:
        predicted = seqnlp("classify", "predict", tmp_path / "model", stdin="lovely one\nawful one\n")
        assert len(predicted.lines) == 2


@pytest.mark.skipif(sys.platform != "linux", reason="names of bytes that are no text")
def test_file_names_that_are_not_utf_8_work(seqnlp, model):
    name = os.fsdecode(b"caf\xe9.tsv")
    try:
        shutil.copy(seqnlp.folder / "dev.tsv", seqnlp.folder / name)
    except OSError:
        pytest.skip("this file system takes UTF-8 only")
    scores = [seqnlp("classify", "eval", model, file).json["scores"] for file in (name, "dev.tsv")]
    assert scores[0] == scores[1]
    missing = seqnlp("classify", "eval", model, os.fsdecode(b"no\xe9.tsv"), code=2)
    assert len(missing.errors) == 1
