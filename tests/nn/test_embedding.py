"""Word embeddings: a word's own vector plus the mean of its n-grams', the latter alone for unknown words."""

import pytest
import torch

from seqnlp.nn import embedding

UNKNOWN = 1
GRAMS = [[0, 4, 2], [3], [6, 6]]  # of three distinct words


def layer(buckets=7):
    torch.manual_seed(0)
    return embedding.WordEmbedding(5, 3, buckets=buckets, scale=0.1, unknown=UNKNOWN)


def tensors():
    words = torch.tensor([[2, 1, 4], [4, 3, 0]])
    forms = torch.tensor([[0, 1, 2], [2, 0, 0]])
    return words, forms, torch.tensor([0, 4, 2, 3, 6, 6]), torch.tensor([0, 3, 4])


def test_vectors_by_hand():
    made = layer()
    words, forms, *_ = tensors()
    found = made(*tensors())
    for row in range(2):
        for step in range(3):
            grams = GRAMS[forms[row, step]]
            expected = sum(made.char_ngrams.weight[gram] for gram in grams) / len(grams)
            if words[row, step] != UNKNOWN:
                expected = expected + made.words.weight[words[row, step]]
            torch.testing.assert_close(found[row, step], expected)


def test_unknown_words_differ_by_their_n_grams():
    words = torch.full((1, 3), UNKNOWN)
    found = layer()(words, torch.tensor([[0, 1, 2]]), *tensors()[2:])
    assert len({tuple(vector.tolist()) for vector in found[0]}) == 3


def test_without_n_grams_words_are_looked_up():
    made = layer(buckets=0)
    nothing = torch.zeros(0, dtype=torch.long)
    words = torch.tensor([[2, UNKNOWN]])
    found = made(words, nothing, nothing, nothing)
    torch.testing.assert_close(found, made.words.weight[words])


def test_only_what_occurs_gets_a_gradient():
    made = layer()
    made(*tensors()).sum().backward()
    words, grams = (part.weight.grad.to_dense().any(1).tolist() for part in (made.words, made.char_ngrams))
    assert words == [True, False, True, True, True]
    assert grams == [True, False, True, True, True, False, True]


@pytest.mark.parametrize("scale", [0.1, 1.0])
def test_vectors_begin_at_the_scale_asked_for(scale):
    made = embedding.WordEmbedding(500, 30, buckets=500, scale=scale, unknown=UNKNOWN)
    for part in (made.words, made.char_ngrams):
        assert scale / 3 < part.weight.std() < scale * 1.5


@torch.no_grad()
def test_a_tied_embedding_has_rows_of_length_one_and_reads_entries_of_deviation_one():
    torch.manual_seed(1)
    module = embedding.TiedEmbedding(500, 64)
    assert float(module.weight.norm(dim=1).mean()) == pytest.approx(1, abs=0.02)
    tokens = torch.arange(500).view(5, 100)
    read = module(tokens)
    assert float(read.std()) == pytest.approx(1, abs=0.02)
    torch.testing.assert_close(read[2, 7], module.weight[207] * 8)
