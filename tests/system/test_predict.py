"""predict: lines in, lines out; formats; streams; whatever a stranger pipes into it."""

import csv
import gzip
import io
import json
import os
import signal
import stat
import subprocess
import sys
import time

import pytest

STRANGE = (
    "\ufeffa splendid film\r\n"  # a byte order mark, CRLF
    "\r\n"
    "   \t \n"
    "dreadful\u2028still the same line\u0085and\x0bso\x0con\x1c\x1d\x1e\n"
    "control \x00\x01\x02\x7f\x1b[31m characters lovely\n"
    "a lone \r in the line\n"
    "<s> <unk> <pad> </s> awful\n"
    "\U0001f600 \u202e right to left \u0301\u0301\u0301\n"
    "中文也行。全是汉字\n"
    f"{'middling ' * 100_000}\n"
    f"{'a' * 200_000}\n"
    "\n"
    "no line end at the end"
)


def predict(seqnlp, model, *arguments, **rest):
    return seqnlp("classify", "predict", model, *arguments, **rest)


@pytest.fixture(scope="module")
def strange(seqnlp, model):
    """The labels of strange lines, and what jsonl says of them."""
    return predict(seqnlp, model, stdin=STRANGE), predict(seqnlp, model, "--to", "jsonl", stdin=STRANGE)


def test_as_many_lines_out_as_in(strange, says):
    text, _ = strange
    assert len(text.lines) == STRANGE.count("\n") + 1
    assert text.err == "seqnlp: warning: 1 of the texts had more words than --max-length: the rest was cut off\n"
    assert text.lines[0] == says["a splendid film"]
    assert {line for line in text.lines if line} <= {"good", "bad", "so-so"}


def test_a_blank_line_gives_a_blank_line(strange):
    blank = [i for i, line in enumerate(STRANGE.split("\n")) if not line.strip()]
    for result in strange:
        assert [i for i, line in enumerate(result.lines) if not line] == blank


def test_jsonl_holds_the_text_as_it_was(strange):
    _, jsonl = strange
    inputs = [line.removesuffix("\r") for line in STRANGE.removeprefix("\ufeff").split("\n")]
    found = [json.loads(line)["text"] if line else "" for line in jsonl.lines]
    assert found == [line if line.strip() else "" for line in inputs]


def test_jsonl_and_text_say_the_same(strange):
    text, jsonl = strange
    results = [json.loads(line)["classify"] if line else None for line in jsonl.lines]
    assert [result["label"] if result else "" for result in results] == text.lines
    for result in filter(None, results):
        assert list(result) == ["label", "score", "scores"]
        assert set(result["scores"]) == {"good", "bad", "so-so"}
        assert sum(result["scores"].values()) == pytest.approx(1, abs=2e-3)
        assert result["score"] == max(result["scores"].values()) == result["scores"][result["label"]]


@pytest.fixture(scope="module")
def ten_thousand(corpus):
    return [text for text, _ in corpus["dev"]] * 170


def test_ten_thousand_lines_in_order(seqnlp, model, ten_thousand):
    (seqnlp.folder / "big.txt").write_text("".join(f"{text}\n" for text in ten_thousand))
    result = predict(seqnlp, model, "big.txt", "--to", "jsonl")
    assert [json.loads(line)["text"] for line in result.lines] == ten_thousand
    assert result.err == ""


def test_a_result_does_not_depend_on_the_size_of_batches(seqnlp, model, corpus):
    texts = "".join(f"{text}\n" for text, _ in corpus["train"])
    whole = [json.loads(line) for line in predict(seqnlp, model, "--to", "jsonl", stdin=texts).lines]
    for flags in (["--batch-size", "1"], ["--batch-size", "7"], ["--batch-size", "64"], ["--max-tokens", "5"]):
        found = [json.loads(line) for line in predict(seqnlp, model, "--to", "jsonl", *flags, stdin=texts).lines]
        for left, right in zip(whole, found, strict=True):
            assert left["text"] == right["text"]
            assert left["classify"]["label"] == right["classify"]["label"]
            scores = left["classify"]["scores"]
            assert scores == pytest.approx(right["classify"]["scores"], abs=1.01e-4)  # rounded to four places


