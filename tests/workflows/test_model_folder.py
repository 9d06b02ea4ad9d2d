"""The model folder: whose it is, that it is whole, and that no other files are touched."""

import json
import os
import shutil
import signal
import sys

import pytest
import torch

from seqnlp import errors
from seqnlp.io import jsonl
from seqnlp.workflows import config_keys, differences, model_folder

RUN = {
    "task": "classify",
    "config": {"hidden_size": 5},
    "training": {"seed": 1},
    "data": {"x.tsv": "ab" * 32},
    "dev": None,
}
CONTENT = {
    "task": "classify",
    "finished": True,
    "refit": False,
    "config": {"hidden_size": 5},
    "training": {"seed": 1},
    "run": RUN,
    "data": {"x.tsv": "ab" * 32},
    "files": {},
    "labels": {"pos|neg": 700, "neg": 534},
    "date": "2026-01-02T03:04:05+00:00",
    "sizes": {"train": 1234, "dev": 12, "parameters": 5678},
    "scores": [
        {"name": "accuracy", "value": 87.654, "interval": [80.0, 95.5], "signature": "accuracy|bs:1000", "n": 12},
        {"name": "f1", "value": 1.0, "interval": None, "signature": "f1|average:macro", "n": 12},
    ],
    "details": {},
    "step": 30,
    "steps": 40,
    "seconds": 12.3,
}


OTHER = {**RUN, "task": "tag"}
CODECS = {"classify": ("labels.json", "tokenizer.json"), "tag": ("labels.json", "words.json")}


def codec(task):
    """What writes the files of a task's codec: each says whose it is."""

    def save(folder):
        for name in CODECS[task]:
            jsonl.write_json(folder / name, {"of": task})
        return list(CODECS[task])

    return save


def begin(folder, run=RUN, anew=False):
    content = {**CONTENT, "task": run["task"], "run": run}
    return {**content, "files": model_folder.begin(folder, content, codec(run["task"]), anew=anew)}


def train(folder, run=RUN, overwrite=False):
    """Do what a train command does."""
    if model_folder.claim(folder, run, overwrite=overwrite):
        return model_folder.tidy(folder)
    with model_folder.make(folder):
        content = begin(folder, run, overwrite)
        (folder / "checkpoint" / "001").mkdir(exist_ok=True)
        model_folder.publish(folder, content, {"w": torch.ones(2)}, [{"step": 30}, {"step": 40}])
        model_folder.finish(folder)


@pytest.fixture
def folder(tmp_path):
    """A finished model's folder."""
    path = tmp_path / "model"
    train(path)
    return path


def names(folder):
    return {path.name for path in folder.iterdir()}


def make(folder):
    with model_folder.make(folder):
        pass


ALWAYS = {"config.json", "model.safetensors", "README.md", "history.jsonl"}


def check_whole(folder, task):
    """Check that a folder is a finished model's of a task, and that nothing else is there."""
    assert names(folder) == {*ALWAYS, *CODECS[task]}
    config = model_folder.read_config(folder)
    model_folder.check_files(folder, config)
    assert config["task"] == task and all(jsonl.read_json(folder / name) == {"of": task} for name in CODECS[task])


def refused(folder, run=RUN, overwrite=False):
    with pytest.raises(errors.UsageError) as error:
        model_folder.claim(folder, run, overwrite=overwrite)
    return error.value


# whose folder it is


@pytest.mark.parametrize("overwrite", [False, True])
def test_a_new_folder_may_be_taken_and_is_not_made_yet(tmp_path, overwrite):
    assert model_folder.claim(tmp_path / "new", RUN, overwrite=overwrite) is None
    assert not (tmp_path / "new").exists()


def test_an_empty_folder_may_be_taken(tmp_path):
    assert model_folder.claim(tmp_path, RUN, overwrite=False) is None


@pytest.mark.parametrize("overwrite", [False, True])
@pytest.mark.parametrize("name", ["thesis.txt", "README.md", "labels.json", ".thesis.txt.x1y2z3", ".README.md"])
def test_a_folder_with_other_files_is_refused(tmp_path, name, overwrite):
    (tmp_path / name).write_text("{}")
    error = refused(tmp_path, overwrite=overwrite)
    assert error.message == f"{tmp_path}: is not empty and holds no model"
    assert error.hint == "give -o a new folder"
    assert names(tmp_path) == {name}


@pytest.mark.parametrize("overwrite", [False, True])
@pytest.mark.parametrize("name", ["config.json", "checkpoint/run.json"])
def test_a_folder_that_says_something_else_of_itself_is_refused(tmp_path, name, overwrite):
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text("{}")
    error = refused(tmp_path, overwrite=overwrite)
    assert error.message == f"{tmp_path / name}: not part of a seqnlp model, or damaged"
    assert error.hint == "give -o a new folder"


