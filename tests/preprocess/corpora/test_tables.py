"""Tables: names for the integers of class labels wherever they stand, and rows of parquet files and data sets."""

import hashlib
import json
import os
import socket
from pathlib import Path

import datasets
import pyarrow
import pytest
from pyarrow import parquet

from seqnlp import errors
from seqnlp.preprocess.corpora import readers, schema, tables

COLOURS = datasets.ClassLabel(names=["red", "green", "blue"])
TEXT = datasets.Value("string")
ROLES = ("text", "label")


def features(**kinds):
    """Types as `datasets` notes them."""
    return datasets.Features(kinds).to_dict()


def decoded(kind, value):
    """A value of one column, decoded."""
    return tables.decoder(features(x=kind))({"x": value})["x"]


@pytest.mark.parametrize(("number", "name"), [(0, "red"), (2, "blue"), (-1, None), (3, None), (None, None)])
def test_a_class_label_is_its_name_and_none_where_it_has_none(number, name):
    assert decoded(COLOURS, number) == name


def test_a_class_label_that_is_a_name_already_stays():
    assert decoded(COLOURS, "green") == "green"


NESTED = [
    (datasets.List(COLOURS), [2, 0, -1], ["blue", "red", None]),
    (datasets.List(COLOURS), [], []),
    (datasets.List(COLOURS), None, None),
    (datasets.LargeList(COLOURS), [1], ["green"]),
    (datasets.List(datasets.List(COLOURS)), [[0], None, []], [["red"], None, []]),
    ({"c": COLOURS, "n": datasets.Value("int8")}, {"c": 1, "n": 1}, {"c": "green", "n": 1}),
    ({"c": COLOURS, "n": TEXT}, None, None),
    ({"c": {"d": COLOURS}}, {"c": {"d": 2}}, {"c": {"d": "blue"}}),
    ({"c": {"d": COLOURS}}, {"c": None}, {"c": None}),
    (datasets.List({"c": COLOURS, "s": TEXT}), [{"c": 0, "s": "a"}, None], [{"c": "red", "s": "a"}, None]),
    ({"c": datasets.List(COLOURS)}, {"c": [0, 1]}, {"c": ["red", "green"]}),
    ({"_type": COLOURS}, {"_type": 0}, {"_type": "red"}),  # a column may be called so
]


@pytest.mark.parametrize(("kind", "value", "found"), NESTED)
def test_class_labels_in_lists_and_objects(kind, value, found):
    assert decoded(kind, value) == found


def test_types_as_they_were_noted_once():
    one = {"names": ["red", "green"], "_type": "ClassLabel"}
    old = {"a": [one], "b": {"feature": {"c": one, "s": {"dtype": "string", "_type": "Value"}}, "_type": "Sequence"}}
    row = {"a": [1, 0], "b": {"c": [0, 1], "s": ["x", "y"]}}  # an object of lists, not a list of objects
    assert tables.decoder(old)(row) == {"a": ["green", "red"], "b": {"c": ["red", "green"], "s": ["x", "y"]}}


@pytest.mark.parametrize(
    "noted",
    [{}, [], None, {"x": {"_type": "ClassLabel"}}, {"x": {"_type": "Image"}}, {"x": {"_type": "List"}}, {"x": 3}],
)
def test_where_no_names_are_noted_nothing_changes(noted):
    assert tables.decoder(noted)({"x": 1}) == {"x": 1}


def test_a_column_that_is_noted_and_not_there_stays_away():
    assert tables.decoder(features(x=COLOURS, y=COLOURS))({"x": 1}) == {"x": "green"}


def test_other_columns_keep_their_values():
    row = {"x": 1, "y": [1.5, None], "z": {"a": b"b"}}
    assert tables.decoder(features(x=COLOURS))(row) == {**row, "x": "green"}


# parquet


def write(path, rows, kinds=None):
    """Write rows as a parquet file; return its name."""
    table = pyarrow.Table.from_pylist(rows) if kinds is None else datasets.Dataset.from_list(rows, kinds).data.table
    parquet.write_table(table, path)
    return str(path)


