"""Normalisation: what each step does, and how steps are named."""

import pytest

from seqnlp import errors
from seqnlp.preprocess.text import normalize


@pytest.mark.parametrize(
    ("steps", "text", "expected"),
    [
        ("nfc", "u\u0308ber", "über"),
        ("nfkc", "ﬁne ① Ａ", "fine 1 A"),
        ("lower", "GROẞE Ärger İ", "große ärger i\u0307"),
        ("accents", "über Åse naïve", "uber Ase naive"),
        ("digits", "in 1984 ٣", "in 0000 0"),
        ("space", "  a \t b\u3000c\n", "a b c"),
        ("none", " Ａ\u0308 ", " Ａ\u0308 "),
        ("", "A", "A"),
        ("nfkc,lower,accents", "ÉＡ", "ea"),
        ("nfc, lower", "Ä", "ä"),
    ],
)
def test_each_step(steps, text, expected):
    assert normalize.build(steps).normalize_str(text) == expected


def test_every_step_is_in_the_table_above_and_can_be_built():
    assert set(normalize.STEPS) == {"nfc", "nfkc", "lower", "accents", "digits", "space"}


def test_steps_run_in_the_order_given():
    assert normalize.steps("lower,nfc") == ("lower", "nfc")


def test_a_list_of_steps_is_as_good_as_a_string():
    assert normalize.steps(["nfc", "lower"]) == normalize.steps("nfc,lower")


def test_an_unknown_step_is_reported_with_those_that_exist():
    with pytest.raises(errors.UsageError, match="no normalisation step 'stem'; hint: the steps are nfc, nfkc, lower"):
        normalize.build("nfc,stem")
