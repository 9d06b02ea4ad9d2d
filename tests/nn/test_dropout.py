"""Dropout: which entries share a mask, what stays the same on average, nothing in evaluation."""

import pytest
import torch

from seqnlp.nn import dropout, rows

DROPOUTS = [dropout.Dropout, dropout.LockedDropout, dropout.WordDropout]


def drop(kind, probability, shape=(3, 5, 7)):
    torch.manual_seed(0)
    return kind(probability).train()(torch.ones(shape))


@pytest.mark.parametrize("kind", DROPOUTS)
def test_nothing_is_dropped_in_evaluation(kind):
    features = torch.randn(3, 5, 7)
    assert torch.equal(kind(0.5).eval()(features), features)


@pytest.mark.parametrize("kind", DROPOUTS)
def test_nothing_is_dropped_at_a_probability_of_zero(kind):
    features = torch.randn(3, 5, 7)
    assert torch.equal(kind(0.0).train()(features), features)


def test_a_locked_mask_is_the_same_in_all_steps_of_a_row():
    dropped = drop(dropout.LockedDropout, 0.5)
    assert (dropped == dropped[:, :1]).all()


def test_rows_have_masks_of_their_own():
    dropped = drop(dropout.LockedDropout, 0.5)
    assert not torch.equal(dropped[0], dropped[1])


def test_what_a_locked_mask_keeps_is_scaled_up():
    assert set(drop(dropout.LockedDropout, 0.2).unique().tolist()) == {0.0, 1.25}


@pytest.mark.parametrize("probability", [0.1, 0.5, 0.9])
def test_locked_dropout_keeps_the_mean(probability):
    assert drop(dropout.LockedDropout, probability, (300, 1, 300)).mean().item() == pytest.approx(1, abs=0.05)


def test_word_dropout_drops_whole_words_and_scales_nothing():
    dropped = drop(dropout.WordDropout, 0.5)
    assert (dropped == dropped[:, :, :1]).all()
    assert set(dropped.unique().tolist()) == {0.0, 1.0}


def test_word_dropout_drops_as_many_as_it_says():
    assert drop(dropout.WordDropout, 0.2, (200, 200, 1)).mean().item() == pytest.approx(0.8, abs=0.01)


@pytest.mark.parametrize("kind", DROPOUTS)
def test_the_mask_follows_the_seed(kind):
    assert torch.equal(drop(kind, 0.5), drop(kind, 0.5))


@pytest.mark.parametrize("kind", DROPOUTS)
@pytest.mark.parametrize("count", [2, 3, 4])
def test_the_parts_of_a_batch_have_the_masks_of_the_whole(kind, count):
    whole, parts = drop(kind, 0.5), []
    for number in range(count):
        part = rows.Part.of(3, number, count)
        with rows.only(part):
            parts.append(drop(kind, 0.5, (len(part), 5, 7)))
    assert torch.equal(torch.cat(parts), whole)