def rows_of(path):
    return list(tables.parquet(str(path), "x.parquet"))


def test_rows_of_a_parquet_file(tmp_path, monkeypatch):
    monkeypatch.setattr(tables, "ROWS", 3)
    rows = [{"text": f"text {n}", "n": n, "more": [n, None]} for n in range(7)]
    assert rows_of(write(tmp_path / "x.parquet", rows)) == rows


def test_class_labels_of_a_parquet_file_that_datasets_wrote(tmp_path):
    rows = [{"text": "a", "label": 2}, {"text": "b", "label": -1}, {"text": None, "label": None}]
    kinds = datasets.Features({"text": TEXT, "label": COLOURS})
    found = rows_of(write(tmp_path / "x.parquet", rows, kinds))
    assert [row["label"] for row in found] == ["blue", None, None]
    assert [row["text"] for row in found] == ["a", "b", None]


@pytest.mark.parametrize("noted", ["{", "[]", "null", '{"info": null}', '{"info": {}}', '{"info": {"features": null}}'])
def test_notes_of_others_are_no_obstacle(tmp_path, noted):
    table = pyarrow.table({"text": ["a"]}).replace_schema_metadata({"huggingface": noted})
    parquet.write_table(table, tmp_path / "x.parquet")
    assert rows_of(tmp_path / "x.parquet") == [{"text": "a"}]


@pytest.mark.parametrize("name", ["x", "x.bin"])
def test_a_parquet_file_is_known_by_its_first_bytes(tmp_path, name):
    rows = [{"text": "a", "label": "x"}, {"text": "b", "label": "y"}]
    source = schema.Source((write(tmp_path / name, rows),), names={str(tmp_path / name): name})
    found = [tuple(record.values.values()) for record in readers.records(source, ROLES, targets=True)]
    assert found == [("a", "x"), ("b", "y")]


def test_a_parquet_file_is_refused_as_what_it_is_said_to_be(tmp_path):
    source = schema.Source((write(tmp_path / "x.csv", [{"text": "a", "label": "x"}] * 2),), format="csv")
    with pytest.raises(errors.DataError, match=r"x\.csv: is a parquet file; hint: --from parquet reads it"):
        list(readers.records(source, ROLES, targets=True))


@pytest.mark.parametrize("content", [b"", b"hello", b"PAR1 and nothing more"])
def test_what_is_no_parquet_file(tmp_path, content):
    (tmp_path / "x").write_bytes(content)
    with pytest.raises(errors.DataError, match=r"^x\.parquet: not a parquet file, or damaged \("):
        rows_of(tmp_path / "x")


@pytest.mark.parametrize("place", [0.3, 0.6, 0.95])
def test_a_parquet_file_that_is_cut(tmp_path, place):
    whole = write(tmp_path / "x", [{"text": f"some text {n}"} for n in range(500)])
    content = (tmp_path / "x").read_bytes()
    (tmp_path / "x").write_bytes(content[: int(len(content) * place)])
    with pytest.raises(errors.DataError, match=r"^x\.parquet: not a parquet file, or damaged \("):
        rows_of(whole)


def test_a_parquet_file_that_is_not_there(tmp_path):
    with pytest.raises(errors.UsageError, match="no such file"):
        rows_of(tmp_path / "x.parquet")


@pytest.mark.parametrize("digest", [None, hashlib.sha256()])
def test_a_parquet_file_comes_through_a_pipe_too(tmp_path, digest):
    rows = [{"text": f"text {n}"} for n in range(7)]
    content = Path(write(tmp_path / "x.parquet", rows)).read_bytes()
    reading, writing = os.pipe()
    with open(writing, "wb") as pipe:
        pipe.write(content)
    assert list(tables.parquet(f"/dev/fd/{reading}", "x.parquet", digest)) == rows
    os.close(reading)
    assert digest is None or digest.hexdigest() == hashlib.sha256(content).hexdigest()


def records(path, **options):
    source = schema.Source((str(path),), names={str(path): "x"}, **options)
    return list(readers.records(source, ROLES, targets=True))