@pytest.mark.parametrize("overwrite", [False, True])
def test_somebody_s_checkpoint_folder_is_no_model(tmp_path, overwrite):
    (tmp_path / "checkpoint").mkdir()
    (tmp_path / "checkpoint" / "theirs.bin").write_text("precious")
    refused(tmp_path, overwrite=overwrite)
    assert (tmp_path / "checkpoint" / "theirs.bin").exists()


@pytest.mark.parametrize("overwrite", [False, True])
def test_a_file_is_no_folder(tmp_path, overwrite):
    (tmp_path / "model").write_text("precious")
    assert "is a file, expected a folder" in refused(tmp_path / "model", overwrite=overwrite).message


def test_a_finished_run_gives_its_config(folder):
    assert model_folder.claim(folder, RUN, overwrite=False)["step"] == 30


def test_a_run_under_way_may_go_on(tmp_path):
    begin(tmp_path)
    assert model_folder.claim(tmp_path, RUN, overwrite=False) is None


def test_a_run_under_way_beside_files_of_its_own_may_go_on(folder):
    begin(folder)
    assert model_folder.claim(folder, RUN, overwrite=False) is None


def test_differences_are_reported_by_name(folder):
    error = refused(folder, {**RUN, "training": {"seed": 2}, "read": {"columns": {"text": "3,2"}, "format": "csv"}})
    words = "--from none there, csv here; --text-field none there, 3,2 here; --seed 1 there, 2 here"
    assert error.message == f"{folder}: holds another run ({words})"
    assert error.hint == "--overwrite starts over; or give another folder"


def test_a_shorter_run_is_refused_with_what_would_do(folder):
    error = differences.refusal(folder, RUN, {**RUN, "training": {**RUN["training"], "time_budget": 60.0}})
    assert error.message == f"{folder}: holds another run (--time-budget none there, 60.0 here)"
    assert error.hint == "a run may be made longer only; --overwrite starts over; or give another folder"


def test_other_data_is_where_going_on_from_a_model_is_the_way(folder):
    config = dict.fromkeys(("hidden_size", "layers", "cell"), 7)
    error = refused(folder, {**RUN, "train": ["cd" * 32], "dev": ["ef" * 32], "config": config})
    words = "other training data; another dev part; --cell none there, 7 here; 2 more"
    assert error.message == f"{folder}: holds another run ({words})"
    assert error.hint.startswith(f"--init-from {folder} and another folder go on from it; --overwrite")


def test_differences_are_found_while_the_run_is_under_way(tmp_path):
    begin(tmp_path)
    assert refused(tmp_path, OTHER).message == f"{tmp_path}: holds a model of classify, not of tag"


def test_a_tuple_is_the_list_that_json_made_of_it(tmp_path):
    run = {**RUN, "config": {"sizes": (3, 5)}}
    begin(tmp_path, run)
    assert model_folder.claim(tmp_path, run, overwrite=False) is None


def test_overwriting_may_take_another_run_s_folder_and_removes_nothing_yet(folder):
    before = names(folder)
    assert model_folder.claim(folder, OTHER, overwrite=True) is None
    assert names(folder) == before


# making it


def test_overwriting_removes_the_model_and_no_other_file(folder):
    (folder / "notes.txt").write_text("precious")
    (folder / "source.tokenizer.json").write_text("precious")
    (folder / "plots").mkdir()
    (folder / "checkpoint" / "003").mkdir(parents=True)
    begin(folder, OTHER, anew=True)
    assert names(folder) == {"notes.txt", "source.tokenizer.json", "plots", "checkpoint", "labels.json", "words.json"}
    assert names(folder / "checkpoint") == {"run.json", "run.copy.json"}


def test_overwriting_leaves_nothing_of_the_model_before(folder):
    train(folder, OTHER, overwrite=True)
    check_whole(folder, "tag")
    train(folder, RUN, overwrite=True)
    check_whole(folder, "classify")


def test_a_file_of_somebody_else_s_is_not_written_over(folder):
    (folder / "words.json").write_text("precious")
    (folder / "checkpoint" / "003").mkdir(parents=True)
    with pytest.raises(
        errors.UsageError, match=r"words\.json: exists already and belongs to no model; hint: give -o a new"
    ):
        begin(folder, OTHER, anew=True)
    assert (folder / "words.json").read_text() == "precious"
    assert names(folder / "checkpoint") == {"003"}  # nothing is lost by what is refused
    model_folder.check_files(folder, model_folder.read_config(folder))


