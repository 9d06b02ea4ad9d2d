"""Corpora from parquet files and data sets: the model of the same rows, fields by name, a hub that is not there."""

import json
import shutil
import time

import datasets
import pytest

NAMES = ["bad", "good", "so-so"]
COLUMNS = datasets.Features(
    {
        "id": datasets.Value("int64"),
        "translation": {"de": datasets.Value("string"), "en": datasets.Value("string")},
        "label": datasets.ClassLabel(names=NAMES),
        "labels": datasets.List(datasets.ClassLabel(names=NAMES)),
        "about": {"label": datasets.ClassLabel(names=NAMES), "day": datasets.Value("date32")},
        "text": datasets.Value("string"),
    }
)


def table(rows):
    """Rows of text and label as a data set has them."""
    found = []
    for number, (text, label) in enumerate(rows):
        of_class = NAMES.index(label)
        both = {"label": of_class, "labels": [of_class], "about": {"label": of_class, "day": None}}
        found.append({"id": number, "translation": {"de": None, "en": text}, "text": text, **both})
    return datasets.Dataset.from_list(found, COLUMNS)


@pytest.fixture(scope="module")
def tables(seqnlp, corpus):
    """train.parquet and dev.parquet."""
    datasets.disable_progress_bars()
    for part in ("train", "dev"):
        table(corpus[part]).to_parquet(seqnlp.folder / f"{part}.parquet")
    datasets.enable_progress_bars()
    return seqnlp.folder


WAYS = {
    "parquet": ["train.parquet", "--dev", "dev.parquet"],
    "nested": [
        "train.parquet",
        "--dev",
        "dev.parquet",
        "--text-field",
        "translation.en",
        "--label-field",
        "about.label",
    ],
    "list": ["train.parquet", "--dev", "dev.parquet", "--label-field", "labels"],
}


@pytest.mark.parametrize("way", WAYS)
def test_the_same_rows_in_a_table_give_the_same_model(tables, seqnlp, small, trained, tmp_path, way):
    result = seqnlp("classify", "train", *WAYS[way], "-o", tmp_path / "model", *small)
    for name in ("model.safetensors", "labels.json", "tokenizer.json"):
        assert (tmp_path / "model" / name).read_bytes() == (trained.folder / name).read_bytes()
    assert result.json["scores"] == trained.result.json["scores"]
    assert list(result.json["data"]) == ["train.parquet", "dev.parquet"]
    assert "warning" not in result.err


