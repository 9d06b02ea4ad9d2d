"""The mixture of a network and n-grams: its weights are the likeliest ones on dev."""

import numpy as np
import pytest
from scipy import optimize

from seqnlp.tasks.lm import mixing

KINDS = 4


def drawn(size=2000, seed=1):
    """The parts of tokens: in contexts of a higher kind the n-grams are the better."""
    rng = np.random.default_rng(seed)
    kinds = rng.integers(0, KINDS - 1, size)  # the last one never occurs
    ngrams = np.log(rng.beta(2 + kinds, 3, size) + 1e-6)
    return mixing.Parts(np.log(rng.beta(2, 2, size) + 1e-6), ngrams, kinds)


def loss(found, weights):
    return -mixing.mixed(found, np.asarray(weights)).sum()


def test_one_weight_for_all_is_the_likeliest():
    found = drawn()
    one = mixing.Parts(found.network, found.ngrams, np.zeros_like(found.kinds))
    best = optimize.minimize_scalar(lambda weight: loss(one, [weight]), bounds=(0, 1), method="bounded")
    assert mixing.fit(one, 1)[0] == pytest.approx(best.x, abs=1e-3)


def test_each_kind_has_its_own_weight_and_a_rare_one_that_of_all():
    found = drawn()
    weights = mixing.fit(found, KINDS)
    overall = mixing.fit(mixing.Parts(found.network, found.ngrams, np.zeros_like(found.kinds)), 1)[0]
    assert weights[0] < weights[1] < weights[2] and weights[3] == pytest.approx(overall)
    assert loss(found, weights) < loss(found, [overall] * KINDS)
    for kind in range(KINDS - 1):
        own = found.kinds == kind
        part = mixing.Parts(found.network[own], found.ngrams[own], found.kinds[own])

        def with_prior(weight, part=part):
            before = overall * np.log(weight) + (1 - overall) * np.log1p(-weight)
            return loss(part, [weight] * KINDS) - mixing.PRIOR * before

        best = optimize.minimize_scalar(with_prior, bounds=(0, 1), method="bounded")
        assert weights[kind] == pytest.approx(best.x, abs=1e-3)


def test_ngrams_that_are_of_no_use_count_for_nothing():
    found = drawn()
    useless = mixing.Parts(found.network, found.network - 3.0, found.kinds)
    weights = mixing.fit(useless, KINDS)
    assert weights.max() < 1e-6
    np.testing.assert_allclose(mixing.mixed(useless, weights), found.network, atol=1e-5)


@pytest.mark.parametrize(("weight", "part"), [(0.0, "network"), (1.0, "ngrams")])
def test_a_part_alone_is_the_mixture(weight, part):
    found = drawn(50)
    np.testing.assert_allclose(mixing.mixed(found, np.full(KINDS, weight)), getattr(found, part))


def test_lines_are_parted_and_put_together_again():
    found = drawn(10)
    lines = found.split(np.array([3, 3, 9]))
    assert [len(line.kinds) for line in lines] == [3, 0, 6, 1]
    again = mixing.together(lines)
    for name in ("network", "ngrams", "kinds"):
        np.testing.assert_array_equal(getattr(again, name), getattr(found, name))
