"""Standard files that are closed: a command needs them or does without, and ends with the code of its own result."""

import pytest

COMMANDS = {
    "train": "seqnlp classify train train.tsv --dev dev.tsv -o {}/m --hidden-size 5 --char-ngram-buckets 99 --epochs 1",
    "predict": "seqnlp classify predict model one.txt",
    "vocab": "seqnlp vocab one.txt -o {}/v.json",
    "bpe": "seqnlp bpe train one.txt -o {}/b.json --size 300",
}


@pytest.mark.parametrize(("command", "closed"), [("train", "<&- 2>&-"), ("vocab", "2>&-"), ("bpe", "<&- 2>&-")])
def test_nothing_needs_a_stdin_that_it_does_not_read_or_stderr(seqnlp, tmp_path, command, closed):
    (seqnlp.folder / "one.txt").write_text("a lovely film\n")
    done = seqnlp.shell(f"{COMMANDS[command].format(tmp_path)} {closed}")
    assert done.code == 0, done.err
    assert len(list(tmp_path.iterdir())) == 1


def test_nothing_needs_a_stdout_that_it_does_not_write_to(seqnlp, model, tmp_path):
    (seqnlp.folder / "one.txt").write_text("a lovely film\n")
    whole = f"{COMMANDS['predict']} -o {tmp_path}/p"
    for line in (whole, COMMANDS["vocab"].format(tmp_path)):
        done = seqnlp.shell(f"{line} >&- 2>&-")
        assert done.code == 0, line
    assert (tmp_path / "p").read_text().endswith("\n")
    for line in (f"{COMMANDS['predict']} -o -", "classify eval model dev.tsv"):
        done = seqnlp.shell(f"seqnlp {line.removeprefix('seqnlp ')} >&-")
        assert (done.code, done.err.split(";")[0].strip()) == (1, "seqnlp: stdout is closed")


@pytest.mark.parametrize("line", ["vocab - --counts", "classify predict model", "bpe train - -o x.json"])
def test_a_closed_stdin_that_is_to_be_read_is_said(seqnlp, model, line):
    done = seqnlp.shell(f"seqnlp {line} <&-")
    assert (done.code, done.err) == (2, "seqnlp: stdin is closed\n")


@pytest.mark.parametrize("closed", ["2>&-", ">&- 2>&-"])
def test_errors_keep_their_codes_where_nobody_can_be_told(seqnlp, closed):
    code = 1 if ">&- 2" in closed else 2
    assert seqnlp.shell(f"seqnlp vocab none.txt --counts {closed}").code == code
