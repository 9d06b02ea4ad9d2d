"""Labels: their order, their numbers, and the way through a file."""

from seqnlp.preprocess.text import labels


def test_labels_are_sorted_by_code_point():
    assert labels.Labels.fit(["b", "ä", "a", "B", "b"]).names == ["B", "a", "b", "ä"]


def test_labels_know_how_often_training_saw_them():
    assert labels.Labels.fit(["b", "a", "b"]).counts == [1, 2]


def test_a_label_that_was_not_seen_is_missing():
    fitted = labels.Labels.fit(["b", "a"])
    assert [fitted.number(name) for name in ("a", "b", "c")] == [0, 1, labels.MISSING]


def test_labels_come_back_from_their_file(tmp_path):
    fitted = labels.Labels.fit(["b", "ä", "日本", "b"])
    fitted.save(tmp_path / "labels.json")
    loaded = labels.Labels.load(tmp_path / "labels.json")
    assert (loaded.names, loaded.counts, len(loaded)) == (fitted.names, fitted.counts, 3)