def formats(corpus):
    """The same texts in every format."""
    texts = [text for text, _ in corpus["dev"]]
    table = io.StringIO()
    writer = csv.writer(table)
    writer.writerows([("id", "label", "text"), *((i, "?", text) for i, text in enumerate(texts))])
    return {
        "in.txt": "".join(f"{text}\n" for text in texts),
        "in.tsv": "".join(f"{text}\n" for text in texts),
        "labelled.tsv": "".join(f"{text}\tgood\n" for text in texts),
        "header.tsv": "text\tlabel\n" + "".join(f"{text}\tgood\n" for text in texts),
        "in.csv": table.getvalue(),
        "in.jsonl": "".join(json.dumps({"text": text}) + "\n" for text in texts),
    }


def test_every_input_format_gives_the_same(seqnlp, model, corpus):
    contents = formats(corpus)
    for name, content in contents.items():
        (seqnlp.folder / name).write_text(content)
    with gzip.open(seqnlp.folder / "in.txt.gz", "wt") as file:
        file.write(contents["in.txt"])
    names = [*contents, "in.txt.gz"]
    commands = {name: (["classify", "predict", model, name, "--to", "text"], b"") for name in names}
    commands["in.csv"][0].append("--header")
    marked = "".join(f"__label__x {text}\n" for text, _ in corpus["dev"])
    commands["fasttext"] = (["classify", "predict", model, "--from", "fasttext"], marked)
    wide = contents["in.txt"].encode("utf-16")
    commands["utf-16"] = (["classify", "predict", model, "-", "--encoding", "utf-16"], wide)
    results = {name: seqnlp(*arguments, stdin=stdin, code=None) for name, (arguments, stdin) in commands.items()}
    expected = [label for _, label in corpus["dev"]]
    agreed = results["in.txt"].lines
    assert sum(a == b for a, b in zip(agreed, expected, strict=True)) > 50  # it is no accident that they agree
    for name, result in results.items():
        assert (name, result.code, result.err, result.lines) == (name, 0, "", agreed)


def test_jsonl_keeps_unknown_fields_and_stages_compose(seqnlp, model, says):
    record = {
        "id": 12345678901234567890,
        "Text": "x",
        "body": {"de": "a splendid film"},
        "tags": [None, 1.5],
        "é": "ü",
    }
    line = json.dumps(record, ensure_ascii=False)
    stage = ["classify", "predict", model, "--from", "jsonl", "--text-field"]
    first = seqnlp(*stage, "body.de", stdin=f"{line}\n\n{line}\n")
    assert json.loads(first.lines[0])["classify"]["label"] == says["a splendid film"]
    result = seqnlp(*stage, "body.de,é", stdin=first.out)
    assert result.err == ""
    assert len(result.lines) == 3 and result.lines[1] == ""
    found = json.loads(result.lines[0])
    assert list(found) == [*record, "classify"]
    assert {key: found[key] for key in record} == record
    (joined,) = predict(seqnlp, model, "--to", "jsonl", stdin="a splendid film ü\n").lines
    assert found["classify"] == json.loads(joined)["classify"]


def test_a_jsonl_record_with_a_blank_text_keeps_its_place(seqnlp, model):
    result = predict(seqnlp, model, "--from", "jsonl", stdin='{"text": " ", "n": 1}\n{"text": "a \\ud800 lovely"}\n')
    assert len(result.lines) == 2
    assert json.loads(result.lines[0]) == {"text": " ", "n": 1, "classify": None}
    assert json.loads(result.lines[1])["classify"]["label"] in ("good", "bad", "so-so")


def test_scores_and_top(seqnlp, model, says):
    lines = "a lovely film\n\n"
    with_score = predict(seqnlp, model, "--scores", stdin=lines).lines
    best = predict(seqnlp, model, "--top", "2", stdin=lines).lines
    assert with_score[1] == best[1] == ""
    label, share = with_score[0].split("\t")
    assert label == says["a lovely film"] and 1 / 3 <= float(share) <= 1
    assert best[0].split("\t")[:2] == [label, share]
    assert len(best[0].split("\t")) == 4


def test_a_slow_producer_gets_its_answers_one_by_one_and_ctrl_c_ends_it(seqnlp, model, reader, interrupt, says):
    texts, seconds = ["a lovely film", "", *["awful"] * 5], []
    with seqnlp.start("classify", "predict", model) as process:
        out, err = reader(process.stdout), reader(process.stderr)
        for number, text in enumerate(texts, 1):
            process.stdin.write(f"{text}\n".encode())
            process.stdin.flush()
            seconds.append(out.wait_for(lambda lines, number=number: len(lines) == number))
        assert out.lines == [says.get(text, "") for text in texts]
        assert min(seconds) < 1  # the best of them: other work on the machine is not our business
        assert interrupt(process) == 130
        err.wait_for(lambda lines: err.ended)
        assert [line for line in err.lines if line] == ["seqnlp: interrupted"]