@pytest.fixture(scope="module")
def data(tables, corpus):
    """Data sets in folders: films, of parquet files and two configurations; plain, of one .jsonl for each split."""
    (tables / "films").mkdir()
    (tables / "plain").mkdir()
    about = ["---", "configs:"]
    for config in ("whole", "dev"):
        about += [f"- config_name: {config}", *(["  default: true"] if config == "whole" else []), "  data_files:"]
        for split, part in (("train", "train" if config == "whole" else "dev"), ("validation", "dev")):
            about += [f"  - split: {split}", f"    path: {part}.parquet"]
    (tables / "films" / "README.md").write_text("\n".join([*about, "---", ""]))
    for part, split in (("train", "train"), ("dev", "validation")):
        shutil.copy(tables / f"{part}.parquet", tables / "films")
        records = ({"text": text, "label": label} for text, label in corpus[part])
        (tables / "plain" / f"{split}.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))
    return tables


@pytest.mark.parametrize("name", ["hf:films", "hf:films+whole", "hf:plain", "hf:./plain"])
def test_a_data_set_gives_the_same_model(data, seqnlp, small, trained, tmp_path, name):
    sources = [f"{name}:train" if name == "hf:plain" else name, f"{name}:validation"]
    command = ["classify", "train", sources[0], "--dev", sources[1], *small, "-o", tmp_path / "model"]
    result = seqnlp(*command)
    for file in ("model.safetensors", "labels.json", "tokenizer.json"):
        assert (tmp_path / "model" / file).read_bytes() == (trained.folder / file).read_bytes()
    assert list(result.json["data"]) == sources
    again = seqnlp(*command, "-q")  # finished: the data are the same
    assert (again.json, again.err) == (result.json, "")


def test_a_configuration_is_chosen_by_its_name(data, seqnlp):
    assert len(seqnlp("encode", "classify", "hf:films+dev").lines) == 60


def test_a_data_set_is_encoded_as_its_file_is(data, seqnlp, corpus):
    flags = ["--text-field", "translation.en"]
    expected = seqnlp("encode", "classify", "train.tsv").lines
    assert seqnlp("encode", "classify", "hf:films", *flags).lines == expected
    assert seqnlp("encode", "classify", "train.parquet", *flags).lines == expected
    assert len(seqnlp("encode", "classify", "hf:films:train[:7]").lines) == 7


def test_a_table_is_predicted_row_by_row(tables, seqnlp, model, corpus):
    expected = seqnlp("classify", "predict", model, stdin="".join(f"{text}\n" for text, _ in corpus["dev"])).lines
    assert seqnlp("classify", "predict", model, "dev.parquet").lines == expected
    rows = [json.loads(line) for line in seqnlp("classify", "predict", model, "dev.parquet", "--to", "jsonl").lines]
    assert [row["classify"]["label"] for row in rows] == expected
    assert [row["label"] for row in rows] == [label for _, label in corpus["dev"]]
    assert all(set(row) == {*COLUMNS, "classify"} for row in rows)


def test_a_table_is_scored(data, seqnlp, model):
    points = [
        [score["value"] for score in seqnlp("classify", "eval", model, name).json["scores"]]
        for name in ("dev.tsv", "dev.parquet", "hf:plain:validation")
    ]
    assert points[0] == points[1] == points[2]


# case -> (arguments, exit code, words)
REFUSED = {
    "no such field": (["dev.parquet", "--text-field", "body"], 3, ["dev.parquet:1", "'body'", "--text-field"]),
    "null in an object": (["dev.parquet", "--text-field", "translation.de"], 3, ["dev.parquet:1", "translation.de"]),
    "an object": (["dev.parquet", "--text-field", "translation"], 3, ["dev.parquet:1", "the text is a dict"]),
    "not parquet": (["not.parquet"], 3, ["not.parquet", "not a parquet file"]),
    "no parquet": (["nowhere.parquet"], 2, ["nowhere.parquet", "no such file"]),
    "no split": (["hf:films:test"], 3, ["hf:films:test: cannot be loaded", '"test"', "SPLIT"]),
    "no configuration": (["hf:films+none"], 3, ["hf:films+none: cannot be loaded", "'none'", "CONFIG"]),
    "no name": (["hf:"], 2, ["hf:NAME+CONFIG"]),
    "nothing in it": (["hf:void"], 3, ["hf:void: cannot be loaded"]),
    "broken": (["hf:broken"], 3, ["hf:broken: cannot be loaded"]),
    "unlabelled": (["unlabelled.parquet"], 3, ["unlabelled.parquet:2", "'label' is null"]),
    "no network": (["hf:nobody/nothing"], 3, ["hf:nobody/nothing: cannot be loaded", "no network?"]),
}


@pytest.fixture(scope="module")
def refused(data, seqnlp):
    """What encode says in each case."""
    datasets.disable_progress_bars()
    (seqnlp.folder / "not.parquet").write_text("hello\n")
    for name in ("void", "broken"):
        (seqnlp.folder / name).mkdir(exist_ok=True)
    (seqnlp.folder / "broken" / "train.parquet").write_text("hello")
    rows = [{"text": "a", "label": 0}, {"text": "b", "label": -1}]
    kinds = datasets.Features({"text": COLUMNS["text"], "label": COLUMNS["label"]})
    datasets.Dataset.from_list(rows, kinds).to_parquet(seqnlp.folder / "unlabelled.parquet")
    datasets.enable_progress_bars()
    return {case: seqnlp("encode", "classify", *arguments, code=None) for case, (arguments, _, _) in REFUSED.items()}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_read_is_reported_in_one_line(refused, case):
    result, (_, code, words) = refused[case], REFUSED[case]
    assert result.code == code, result
    assert result.out == "" and len(result.errors) == 1 and result.err.startswith("seqnlp: "), result
    assert "internal error" not in result.err
    for word in words:
        assert word in result.err


def test_a_hub_that_cannot_be_reached_is_reported_within_seconds(seqnlp):
    begin = time.monotonic()
    settings = "env -u HF_HUB_OFFLINE HF_ENDPOINT=http://localhost:9"  # where nobody listens
    result = seqnlp.shell(f"{settings} seqnlp classify train hf:nobody/nothing -o unreached -q")
    assert time.monotonic() - begin < 20
    assert (result.code, result.out, len(result.errors)) == (3, "", 1)
    assert "hf:nobody/nothing: cannot be loaded" in result.err and "no network?" in result.err
    assert not (seqnlp.folder / "unreached").exists()
