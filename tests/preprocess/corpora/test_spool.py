"""A spool: examples that are read once come back as often as they are asked for."""

import gc
import os

import pytest

from seqnlp.preprocess.corpora import arrow, spool
from seqnlp.preprocess.corpora.examples import Example


def made(count):
    return [Example(f"text {n}", ("a", "b")[: n % 3], f"raw {n}", "x.tsv", n) for n in range(count)]


def kept(examples):
    """Examples as a spool keeps them: without their raw records."""
    return [Example(e.source, e.target, None, e.file, e.line) for e in examples]


@pytest.mark.parametrize("count", [0, 1, 3, 7, arrow.CHUNK + 1])
def test_examples_come_back_again_and_again(count):
    found = spool.spooled(iter(made(count)))
    assert len(found) == count
    assert list(found) == list(found) == kept(made(count))


def test_several_may_read_at_once(monkeypatch):
    monkeypatch.setattr(arrow, "CHUNK", 3)
    found = spool.spooled(made(10))
    one, other = iter(found), iter(found)
    assert [next(one) for _ in range(5)] == kept(made(5))
    assert list(other) == kept(made(10))
    assert list(one) == kept(made(10))[5:]


@pytest.mark.parametrize(
    ("source", "target"),
    [
        ("\u2028\x00\U0001f600", ()),
        ("half a character \ud83d", ("a",)),
        (("Ada", "", "\t"), ("B-PER", "O", "O")),
        ("a", "b"),
        ("a", None),
        ([0.1, -2.5e-300], 3),
    ],
)
def test_any_source_and_target_come_back(source, target):
    expected = tuple(source) if isinstance(source, list) else source
    assert list(spool.spooled([Example(source, target, None, "x", 1)])) == [Example(expected, target, None, "x", 1)]


@pytest.mark.parametrize("rest", [{"others": ("b",)}, {"steps": (0, 1, 3)}, {"others": ("b", "c"), "steps": (0,)}])
def test_further_targets_and_the_places_of_tokens_come_back(rest):
    example = Example("a", "a", None, "x", 1, **rest)
    assert list(spool.spooled([example])) == [example]


def test_an_error_of_the_reader_is_passed_on():
    def broken():
        yield from made(3)
        raise ValueError("line 4")

    with pytest.raises(ValueError, match="line 4"):
        spool.spooled(broken())


def test_its_file_has_no_name_and_is_closed_with_the_last_reader(tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    gc.collect()
    before = len(os.listdir("/dev/fd"))
    found = spool.spooled(made(3))
    assert not list(tmp_path.iterdir())
    rest = iter(found)
    next(rest)
    del found
    assert len(list(rest)) == 2
    del rest
    gc.collect()
    assert len(os.listdir("/dev/fd")) == before
