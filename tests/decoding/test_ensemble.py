"""Ensembles: the mean of probabilities."""

import numpy as np
import torch
from toys import Toy, check, found, step

from seqnlp.decoding import beam, ensemble


def test_an_ensemble_averages_the_probabilities():
    toys = [Toy.of(6, seed) for seed in (1, 2)]
    mean = Toy(
        torch.stack([toy.scores.softmax(2) for toy in toys]).mean(0).log(),
        torch.stack([toy.looks for toy in toys]).mean(0),
        toys[0].mask,
    )
    options = {"size": 3, "nbest": 2, "length_penalty": 0.6, "coverage_penalty": 0.3, "attention": True}
    options = {**options, "max_length": 5}
    joint = ensemble.join([toy.state() for toy in toys])
    results = found(beam.search, mean, step=ensemble.average([step, step]), state=joint, **options)
    expected = found(beam.search, mean, **options)
    for ranked, others in zip(results, expected, strict=True):
        check(ranked, [(one.score, one.log_probability, one.coverage, one.tokens) for one in others])
        for one, other in zip(ranked, others, strict=True):
            np.testing.assert_allclose(one.attention, other.attention, atol=1e-6)


def test_an_ensemble_of_one_is_that_one():
    toy = Toy.of(4)
    expected = found(beam.search, toy, size=3)
    results = found(beam.search, toy, step=ensemble.average([step]), state=ensemble.join([toy.state()]), size=3)
    assert [one.tokens for (one,) in results] == [one.tokens for (one,) in expected]
