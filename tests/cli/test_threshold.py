"""--fail-under: scores that are good enough, and those that are not, whichever way is better."""

import pytest

from seqnlp import errors
from seqnlp.cli import threshold


def row(value, higher_is_better):
    return {"name": "score", "value": value, "higher_is_better": higher_is_better}


@pytest.mark.parametrize(("value", "higher"), [(7.0, True), (7.5, True), (7.0, False), (6.5, False)])
def test_what_is_as_good_as_the_limit_passes(value, higher):
    threshold.check(row(value, higher), 7.0)
    threshold.check(row(value, higher), None)


def test_what_is_worse_is_reported_with_its_direction():
    with pytest.raises(errors.BelowThreshold, match=r"^score 6\.50 is under 7$"):
        threshold.check(row(6.5, True), 7.0)
    with pytest.raises(errors.BelowThreshold, match=r"^score 7\.50 is over 7, and lower is better$"):
        threshold.check(row(7.5, False), 7.0)