def test_records_of_a_table_have_their_place_and_all_their_fields(tmp_path):
    rows = [{"text": "a", "label": "b", "n": 1}, {"text": "c", "label": "d", "n": 2}]
    found = records(write(tmp_path / "x.parquet", rows))
    assert [(record.where, record.values, record.raw) for record in found] == [
        ("x:1", {"text": "a", "label": "b"}, rows[0]),
        ("x:2", {"text": "c", "label": "d"}, rows[1]),
    ]


def test_fields_inside_objects_of_a_table_are_named_with_dots(tmp_path):
    kinds = datasets.Features({"translation": {"de": TEXT, "en": TEXT}, "meta": {"colour": COLOURS}, "a.b": TEXT})
    path = write(tmp_path / "x", [{"translation": {"de": "x", "en": "y"}, "meta": {"colour": 0}, "a.b": "z"}], kinds)
    for name, value in (("translation.de", "x"), ("a.b", "z"), ("translation.de,a.b", "x z")):
        (record,) = records(path, format="parquet", columns={"text": name, "label": "meta.colour"})
        assert record.values == {"text": value, "label": "red"}


NOT_THERE = [
    ({"text": None, "label": "x"}, {}, "x:1: the field 'text' is null"),
    ({"text": "a", "label": None}, {}, "x:1: the field 'label' is null"),
    ({"text": "a", "n": 1}, {}, "x:1: no field 'label' (it has: text, n)"),
    ({"text": "a", "x": {"y": 1, "z": 2}}, {}, "x:1: no field 'label' (it has: text, x.y, x.z)"),
    ({"text": {"de": None}, "label": "x"}, {"text": "text.de"}, "x:1: no field 'text.de' (it has: text.de, label)"),
]


@pytest.mark.parametrize(("row", "columns", "message"), NOT_THERE)
def test_a_field_that_is_null_or_not_there(tmp_path, row, columns, message):
    with pytest.raises(errors.DataError) as error:
        records(write(tmp_path / "x.parquet", [row]), columns=columns)
    assert error.value.message == message


def test_a_class_label_of_nothing_is_null(tmp_path):
    kinds = datasets.Features({"text": TEXT, "label": COLOURS})
    with pytest.raises(errors.DataError, match="x:1: the field 'label' is null"):
        records(write(tmp_path / "x.parquet", [{"text": "a", "label": -1}], kinds))


def test_a_table_without_targets_can_be_predicted(tmp_path):
    path = write(tmp_path / "x.parquet", [{"text": "a", "label": None}, {"text": "", "label": None}])
    found = readers.records(schema.Source((path,)), ROLES, targets=False)
    assert [record.values["text"] for record in found] == ["a", ""]


# data sets


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """Data sets are kept in a folder of the test's own."""
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    tables._load.cache_clear()
    yield tmp_path / "cache"
    tables._load.cache_clear()


@pytest.fixture
def folder(tmp_path, cache):
    """A data set in a folder, two splits of two configurations in different formats."""
    found = tmp_path / "colours"
    kinds = datasets.Features({"text": TEXT, "label": COLOURS, "id": datasets.Value("int64")})
    about = ["---", "configs:"]
    for config, numbers in (("small", range(3)), ("large", range(100, 107))):
        (found / config).mkdir(parents=True)
        rows = [{"text": f"text {n}", "label": n % 3, "id": n} for n in numbers]
        write(found / config / "train.parquet", rows, kinds)
        write(found / config / "test.parquet", rows[:2], kinds)
        about += [f"- config_name: {config}", "  data_files:"]
        about += [f"  - split: {split}\n    path: {config}/{split}.parquet" for split in ("train", "test")]
    (found / "README.md").write_text("\n".join([*about, "---", ""]))
    return found


def ids(path):
    return [row["id"] for row in tables.hub(path, path)]


def test_rows_of_a_data_set_by_configuration_and_split(folder, monkeypatch):
    monkeypatch.setattr(tables, "ROWS", 3)
    assert ids(f"hf:{folder}+small") == [0, 1, 2]
    assert ids(f"hf:{folder}+large") == list(range(100, 107))
    assert ids(f"hf:{folder}+large:test") == [100, 101]
    assert ids(f"hf:{folder}+large:train[2:4]") == [102, 103]
    assert ids(f"hf:{folder}+large:train+test") == [*range(100, 107), 100, 101]


