"""The model folder: whose it is, that it is whole, and that no other files are touched."""

import contextlib
import json
import os

import pytest
import torch

from seqnlp import errors
from seqnlp.workflows import model_folder

RUN = {"task": "classify", "config": {"hidden_size": 5}, "training": {"seed": 1}, "data": {"x.tsv": "ab" * 32}, "dev": None}
CONTENT = {
    "task": "classify",
    "finished": True,
    "config": {"hidden_size": 5},
    "training": {"seed": 1},
    "run": RUN,
    "data": {"x.tsv": "ab" * 32},
    "files": ["labels.json"],
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


@pytest.fixture
def folder(tmp_path):
    """A finished model's folder."""
    path = tmp_path / "model"
    with model_folder.make(path):
        (path / "labels.json").write_text("{}")
        model_folder.publish(path, CONTENT, {"w": torch.ones(2)}, [{"step": 30}, {"step": 40}])
    return path


def names(folder):
    return {path.name for path in folder.iterdir()}


def make(folder):
    with model_folder.make(folder):
        pass


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
@pytest.mark.parametrize("name", ["thesis.txt", "README.md", "config.json"])
def test_a_folder_with_other_files_is_refused(tmp_path, name, overwrite):
    (tmp_path / name).write_text("{}")
    error = refused(tmp_path, overwrite=overwrite)
    assert error.message == f"{tmp_path}: is not empty and holds no model"
    assert error.hint == "give -o a new folder"
    assert names(tmp_path) == {name}


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
    model_folder.begin(tmp_path, CONTENT)
    assert model_folder.claim(tmp_path, RUN, overwrite=False) is None


def test_a_run_under_way_beside_files_of_its_own_may_go_on(folder):
    model_folder.begin(folder, CONTENT)
    assert model_folder.claim(folder, RUN, overwrite=False) is None


def test_differences_are_told_by_name(folder):
    other = {**RUN, "training": {"seed": 2}, "data": {"x.tsv": "cd" * 32}, "dev": ["y.tsv"]}
    error = refused(folder, other)
    assert error.message == (
        f"{folder}: holds another run (data.x.tsv: abababababab... there, cdcdcdcdcdcd... here; "
        "dev: none there, ['y.tsv'] here; training.seed: 1 there, 2 here)"
    )
    assert error.hint == "--overwrite starts anew; or give another folder"


def test_differences_are_found_while_the_run_is_under_way(tmp_path):
    model_folder.begin(tmp_path, CONTENT)
    assert "task: classify there, tag here" in refused(tmp_path, {**RUN, "task": "tag"}).message


def test_a_tuple_is_the_list_that_json_made_of_it(tmp_path):
    run = {**RUN, "config": {"sizes": (3, 5)}}
    model_folder.begin(tmp_path, {**CONTENT, "run": run})
    assert model_folder.claim(tmp_path, run, overwrite=False) is None


def test_overwriting_may_take_another_run_s_folder_and_removes_nothing_yet(folder):
    before = names(folder)
    assert model_folder.claim(folder, {**RUN, "task": "tag"}, overwrite=True) is None
    assert names(folder) == before


# making it


def test_overwriting_removes_the_model_and_no_other_file(folder):
    (folder / "notes.txt").write_text("precious")
    (folder / "my-tokenizer.json").write_text("precious")
    (folder / "plots").mkdir()
    (folder / "tokenizer.json").write_text("{}")
    model_folder.begin(folder, CONTENT, anew=True)
    assert names(folder) == {"notes.txt", "my-tokenizer.json", "plots", "checkpoint"}
    assert names(folder / "checkpoint") == {"run.json"}


@pytest.mark.parametrize("removals", range(6))
def test_overwriting_that_is_killed_leaves_a_folder_to_go_on_in(folder, monkeypatch, removals):
    model_folder.begin(folder, CONTENT)
    (folder / "checkpoint" / "003").mkdir()
    remove, left = model_folder._remove, [removals]

    def killed(path):
        if not left[0]:
            raise KeyboardInterrupt
        left[0] -= 1
        remove(path)

    monkeypatch.setattr(model_folder, "_remove", killed)
    with contextlib.suppress(KeyboardInterrupt):
        model_folder.begin(folder, {**CONTENT, "run": {**RUN, "task": "tag"}}, anew=True)
    assert model_folder.claim(folder, {**RUN, "task": "tag"}, overwrite=True) is None
    same = {"tag": {**RUN, "task": "tag"}, "classify": RUN}[model_folder.unfinished(folder)["run"]["task"]]
    assert model_folder.claim(folder, same, overwrite=False) is None


def test_without_overwriting_nothing_is_removed(folder):
    before = names(folder)
    make(folder)
    assert names(folder) == before


def test_folders_above_are_made(tmp_path):
    make(tmp_path / "a" / "b")
    assert (tmp_path / "a" / "b").is_dir()


def test_a_folder_that_cannot_be_made_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(errors.UsageError, match=r"file/model: cannot be made \(Not a directory\)"):
        make(tmp_path / "file" / "model")


def test_a_folder_is_kept_to_one_run_at_a_time(tmp_path):
    refusal = pytest.raises(errors.UsageError, match="another process is training there")
    with model_folder.make(tmp_path), refusal:
        make(tmp_path)
    make(tmp_path)


@pytest.mark.parametrize("name", [".config.json.x1y2z3", "checkpoint/.run.json.abc"])
def test_what_a_kill_left_is_no_obstacle_and_goes(tmp_path, name):
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text("half")
    assert model_folder.claim(tmp_path, RUN, overwrite=False) is None
    make(tmp_path)
    assert names(tmp_path) == set()


def test_finishing_removes_the_checkpoints(folder):
    model_folder.begin(folder, CONTENT)
    assert model_folder.unfinished(folder)["run"] == RUN
    model_folder.finish(folder)
    assert model_folder.unfinished(folder) is None


# what is in it


def test_publishing_writes_the_files_of_a_model(folder):
    assert names(folder) == {"config.json", "model.safetensors", "labels.json", "README.md", "history.jsonl"}


def test_config_json_is_written_last(tmp_path, monkeypatch):
    written = []
    replace = os.replace

    def spy(source, target):
        written.append(os.path.basename(target))
        replace(source, target)

    monkeypatch.setattr(os, "replace", spy)
    (tmp_path / "labels.json").write_text("{}")
    model_folder.publish(tmp_path, CONTENT, {}, [])
    assert written[-1] == "config.json"


def test_config_json_has_versions_and_the_hash_of_what_loading_reads(folder):
    config = model_folder.read_config(folder)
    assert config["format_version"] == model_folder.FORMAT_VERSION
    assert set(config["files"]) == {"labels.json", "model.safetensors"}
    assert all(len(digest) == 64 for digest in config["files"].values())


def test_an_untouched_folder_passes_its_check(folder):
    model_folder.check_files(folder, model_folder.read_config(folder))


@pytest.mark.parametrize(("name", "damage"), [("labels.json", b"{ }"), ("model.safetensors", b"")])
def test_a_changed_file_is_told(folder, name, damage):
    (folder / name).write_bytes(damage)
    with pytest.raises(errors.ModelError, match=f"{name}: is damaged or was changed; hint: copy the folder again"):
        model_folder.check_files(folder, model_folder.read_config(folder))


def test_a_missing_file_is_told(folder):
    (folder / "labels.json").unlink()
    with pytest.raises(errors.ModelError, match=r"labels\.json: is missing; hint: copy the whole folder"):
        model_folder.check_files(folder, model_folder.read_config(folder))


def test_no_model(tmp_path):
    with pytest.raises(errors.ModelError, match="no model here; hint: train one: seqnlp TASK train"):
        model_folder.read_config(tmp_path)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"{}", b"null", b"\xff"])
