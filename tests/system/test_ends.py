"""Ends in which nothing is lost and nothing is left: names, folders and records that are not as they should be."""

import json
import os
import shutil

import pytest

LONG = "n" * 250


def test_names_of_250_characters_work_and_longer_ones_are_no_names(seqnlp, model, tmp_path):
    (tmp_path / LONG).write_text("a lovely film\n")
    for output in (f"{LONG}.", "o" * 255):
        seqnlp("classify", "predict", model, tmp_path / LONG, "-o", tmp_path / output)
        assert (tmp_path / output).read_text()
    for command in (
        ["classify", "predict", model, LONG * 2],
        ["classify", "predict", LONG * 2, tmp_path / LONG],
        ["classify", "predict", model, tmp_path / LONG, "-o", tmp_path / (LONG * 2)],
        ["classify", "train", "train.tsv", "-o", LONG * 2],
        ["vocab", LONG * 30, "--counts"],
        ["check", LONG * 2],
        ["info", LONG * 2],
    ):
        result = seqnlp(*command, code=2)
        assert len(result.errors) == 1 and ("File name too long" in result.err or "no such file" in result.err)
    assert len(list(tmp_path.iterdir())) == 3


def test_the_current_folder_is_gone(seqnlp, model):
    for command in (f"classify predict {model} {seqnlp.folder}/dev.tsv", "vocab x.txt -o v.json", "info m"):
        done = seqnlp.shell(f'd=$(mktemp -d); cd "$d"; rmdir "$d"; seqnlp {command}')
        assert (done.code, done.err) == (2, "seqnlp: the current folder is gone; hint: cd to one that is there\n")


def test_little_address_space_is_said(seqnlp, model):
    done = seqnlp.shell("ulimit -v 300000; seqnlp classify predict model dev.tsv")
    assert (done.code, len(done.errors)) == (1, 1)
    assert "out of memory" in done.err


ALLOWED = "setpriv --bounding-set -dac_override,-dac_read_search" if os.geteuid() == 0 else "env"  # root may all
needs_setpriv = pytest.mark.skipif(shutil.which(ALLOWED.split()[0]) is None, reason="root may look into all folders")


@needs_setpriv
def test_a_folder_that_may_not_be_looked_into_is_said(seqnlp, tmp_path):
    (tmp_path / "locked").mkdir(mode=0)
    (tmp_path / "x.tsv").write_text("a film\tgood\n")
    for command in ("vocab locked/x.txt --counts", "info locked", "info locked/x", "classify train x.tsv -o locked/m"):
        done = seqnlp.shell(f"{ALLOWED} seqnlp {command}", tmp_path)
        assert (done.code, len(done.errors)) == (2, 1)
        assert "is not readable; hint: check its permissions" in done.err


@needs_setpriv
@pytest.mark.slow
def test_a_folder_that_turns_read_only_under_a_run_ends_it_and_it_goes_on_later(seqnlp, small, reader, tmp_path):
    folder = tmp_path / "model"
    command = ["classify", "train", "train.tsv", "--dev", "dev.tsv", "-o", folder, *small, "--epochs", "2000"]
    with seqnlp.start(*command, prefix=ALLOWED.split()) as process:
        lines = reader(process.stderr)
        lines.wait_for(lambda lines: (folder / "checkpoint" / "001").exists())
        (folder / "checkpoint").chmod(0o555)
        assert process.wait(60) == 1
    lines.wait_for(lambda _: lines.ended)
    assert "Permission denied" in lines.lines[-1] and str(folder / "checkpoint") in lines.lines[-1]
    (folder / "checkpoint").chmod(0o755)
    assert seqnlp("info", folder).json["steps"] > 0


@pytest.mark.parametrize(("module", "said"), [("click", ""), ("torch", "seqnlp: interrupted\n")])
def test_ctrl_c_while_modules_are_imported_shows_no_traceback(seqnlp, model, tmp_path, module, said):
    (tmp_path / f"{module}.py").write_text("raise KeyboardInterrupt\n")
    done = seqnlp.shell(f"PYTHONPATH={tmp_path}:$PYTHONPATH seqnlp classify predict {model}")
    assert (done.code, done.out, done.err.lstrip()) == (130, "", said)


def test_a_file_that_grows_too_large_is_said_without_a_buffer_too(seqnlp, tmp_path):
    (tmp_path / "x.txt").write_text("".join(f"word{number}\n" for number in range(200)))
    done = seqnlp.shell("ulimit -f 1; PYTHONUNBUFFERED=1 seqnlp vocab x.txt --counts > counts", tmp_path)
    assert (done.code, done.err) == (1, "seqnlp: File too large\n")


