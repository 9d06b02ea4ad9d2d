"""Text in and out: what ends a line, encodings, compressed and damaged files, files written whole or not at all."""

import gzip
import io
import os
import re
import stat
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqnlp import errors
from seqnlp.io import atomic, files, jsonl


def write(folder, content, name="x.txt"):
    path = folder / name
    path.write_bytes(content)
    return str(path)


def read(folder, content, encoding="utf-8", name="x.txt"):
    return list(files.lines(write(folder, content, name), encoding))


@pytest.mark.parametrize("end", ["\u2028", "\u2029", "\x0b", "\x0c", "\x1c", "\x1d", "\x1e", "\x85", "\r"])
def test_only_a_line_feed_ends_a_line(tmp_path, end):
    assert read(tmp_path, f"one{end}line\nnext\n".encode()) == [f"one{end}line", "next"]


def test_crlf_is_stripped(tmp_path):
    assert read(tmp_path, b"a\r\nb \r\n\r\n") == ["a", "b ", ""]


def test_a_byte_order_mark_is_stripped_at_the_beginning_only(tmp_path):
    assert read(tmp_path, "\ufeffa\n\ufeffb\n".encode()) == ["a", "\ufeffb"]


def test_the_last_line_needs_no_end(tmp_path):
    assert read(tmp_path, b"a\nb") == ["a", "b"]


def test_blank_lines_are_lines(tmp_path):
    assert read(tmp_path, b"\n\na\n\n") == ["", "", "a", ""]


def test_an_empty_file_has_no_lines(tmp_path):
    assert read(tmp_path, b"") == []


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\n\r"))))
def test_lines_come_back_as_they_were_written(lines):
    stream = io.BytesIO("".join(f"{line}\n" for line in ["first", *lines]).encode())
    assert list(files.decode(stream, "x")) == ["first", *lines]


