"""Copies of what can be read only once: read as often as is wanted, and nothing is left of them."""

import os
import tempfile
import threading

from seqnlp.preprocess.corpora import schema


def test_a_pipe_is_read_as_often_as_is_wanted_and_no_file_has_a_name(tmp_path, monkeypatch):
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    threading.Thread(target=pipe.write_bytes, args=(b"a\tb\nc\td\n",), daemon=True).start()
    source = schema.copied(schema.Source((str(pipe),)))
    (path,) = source.paths
    assert list(source.lines(path)) == list(source.lines(path)) == ["a\tb", "c\td"]
    assert source.name(path) == str(pipe)
    assert list((tmp_path / "temporary").iterdir()) == []