def test_a_folder_with_the_name_of_a_model_s_file_is_not_removed(folder):
    (folder / "tokenizer.json").unlink()
    (folder / "tokenizer.json").mkdir()
    (folder / "tokenizer.json" / "thesis.txt").write_text("precious")
    begin(folder, OTHER, anew=True)
    assert (folder / "tokenizer.json" / "thesis.txt").exists()


# kills: before each thing that a command does to the disk


DOINGS = {"open", "os.mkdir", "os.rename", "os.remove", "os.rmdir"}


def killed(doing, left):
    """Do something in a process that is killed before its `left`-th doing on the disk; return whether it was."""

    def kill(event, arguments):
        nonlocal left
        if event in DOINGS and (event != "open" or arguments[2] & os.O_CREAT):
            left -= 1
            if left < 0:
                os.kill(os.getpid(), signal.SIGKILL)

    child = os.fork()
    if child == 0:
        try:
            sys.addaudithook(kill)
            doing()
        finally:
            os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status)


def kills(tmp_path, doing, before=lambda folder: None):
    """Yield a folder for each moment in which a command may be killed, as that leaves it."""
    for moment in range(200):
        folder = tmp_path / f"killed{moment}"
        before(folder)
        if not killed(lambda path=folder: doing(path), moment):
            assert moment > 20
            return
        yield folder
    raise AssertionError("it never ends")


def test_killed_at_any_moment_a_run_goes_on_or_may_be_overwritten_by_another(tmp_path):
    for folder in kills(tmp_path, train):
        other = tmp_path / "other" / folder.name
        if folder.exists():
            shutil.copytree(folder, other)
        train(folder)
        check_whole(folder, "classify")
        train(other, OTHER, overwrite=True)
        check_whole(other, "tag")


def overwritten(folder):
    train(folder, OTHER, overwrite=True)


def test_killed_at_any_moment_an_overwriting_goes_on_and_leaves_nothing_of_the_model_before(tmp_path):
    """Before it has taken the folder it leaves that to the run before."""
    for folder in kills(tmp_path, overwritten, before=train):
        taken = jsonl.read_json(model_folder.description(folder))["task"] == "tag"
        ways = [(OTHER, True), (OTHER, False) if taken else (RUN, False)]
        for number, (run, overwrite) in enumerate(ways):
            again = shutil.copytree(folder, tmp_path / str(number) / folder.name)
            train(again, run, overwrite=overwrite)
            check_whole(again, run["task"])


def test_what_a_kill_while_clearing_up_left_goes_with_the_next_same_command(folder):
    (folder / "checkpoint" / "009").mkdir(parents=True)
    train(folder)
    check_whole(folder, "classify")


def test_another_process_is_left_to_clear_up_alone(folder):
    (folder / "checkpoint" / "009").mkdir(parents=True)
    with model_folder.make(folder):
        model_folder.tidy(folder)
    assert (folder / "checkpoint" / "009").is_dir()


def test_without_overwriting_nothing_is_removed(folder):
    before = names(folder)
    make(folder)
    assert names(folder) == before


def test_folders_above_are_made(tmp_path):
    with model_folder.make(tmp_path / "a" / "b"):
        assert (tmp_path / "a" / "b").is_dir()