@pytest.mark.parametrize(
    "encoding", ["latin-1", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-8-sig", "cp1252", "gb18030"]
)
def test_encodings_by_name(tmp_path, encoding):
    assert read(tmp_path, "süß\r\nGrüße\n".encode(encoding), encoding) == ["süß", "Grüße"]


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_a_mark_before_utf16_of_a_known_order_is_stripped(tmp_path, encoding):
    assert read(tmp_path, "\ufeffa\nb\n".encode(encoding), encoding) == ["a", "b"]


@pytest.mark.parametrize("end", ["\u2028", "\x0b", "\x0c", "\x1c", "\x85", "\r"])
def test_only_a_line_feed_ends_a_line_in_utf16_too(tmp_path, end):
    assert read(tmp_path, f"one{end}line\nnext\n".encode("utf-16"), "utf-16") == [f"one{end}line", "next"]


def test_bytes_that_are_not_utf8_are_reported_with_their_line(tmp_path):
    path = write(tmp_path, b"good\nalso good\nna\xefve\n")
    with pytest.raises(errors.DataError) as error:
        list(files.lines(path))
    assert error.value.message == f"{path}:3: not utf-8 (byte 3 of the line: invalid continuation byte)"
    assert error.value.hint == "name its encoding with --encoding (cp1252, if it comes from Windows), or convert it"


def test_the_lines_before_a_bad_one_are_given(tmp_path):
    lines = files.lines(write(tmp_path, b"good\n\xff\n"))
    assert next(lines) == "good"
    with pytest.raises(errors.DataError, match=r"x\.txt:2: not utf-8"):
        next(lines)


def test_half_a_character_of_utf16_is_an_error(tmp_path):
    with pytest.raises(errors.DataError, match="not utf-16"):
        read(tmp_path, "ab\n".encode("utf-16") + b"\x00", "utf-16")


@pytest.mark.parametrize("encoding", ["klingon", "base64", "rot13", "hex"])
def test_an_encoding_that_is_none_of_text_is_reported(tmp_path, encoding):
    with pytest.raises(errors.UsageError, match=f"no such encoding: {encoding}; hint: for example utf-8"):
        read(tmp_path, b"a\n", encoding)


def test_gz_is_read_like_any_file(tmp_path):
    assert read(tmp_path, gzip.compress("\ufeffä\r\nb\n".encode()), name="x.txt.gz") == ["ä", "b"]


def test_a_gz_file_is_closed_even_if_it_is_not_read_to_its_end(tmp_path):
    lines = files.lines(write(tmp_path, gzip.compress(b"a\nb\n"), "x.gz"))
    assert next(lines) == "a"
    lines.close()  # an open file would warn, and warnings are errors here


def test_a_file_that_is_no_gzip_is_reported(tmp_path):
    with pytest.raises(errors.DataError, match=r"x\.gz:1: damaged gzip file \(Not a gzipped file"):
        read(tmp_path, b"plain text\n", name="x.gz")


def test_a_gz_file_that_ends_too_early_is_reported(tmp_path):
    whole = gzip.compress(os.urandom(3000))
    with pytest.raises(errors.DataError, match=r"x\.gz:\d+: damaged gzip file"):
        read(tmp_path, whole[:-100], "latin-1", name="x.gz")


@pytest.mark.parametrize("place", [12, 40, -6])
def test_a_gz_file_with_changed_bytes_is_reported(tmp_path, place):
    damaged = bytearray(gzip.compress(b"some words and more words " * 200))
    damaged[place] ^= 0xFF
    with pytest.raises(errors.DataError, match=r"x\.gz:\d+: (damaged gzip file|not utf-8)"):
        read(tmp_path, bytes(damaged), name="x.gz")


def test_gzip_is_known_by_its_first_bytes(tmp_path, stdin):
    assert read(tmp_path, gzip.compress(b"a\nb\n")) == ["a", "b"]
    stdin(gzip.compress(b"a\nb\n"))
    assert list(files.lines("-")) == ["a", "b"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"PK\x03\x04\x14\0", "is a zip archive, as spreadsheets are too; hint: unpack it, or save the sheet as csv"),
        (b"BZh91AY&SY\x9c", "is compressed by bzip2; hint: give it as <(bzcat FILE)"),
        (b"PAR1\x15\x04", "is a parquet file; hint: --from parquet reads it"),
        ("a few words\n".encode("utf-16-le") * 9, "is binary, or UTF-16 without its mark; hint: --encoding utf-16-le"),
        (bytes(range(32)) * 9 + bytes(999), "is binary"),
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
def test_what_is_no_text_is_refused(tmp_path, content, message, encoding):
    if encoding == "utf-8" or "binary" not in message:
        with pytest.raises(errors.DataError, match=re.escape(message)):
            read(tmp_path, content, encoding)


@pytest.mark.parametrize("content", [b"PAR1 is a gene\n", b"BZh\n", b"PK\n", b"a\0b\n" + b"a longer line\n" * 9])
def test_what_only_begins_a_little_like_another_kind_is_text(tmp_path, content):
    assert read(tmp_path, content) == content.decode().split("\n")[:-1]


def test_stdin_is_a_dash(stdin):
    stdin(b"a\nb\n")
    assert list(files.lines("-")) == ["a", "b"]


def test_stdin_has_a_name_in_errors(stdin):
    stdin(b"a\n\xff\n")
    with pytest.raises(errors.DataError, match=r"^stdin:2: not utf-8"):
        list(files.lines("-"))


def test_a_missing_file_is_a_usage_error(tmp_path):
    with pytest.raises(errors.UsageError, match=r"nothing\.tsv: no such file; hint: check the name"):
        list(files.lines(str(tmp_path / "nothing.tsv")))


@pytest.mark.parametrize("name", ["folder", "folder.gz"])
def test_a_folder_is_a_usage_error(tmp_path, name):
    (tmp_path / name).mkdir()
    with pytest.raises(errors.UsageError, match="is a folder, expected a file"):
        list(files.lines(str(tmp_path / name)))


def test_a_file_that_may_not_be_read_is_a_usage_error(tmp_path, monkeypatch):
    def refuse(*_):
        raise PermissionError

    monkeypatch.setattr("builtins.open", refuse)
    with pytest.raises(errors.UsageError, match="is not readable; hint: check its permissions"):
        files.open_bytes(str(tmp_path / "x.txt"))


def test_sha256_of_a_file(tmp_path):
    digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"  # FIPS 180-2, appendix B.1
    assert files.sha256(write(tmp_path, b"abc")) == digest


def test_atomic_writes_text_as_utf8_with_line_feeds(tmp_path):
    with atomic.atomic(tmp_path / "x") as file:
        file.write("ä\n")
    assert (tmp_path / "x").read_bytes() == "ä\n".encode()


def test_atomic_keeps_the_old_file_until_the_new_one_is_whole(tmp_path):
    (tmp_path / "x").write_text("old")
    with atomic.atomic(tmp_path / "x") as file:
        file.write("new")
        file.flush()
        assert (tmp_path / "x").read_text() == "old"
    assert (tmp_path / "x").read_text() == "new"


def test_atomic_leaves_nothing_on_an_error(tmp_path):
    def fail():
        with atomic.atomic(tmp_path / "x") as file:
            file.write("half")
            raise ValueError

    with pytest.raises(ValueError):
        fail()
    assert list(tmp_path.iterdir()) == []


def test_atomic_gives_the_permissions_of_any_new_file(tmp_path):
    with atomic.atomic(tmp_path / "x") as file:
        file.write("a")
    (tmp_path / "y").write_text("a")
    assert (tmp_path / "x").stat().st_mode == (tmp_path / "y").stat().st_mode


def test_atomic_writes_through_a_link_to_its_target(tmp_path):
    (tmp_path / "target").write_text("old")
    (tmp_path / "link").symlink_to("target")
    with atomic.atomic(tmp_path / "link") as file:
        file.write("new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "target").read_text() == "new"


def test_atomic_writes_into_a_pipe_and_does_not_replace_it(tmp_path):
    """/dev/null and /dev/stdout are no regular files either."""
    path = tmp_path / "pipe"
    os.mkfifo(path)
    got = []
    reader = threading.Thread(target=lambda: got.append(path.read_text()), daemon=True)
    reader.start()
    with atomic.atomic(path) as file:
        file.write("through")
    reader.join(timeout=10)
    assert got == ["through"]
    assert stat.S_ISFIFO(path.stat().st_mode)


# folders


def fill(path, content="new", **options):
    with atomic.atomic_folder(path, **options) as folder:
        (folder / "x").write_text(content)
        assert not (path / "x").exists() or (path / "x").read_text() != content


def test_a_folder_is_there_when_all_of_it_is(tmp_path):
    fill(tmp_path / "a" / "b")
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["b"]
    assert [path.read_text() for path in (tmp_path / "a" / "b").iterdir()] == ["new"]


@pytest.mark.parametrize("kind", [ValueError, KeyboardInterrupt, SystemExit])
@pytest.mark.parametrize("replace", [True, False])
def test_a_folder_that_failed_leaves_nothing_and_the_old_one_alone(tmp_path, kind, replace):
    def fail():
        with atomic.atomic_folder(tmp_path / "a", replace=replace) as folder:
            (folder / "x").write_text("half")
            raise kind

    for expected in ([], ["old"]):
        with pytest.raises(kind):
            fail()
        assert [path.read_text() for path in tmp_path.rglob("*") if path.is_file()] == expected
        (tmp_path / "a").mkdir(exist_ok=True)
        (tmp_path / "a" / "x").write_text("old")
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_a_folder_replaces_the_old_one_and_all_that_was_in_it(tmp_path):
    (tmp_path / "a" / "more").mkdir(parents=True)
    (tmp_path / "a" / "more" / "y").write_text("old")
    fill(tmp_path / "a", replace=True)
    assert [path.name for path in tmp_path.rglob("*")] == ["a", "x"]


def test_a_folder_that_is_there_meanwhile_is_not_replaced(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "x").write_text("old")
    with pytest.raises(errors.UsageError, match=r"a: cannot be created \(Directory not empty\)"):
        fill(tmp_path / "a")
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
    assert (tmp_path / "a" / "x").read_text() == "old"


def test_the_old_folder_comes_back_where_the_new_one_cannot_be_named(tmp_path, monkeypatch):
    rename = os.rename

    def refuse(source, target):
        if source.name == "new":
            raise OSError(28, "No space left on device")
        rename(source, target)

    fill(tmp_path / "a", "old")
    monkeypatch.setattr(os, "rename", refuse)
    with pytest.raises(errors.UsageError, match=r"a: cannot be created \(No space left on device\)"):
        fill(tmp_path / "a", replace=True)
    assert (tmp_path / "a" / "x").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_a_folder_is_written_through_a_link(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    fill(tmp_path / "link", replace=True)
    assert (tmp_path / "link").is_symlink() and (tmp_path / "real" / "x").read_text() == "new"


def test_a_folder_has_the_permissions_of_any_new_one(tmp_path):
    fill(tmp_path / "a")
    (tmp_path / "b").mkdir()
    assert (tmp_path / "a").stat().st_mode == (tmp_path / "b").stat().st_mode


def test_a_full_disk_is_reported_with_the_folder(tmp_path):
    with pytest.raises(OSError, match="No space left") as error:  # noqa: SIM117
        with atomic.atomic_folder(tmp_path / "a"):
            raise OSError(28, "No space left on device")
    assert error.value.filename == str(tmp_path / "a")


@pytest.mark.parametrize("name", ["file/a", "a" * 300])
def test_a_folder_that_cannot_be_made_is_a_usage_error(tmp_path, name):
    (tmp_path / "file").write_text("")
    with pytest.raises(errors.UsageError, match=r"cannot be created \("):
        fill(tmp_path / name)


def test_json_comes_back_as_it_was(tmp_path):
    value = {"ä": [1, 2.5, None, "\u2028"], "b": {}}
    jsonl.write_json(tmp_path / "x.json", value)
    assert jsonl.read_json(tmp_path / "x.json") == value


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32", "utf-8-sig"])
@pytest.mark.parametrize("zipped", [False, True])
def test_a_byte_order_mark_tells_the_encoding(tmp_path, encoding, zipped):
    data = "zwölf\r\n\u6f22\n".encode(encoding)
    path = tmp_path / ("x.gz" if zipped else "x")
    path.write_bytes(gzip.compress(data) if zipped else data)
    assert list(files.lines(str(path))) == ["zwölf", "\u6f22"]


def test_lines_of_utf16_that_are_not_read_to_their_end_leave_no_noise(tmp_path):
    (tmp_path / "x").write_bytes("a\nb\n".encode("utf-16"))
    lines = files.lines(str(tmp_path / "x"), "utf-16")
    assert next(lines) == "a"
    lines.close()  # warnings, that of an exception that is ignored too, are errors


def test_lines_are_counted_where_that_costs_little(tmp_path):
    (tmp_path / "a.txt").write_bytes(b"a\nb\r\n\n")
    (tmp_path / "a.txt.gz").write_bytes(b"")
    os.mkfifo(tmp_path / "pipe")
    assert files.count_lines(str(tmp_path / "a.txt")) == 3
    assert files.count_lines(str(tmp_path / "a.txt.gz")) is files.count_lines(str(tmp_path / "pipe")) is None
