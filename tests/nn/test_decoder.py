"""The decoder: step by step it gives what it gives for a whole target; hypotheses share their sentence's memory."""

import pytest
import torch
from torch import nn

from seqnlp.nn import attention, cells, decoder, kernels, loss

LENGTHS = [7, 3, 1]
KINDS = [(kind, layers) for kind in attention.ATTENTIONS for layers in (2, 3)]

each_cell = pytest.mark.parametrize("cell", cells.CELLS)
each_kernel_cell = pytest.mark.parametrize(
    "cell", [cell for cell, layer in cells.CELLS.items() if issubclass(layer, kernels.KernelLayer)]
)


def made(kind="general", layers=2, seed=0, embedding=None, **options):
    torch.manual_seed(seed)
    sizes = dict(vocabulary=11, embedding_size=3, hidden_size=5, memory=5 if kind == "dot" else 7)
    network = decoder.Decoder(decoder.Config(**sizes, attention=kind, layers=layers, **options), embedding).eval()
    for parameter in network.parameters():
        nn.init.normal_(parameter, std=0.5)
    return network


def source(network, seed=1):
    """Memory (3, 7, D), lengths (3,), summary (3, D)."""
    generator = torch.Generator().manual_seed(seed)
    size = network.bridge.in_features
    return (
        torch.randn(3, 7, size, generator=generator),
        torch.tensor(LENGTHS),
        torch.randn(3, size, generator=generator),
    )


def targets(rows=3, steps=6, seed=2):
    return torch.randint(11, (rows, steps), generator=torch.Generator().manual_seed(seed))


def one_by_one(network, tokens, state):
    features, attention = [], []
    for step in range(tokens.size(1)):
        found, state = network(tokens[:, step : step + 1], state)
        features.append(found)
        attention.append(state["attention"])
    return torch.cat(features, dim=1), {**state, "attention": torch.cat(attention, dim=1)}


def repeated(state, times):
    """The state of several hypotheses a sentence: what belongs to the sentence stays as it is."""
    every = {k: v if k.startswith("source.") else v.repeat_interleave(times, dim=0) for k, v in state.items()}
    place = torch.arange(len(every["coverage"]))
    return {**every, "source.rows": place.view(-1, times), "place": place}


@each_cell
@pytest.mark.parametrize(("kind", "layers"), KINDS)
def test_step_by_step_it_gives_what_it_gives_at_once(kind, layers, cell):
    network, tokens = made(kind, layers, cell=cell), targets()
    begin = network.begin(*source(network))
    whole, end = network(tokens, begin)
    steps, last = one_by_one(network, tokens, begin)
    torch.testing.assert_close(steps, whole, atol=1e-5, rtol=0)
    assert last.keys() == end.keys()
    torch.testing.assert_close(last, end, atol=1e-5, rtol=0)


@each_kernel_cell
@pytest.mark.parametrize("layers", [2, 3])
def test_the_decoder_by_hand(layers, cell):
    network, tokens = made(layers=layers, cell=cell), targets()
    memory, lengths, summary = source(network)
    features, _ = network(tokens, network.begin(memory, lengths, summary))
    parts = cells.CELLS[cell].parts
    begin = torch.tanh(network.bridge(summary)).view(3, layers, len(parts), 1, 5)

    def run(number, inputs, row):
        """A layer's outputs over one row, from its share of the bridge."""
        state = dict(zip(parts, begin[row, number], strict=True))
        return network.layers[number].run(inputs.unsqueeze(0), None, state)[0][0]

    for row, length in enumerate(LENGTHS):
        embedded = network.embedding(tokens[row])
        outputs = run(0, embedded, row)
        weights = (outputs @ network.attention.memory.weight @ memory[row, :length].T).softmax(1)
        context = weights @ memory[row, :length]
        outputs = torch.cat([outputs, context], dim=1)
        for number in range(1, layers):
            outputs = run(number, outputs, row)
        expected = torch.tanh(network.readout(torch.cat([outputs, context, embedded], dim=1)))
        torch.testing.assert_close(features[row], expected, atol=1e-5, rtol=0)