def test_a_config_that_is_not_ours(tmp_path, content):
    (tmp_path / "config.json").write_bytes(content)
    with pytest.raises(errors.ModelError, match=r"config\.json: not a seqnlp model's, or damaged"):
        model_folder.read_config(tmp_path)


@pytest.mark.parametrize("version", [0, 2, "1", None])
def test_another_format_version_is_told_with_what_to_do(tmp_path, version):
    content = {"format_version": version, "seqnlp_version": "9.9"}
    (tmp_path / "config.json").write_text(json.dumps(content))
    with pytest.raises(errors.ModelError, match=rf"model format {version}, this seqnlp .* reads 1; hint: .*\(9\.9\)"):
        model_folder.read_config(tmp_path)


def test_the_card_says_how_good_and_how_made(folder):
    card = (folder / "README.md").read_text()
    assert "| accuracy | 87.65 | 80.00 to 95.50 | 12 | `accuracy bs:1000` |" in card
    assert "| f1 | 1.00 |  | 12 | `f1 average:macro` |" in card
    assert "step 30 of 40, 5,678 parameters" in card
    assert f"- x.tsv (sha256 `{'ab' * 32}`)" in card
    assert "seqnlp classify predict" in card


def test_history_is_one_json_object_a_line(folder):
    assert (folder / "history.jsonl").read_text() == '{"step": 30}\n{"step": 40}\n'
