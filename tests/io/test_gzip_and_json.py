"""What is written: gzip by its name, JSON that every reader takes."""

import functools
import gzip
import json
import os

import pytest

from seqnlp.io import atomic, files, jsonl


@pytest.mark.parametrize("name", ["x.gz", "x.TXT.GZ"])
@pytest.mark.parametrize(("mode", "content"), [("w", "ä\n"), ("wb", b"\xff\x00\n")])
def test_a_name_in_gz_is_written_as_gzip_and_read_as_such(tmp_path, name, mode, content):
    path = str(tmp_path / name)
    with atomic.atomic(path, mode) as file:
        file.write(content)
    expected = content if isinstance(content, bytes) else content.encode()
    assert gzip.decompress((tmp_path / name).read_bytes()) == expected
    with files.open_bytes(path) as file:
        assert file.read() == expected


def test_gzip_is_the_same_byte_for_byte_whenever_and_in_what_steps_it_is_written(tmp_path):
    content = os.urandom(999) * 300
    for number, size in enumerate((len(content), 1000, 7777)):
        with atomic.atomic(tmp_path / f"{number}.gz", "wb") as file:
            for begin in range(0, len(content), size):
                file.write(content[begin : begin + size])
                file.flush()
    whole, *others = ((tmp_path / f"{number}.gz").read_bytes() for number in range(3))
    assert whole[4:8] == b"\0\0\0\0"  # the time (RFC 1952)
    assert others == [whole, whole]
    assert gzip.decompress(whole) == content


def test_a_gzip_file_that_fails_leaves_nothing(tmp_path):
    for mode in ("w", "wb"):
        with pytest.raises(ValueError), atomic.atomic(tmp_path / "x.gz", mode):
            raise ValueError
    assert list(tmp_path.iterdir()) == []


def test_a_link_is_written_as_its_own_name_says(tmp_path):
    (tmp_path / "link.gz").symlink_to("target")
    with atomic.atomic(tmp_path / "link.gz") as file:
        file.write("a")
    assert gzip.decompress((tmp_path / "target").read_bytes()) == b"a"


def test_what_is_no_number_is_null():
    value = json.loads('{"a": NaN, "b": [1.5, -Infinity, {"c": Infinity}], "d": "NaN"}')
    assert jsonl.to_json(value) == '{"a": null, "b": [1.5, null, {"c": null}], "d": "NaN"}'
    assert jsonl.to_json((float("nan"), "\ud800")) == '[null, "\\ud800"]'


@pytest.mark.parametrize("inner", ["1", "NaN"])
def test_what_can_be_read_can_be_written_however_deep_it_is(inner):
    deepest = None
    for depth in range(700, 1000):
        try:
            text = "[" * depth + inner + "]" * depth
            deepest = json.loads(text)
        except RecursionError:
            break

    def far_down(calls):
        return far_down(calls - 1) if calls else jsonl.to_json({"a": deepest})

    assert far_down(25).count("[") > 700


@pytest.mark.parametrize(
    ("end", "written"), [("ä", '"ä"'), ("\ud800", '"\\ud800"'), (float("nan"), "null"), (1.5, "1.5")]
)
def test_what_is_nested_deeper_than_the_stack_of_c_allows_is_written(end, written):
    value = functools.reduce(lambda inner, _: [inner], range(1600), end)
    assert jsonl.to_json(value) == "[" * 1600 + written + "]" * 1600


AS_IT_CAME = ["1e400", "-0.0", "0.10", "1E+2", "1" * 30, '"\\ud83d\\u00e9"', '"é\u2028"', "{}", "[]", "[1,2]", "null"]


def test_an_object_gets_one_more_member_and_is_else_as_it_came():
    text = "{" + ",".join(f'"{number % 3}" :\t{part}' for number, part in enumerate(AS_IT_CAME)) + ' , "x": 1 }\r'
    found = jsonl.with_member(jsonl.Object(text), "x", {"y": 2})
    assert found == "{" + ", ".join(f'"{n % 3}": {part}' for n, part in enumerate(AS_IT_CAME)) + ', "x": {"y": 2}}'
    assert jsonl.Object(text) == json.loads(text)
    assert jsonl.with_member({"x": 0, "a": float("inf")}, "x", 1) == '{"a": null, "x": 1}'


@pytest.mark.parametrize("text", ["{}", " { } ", '{"a":{"b":{}}}', '{"a":\n[1,\n2]}', '{"a":":","b":"}"}'])
def test_members_are_told_apart(text):
    found = jsonl.with_member(jsonl.Object(text), "x", 1)
    assert json.loads(found) == {**json.loads(text), "x": 1} and "\n" not in found


@pytest.mark.parametrize("part", ["NaN", "[Infinity]", '{"b": [-Infinity, 1]}'])
def test_what_is_no_json_is_null(part):
    def refuse(name):
        raise AssertionError(name)

    found = jsonl.with_member(jsonl.Object(f'{{"a": 1e400, "b": {part}, "c": 0.10}}'), "x", 1)
    assert '"a": 1e400, ' in found and '"c": 0.10, ' in found and "null" in found
    json.loads(found, parse_constant=refuse)
