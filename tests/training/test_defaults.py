"""What the options of training leave open is filled in from the data."""

from dataclasses import replace

import numpy as np
import pytest
import torch
import toy

from seqnlp.preprocess.batching import buckets
from seqnlp.training import defaults


def resolved(tokens=10**7, columns=1, **given):
    lengths = np.full((max(tokens // 10, 1), columns), 10)
    options = defaults.resolved(replace(toy.OPTIONS, **given), lengths, device=torch.device("cpu"))
    plan = buckets.plan(lengths, buckets.Limits(options.max_tokens, options.batch_size))
    return defaults.with_epochs(options, buckets.Buckets(lengths, plan), epochs=7)


@pytest.mark.parametrize(
    ("given", "chosen"),
    [({"epochs": None}, 7), ({"epochs": 3}, 3), ({"epochs": None, "time_budget": 9.0}, None)],
)
def test_the_task_s_epochs_count_where_nothing_is_said(given, chosen):
    assert resolved(**given).epochs == chosen


def test_little_data_is_gone_through_more_often():
    assert resolved(tokens=1000, epochs=None).epochs > resolved(tokens=5000, epochs=None).epochs > 7


def test_a_batch_grows_with_the_data_between_bounds():
    sizes = [resolved(tokens=tokens, max_tokens=None).max_tokens for tokens in (10, 10**4, 10**5, 5 * 10**5, 10**7)]
    assert sizes == sorted(sizes)
    assert sizes[0] == sizes[1] == buckets.SMALLEST
    assert sizes[-1] == buckets.LARGEST[1]


def test_of_a_pair_the_longer_side_counts():
    one, two = (resolved(tokens=10**4, columns=columns, epochs=None, max_tokens=None) for columns in (1, 2))
    assert one == two


def test_what_was_asked_for_is_not_changed():
    assert resolved(tokens=10, max_tokens=77).max_tokens == 77


def test_the_precision_is_resolved():
    assert resolved(precision="auto").precision in ("fp32", "bf16")