def test_sigterm_ends_a_filter_with_143(seqnlp, model, reader, interrupt, says):
    with seqnlp.start("classify", "predict", model) as process:
        out = reader(process.stdout)
        process.stdin.write(b"lovely\n")
        process.stdin.flush()
        out.wait_for(lambda lines: lines == [says["lovely"]])
        assert interrupt(process, signal.SIGTERM) == 143
        assert process.stderr.read() == b"seqnlp: stopped\n"


def test_a_reader_that_goes_ends_it_quietly_though_more_may_come(seqnlp, model, says):
    with seqnlp.start("classify", "predict", model) as process:
        process.stdin.write(b"lovely\n")
        process.stdin.flush()
        assert process.stdout.readline().decode() == f"{says['lovely']}\n"
        process.stdout.close()
        process.stdin.write(b"lovely\n")
        process.stdin.flush()  # and stays open
        assert process.wait(30) == 0
        assert process.stderr.read() == b""


@pytest.mark.parametrize("source", ["< long.txt", "long.txt"])
def test_head_ends_quietly(seqnlp, model, ten_thousand, source):
    (seqnlp.folder / "long.txt").write_text("".join(f"{text}\n" for text in ten_thousand * 5))
    result = seqnlp.shell(f"seqnlp classify predict {model} {source} | head -n 1", warm=source == "long.txt")
    assert (result.code, len(result.lines), result.err) == (0, 1, "")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full here")
def test_a_full_disk_is_a_failure_in_one_line(seqnlp, model):
    result = seqnlp.shell(f"seqnlp classify predict {model} <(echo lovely) > /dev/full", warm=True)
    assert (result.code, len(result.errors)) == (1, 1) and "No space left" in result.err


def test_output_goes_into_files_pipes_and_through_links(seqnlp, model, tmp_path, running, says):
    (tmp_path / "real").write_text("before")
    (tmp_path / "link").symlink_to("real")
    os.mkfifo(tmp_path / "pipe")
    with running(["cat", tmp_path / "pipe"], stdout=subprocess.PIPE) as cat:
        predict(seqnlp, model, "-o", tmp_path / "pipe", stdin="lovely\n")
        is_pipe = stat.S_ISFIFO((tmp_path / "pipe").stat().st_mode)
        assert is_pipe and cat.stdout.read().decode() == f"{says['lovely']}\n"
    assert predict(seqnlp, model, "-o", tmp_path / "link", stdin="lovely\n").out == ""
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_text() == f"{says['lovely']}\n"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link", "pipe", "real"]


def test_an_output_file_is_there_whole_or_not_at_all(seqnlp, model, tmp_path):
    (tmp_path / "out").write_text("before\n")
    result = predict(seqnlp, model, "-o", tmp_path / "out", stdin=b"lovely\n\xff\n", code=3)
    assert "stdin:2" in result.err
    assert (tmp_path / "out").read_text() == "before\n"
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_lines_before_a_bad_one_are_answered(seqnlp, model, says):
    result = predict(seqnlp, model, stdin=b"lovely\nawful\n\xff\nlovely\n", code=3)
    assert result.lines == [says["lovely"], says["awful"]]
    assert len(result.errors) == 1 and "stdin:3" in result.err and "--encoding" in result.err


# How much memory did it take, at most? A child of its own, so that nothing else counts.
PEAK = """
import resource, subprocess, sys
subprocess.run(sys.argv[2:], stdin=open(sys.argv[1], "rb"), stdout=subprocess.DEVNULL, check=True)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""


@pytest.mark.slow
def test_memory_does_not_grow_with_the_input(seqnlp, model, ten_thousand, capsys):
    peaks = {}
    for lines in (1_000, 100_000):
        path = seqnlp.folder / "lines.txt"
        path.write_text("".join(f"{ten_thousand[i % len(ten_thousand)]}\n" for i in range(lines)))
        command = seqnlp.shell("command -v seqnlp").out.strip()
        begin = time.monotonic()
        done = subprocess.run(
            [sys.executable, "-c", PEAK, path, command, "classify", "predict", model], capture_output=True, check=True
        )
        peaks[lines] = int(done.stdout) * (1 if sys.platform == "darwin" else 1024) / 1e6
        with capsys.disabled():
            print(f"\npredict {lines:,} lines: {peaks[lines]:.0f} MB, {time.monotonic() - begin:.1f} s")
    assert peaks[100_000] < peaks[1_000] + 100
