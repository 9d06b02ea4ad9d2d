"""Copying: the mixture by brute force, gates that round to 0 and 1, gradients, and what is attended to again."""

import math

import pytest
import torch

from seqnlp.nn import copy
from seqnlp.nn import decoder as decoders

N, V, S, SIZE = 5, 7, 4, 10  # three words of the source are outside the vocabulary


def made(seed=0, dtype=torch.float32):
    """Logits, gates, attention and source; of each target some are in the vocabulary, some only in the source."""
    draw = torch.Generator().manual_seed(seed)
    logits = torch.randn(N, V, generator=draw, dtype=dtype)
    gate = torch.randn(N, generator=draw, dtype=dtype)
    attention = torch.randn(N, S, generator=draw, dtype=dtype).softmax(1)
    source = torch.tensor([[4, 7, 4, 3], [8, 8, 5, 3], [6, 5, 4, 3], [9, 7, 8, 3], [4, 4, 4, 3]])
    return logits, gate, attention, source


TARGETS = torch.tensor([7, 8, 0, 9, 4])


def by_hand(logits, gate, attention, source, size=SIZE):
    """The probabilities, each token and each step of the source by itself."""
    rows = []
    for row in range(len(logits)):
        own, share = logits[row].double().softmax(0), 1 / (1 + math.exp(-float(gate[row])))
        row_of = [share * float(own[token]) if token < len(own) else 0.0 for token in range(size)]
        for step, token in enumerate(source[row].tolist()):
            row_of[token] += (1 - share) * float(attention[row, step])
        rows.append(row_of)
    return torch.tensor(rows)


def test_the_mixture_by_hand():
    found = copy.scores(*made(), SIZE)
    torch.testing.assert_close(found.exp(), by_hand(*made()), atol=1e-6, rtol=1e-5)
    torch.testing.assert_close(found.exp().sum(1), torch.ones(N))


def test_a_word_that_is_nowhere_has_no_probability():
    found = copy.scores(*made(), SIZE)
    assert found[0, 8] == found[2, 7] == -torch.inf


def test_the_loss_is_that_of_the_scores():
    found = copy.cross_entropy(*made(), TARGETS)
    expected = -copy.scores(*made(), SIZE).gather(1, TARGETS.unsqueeze(1)).sum()
    torch.testing.assert_close(found.sum, expected)
    assert found.weight == N


def test_smoothing_asks_for_all_of_the_vocabulary():
    logits = made()[0]
    plain, found = (copy.cross_entropy(*made(), TARGETS, label_smoothing=share).sum for share in (0.0, 0.25))
    torch.testing.assert_close(found, 0.75 * plain - 0.25 * logits.log_softmax(1).mean(1).sum())


@pytest.mark.parametrize("gate", [-torch.inf, -1e4, -200.0, 200.0, 1e4, torch.inf])
def test_a_gate_of_0_or_1_leaves_one_part_and_finite_gradients(gate):
    logits, _, attention, source = made()
    gates = torch.full((N,), gate)
    expected = by_hand(logits, torch.full((N,), math.copysign(30.0, gate)), attention, source)
    found = copy.scores(logits, gates, attention, source, SIZE)
    assert not found.isnan().any()
    torch.testing.assert_close(found.exp(), expected, atol=1e-6, rtol=1e-5)
    targets = torch.tensor([4, 5, 6, 7, 4]) if gate < 0 else torch.tensor([0, 1, 2, 3, 4])
    parts = [part.clone().requires_grad_() for part in (logits, gates, attention)]
    one = copy.cross_entropy(*parts, source, targets)
    one.sum.backward()
    assert one.sum.isfinite() and all(part.grad.isfinite().all() for part in parts)


def test_a_step_that_is_not_attended_to_at_all_has_a_finite_loss():
    logits, gate, attention, source = made()
    attention = torch.zeros_like(attention).index_fill_(1, torch.tensor([3]), 1.0).requires_grad_()
    found = copy.cross_entropy(logits, gate, attention, source, TARGETS)
    found.sum.backward()
    assert found.sum.isfinite() and attention.grad.isfinite().all()