LOCALES = ("PYTHONUTF8=1", "LC_ALL=C PYTHONUTF8=0 PYTHONIOENCODING=latin-1", "PYTHONIOENCODING=ascii:strict")


def test_what_is_read_and_written_is_the_same_in_every_locale(seqnlp, tmp_path):
    (tmp_path / "größe_中.csv").write_text("größe,色\nein schöner Film,grün\n中文,青\nfein 🎉,grün\nfad,青\n")
    command = "seqnlp check größe_中.csv --task classify --text-field größe --label-field 色"
    usual, *others = (seqnlp.shell(f"{locale} {command}", tmp_path) for locale in LOCALES)
    assert usual.json["labels"].keys() == {"grün", "青"}
    for other in others:
        assert {**usual.json, "seconds": 0} == {**other.json, "seconds": 0}
        assert (usual.code, usual.err) == (other.code, other.err)


@pytest.mark.parametrize(("task", "flag"), [("tag", "--nbest"), ("classify", "--top"), ("translate", "--nbest")])
@pytest.mark.parametrize("value", [10**9, 0, -1])
def test_more_results_than_anybody_reads_are_refused(seqnlp, task, flag, value):
    assert f"invalid value for '{flag}'" in seqnlp(task, "predict", "m", flag, value, code=2).err


RECORDS = {
    "what the first lacks": ("--to csv", '{"text": "a film"}\n{"text": "b", "more": 1}\n'),
    "a tab": ("--to tsv", '{"text": "a film"}\n{"text": "b\\tc"}\n'),
    "no text": ("", '{"text": "a film"}\n{"text": 3}\n'),
    "no JSON": ("", '{"text": "a film"}\n{"text": \n'),
    "brackets": ("", '{"text": "a film"}\n{"text": "b", "x": ' + "[" * 100_000 + "}\n"),
    "bytes": ("", b'{"text": "a film"}\n\xff\xfe\n'),
}


@pytest.mark.parametrize("case", RECORDS)
def test_a_good_record_is_not_lost_because_of_the_next(seqnlp, model, case):
    flags, stdin = RECORDS[case]
    result = seqnlp("classify", "predict", model, *flags.split(), stdin=stdin, code=3)
    assert "a film" in result.out and len(result.errors) == 1


@pytest.mark.parametrize("depth", [900, 984])
def test_what_is_passed_through_may_be_nested_and_infinite(seqnlp, model, depth):
    nested = "[" * depth + "]" * depth
    record = f'{{"text": "a film", "deep": {nested}, "odd": [NaN, -Infinity, 1e999]}}\n{{"text": "b"}}\n'
    line, other = seqnlp("classify", "predict", model, stdin=record).lines
    assert f'"deep": {nested}, "odd": [null, null, null], "classify": {{' in line
    assert json.loads(other)["text"] == "b"


@pytest.mark.slow
def test_a_folder_that_is_removed_under_a_run_ends_it_and_stays_away(seqnlp, small, reader, tmp_path):
    folder = tmp_path / "model"
    command = ["classify", "train", "train.tsv", "--dev", "dev.tsv", "-o", folder, *small, "--epochs", "2000"]
    with seqnlp.start(*command) as process:
        lines = reader(process.stderr)
        lines.wait_for(lambda lines: any("step" in line for line in lines))
        shutil.rmtree(folder, ignore_errors=True)
        shutil.rmtree(folder, ignore_errors=True)  # a checkpoint may have been written meanwhile
        assert process.wait(60) == 1
    assert "checkpoint" in lines.lines[-1] and "\n" not in lines.lines[-1]
    assert not folder.exists()


@pytest.mark.slow
def test_a_full_disk_ends_a_run_with_path_and_reason_and_keeps_the_checkpoint_before(seqnlp, small, tmp_path):
    """The limit on the size of a file stands for a disk: it is met in the middle of writing."""
    folder = tmp_path / "model"
    flags = [*small, "--hidden-size", "64", "--epochs", "2"]
    done = seqnlp.shell(
        f"ulimit -f 60; seqnlp classify train train.tsv --dev dev.tsv -q -o {folder} {' '.join(map(str, flags))}"
    )
    assert done.code == 1 and done.errors[-1].startswith(f"seqnlp: {folder}/") and "File too large" in done.err
    assert not [path for path in folder.rglob("*") if path.name.startswith(".") and path.name != ".codec"]
