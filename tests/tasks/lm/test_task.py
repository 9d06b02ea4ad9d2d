"""The task lm: what a fresh network begins with."""

import numpy as np
import pytest
import torch

from seqnlp.preprocess.corpora import arrow, examples
from seqnlp.preprocess.text import cooccurrence
from seqnlp.tasks import registry
from seqnlp.tasks.lm.options import Config

LM = registry.get("lm")
LINES = ["a b c", "c b a d", "d a", "b c d e", "e f a", "f b"] * 3


@pytest.mark.parametrize("level", ["word", "char"])
def test_a_model_of_words_begins_with_vectors_of_their_neighbours(level):
    corpus = examples.Examples(lambda: (examples.Example(line, None, line, "x", 1) for line in LINES), len(LINES))
    config, codec = LM.fit(corpus, Config(level=level, embedding_size=3, hidden_size=5), {})
    rows = arrow.in_memory(map(codec.encode, corpus), codec.features())
    torch.manual_seed(1)
    network = LM.build(LM.resolve(config, codec), codec)
    drawn = network.embedding.weight.detach().clone()
    LM.initialise(network, config, codec, rows)
    found = network.embedding.weight.detach()
    if level == "char":
        assert torch.equal(found, drawn)
        return
    known, vectors = cooccurrence.vectors([codec.encode(one)["ids"] for one in corpus], *found.shape)
    np.testing.assert_allclose(found[known], vectors * drawn.std().item(), rtol=1e-4, atol=1e-6)
    others = np.setdiff1d(np.arange(len(found)), known)
    assert len(known) > 3 and len(others) and torch.equal(found[others], drawn[others])