def test_the_gradient():
    logits, gate, attention, source = made(dtype=torch.float64)
    energies = attention.log()

    def loss(logits, gate, energies):
        return copy.cross_entropy(logits, gate, energies.softmax(1), source, TARGETS, label_smoothing=0.1).sum

    parts = [part.requires_grad_() for part in (logits, gate, energies)]
    assert torch.autograd.gradcheck(loss, parts, eps=1e-4, atol=1e-2, rtol=1e-2)


def test_what_is_attended_to_again():
    attention = torch.tensor([[[0.5, 0.5], [0.2, 0.8], [1.0, 0.0]], [[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]]])
    counted = torch.tensor([[True, True, True], [True, True, False]])
    # the second step meets 0.2 and 0.5 of the first; the third 0.7 of both; apart steps meet nothing
    torch.testing.assert_close(copy.coverage(attention, counted), torch.tensor(0.2 + 0.5 + 0.7))


def decoder(attention="additive"):
    """A decoder of 7 tokens and two words more, and the beginning for two sentences, with the same memory."""
    torch.manual_seed(1)
    config = decoders.Config(vocabulary=V, embedding_size=3, hidden_size=5, memory=5, attention=attention)
    network = copy.Decoder(config, unknown=1)
    memory, lengths = torch.randn(2, 4, 5), torch.tensor([4, 3])
    source = torch.tensor([[4, 7, 4, 3], [8, 5, 3, 0]])
    return network, {**network.begin(memory, lengths, torch.randn(2, 5)), copy.SOURCE: source}


def test_a_decoder_reads_where_the_source_holds_a_token():
    network, state = decoder()
    found = network.embedded(torch.tensor([[4, 6, 7], [8, 4, 5]]), state)
    memory = state["source.memory"]
    read = [[(memory[0, 0] + memory[0, 2]) / 2, 0 * memory[0, 0], memory[0, 1]]]
    read += [[memory[1, 0], 0 * memory[0, 0], memory[1, 1]]]
    words = network.embedding(torch.tensor([[4, 6, 1], [1, 4, 5]]))  # those past the vocabulary are read as unknown
    torch.testing.assert_close(found, words + network.read(torch.stack([torch.stack(row) for row in read])))


def test_a_step_mixes_for_each_hypothesis_what_its_own_sentence_holds():
    network, state = decoder()
    tokens = torch.tensor([[4], [7], [8]])  # two hypotheses of the first sentence, one of the second
    place, rows = torch.tensor([0, 1, 2]), torch.tensor([[0, 1], [2, 2]])
    owner = torch.tensor([0, 0, 1])
    several = {k: v if k.startswith("source.") else v[owner] for k, v in state.items()}
    found, after = network.mixed(tokens, {**several, "source.rows": rows, "place": place})
    for row, sentence in enumerate(owner.tolist()):
        alone = {k: v[[sentence]] for k, v in state.items()}
        expected, other = network.mixed(tokens[[row]], alone)
        torch.testing.assert_close(found[[row], : expected.size(1)], expected, atol=1e-5, rtol=1e-5)
        assert (found[row, expected.size(1) :] == -torch.inf).all()
        torch.testing.assert_close(after["hidden.1"][[row]], other["hidden.1"])
    torch.testing.assert_close(found.exp().sum(1), torch.ones(3))


@pytest.mark.parametrize("size", [1, 3])
def test_steps_one_by_one_read_what_all_read_at_once(size):
    network, state = decoder()
    tokens = torch.tensor([[4, 7, 2][:size], [5, 8, 8][:size]])
    whole, _ = network(tokens, state)
    for step in range(size):
        found, state = network(tokens[:, step : step + 1], state)
        torch.testing.assert_close(found, whole[:, step : step + 1], atol=1e-6, rtol=1e-5)
