"""Series: rows in long form become series; what is wrong with a row is said with its line."""

import json

import numpy as np
import pytest

from seqnlp import errors
from seqnlp.preprocess.corpora import even, schema, series


def read(tmp_path, content, name="series.csv", known=even.Known(), **about):  # noqa: B008 (frozen)
    (tmp_path / name).write_text(content)
    source = schema.Source((str(tmp_path / name),), names={str(tmp_path / name): name}, **about)
    return [one for one, _ in series.read(source, known)]


LONG = "unique_id,ds,y\na,2020-01-01,1\nb,2020-01-01,5\na,2020-01-02,2\nb,2020-01-02,6.5\n"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("x.csv", LONG),
        ("x.tsv", LONG.replace(",", "\t")),
        ("x", LONG),
        ("x.csv", LONG.replace("unique_id,ds,y\n", "")),
        ("x.csv", LONG.replace(",", ";")),
        ("x.csv", LONG.replace("unique_id,ds,y", "shop,when,sold")),
        ("x.jsonl", '{"id":"a","time":"2020-01-01","value":1}\n{"id":"b","time":"2020-01-01","value":5}\n'
         '{"id":"a","time":"2020-01-02","value":2}\n{"id":"b","time":"2020-01-02","value":"6.5"}\n'),
    ],
)  # fmt: skip
def test_long_form(tmp_path, name, content):
    one, other = read(tmp_path, content, name)
    assert (one.id, list(one.values), one.time(0), one.time(2)) == ("a", [1, 2], "2020-01-01", "2020-01-03")
    assert (other.id, list(other.values), other.axis.frequency) == ("b", [5, 6.5], "day")


@pytest.mark.parametrize(
    ("name", "content"),
    [("x.txt", "1\n2\n3\n"), ("x.csv", "1\n2\n3\n"), ("x.csv", "sold\n1\n2\n3\n"), ("x", "1\n\n2\n3\n")],
)
def test_a_column_of_numbers_is_a_series(tmp_path, name, content):
    (one,) = read(tmp_path, content, name)
    assert list(one.values) == [1, 2, 3] and one.axis is None and one.time(3) == "4"


def test_several_columns_of_values_are_series_each(tmp_path):
    content = "id,day,warm,wet\nx,1,20,3\nx,2,21,4\n"
    one, other = read(tmp_path, content, columns={"value": "warm,wet"})
    assert (one.id, other.id) == ("x:warm", "x:wet") and list(other.values) == [3, 4]
    assert one.axis.frequency == "day"


def test_a_list_in_json_is_a_series(tmp_path):
    one, other = read(tmp_path, '{"id": "a", "value": [1, 2]}\n{"id": "b", "value": [3]}\n', "x.jsonl")
    assert (list(one.values), list(other.values)) == ([1, 2], [3])


def test_times_out_of_order_are_sorted_and_it_is_said(tmp_path, caplog):
    (one,) = read(tmp_path, "date,value\n2020-01-02,2\n2020-01-01,1\n2020-01-03,3\n")
    assert list(one.values) == [1, 2, 3]
    assert "series.csv:3: its times are not in order: sorted" in caplog.text


WRONG = [
    ("date,value\n2020-01-01,1\n2020-01-02,x\n", "series.csv:3: the value is 'x', expected a number"),
    ("date,value\n2020-01-01,1\n2020-01-02,inf\n", "series.csv:3: the value is inf, expected a finite number"),
    ("date,value\n2020-01-01,1\n2020-01-02,-1e200\n", "series.csv:3: the value is -1e200, expected a finite number"),
    ("date,value\n2020-01-01,1\n2020-01-02,1_000\n", "series.csv:3: the value is '1_000', expected a number"),
    ('date,value\n2020-01-01,1\n2020-01-02,"1,000"\n', "series.csv:3: the value is '1,000', expected a number"),
    ("date;value\n2020-01-01;1,5\n", "series.csv:2: the value is '1,5', expected a number"),
    ("date,value\n2020-01-01,1\n2.1.2020,2\n", "series.csv:3: '2.1.2020' is no time like the first, '2020-01-01'"),
    ("date,value\n2023-02-28,1\n2023-02-29,2\n", "series.csv:3: '2023-02-29' is no time like the first"),
    ("hour,value\n1,1\n99999999999999,2\n", "series.csv:3: '99999999999999' is no time like the first, '1'"),
    ("date,value\n2020-01-01,1\n2020-01-01,2\n", "series.csv:3: 2020-01-01 comes twice, first in line 2"),
    ("date,value\n2020-01-01,1\nsoon,2\n", "series.csv:3: 'soon' is no time like the first, '2020-01-01'"),
    ("date,value\nsoon,1\nlater,2\n", "series.csv:2: 'soon' is no time"),
    ("date,value\n2020-01-01,1\n2020-13-02,2\n", "series.csv:3: '2020-13-02' is no time like"),
    ("date,value\n2020-01-01,1\n2020-01-02,\n2020-01-03,3\n", "series.csv:3: no value"),
    (
        "date,value\n2020-01-01,1\n2020-01-02,2\n2020-01-03,2\n2020-01-06,3\n",
        "series.csv:5: 2020-01-06 follows 2020-01-03: 2 missing between (frequency: day)",
    ),
    (
        "hour,value\n0,1\n1,2\n2,2\n2.5,3\n",
        "series.csv:5: 2.5 follows 2, not a whole number of steps (frequency: hour)",
    ),
    ("date,value\n40000000000000,1\n", "series.csv:2: '40000000000000' is no time"),
    ("date,value,sold\n2020-01-01,1\n", "series.csv:2: 2 columns"),
    ("date,day,value\n2020-01-01,1,1\n2020-01-02,2,1\n", "series.csv:2: date, day: which is the time?"),
]


