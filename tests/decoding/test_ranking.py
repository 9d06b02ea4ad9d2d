"""Ranking: bounds hold."""

import torch
from hypothesis import given
from hypothesis import strategies as st

from seqnlp.decoding import ranking


@given(
    st.floats(-1.0, 2.0),
    st.floats(0.0, 1.0),
    st.integers(1, 9),
    st.integers(0, 9),
    st.lists(st.floats(-9.0, 0.0), min_size=2),
)
def test_no_way_on_leads_above_the_bound(alpha, beta, min_length, more, logs):
    wu = ranking.Ranking(alpha, beta)
    begun = torch.tensor([logs])
    bound = wu.bound(begun, min_length, torch.tensor([min_length + more]))
    best = torch.stack([wu.score(begun, n, torch.zeros(())) for n in range(min_length, min_length + more + 1)]).amax(0)
    torch.testing.assert_close(bound, best)
    assert (wu.score(begun - 1, min_length, torch.tensor(-1.0)) <= bound).all()


def test_coverage_is_the_sum_of_logarithms_of_what_was_looked_at():
    attention = torch.tensor([[[0.5, 2.0, 0.25], [0.0, 1.0, 1.0]]])
    found = ranking.coverage(attention, torch.tensor([[True, True, False]]))
    torch.testing.assert_close(found, torch.tensor([[0.5, ranking.MIN_COVERAGE]]).log())


def test_repetition_is_what_was_looked_at_more_than_once():
    attention = torch.tensor([[[1.5, 0.5, 3.0]], [[0.9, 2.0, 1.25]]])
    mask = torch.tensor([[True, True, False], [True, True, True]])
    torch.testing.assert_close(ranking.repetition(attention, mask), torch.tensor([[-0.5], [-1.25]]))
