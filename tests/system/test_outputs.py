"""Where predict writes: gzip, csv, never over its input; nothing half-written; labels that are not sure enough."""

import csv
import gzip
import json
import os
import pty
import select
import signal
import time

import pytest


def predict(seqnlp, model, *arguments, **rest):
    return seqnlp("classify", "predict", model, *arguments, **rest)


def test_an_output_in_gz_is_read_by_the_next_command(seqnlp, model, tmp_path, says):
    for number in range(2):
        predict(seqnlp, model, "-o", tmp_path / f"{number}.txt.gz", stdin="a lovely film\nawful\n")
    one, other = ((tmp_path / f"{number}.txt.gz").read_bytes() for number in range(2))
    assert gzip.decompress(one).decode().split() == [says["a lovely film"], says["awful"]]
    assert one == other
    assert seqnlp("score", "accuracy", tmp_path / "0.txt.gz", tmp_path / "1.txt.gz").json["scores"][0]["value"] == 100
    seqnlp("classify", "eval", model, "dev.tsv", "--errors", tmp_path / "mistakes.jsonl.gz")
    with gzip.open(tmp_path / "mistakes.jsonl.gz", "rt") as file:
        assert all(json.loads(line)["gold"] for line in file)


def test_a_vocabulary_in_gz_is_a_tokenizer(seqnlp, tmp_path):
    (tmp_path / "x.txt").write_text("a b a\n")
    seqnlp("bpe", "train", tmp_path / "x.txt", "-o", tmp_path / "b.json.gz", "--size", "300")
    seqnlp("bpe", "encode", tmp_path / "b.json.gz", tmp_path / "x.txt", "-o", tmp_path / "p.gz")
    assert seqnlp("bpe", "decode", tmp_path / "b.json.gz", tmp_path / "p.gz").out == "a b a\n"


SAME = ["in.txt -o in.txt", "in.txt -o link", "in.txt -o hard", "link -o hard", "< in.txt -o ./in.txt"]
SAME += ["in.txt >> in.txt", "/dev/stdin -o in.txt < in.txt", "in.txt -o /dev/stdout >> hard"]


@pytest.mark.parametrize("line", SAME)
def test_an_output_that_is_the_input_is_refused(seqnlp, model, line):
    path = seqnlp.folder / "in.txt"
    path.write_text("lovely\n")
    if not (seqnlp.folder / "link").is_symlink():
        (seqnlp.folder / "link").symlink_to("in.txt")
        (seqnlp.folder / "hard").hardlink_to(path)
    result = seqnlp.shell(f"seqnlp classify predict {model} {line}", warm=True)
    assert result.code == 2 and "is the output too" in result.err
    assert path.read_text() == "lovely\n"


OUTPUTS = {
    "-o /dev/stdout | cat": "{}",
    "-o /dev/stdout >> said": "before\n{}",
    "-o /dev/stderr 2>&1 | cat": "{}",
    "-o >(cat > said); while [ ! -s said ]; do sleep 0.1; done": "{}",
    "-o pipe & cat pipe; wait": "{}",
    "-o /dev/null": "",
}


@pytest.mark.parametrize("line", OUTPUTS)
def test_an_output_may_be_a_pipe_or_what_the_shell_has_opened(seqnlp, model, says, tmp_path, line):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "said").write_text("before\n" if ">> said" in line else "")
    done = seqnlp.shell(f"seqnlp classify predict {model} <(echo lovely) {line}", folder=tmp_path)
    assert done.code == 0, done.err
    assert done.out + (tmp_path / "said").read_text() == OUTPUTS[line].format(says["lovely"] + "\n")


def test_pieces_are_not_written_over_by_what_they_make(seqnlp, tmp_path):
    (tmp_path / "x.txt").write_text("a b a\n")
    seqnlp("bpe", "train", tmp_path / "x.txt", "-o", tmp_path / "b.json", "--size", "300")
    result = seqnlp("bpe", "encode", tmp_path / "b.json", tmp_path / "x.txt", "-o", tmp_path / "b.json", code=2)
    assert "b.json: is the output too" in result.err