def test_class_labels_of_a_data_set(folder):
    assert [row["label"] for row in tables.hub(f"hf:{folder}+small", "x")] == ["red", "green", "blue"]


def test_a_data_set_of_plain_files(tmp_path, cache):
    (tmp_path / "plain").mkdir()
    rows = [{"text": "süß", "label": "x"}, {"text": "\u2028", "label": "y"}]
    (tmp_path / "plain" / "train.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert list(tables.hub(f"hf:{tmp_path / 'plain'}", "x")) == rows


def test_a_data_set_has_a_fingerprint(folder):
    small, large = (tables.fingerprint(f"hf:{folder}+{config}") for config in ("small", "large"))
    assert small == tables.fingerprint(f"hf:{folder}+small") != large


def test_records_of_a_data_set(folder):
    source = schema.Source((f"hf:{folder}+small:test",))
    source.check()
    found = readers.records(source, ROLES, targets=True)
    assert [record.values for record in found] == [
        {"text": "text 0", "label": "red"},
        {"text": "text 1", "label": "green"},
    ]
    assert list(source.hashes()) == list(source.paths)


WRONG = [
    ("+medium", "BuilderConfig 'medium' not found"),
    ("+small:dev", 'Unknown split "dev"'),
    ("", "Config name is missing"),
]


@pytest.mark.parametrize(("more", "words"), WRONG)
def test_what_a_data_set_does_not_have_is_told_in_one_line(folder, more, words):
    with pytest.raises(errors.DataError) as error:
        ids(f"hf:{folder}{more}")
    assert error.value.message.startswith(f"hf:{folder}{more}: cannot be loaded (")
    assert words in error.value.message and "\n" not in str(error.value)


@pytest.mark.parametrize("path", ["hf:", "hf::train", "hf:+x", "hf:a+"])
def test_what_names_no_data_set(path):
    with pytest.raises(errors.UsageError, match="not a data set of the hub; hint: hf:NAME, hf:NAME"):
        ids(path)


def test_a_hub_that_cannot_be_reached_is_asked_once(cache, monkeypatch):
    from huggingface_hub import constants

    def fail(*arguments, **rest):
        asked.append(arguments[0])
        raise OSError("no route")

    asked = []
    monkeypatch.setattr(socket, "create_connection", fail)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", False)
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    with pytest.raises(errors.DataError, match=r"^hf:nobody/nothing: cannot be loaded \(.*; hint: no network\?"):
        ids("hf:nobody/nothing")
    assert asked == [("huggingface.co", 443)]


def test_progress_bars_are_as_they_were(folder):
    datasets.enable_progress_bars()
    ids(f"hf:{folder}+small")
    assert datasets.is_progress_bar_enabled()


@pytest.mark.parametrize("name", ["x.csv", "x.txt", "x"])
def test_what_a_parquet_file_is_called_does_not_matter(name, tmp_path, caplog):
    path = tmp_path / name
    parquet.write_table(pyarrow.table({"text": ["so good", "too bad"], "label": ["pos", "neg"]}), path)
    found = [record.values for record in readers.records(schema.Source((str(path),)), ROLES, targets=True)]
    assert found == [{"text": "so good", "label": "pos"}, {"text": "too bad", "label": "neg"}]
    assert ("looks like parquet" in caplog.text) == (name != "x")


@pytest.mark.parametrize("targets", [True, False])
def test_the_delimiter_that_a_first_line_says_is_no_row(targets, tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("sep=;\ntext;label\nso, so;neg\n\nfine, thanks;pos\n", encoding="utf-8")
    found = list(readers.records(schema.Source((str(path),)), ROLES, targets=targets))
    assert [(record.line, record.values["text"]) for record in found if record.values["text"]] == [
        (3, "so, so"),
        (5, "fine, thanks"),
    ]
    assert found[0].raw.header == ("text", "label")