def test_a_folder_that_cannot_be_made_is_reported(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(errors.UsageError, match=r"file/model: cannot be created \(Not a directory\)"):
        make(tmp_path / "file" / "model")


def test_a_folder_is_kept_to_one_run_at_a_time(tmp_path):
    refusal = pytest.raises(errors.UsageError, match="another process is training there")
    with model_folder.make(tmp_path), refusal:
        make(tmp_path)
    make(tmp_path)


@pytest.mark.parametrize("name", [".config.json.x1y2z3", "checkpoint/.run.json.abc", "checkpoint/.codec/.words.json.a"])
def test_what_a_kill_left_is_no_obstacle_and_goes(tmp_path, name):
    (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / name).write_text("half")
    assert model_folder.claim(tmp_path, RUN, overwrite=False) is None
    make(tmp_path)
    assert names(tmp_path) == set()


def test_what_a_kill_left_of_a_file_that_the_codec_names_goes(folder):
    (folder / ".tokenizer.json.x1y2z3").write_text("half")
    (folder / ".words.json.x1y2z3").write_text("of nobody here")
    make(folder)
    assert names(folder) == {*ALWAYS, *CODECS["classify"], ".words.json.x1y2z3"}


def test_finishing_removes_the_checkpoints(folder):
    begin(folder)
    assert model_folder.unfinished(folder)["run"] == RUN
    model_folder.finish(folder)
    assert model_folder.unfinished(folder) is None


# what is in it


def test_publishing_writes_the_files_of_a_model(folder):
    check_whole(folder, "classify")


def test_config_json_is_written_last(tmp_path, monkeypatch):
    written = []
    replace = os.replace

    def spy(source, target):
        written.append(os.path.basename(target))
        replace(source, target)

    monkeypatch.setattr(os, "replace", spy)
    model_folder.publish(tmp_path, CONTENT, {}, [])
    assert written[-1] == "config.json"


def test_config_json_has_versions_and_the_hash_of_what_loading_reads(folder):
    config = model_folder.read_config(folder)
    assert config["format_version"] == model_folder.FORMAT_VERSION
    assert set(config["files"]) == {"labels.json", "tokenizer.json", "model.safetensors"}
    assert all(len(digest) == 64 for digest in config["files"].values())


def test_an_untouched_folder_passes_its_check(folder):
    model_folder.check_files(folder, model_folder.read_config(folder))


@pytest.mark.parametrize(("name", "damage"), [("labels.json", b"{ }"), ("model.safetensors", b"")])
def test_a_changed_file_is_reported(folder, name, damage):
    (folder / name).write_bytes(damage)
    with pytest.raises(errors.ModelError, match=f"{name}: is damaged or was changed; hint: copy the folder again"):
        model_folder.check_files(folder, model_folder.read_config(folder))


def test_a_missing_file_is_reported(folder):
    (folder / "labels.json").unlink()
    with pytest.raises(errors.ModelError, match=r"labels\.json: is missing; hint: copy the whole folder"):
        model_folder.check_files(folder, model_folder.read_config(folder))


def test_no_model(tmp_path):
    with pytest.raises(errors.ModelError, match="no model here; hint: train one: seqnlp TASK train"):
        model_folder.read_config(tmp_path)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"{}", b"null", b"\xff"])
def test_a_config_that_is_not_ours(tmp_path, content):
    (tmp_path / "config.json").write_bytes(content)
    with pytest.raises(errors.ModelError, match=r"config\.json: not part of a seqnlp model, or damaged"):
        model_folder.read_config(tmp_path)


@pytest.mark.parametrize("key", config_keys.MODEL)
def test_a_config_that_lacks_a_key_or_has_a_wrong_type_there(folder, key):
    content = model_folder.read_config(folder)
    for changed in ({**content, key: None}, {name: content[name] for name in content if name != key}):
        jsonl.write_json(folder / "config.json", changed)
        with pytest.raises(errors.ModelError, match=r"config\.json: not part of a seqnlp model, or damaged"):
            model_folder.read_config(folder)


@pytest.mark.parametrize("name", ["../labels.json", "/etc/passwd", "a/b", "..", ".", "", "a\0b"])
def test_files_have_plain_names(folder, tmp_path, name):
    (tmp_path / "labels.json").write_text("precious")
    config = model_folder.read_config(folder)
    config["files"][name] = "ab" * 32
    with pytest.raises(errors.ModelError, match="is not a plain file name"):
        model_folder.check_files(folder, config)
    jsonl.write_json(folder / "config.json", config)
    with pytest.raises(errors.ModelError, match=r"config\.json: .* is not a plain file name"):
        model_folder.read_config(folder)
    assert refused(folder, overwrite=True).hint == "give -o a new folder"


@pytest.mark.parametrize("version", [0, model_folder.FORMAT_VERSION + 1, "1", None])
def test_another_format_version_is_reported_with_what_to_do(tmp_path, version):
    content = {"format_version": version, "seqnlp_version": "9.9"}
    (tmp_path / "config.json").write_text(json.dumps(content))
    reads = rf"this seqnlp .* reads {model_folder.FORMAT_VERSION}"
    with pytest.raises(errors.ModelError, match=rf"model format {version}, {reads}; hint: .*\(9\.9\)"):
        model_folder.read_config(tmp_path)


def test_a_folder_of_another_format_is_not_written_over(folder):
    jsonl.write_json(folder / "config.json", {**model_folder.read_config(folder), "format_version": 99})
    error = refused(folder, overwrite=True)
    assert "model format 99, this seqnlp" in error.message and error.hint == "give -o a new folder"


def test_the_card_says_how_good_and_how_made(folder):
    card = (folder / "README.md").read_text()
    assert "| accuracy | 87.65 | 80.00 to 95.50 | 12 | `accuracy\\|bs:1000` |" in card
    assert "| f1 | 1.00 |  | 12 | `f1\\|average:macro` |" in card
    assert "| pos\\|neg | 700 |  |  |  |  |" in card
    assert "2026-01-02" in card and "step 30 of 40, 5,678 parameters" in card
    assert f"- x.tsv (sha256 `{'ab' * 32}`)" in card
    assert "seqnlp classify predict" in card


