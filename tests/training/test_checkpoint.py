"""Checkpoints: there whole or not at all, the newest complete one counts."""

import json
import os

import pytest
import torch

from seqnlp import errors
from seqnlp.training import checkpoint


def groups(number=1.0):
    return {"weights": {"a": torch.full((2, 3), number), "b": torch.tensor(7)}, "best": {}}


def test_a_checkpoint_comes_back_as_it_was_saved(tmp_path):
    state = {"step": 3, "best": None, "history": [{"f1": 0.1 + 0.2}]}
    found, read = checkpoint.load(checkpoint.save(tmp_path, groups(), state))
    assert read == state
    assert set(found) == {"weights", "best"}
    torch.testing.assert_close(found, groups(), rtol=0, atol=0)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.int64, torch.bool])
def test_tensors_keep_their_type(tmp_path, dtype):
    found, _ = checkpoint.load(checkpoint.save(tmp_path, {"x": {"a": torch.ones(3, dtype=dtype)}}, {}))
    assert found["x"]["a"].dtype == dtype


def test_views_are_saved_with_what_they_show(tmp_path):
    whole = torch.arange(12).view(3, 4)
    found, _ = checkpoint.load(checkpoint.save(tmp_path, {"x": {"a": whole.T, "b": whole[1:, ::2]}}, {}))
    assert torch.equal(found["x"]["a"], whole.T)
    assert torch.equal(found["x"]["b"], whole[1:, ::2])


def names(folder):
    return sorted(entry.name for entry in folder.iterdir())


def test_the_newest_and_the_one_before_are_kept(tmp_path):
    for number in range(4):
        checkpoint.save(tmp_path, groups(), {"step": number})
    assert names(tmp_path) == ["003", "004"]


def test_the_one_before_goes_only_when_the_new_one_was_read_back(tmp_path, monkeypatch):
    for number in range(2):
        checkpoint.save(tmp_path, groups(), {"step": number})

    def rename(source, target, rename=os.rename):
        flip(source / "weights.safetensors")
        rename(source, target)

    monkeypatch.setattr(os, "rename", rename)
    with pytest.raises(errors.ModelError, match=r"003/weights\.safetensors: is damaged"):
        checkpoint.save(tmp_path, groups(), {"step": 2})
    assert names(tmp_path) == ["001", "002", "003"]
    assert checkpoint.latest(tmp_path)[1] == {"step": 1}


def flip(path):
    """Change a bit in the middle of a file."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


DAMAGES = {
    "missing": lambda path: path.unlink(),
    "empty": lambda path: path.write_bytes(b""),
    "cut": lambda path: path.write_bytes(path.read_bytes()[:-9]),
    "longer": lambda path: path.write_bytes(path.read_bytes() + b"\0"),
    "a bit": flip,
    "zeros": lambda path: path.write_bytes(bytes(path.stat().st_size)),
    "brackets": lambda path: path.write_bytes(b"[" * 100_000),
}


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("name", ["state.json", "weights.safetensors", "best.safetensors"])
def test_a_damaged_checkpoint_is_passed_over_for_the_one_before_and_that_is_said(tmp_path, caplog, damage, name):
    for number in (1, 2):
        checkpoint.save(tmp_path, groups(number), {"step": number})
    DAMAGES[damage](tmp_path / "002" / name)
    found, state = checkpoint.latest(tmp_path)
    assert state == {"step": 1}
    torch.testing.assert_close(found, groups(1), rtol=0, atol=0)
    (line,) = caplog.messages
    assert line.startswith(f"{tmp_path}/002/{name}: is ")
    assert line.endswith("; the checkpoint before is used, of step 1")


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("name", ["state.json", "weights.safetensors"])
def test_where_both_are_damaged_the_file_is_named(tmp_path, damage, name):
    for number in (1, 2):
        DAMAGES[damage](checkpoint.save(tmp_path, groups(number), {"step": number}) / name)
    with pytest.raises(errors.ModelError, match=f"002/{name}: is .*; hint: train again with --overwrite"):
        checkpoint.latest(tmp_path)


def test_of_one_group_only_its_own_file_matters(tmp_path):
    checkpoint.save(tmp_path, groups(), {"step": 1})
    flip(checkpoint.save(tmp_path, groups(), {"step": 2}) / "weights.safetensors")
    assert checkpoint.latest(tmp_path, "best") == ({"best": {}}, {"step": 2})


def test_a_folder_that_was_removed_is_not_made_again(tmp_path):
    with pytest.raises(errors.SeqnlpError, match="gone: was removed during the training"):
        checkpoint.save(tmp_path / "gone", groups(), {})
    assert names(tmp_path) == []


def test_the_one_before_stays_until_the_new_one_is_complete(tmp_path, monkeypatch):
    first = checkpoint.save(tmp_path, groups(), {"step": 1})

    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(checkpoint.jsonl, "write_json", fail)
    with pytest.raises(OSError, match="No space left"):
        checkpoint.save(tmp_path, groups(), {"step": 2})
    assert checkpoint.newest(tmp_path) == first
    assert checkpoint.load(first)[1] == {"step": 1}
    assert names(tmp_path) == ["001"]  # a disk that is full does not stay so for what is half-written


def test_what_a_crash_left_is_ignored_and_written_over(tmp_path):
    checkpoint.save(tmp_path, groups(), {"step": 1})
    partial = tmp_path / ".002"
    partial.mkdir()
    (partial / "weights.safetensors").write_bytes(b"half")
    assert checkpoint.newest(tmp_path).name == "001"
    assert checkpoint.save(tmp_path, groups(), {"step": 2}).name == "002"
    assert names(tmp_path) == ["001", "002"]


def test_two_complete_ones_after_a_crash_the_newest_counts(tmp_path):
    for name in ("009", "010"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "state.json").write_text(json.dumps({"step": int(name)}))
    assert checkpoint.newest(tmp_path).name == "010"
    assert checkpoint.save(tmp_path, {}, {}).name == "011"
    assert names(tmp_path) == ["010", "011"]


def test_more_than_999_checkpoints(tmp_path):
    (tmp_path / "999").mkdir()
    checkpoint.save(tmp_path, {}, {"step": 1})
    checkpoint.save(tmp_path, {}, {"step": 2})
    assert checkpoint.newest(tmp_path).name == "1001"


@pytest.mark.parametrize("name", ["nothing", "."])
def test_where_there_is_none(tmp_path, name):
    assert checkpoint.newest(tmp_path / name) is None


def test_other_files_are_left_alone(tmp_path):
    (tmp_path / "run.json").write_text("{}")
    checkpoint.save(tmp_path, {}, {})
    checkpoint.save(tmp_path, {}, {})
    assert (tmp_path / "run.json").exists()


def test_no_file_is_left_when_writing_tensors_fails(tmp_path, monkeypatch):
    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(checkpoint.atomic.os, "fsync", fail)
    with pytest.raises(OSError, match=r"No space left.*x\.safetensors"):
        checkpoint.save_tensors(tmp_path / "x.safetensors", {"a": torch.ones(3)})
    assert list(tmp_path.iterdir()) == []


def test_the_same_tensors_give_the_same_bytes(tmp_path):
    for name in ("1", "2"):
        checkpoint.save_tensors(tmp_path / name, {"b": torch.ones(3), "a": torch.zeros(2, 2)})
    assert (tmp_path / "1").read_bytes() == (tmp_path / "2").read_bytes()