@pytest.fixture(scope="module")
def pieces(seqnlp):
    """A BPE tokenizer: what it encodes is written as it comes too, and it need not load torch."""
    (seqnlp.folder / "pieces.txt").write_text("a b a\n")
    seqnlp("bpe", "train", "pieces.txt", "-o", "pieces.json", "--size", "300")
    return "pieces.json"


STOPS = {signal.SIGTERM: "classify predict model", signal.SIGINT: "bpe encode", signal.SIGHUP: "bpe encode"}


@pytest.mark.parametrize("number", STOPS)
def test_nothing_is_left_of_an_output_that_was_stopped(seqnlp, model, pieces, tmp_path, number, interrupt):
    given = [pieces] if STOPS[number].startswith("bpe") else []
    with seqnlp.start(*STOPS[number].split(), *given, "-o", tmp_path / "out") as process:
        process.stdin.write(b"lovely\n" * 10)
        process.stdin.flush()
        until = time.monotonic() + 60
        while not os.listdir(tmp_path):
            assert time.monotonic() < until
            time.sleep(0.02)
        assert interrupt(process, number) == 128 + number
    assert os.listdir(tmp_path) == []


def test_a_bar_shows_while_predict_takes_long(seqnlp, model, tmp_path):
    ours, theirs = pty.openpty()
    with seqnlp.start("classify", "predict", model, "-o", tmp_path / "out", stderr=theirs, warm=True) as process:
        os.close(theirs)
        process.stdin.write(b"lovely\n")
        process.stdin.flush()
        seen = b""
        while b"predicting" not in seen:
            assert select.select([ours], [], [], 60)[0]
            seen += os.read(ours, 1 << 16)
        process.stdin.close()
        assert process.wait(60) == 0
    os.close(ours)
    assert (tmp_path / "out").read_text().count("\n") == 1


def test_numbers_that_are_none_and_deep_nesting_go_through_as_json(seqnlp, model):
    lines = '{"text": "lovely", "x": NaN, "y": [-Infinity]}\n{"text": "lovely", "x": ' + "[" * 900 + "]" * 900 + "}\n"
    first, second = predict(seqnlp, model, "--from", "jsonl", "--to", "jsonl", stdin=lines).lines

    def refuse(name):
        raise AssertionError(name)

    found = json.loads(first, parse_constant=refuse)
    assert (found["x"], found["y"]) == (None, [None])
    assert second.startswith('{"text": "lovely", "x": [[') and second.count("[") == 900