@each_cell
def test_step_by_step_it_has_the_gradients_that_it_has_at_once(cell):
    found = []
    for run in (lambda network, *rest: network(*rest), one_by_one):
        network = made("additive", cell=cell)
        features, _ = run(network, targets(), network.begin(*source(network)))
        network.logits(features).sin().sum().backward()
        found.append({name: parameter.grad for name, parameter in network.named_parameters()})
    torch.testing.assert_close(found[0], found[1], atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("kind", attention.ATTENTIONS)
@pytest.mark.parametrize("steps", [1, 4])
def test_hypotheses_of_a_sentence_share_its_memory(kind, steps):
    network, tokens = made(kind), targets(rows=6, steps=steps)
    memory, lengths, summary = source(network)
    together, state = network(tokens, repeated(network.begin(memory, lengths, summary), 2))
    alone = network.begin(*(part.repeat_interleave(2, dim=0) for part in (memory, lengths, summary)))
    apart, other = network(tokens, alone)
    torch.testing.assert_close(together, apart, atol=1e-6, rtol=0)
    for name in ("coverage", "attention", "hidden.1"):
        torch.testing.assert_close(state[name], other[name], atol=1e-6, rtol=0)


@pytest.mark.parametrize("kind", attention.ATTENTIONS)
def test_a_sentence_may_have_fewer_hypotheses_than_the_others(kind):
    network, tokens = made(kind), targets(rows=6, steps=1)
    state = repeated(network.begin(*source(network)), 2)
    whole, _ = network(tokens, state)
    place = torch.tensor([1, 2, 3, 5])
    some = {k: v if k.startswith("source.") else v[place] for k, v in state.items()}
    rows = torch.tensor([[0, 0], [1, 2], [0, 3]])  # a place that is empty has any row
    features, after = network(tokens[place], {**some, "source.rows": rows, "place": place})
    torch.testing.assert_close(features, whole[place], atol=1e-6, rtol=0)
    assert after["attention"].shape == (4, 1, 7)


@pytest.mark.parametrize("kind", attention.ATTENTIONS)
def test_the_state_is_batch_first(kind):
    network = made(kind)
    _, state = network(targets(rows=6), repeated(network.begin(*source(network)), 2))
    sizes = {name: len(part) for name, part in state.items()}
    assert sizes == {name: 3 if name.startswith("source.") else 6 for name in state}
    assert ("source.keys" in state) == (kind != "dot")


def test_coverage_is_the_sum_of_the_attention_of_all_steps():
    network, tokens = made(), targets()
    state = network.begin(*source(network))
    total = torch.zeros(3, 7)
    for step in range(6):
        _, state = network(tokens[:, step : step + 1], state)
        total += state["attention"].squeeze(1)
    torch.testing.assert_close(state["coverage"], total)
    torch.testing.assert_close(total.sum(1), torch.full((3,), 6.0))
    assert not total[1, 3:].any()


def test_a_token_sees_what_was_before_it_and_nothing_after():
    network, tokens = made(), targets()
    other = tokens.clone()
    other[:, 3] = (other[:, 3] + 1) % 11
    begin = network.begin(*source(network))
    (features, _), (others, _) = network(tokens, begin), network(other, begin)
    assert torch.equal(features[:, :3], others[:, :3])
    assert all(not torch.allclose(features[:, step], others[:, step], atol=1e-4) for step in (3, 4, 5))


def test_what_stands_in_the_source_s_padding_never_matters():
    network, tokens = made(), targets()
    memory, lengths, summary = source(network)
    clean, _ = network(tokens, network.begin(memory, lengths, summary))
    memory[1, 3:] = 1e6
    assert torch.equal(network(tokens, network.begin(memory, lengths, summary))[0], clean)


def test_the_state_given_is_not_changed():
    network = made()
    state = network.begin(*source(network))
    before = {name: part.clone() for name, part in state.items()}
    network(targets(), state)
    torch.testing.assert_close(state, before)


def test_a_step_gives_the_logits_of_the_features():
    network, tokens = made(), targets(steps=1)
    state = network.begin(*source(network))
    logits, after = network.step(tokens, state)
    features, other = network(tokens, state)
    torch.testing.assert_close(logits, network.logits(features)[:, 0])
    torch.testing.assert_close(logits, features[:, 0] @ network.embedding.weight.T + network.bias)
    torch.testing.assert_close(after, {**other, "attention": other["attention"][:, 0]})


@each_cell
@pytest.mark.parametrize("mode", [torch.inference_mode, torch.no_grad, torch.enable_grad])
@pytest.mark.parametrize("mixed", [False, True])
def test_a_step_runs_in_every_mode_and_leaves_no_graph(mode, mixed, cell):
    network = made(cell=cell)
    expected, _ = network.step(targets(steps=1), network.begin(*source(network)))
    with mode(), torch.autocast("cpu", torch.bfloat16, enabled=mixed):
        state = network.begin(*source(network))
        for _ in range(2):
            logits, _ = network.step(targets(steps=1), state)
    assert not logits.requires_grad
    torch.testing.assert_close(logits.float(), expected, atol=0.1 if mixed else 1e-6, rtol=0)


@pytest.mark.parametrize(("kind", "layers"), KINDS)
@pytest.mark.parametrize(("tie", "cell"), [(True, "lstm"), (False, "lstm"), (True, "rnn"), (True, "gru")])
def test_every_parameter_gets_a_gradient(kind, layers, tie, cell):
    network = made(kind, layers, tie=tie, cell=cell).train()
    features, _ = network(targets(), network.begin(*source(network)))
    found = loss.linear_cross_entropy(features, network.output, network.bias, targets(seed=3))
    found.sum.backward()
    assert [name for name, parameter in network.named_parameters() if not parameter.grad.abs().sum() > 0] == []


def test_tied_weights_are_listed_once():
    tied, untied = made(), made(tie=False)
    assert tied.output is tied.embedding.weight
    assert untied.output is not untied.embedding.weight
    assert set(untied.state_dict()) - set(tied.state_dict()) == {"untied"}
    assert len(tied.state_dict()) == len(list(tied.parameters()))


def test_a_shared_embedding_belongs_to_who_gave_it():
    shared = nn.Embedding(11, 3)
    network = made(embedding=shared)
    assert network.output is shared.weight
    assert not any(parameter is shared.weight for parameter in network.parameters())
    features, _ = network(targets(), network.begin(*source(network)))
    network.logits(features).sum().backward()
    assert shared.weight.grad.any()


def test_dropout_only_in_training():
    network, tokens = made(dropout=0.5), targets()
    state = network.begin(*source(network))
    assert torch.equal(network(tokens, state)[0], network(tokens, state)[0])
    network.train()
    assert not torch.equal(network(tokens, state)[0], network(tokens, state)[0])


def test_dropout_stands_before_every_layer_but_the_attention_and_after_the_readout(monkeypatch):
    network, dropped = made(layers=3), []
    monkeypatch.setattr(network.dropout, "forward", lambda features: dropped.append(features.size(2)) or features)
    network(targets(), network.begin(*source(network)))
    assert dropped == [3, 5 + 7, 5, 3]  # embeddings, output and context, output, features


def test_dropout_of_the_features_is_the_same_in_every_step():
    network = made(dropout=0.5).train()
    features, _ = network(targets(), network.begin(*source(network)))
    zero = features == 0
    assert zero.any()
    assert torch.equal(zero, zero[:, :1].expand_as(zero))


@each_cell
@pytest.mark.parametrize("kind", attention.ATTENTIONS)
def test_training_under_autocast_gives_nearly_the_same(kind, cell):
    found = []
    for mixed in (False, True):
        network = made(kind, cell=cell).train()
        for parameter in network.parameters():  # weights under which no cell is chaotic
            parameter.data *= 0.4 if cell == "rnn-relu" else 0.6
        with torch.autocast("cpu", torch.bfloat16, enabled=mixed):
            features, state = network(targets(), network.begin(*source(network)))
            logits = network.logits(features)
        logits.log_softmax(2).sin().sum().backward()
        assert logits.dtype == state["coverage"].dtype == state["attention"].dtype == torch.float32
        found.append((logits, {name: parameter.grad for name, parameter in network.named_parameters()}))
    torch.testing.assert_close(found[1][0], found[0][0], atol=0.1, rtol=0)
    for name, gradient in found[0][1].items():
        torch.testing.assert_close(found[1][1][name], gradient, atol=0.1 * float(gradient.abs().max()), rtol=0)


@each_cell
def test_the_first_state_comes_from_the_summary(cell):
    network = made(cell=cell)
    memory, lengths, summary = source(network)
    state, other = (network.begin(memory, lengths, vector) for vector in (summary, summary + 1))
    parts = [f"{part}.{number}" for number in range(2) for part in cells.CELLS[cell].parts]
    assert set(state) == {"source.memory", "source.mask", "source.keys", "coverage", *parts}
    for name in parts:
        assert state[name].shape == (3, 5)
        assert state[name].abs().max() < 1
        assert not torch.allclose(state[name], other[name], atol=1e-3)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@each_cell
@pytest.mark.parametrize(("kind", "layers"), KINDS)
def test_a_gpu_gives_what_the_cpu_gives(kind, layers, cell):
    network, tokens = made(kind, layers, cell=cell), targets()
    expected, _ = network(tokens, network.begin(*source(network)))
    parts = [part.cuda() for part in source(network)]
    network = network.cuda()
    begin = network.begin(*parts)
    torch.testing.assert_close(network(tokens.cuda(), begin)[0].cpu(), expected, atol=1e-3, rtol=0)
    torch.testing.assert_close(one_by_one(network, tokens.cuda(), begin)[0].cpu(), expected, atol=1e-3, rtol=0)
