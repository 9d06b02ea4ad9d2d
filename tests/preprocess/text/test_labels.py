"""Labels: their order, their numbers, and the way through a file."""

from hypothesis import given
from hypothesis import strategies as st

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


NAMES = st.text("ab,/%2CcF5 ", min_size=1).map(labels.printed).filter(bool)


@given(st.lists(NAMES, unique=True))
def test_several_labels_come_back_from_one_text(names):
    assert labels.parted(labels.joined(names)) == tuple(names)


@given(st.text("a,/%2CcF5|"), st.sampled_from(",/|"))
def test_a_name_comes_back_without_its_separators(name, separator):
    assert separator not in labels.escaped(name, separator)
    assert labels.unescaped(labels.escaped(name, separator), separator) == name


def test_only_what_would_be_misread_is_escaped():
    assert labels.joined(["Sports, Leisure", "100%", "a/b"]) == "Sports%2C Leisure,100%,a/b"
    assert labels.parted(" a ,, b  c,a") == ("a", "b c")


def test_few_rows_may_each_have_a_label_of_their_own():
    assert labels.doubts({"a": 1, "b": 1, "c": 2}, 4) == ["2 classes occur only once: 'a', 'b'"]