def test_history_is_one_json_object_a_line(folder):
    assert (folder / "history.jsonl").read_text() == '{"step": 30}\n{"step": 40}\n'


# notes of a run that are damaged


DAMAGES = {
    "missing": None,
    "empty": b"",
    "cut": b'{"format_version": 2, "ta',
    "no JSON": b"\xff\xfe",
    "nested": b"[" * 10**5,
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_note_of_a_run_is_read_from_its_copy_and_that_is_said(tmp_path, caplog, damage):
    path, content = tmp_path / "model", DAMAGES[damage]
    path.mkdir()
    begin(path)
    note = path / "checkpoint" / "run.json"
    note.unlink() if content is None else note.write_bytes(content)
    assert model_folder.claim(path, RUN, overwrite=False) is None
    assert caplog.messages[0] == f"{note}: not part of a seqnlp model, or damaged; its copy is used"
    train(path)
    check_whole(path, "classify")


@pytest.mark.parametrize("old", ['"seed"', "1", '"task"', '"sha256"'], ids=["name", "number", "key", "hash"])
def test_a_note_that_is_damaged_and_still_json_is_read_from_its_copy(tmp_path, caplog, old):
    path = tmp_path / "model"
    path.mkdir()
    begin(path)
    note = path / "checkpoint" / "run.json"
    text = note.read_text()
    assert old in text
    note.write_text(text.replace(old, {"1": "3"}.get(old, old[:-2] + 'q"')))
    json.loads(note.read_text())
    assert model_folder.claim(path, RUN, overwrite=False) is None
    assert caplog.messages[0] == f"{note}: not part of a seqnlp model, or damaged; its copy is used"


def test_a_damaged_copy_is_no_obstacle(tmp_path):
    path = tmp_path / "model"
    path.mkdir()
    begin(path)
    (path / "checkpoint" / "run.copy.json").write_bytes(b"")
    train(path, OTHER, overwrite=True)
    check_whole(path, "tag")


def damage_both_notes(path):
    for name in ("run.json", "run.copy.json"):
        (path / "checkpoint" / name).write_bytes(b"{")


@pytest.mark.parametrize("finished", [False, True], ids=["never finished", "finished before"])
def test_a_run_whose_notes_are_both_damaged_gives_way_where_asked_and_only_there(tmp_path, finished):
    path = tmp_path / "model"
    train(path) if finished else path.mkdir()
    (path / "notes.txt").write_text("precious")
    begin(path)
    (path / "checkpoint" / "003").mkdir()
    damage_both_notes(path)
    there = names(path)
    with pytest.raises(errors.ModelError, match=r"checkpoint/run\.json: .*damaged; hint: --overwrite starts over"):
        train(path)
    assert names(path) == there
    train(path, overwrite=True)
    (path / "notes.txt").unlink()
    check_whole(path, "classify")


@pytest.mark.parametrize("overwrite", [False, True])
def test_a_run_of_another_format_is_not_lost(tmp_path, overwrite):
    begin(tmp_path)
    for name in ("run.json", "run.copy.json"):
        note = tmp_path / "checkpoint" / name
        note.write_text(json.dumps({**json.loads(note.read_text()), "format_version": 3}))
    there = names(tmp_path)
    with pytest.raises(errors.UsageError, match="model format 3"):
        train(tmp_path, overwrite=overwrite)
    assert names(tmp_path) == there


def test_a_lost_run_of_another_task_leaves_no_file_that_is_in_the_way(tmp_path):
    path = tmp_path / "model"
    path.mkdir()
    begin(path)
    damage_both_notes(path)
    train(path, OTHER, overwrite=True)
    assert names(path) == {*ALWAYS, *CODECS["tag"], "tokenizer.json"}  # nobody knows whose the last one is


def test_checkpoints_below_a_link_are_refused(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "checkpoint").symlink_to(tmp_path / "elsewhere")
    assert refused(tmp_path / "model", overwrite=True).message.endswith("checkpoint: is a link, expected a folder")
    assert names(tmp_path / "elsewhere") == set()


def test_a_folder_in_which_nothing_was_written_goes_again(tmp_path):
    (tmp_path / "there").mkdir()
    for name in ("new", "there"):
        with pytest.raises(KeyboardInterrupt), model_folder.make(tmp_path / name):
            raise KeyboardInterrupt
    assert [path.name for path in tmp_path.iterdir()] == ["there"]
