"""Files that must belong together line by line: from where on they seem not to."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqnlp import errors
from seqnlp.preprocess.corpora import alignment, readers, schema


def pairs(number, seed):
    """Two files of lines whose lengths go along with each other as those of translations do."""
    draw = random.Random(seed)
    sizes = [draw.randint(20, 150) for _ in range(number)]
    return ["x" * size for size in sizes], ["y" * round(size * draw.gauss(2.5, 0.2)) for size in sizes]


def without(lines, *places):
    return [line for number, line in enumerate(lines) if number not in places]


def near(found, place):
    """Whether it is the line, counted from 1, or one of the few beside it that could be it as well."""
    return found is not None and abs(found - (place + 1)) <= 8


@given(st.integers(100, 400), st.floats(0, 0.9), st.integers(0, 1000), st.booleans())
def test_a_missing_line_is_found_wherever_it_is(number, share, seed, swap):
    left, right = pairs(number, seed)
    place = int(share * number)
    sides = (left, without(right, place))
    assert near(alignment.shifted(*(sides[::-1] if swap else sides)), place)


def test_the_place_is_right_in_most_cases():
    found = [alignment.shifted(left, without(right, 70)) for left, right in (pairs(200, seed) for seed in range(40))]
    assert sum(abs(place - 71) <= 1 for place in found) > 30


@pytest.mark.parametrize("size", [2, 7, 60])
def test_lines_missing_together_are_found(size):
    for seed in range(20):
        left, right = pairs(400, seed)
        assert near(alignment.shifted(left, without(right, *range(150, 150 + size))), 150)


def test_of_lines_missing_here_and_there_the_first_is_found():
    found = []
    for seed in range(40):
        left, right = pairs(500, seed)
        found.append(alignment.shifted(left, without(right, 100, 250, 400)))
    assert sum(near(place, 100) for place in found) > 35


@given(st.integers(0, 300), st.integers(0, 300), st.integers(0, 1000))
def test_a_file_that_only_ends_early_is_not_shifted(number, kept, seed):
    left, right = pairs(number, seed)
    assert alignment.shifted(left, right[:kept]) is None


@given(st.integers(0, 300), st.integers(0, 1000))
def test_files_that_belong_together_are_not_shifted(number, seed):
    assert alignment.shifted(*pairs(number, seed)) is None


def test_lines_that_are_all_alike_tell_nothing():
    assert alignment.shifted(["aaa"] * 90, ["aaa"] * 80) is None
    assert alignment.shifted([""] * 90, [""] * 80) is None


def test_an_odd_line_near_the_end_tells_nothing():
    left, _ = pairs(60, 1)
    left[49:51] = "x" * 10, "x" * 12
    assert alignment.shifted(left, [*left[:49], "x" * 12]) is None


def records(folder, left, right):
    for name, lines in (("l.de", left), ("r.en", right)):
        (folder / name).write_text("".join(f"{line}\n" for line in lines))
    paths = [str(folder / name) for name in ("l.de", "r.en")]
    source = schema.Source(tuple(paths), names=dict(zip(paths, ("l.de", "r.en"), strict=True)))
    return list(readers.records(source, ("source", "target"), targets=True))


@pytest.mark.parametrize("swap", [False, True])
def test_the_error_names_both_counts_and_the_place(tmp_path, swap):
    left, right = pairs(300, 1)
    sides = [left, without(right, 123)]
    counts = [300, 299]
    if swap:
        sides.reverse()
        counts.reverse()
    with pytest.raises(errors.DataError) as error:
        records(tmp_path, *sides)
    place = alignment.shifted(*sides)
    assert near(place, 123)
    assert error.value.message == (
        f"l.de has {counts[0]} lines, r.en has {counts[1]}; from line {place} on they look shifted"
    )
    assert error.value.hint == "the two files must belong together line by line"


def test_the_error_names_no_place_where_there_is_none(tmp_path):
    left, right = pairs(100, 1)
    with pytest.raises(errors.DataError) as error:
        records(tmp_path, left, right[:60])
    assert error.value.message == "l.de has 100 lines, r.en has 60"
