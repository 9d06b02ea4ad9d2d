"""Packed folders: the batches of the rows that are not packed, in the order of their buckets."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqnlp import errors
from seqnlp.preprocess.batching import buckets, packing, padding
from seqnlp.workflows import encoded as folders
from seqnlp.workflows import pack


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def whole(rows, found):
    """Batches by what their rows hold."""
    return [(rows.take(numbers).to_pylist(), widths) for numbers, widths in found]


@pytest.mark.parametrize("limits", [buckets.Limits(20, 5), buckets.Limits(100, 8)])
def test_a_packed_corpus_makes_the_batches_of_the_one_that_is_not(unpacked, tmp_path, limits):
    pack.pack(str(unpacked), tmp_path / "p", max_tokens=limits.max_tokens, batch_size=limits.batch_size)
    before, after = (folders.open_folder(str(path)) for path in (unpacked, tmp_path / "p"))
    rows, packed = before.rows(), after.rows()
    assert before.plan is None and after.plan == buckets.plan(rows.lengths, limits)
    for epoch in range(3):
        made, expected = (buckets.shuffled(part.lengths, after.plan, seed=5, epoch=epoch) for part in (packed, rows))
        assert whole(packed, made) == whole(rows, expected)


def test_packed_rows_stand_in_the_order_of_their_buckets(unpacked, tmp_path):
    pack.pack(str(unpacked), tmp_path / "p", max_tokens=20, batch_size=5)
    folder = folders.open_folder(str(tmp_path / "p"))
    found = buckets.buckets(folder.rows().lengths, folder.plan).tolist()
    assert found == sorted(found) and len(set(found)) == len(folder.plan.edges) > 2


def test_a_packed_folder_is_that_of_its_rows_but_for_their_order(unpacked, tmp_path):
    pack.pack(str(unpacked), tmp_path / "p", max_tokens=20, batch_size=5)
    before, after = (folders.open_folder(str(path)) for path in (unpacked, tmp_path / "p"))
    assert {**after.content, "made": 0} == {**before.content, "made": 0}
    assert names(tmp_path / "p") == sorted([*names(unpacked), "plan.json"])
    key = str
    assert sorted(after.rows().table.to_pylist(), key=key) == sorted(before.rows().table.to_pylist(), key=key)
    assert sorted(after.examples, key=key) == sorted(before.examples, key=key)


def test_plan_json_holds_edges_and_limits(packed):
    content = json.loads((packed / "plan.json").read_text())
    assert list(content) == ["edges", "max_tokens", "batch_size"]
    assert (content["max_tokens"], content["batch_size"]) == (30, 4)
    assert content["edges"] == sorted(content["edges"])


def test_the_budget_is_that_of_training_where_nobody_says(encoded, tmp_path):
    found = pack.pack(str(encoded), tmp_path / "p", max_tokens=None, batch_size=256)
    rows = folders.open_folder(str(encoded)).rows()
    assert found["max_tokens"] == buckets.budget(rows.lengths) == 1024


def test_what_is_packed_is_not_packed_again(packed, tmp_path):
    with pytest.raises(errors.UsageError, match="is packed already; hint: pack the folder that encode made"):
        pack.pack(str(packed), tmp_path / "again", max_tokens=20, batch_size=5)


def test_a_corpus_may_be_packed_where_it_is(encoded):
    rows = len(folders.open_folder(str(encoded)).rows())
    pack.pack(str(encoded), encoded, max_tokens=20, batch_size=5, overwrite=True)
    folder = folders.open_folder(str(encoded))
    assert folder.plan is not None and len(folder.rows()) == rows


def test_the_report_of_a_plan(unpacked, tmp_path):
    found = pack.pack(str(unpacked), tmp_path / "p", max_tokens=200, batch_size=8)
    folder = folders.open_folder(str(tmp_path / "p"))
    made = buckets.shuffled(folder.rows().lengths, folder.plan, seed=1, epoch=0)
    assert found["rows"] == len(folder.rows()) == sum(count for *_, count in found["lengths"])
    assert (found["batches"], found["buckets"]) == (len(made), len(folder.plan.edges))
    assert found["padding"] == pytest.approx(100 * padding.padding_fraction(folder.rows().lengths, made), abs=0.01)
    assert 0 <= found["padding"] < found["padding_random"] < 100


@given(st.lists(st.integers(1, 700)))
def test_a_histogram_counts_every_row_once_in_its_range(lengths):
    found = packing.histogram(lengths)
    assert len(found) <= packing.BARS
    assert [count for *_, count in found] == [sum(low <= n <= high for n in lengths) for low, high, _ in found]
    assert sum(count for *_, count in found) == len(lengths)
    assert [low for low, *_ in found] == [1, *(high + 1 for _, high, _ in found)][: len(found)]
