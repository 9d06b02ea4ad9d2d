"""BPE-dropout: with nothing dropped the pieces are the usual ones; whatever is dropped, the text stays."""

import collections
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqnlp import errors
from seqnlp.preprocess.text import bpe_dropout, subword, tokenizer

TEXTS = ["low lower lowest", "new newer newest wide wider", "the lowest widest Straße, 桃"] * 5
BPE = subword.train(iter(TEXTS), size=330)


@given(st.text(max_size=40))
def test_without_dropout_the_pieces_are_the_tokenizer_s(text):
    assert bpe_dropout.Sampler(BPE, 0.0).encode(text, random.Random(1)) == BPE.encode([text])[0]


@given(st.text(max_size=40), st.floats(0, 1), st.integers(0, 99))
def test_the_text_stays(text, share, seed):
    ids = bpe_dropout.Sampler(BPE, share).encode(text, random.Random(seed))
    assert BPE.decode(ids) == BPE.normal(text)


def test_all_dropped_leaves_bytes():
    ids = bpe_dropout.Sampler(BPE, 1.0).encode("lowest", random.Random(1))
    assert len(ids) == len("lowest")


def test_a_seed_draws_the_same_again_and_another_one_differently():
    half = bpe_dropout.Sampler(BPE, 0.5)
    drawn = [tuple(half.encode(TEXTS[0], random.Random(seed))) for seed in range(20)]
    assert drawn == [tuple(half.encode(TEXTS[0], random.Random(seed))) for seed in range(20)]
    assert len(set(drawn)) > 5


def test_a_merge_is_passed_over_as_often_as_asked():
    twice = subword.train(iter(["ab"] * 9), size=261)  # the bytes, the special tokens and one merge
    third = bpe_dropout.Sampler(twice, 0.3)
    counts = collections.Counter(len(third.encode("ab", random.Random(seed))) for seed in range(4000))
    assert counts[2] / 4000 == pytest.approx(0.3, abs=0.03)


def test_pieces_of_another_kind_are_refused():
    words = tokenizer.train_vocabulary(["a b"])
    with pytest.raises(errors.UsageError, match="needs a BPE tokenizer"):
        bpe_dropout.Sampler(words, 0.1)
