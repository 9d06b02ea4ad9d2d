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


def with_prior(found, usual):
    """What a weight for all costs, with the tokens that are as if seen before."""

    def of(weight):
        before = usual * np.log(weight) + (1 - usual) * np.log1p(-weight)
        return loss(found, [weight] * KINDS) - mixing.PRIOR * before

    return of


def best(function):
    return optimize.minimize_scalar(function, bounds=(0, 1), method="bounded").x


def test_one_weight_for_all_is_the_likeliest():
    found = drawn()
    one = mixing.Parts(found.network, found.ngrams, np.zeros_like(found.kinds))
    overall = best(with_prior(one, 0.5))
    assert mixing.fit(one, 1)[0] == pytest.approx(best(with_prior(one, overall)), abs=1e-3)
    assert overall == pytest.approx(best(lambda weight: loss(one, [weight])), abs=0.02)  # so many tokens count


def test_each_kind_has_its_own_weight_and_a_rare_one_that_of_all():
    found = drawn()
    weights = mixing.fit(found, KINDS)
    assert weights[0] < weights[1] < weights[2]
    assert weights[3] == pytest.approx(best(with_prior(found, 0.5)), abs=1e-3)
    assert loss(found, weights) < loss(found, [weights[3]] * KINDS)
    for kind in range(KINDS - 1):
        own = found.kinds == kind
        part = mixing.Parts(found.network[own], found.ngrams[own], found.kinds[own])
        assert weights[kind] == pytest.approx(best(with_prior(part, weights[3])), abs=1e-3)


@pytest.mark.parametrize("better", [-1.0, 1.0])
def test_a_single_token_does_not_decide(better):
    weights = mixing.fit(mixing.Parts(np.array([-1.0]), np.array([-1.0 + better]), np.array([2])), KINDS)
    assert np.all((weights > 0.4) & (weights < 0.6)) and np.all((weights > 0.5) == (better > 0))


def test_ngrams_that_are_of_no_use_count_for_nothing():
    found = drawn()
    useless = mixing.Parts(found.network, found.network - 3.0, found.kinds)
    weights = mixing.fit(useless, KINDS)
    assert 0 < weights.max() < 0.02
    np.testing.assert_allclose(mixing.mixed(useless, weights), found.network, atol=0.02)


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