def test_a_table_keeps_its_columns_and_is_scored_as_it_is(seqnlp, model, says, corpus):
    rows = [["n", "text", "label"], *([n, text, label] for n, (text, label) in enumerate(corpus["dev"]))]
    with open(seqnlp.folder / "table.csv", "w", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(rows)
    fields = ["--text-field", "text", "--label-field", "label"]
    result = predict(seqnlp, model, "table.csv", "--text-field", "text", "--to", "csv", "-o", "said.csv")
    assert result.out == ""
    with open(seqnlp.folder / "said.csv", newline="") as file:
        header, *found = csv.reader(file)
    assert header == ["n", "text", "label", "predicted_label", "score"]
    assert [row[:3] for row in found] == [list(map(str, row)) for row in rows[1:]]
    scored = seqnlp("score", "f1", "table.csv", "said.csv", *fields).json["scores"][0]
    evaluated = {row["name"]: row for row in seqnlp("classify", "eval", model, "table.csv", *fields).json["scores"]}
    assert scored["value"] == evaluated["f1"]["value"]
    again = predict(seqnlp, model, "said.csv", "--text-field", "text", "--to", "csv").lines
    assert again[0] == "n,text,label,predicted_label,score,predicted_predicted_label,predicted_score"


def test_what_is_not_sure_enough_has_no_label(seqnlp, model, corpus):
    texts = "".join(f"{text}\n" for text, _ in corpus["dev"])
    rows = [line.split("\t") for line in predict(seqnlp, model, "--scores", stdin=texts).lines]
    bar = sorted(float(score) for _, score in rows)[len(rows) // 2]
    sure = [label if float(score) > bar + 1e-4 else "" for label, score in rows]
    least = ["--min-score", bar + 1e-4]
    found = predict(seqnlp, model, *least, stdin=texts).lines
    assert sum(one != other for one, other in zip(found, sure, strict=True)) <= 2  # scores are rounded
    said = predict(seqnlp, model, *least, "--otherwise", "unsure", stdin=texts).lines
    assert said == [label or "unsure" for label in found]
    (seqnlp.folder / "sure.txt").write_text("".join(f"{label}\n" for label in found))
    scored = seqnlp("score", "accuracy", "dev.tsv", "sure.txt").json
    evaluated = seqnlp("classify", "eval", model, "dev.tsv", *least).json
    assert scored["scores"][0]["value"] == evaluated["scores"][0]["value"]
    coverage = 100 * sum(map(bool, found)) / len(found)
    assert scored["details"]["coverage"] == evaluated["details"]["coverage"] == pytest.approx(coverage, abs=1e-4)


@pytest.mark.parametrize("flags", [["--otherwise", "x"], ["--min-score", "0.5", "--top", "2"]])
def test_options_that_make_no_sense_are_refused(seqnlp, model, flags):
    assert "--min-score" in predict(seqnlp, model, *flags, stdin="a\n", code=2).err


def test_a_blank_line_says_what_its_place_says(seqnlp, tmp_path):
    rows = "a film\tgood\n \tgood\na cat\tbad\nan owl\tbad\n"
    (tmp_path / "gold.tsv").write_text(rows)
    unsure = seqnlp("score", "accuracy", tmp_path / "gold.tsv", stdin="good\n\n\nbad\n").json
    assert unsure["scores"][0]["value"] == pytest.approx(200 / 3, abs=1e-4) and unsure["scores"][0]["n"] == 3
    several = ["score", "f1", tmp_path / "gold.tsv", "--multi-label"]
    assert seqnlp(*several, stdin="good\n\n\nbad\n").json["scores"][0]["n"] == 3


def test_a_label_that_is_called_label_makes_no_table_of_labels(seqnlp, tmp_path):
    (tmp_path / "gold.jsonl").write_text(
        '{"text": "a", "label": ["x", "label"]}\n{"text": "b", "label": ["x"]}\n{"text": "c", "label": ["label"]}\n'
    )
    done = seqnlp("score", "f1", tmp_path / "gold.jsonl", "--multi-label", stdin="x,label\nx\nlabel\n").json
    assert done["scores"][0]["value"] == 100 and done["scores"][0]["n"] == 3


def test_document_marks_have_no_probability(seqnlp, tmp_path):
    gold = "-DOCSTART-\tX\n\nAda\tB-PER\n#\tO\n\n"
    (tmp_path / "gold.conll").write_text(gold)
    said = "-DOCSTART-\tX\n\nAda\tB-PER\tB-PER\t0.9000\n#\tO\tO\t0.8000\n\n"
    assert seqnlp("score", "spans", tmp_path / "gold.conll", stdin=said).json["scores"][0]["value"] == 100


def test_texts_that_are_cut_by_a_given_codec_are_counted(seqnlp, tmp_path, as_tsv):
    (tmp_path / "x.tsv").write_text(as_tsv([("a good long film", "good"), ("bad", "bad")] * 9))
    first = seqnlp("encode", "classify", tmp_path / "x.tsv", "-o", tmp_path / "one", "--max-length", "3")
    for number, flags in enumerate(([], ["--jobs", "2"])):
        given = ["--codec", tmp_path / "one", "-o", tmp_path / str(number), *flags]
        said = seqnlp("encode", "classify", tmp_path / "x.tsv", *given).err
        assert "warning: 9 of the texts had more words than --max-length" in said
    assert "9 of 18 texts have more than 3 words" in first.err