@pytest.mark.parametrize(("content", "what"), WRONG, ids=[what for _, what in WRONG])
def test_what_is_wrong_is_said_with_its_line(tmp_path, content, what):
    if "sold" in content:
        assert len(read(tmp_path, content)) == 1  # columns that nobody asks for may be missing
        return
    with pytest.raises(errors.DataError) as found:
        read(tmp_path, content)
    assert str(found.value).startswith(what)


def test_a_number_that_is_too_large_for_any_float_is_none(tmp_path):
    with pytest.raises(errors.DataError, match=r"series\.jsonl:1: the value is '99"):
        read(tmp_path, f'{{"id": "a", "value": {"9" * 400}}}\n', "series.jsonl")


def test_a_time_that_is_far_away_is_no_gap_to_fill(tmp_path):
    with pytest.raises(errors.DataError, match=r"series\.csv:4: .* steps after the first time: too many to fill"):
        read(tmp_path, "hour,value\n1,1\n2,1\n8000000000000,2\n", known=even.Known(gaps="linear"))


def test_another_zone_is_taken_as_it_stands_and_that_is_said(tmp_path, caplog):
    content = "time,value\n2024-03-31T00:00+01:00,1\n2024-03-31T01:00+01:00,1\n2024-03-31T02:00+02:00,2\n"
    (one,) = read(tmp_path, content)
    assert len(one.values) == 3 and one.time(3) == "2024-03-31T03:00+01:00"
    assert "series.csv:4: 2024-03-31T02:00+02:00 has another zone than the first" in caplog.text


@pytest.mark.parametrize(
    ("gaps", "values"),
    [
        ("linear", [1, 2, 3, 4, 5]),
        ("last", [1, 1, 1, 4, 5]),
        ("zero", [1, 0, 0, 4, 5]),
        ("ignore", [1, 1, 4, 5]),
    ],
)
def test_gaps_are_filled_as_asked(tmp_path, gaps, values):
    content = "date,value\n2020-01-01,1\n2020-01-03,NA\n2020-01-04,4\n2020-01-05,5\n"
    (one,) = read(tmp_path, content, known=even.Known(gaps=gaps))
    assert list(one.values) == values
    assert one.time(len(values)) == "2020-01-06"


def test_lists_of_further_columns_are_as_long_as_the_values(tmp_path):
    with pytest.raises(errors.DataError, match=r"x.jsonl:1: price has 1 values, fewer than the series"):
        read(tmp_path, '{"value": [1, 2], "price": [3]}\n', "x.jsonl", even.Known(future=("price",)))


def test_ids_of_any_kind_are_text_as_json_has_it(tmp_path):
    deep = "[" * 900 + "]" * 900
    ids = [7, "a", "\ud800", {"b": [1]}]
    content = "".join(f'{{"id": {json.dumps(one)}, "value": [1]}}\n' for one in ids)
    found = read(tmp_path, content + f'{{"id": {deep}, "value": [1]}}\n', "x.jsonl")
    assert [one.id for one in found] == ["7", "a", "\ufffd", '{"b": [1]}', deep]


def test_further_columns_may_go_beyond_the_values(tmp_path):
    content = "date,value,price,kind\n2020-01-01,1,5,x\n2020-01-02,2,6,x\n2020-01-03,,7,x\n"
    (one,) = read(tmp_path, content, known=even.Known(future=("price",), static=("kind",)))
    assert (list(one.values), [list(part) for part in one.future], one.static) == ([1, 2], [[5, 6, 7]], ("x",))


def test_a_further_column_without_a_number_is_named(tmp_path):
    content = "date,value,price\n2020-01-01,1,5\n2020-01-02,2,\n2020-01-03,,7\n"
    with pytest.raises(errors.DataError, match=r"series\.csv:3: no price"):
        read(tmp_path, content, known=even.Known(future=("price",)))


def test_a_column_that_is_not_there_is_said(tmp_path):
    with pytest.raises(errors.DataError, match=r"series.csv:2: no column 'price'; hint: it has: date, value"):
        read(tmp_path, "date,value\n2020-01-01,1\n", known=even.Known(future=("price",)))


def test_a_series_goes_to_json_and_back(tmp_path):
    (one, _) = read(tmp_path, LONG)
    again = even.Series.from_dict(one.to_dict())
    assert again.to_dict() == one.to_dict() and again.axis == one.axis


@pytest.mark.parametrize("rows", [3, 50])
def test_the_series_do_not_depend_on_the_order_of_the_rows(tmp_path, rows):
    lines = [f"{name},{step},{step * 7 % 5}" for name in "ab" for step in range(rows)]
    order = np.random.default_rng(1).permutation(len(lines))
    sorted_by = {one.id: list(one.values) for one in read(tmp_path, "id,step,value\n" + "\n".join(lines) + "\n")}
    shuffled = read(tmp_path, "id,step,value\n" + "\n".join(lines[place] for place in order) + "\n")
    assert {one.id: list(one.values) for one in shuffled} == sorted_by
