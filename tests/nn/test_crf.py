"""The CRF against enumeration of all sequences in float64; its rules, the padding, large scores and autocast."""

import copy
import itertools

import hypothesis
import pytest
import torch
from hypothesis import strategies as st

from seqnlp.nn import crf, forward_backward, loss

C, S = 3, 4
LENGTHS = [[4, 2, 3, 1, 4], [1, 1, 1], [2, 3]]
RULES = {
    "free": {},
    "transitions": {"legal": [[1, 1, 0], [0, 1, 1], [1, 0, 1]]},
    "ends": {"begin": [1, 0, 1], "end": [1, 1, 0]},
    "all": {"legal": [[1, 1, 0], [0, 1, 1], [1, 1, 1]], "begin": [1, 0, 1], "end": [0, 1, 1]},
}
# (the largest emission, the largest transition)
SIZES = [(2.0, 1.0), (30.0, 5.0), (1e3, 100.0), (1.0, 100.0)]


def model(rules=None, size=1.0, classes=C, seed=0):
    masks = {name: torch.tensor(rule).bool() for name, rule in (rules or {}).items()}
    made = crf.Crf(classes, **masks)
    generator = torch.Generator().manual_seed(seed)
    for parameter in made.parameters():
        torch.nn.init.uniform_(parameter, -size, size, generator=generator)
    return made


def inputs(lengths, size=2.0, steps=S, classes=C, seed=1):
    generator = torch.Generator().manual_seed(seed)
    emissions = (torch.rand(len(lengths), steps, classes, generator=generator) * 2 - 1) * size
    return emissions, torch.tensor(lengths)


def some_tags(made, lengths, ignored=0.0, seed=2):
    """Tags that the rules allow (the best of random emissions), some of them left out; anything past the lengths."""
    generator = torch.Generator().manual_seed(seed)
    tags, _ = made.decode(torch.randn(len(lengths), S, C, generator=generator), lengths)
    tags[torch.rand(tags.shape, generator=generator) < ignored] = loss.IGNORED
    tags[torch.arange(S) >= lengths.unsqueeze(1)] = 99
    return tags


def enumerated(made, row, length, illegal=-torch.inf):
    """All sequences of a length (N, S) and their scores (N,), in float64, in a graph."""
    start, transitions, stop = (part.double() for part in (made.start, made.transitions, made.stop))
    start, stop = start.masked_fill(~made.begin, illegal), stop.masked_fill(~made.end, illegal)
    transitions = transitions.masked_fill(~made.legal, illegal)
    tags = torch.tensor(list(itertools.product(range(row.size(1)), repeat=length)))
    emitted = row[torch.arange(length), tags].double().sum(1)
    return tags, start[tags[:, 0]] + emitted + transitions[tags[:, :-1], tags[:, 1:]].sum(1) + stop[tags[:, -1]]


def by_hand(made, emissions, tags, lengths):
    """The loss, by enumeration; illegal sequences do not take part, except among the given tags."""
    total = 0
    for row, given, length in zip(emissions, tags, lengths.tolist(), strict=True):
        _, legal = enumerated(made, row, length)
        sequences, scores = enumerated(made, row, length, crf.ILLEGAL)
        given = given[:length]
        fits = ((sequences == given) | (given == loss.IGNORED)).all(1)
        total = total + legal[legal.isfinite()].logsumexp(0) - scores[fits].logsumexp(0)
    return total


def gradients(value, emissions, made):
    return torch.autograd.grad(value, [emissions, *made.parameters()])


def close(found, expected, **options):
    torch.testing.assert_close(found, expected, check_dtype=False, **options)


each_rule = pytest.mark.parametrize("rules", RULES.values(), ids=RULES)
each_length = pytest.mark.parametrize("lengths", LENGTHS, ids=str)
each_size = pytest.mark.parametrize("sizes", SIZES, ids=str)


@each_rule
@each_length
@each_size
@pytest.mark.parametrize("ignored", [0.0, 0.5])
def test_the_loss_and_its_gradients_are_those_of_the_enumeration(rules, lengths, sizes, ignored):
    made = model(rules, sizes[1])
    emissions, lengths = inputs(lengths, sizes[0])
    emissions.requires_grad_()
    tags = some_tags(made, lengths, ignored)
    found, expected = made(emissions, tags, lengths), by_hand(made, emissions, tags, lengths)
    assert found.dtype == torch.float32
    close(found, expected, rtol=1e-5, atol=1e-6 * sum(sizes) * lengths.sum().item())
    close(gradients(found, emissions, made), gradients(expected, emissions, made), rtol=1e-4, atol=2e-4)


@each_rule
@pytest.mark.parametrize("ignored", [0.0, 0.5])
def test_gradients_are_those_of_differences_in_float64(rules, ignored):
    made = model(rules).double()
    emissions, lengths = inputs([4, 2, 1])
    tags = some_tags(made, lengths, ignored)
    arguments = [emissions.double().requires_grad_(), *made.parameters()]
    assert torch.autograd.gradcheck(lambda *_: made(arguments[0], tags, lengths), arguments)


@each_rule
def test_gradients_of_each_row_are_weighted_by_what_comes_from_above(rules):
    made = model(rules)
    emissions, lengths = inputs([4, 2, 3])
    emissions.requires_grad_()
    above = torch.tensor([2.0, 0.0, -3.0])
    rows = [enumerated(made, row, n)[1].logsumexp(0) for row, n in zip(emissions, lengths.tolist(), strict=True)]
    found = gradients(made.partition(emissions, lengths) @ above, emissions, made)
    close(found, gradients(torch.stack(rows) @ above.double(), emissions, made), rtol=1e-4, atol=1e-5)


@each_rule
@each_length
@each_size
def test_partition_and_score_are_those_of_the_enumeration(rules, lengths, sizes):
    made = model(rules, sizes[1])
    emissions, lengths = inputs(lengths, sizes[0])
    tags = some_tags(made, lengths)
    partition, score = made.partition(emissions, lengths), made.score(emissions, tags, lengths)
    with torch.no_grad():
        close(made.partition(emissions, lengths), partition)
    for row, length in enumerate(lengths.tolist()):
        sequences, scores = enumerated(made, emissions[row], length)
        close(partition[row], scores.logsumexp(0), rtol=1e-5, atol=1e-6 * sum(sizes))
        given = (sequences == tags[row, :length]).all(1)
        close(score[row], scores[given][0], rtol=1e-5, atol=1e-6 * sum(sizes))


@each_rule
@each_length
@each_size
def test_what_is_decoded_is_the_best_of_the_enumeration(rules, lengths, sizes):
    made = model(rules, sizes[1])
    emissions, lengths = inputs(lengths, sizes[0])
    tags, scores = made.decode(emissions, lengths)
    assert tags.dtype == torch.int64 and not scores.requires_grad
    for row, length in enumerate(lengths.tolist()):
        sequences, every = enumerated(made, emissions[row], length)
        close(scores[row], every.max(), rtol=1e-5, atol=1e-6 * sum(sizes))
        assert tags[row].tolist() == sequences[every.argmax()].tolist() + [0] * (S - length)


@each_rule
@each_length
@pytest.mark.parametrize("n", [1, 2, 5, 100])
def test_the_n_best_are_those_of_the_enumeration(rules, lengths, n):
    made = model(rules)
    emissions, lengths = inputs(lengths)
    tags, scores = made.nbest(emissions, lengths, n)
    assert tags.shape == (len(lengths), n, S) and scores.shape == (len(lengths), n)
    for row, length in enumerate(lengths.tolist()):
        sequences, every = enumerated(made, emissions[row], length)
        best = every.argsort(descending=True)[: min(n, int(every.isfinite().sum()))]
        close(scores[row, : len(best)], every[best])
        assert tags[row, : len(best), :length].tolist() == sequences[best].tolist()
        assert (scores[row, len(best) :] == -torch.inf).all()
        assert not tags[row, len(best) :].any() and not tags[row, :, length:].any()


@each_rule
@each_length
@each_size
def test_marginals_are_the_probabilities_of_the_enumeration(rules, lengths, sizes):
    made = model(rules, sizes[1])
    emissions, lengths = inputs(lengths, sizes[0])
    with torch.inference_mode():
        found = made.marginals(emissions * 1, lengths * 1)
    for row, length in enumerate(lengths.tolist()):
        sequences, scores = enumerated(made, emissions[row], length)
        present = torch.nn.functional.one_hot(sequences, C).double()  # (N, S, C)
        close(found[row, :length], (scores.softmax(0).view(-1, 1, 1) * present).sum(0), rtol=1e-4, atol=2e-4)
        close(found[row, :length].sum(1), torch.ones(length))
        assert not found[row, length:].any()


@pytest.mark.parametrize("size", [3.0, 300.0])
def test_long_sentences_are_summed_as_in_float64(size):
    legal = torch.rand(17, 17, generator=torch.Generator().manual_seed(0)) < 0.6
    made = model({"legal": legal.tolist()}, classes=17)
    emissions, lengths = inputs([100, 97, 80], size, steps=100, classes=17)
    emissions.requires_grad_()
    found = made.partition(emissions, lengths)
    scores = forward_backward.Scores(*(part.double() for part in made._scores(crf.NEVER)))
    expected = forward_backward.log_partition_by_logs(emissions.double(), scores, lengths)
    close(found, expected, rtol=1e-6, atol=1e-4)
    close(gradients(found.sum(), emissions, made), gradients(expected.sum(), emissions, made), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("swing", [1.0, 10.0, 40.0, 90.0, 1000.0])
def test_what_underflows_on_the_way_and_comes_back_is_not_lost(swing):
    """Two tags that never meet: one is far ahead, then the other for twice as long, then the first again."""
    made = model({"legal": [[1, 0], [0, 1]]}, classes=2)
    sign = torch.tensor([1.0] * 3 + [-1.0] * 6 + [1.0] * 3)
    emissions = (torch.stack([sign, -sign], dim=1) * swing).unsqueeze(0)  # (1, 12, 2)
    ways = (made.start + made.stop + 11 * made.transitions.diagonal()).double()
    assert ways.softmax(0).min() > 1e-4
    close(made.partition(emissions, torch.tensor([12])), ways.logsumexp(0).view(1), rtol=0, atol=1e-5 + 4e-6 * swing)
    found = made.marginals(emissions, torch.tensor([12]))
    close(found, ways.softmax(0).expand(1, 12, 2), rtol=0, atol=1e-5 + 4e-6 * swing)


def never_meeting(starts, stops):
    """A model of three tags that never follow each other: 0 cannot be the last one, 2 not the first, 1 can be both."""
    made = model({"legal": torch.eye(3).tolist(), "begin": [1, 1, 0], "end": [0, 1, 1]}, 0.0)
    made.start.data += torch.tensor(starts)
    made.stop.data += torch.tensor(stops)
    return made


def test_tags_that_lead_nowhere_do_not_hide_the_one_that_does():
    """0 is far ahead at the start and falls back slowly; 2, where nobody can be, is far ahead at the end."""
    made = never_meeting([52.0, 0.0, 0.0], [0.0, 0.0, 52.0])
    emissions = torch.zeros(1, 7, 3)
    emissions[0, 1:, 0] = -10
    close(made.marginals(emissions, torch.tensor([7])), torch.tensor([0.0, 1.0, 0.0]).expand(1, 7, 3))


def test_a_tag_that_nobody_can_have_takes_no_digits_from_the_others():
    made = model({"legal": torch.eye(3).tolist(), "begin": [1, 1, 0]}, 0.0)
    emissions = torch.tensor([[[0.0, -40.0, 0.0], [0.0, 0.0, 60.0], [0.0, 41.0, 0.0]]])
    expected = torch.tensor([0.0, 1.0, -torch.inf]).softmax(0).expand(1, 3, 3)
    close(made.marginals(emissions, torch.tensor([3])), expected, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(
    "rules",
    [
        {"legal": [[1, 0, 0], [0, 1, 0], [0, 0, 1]]},
        {"legal": [[0, 1, 0], [0, 0, 1], [0, 0, 0]], "begin": [1, 0, 0]},
        {"legal": [[0, 0, 0], [1, 0, 0], [0, 1, 0]], "end": [1, 0, 0]},
    ],
)
def test_padding_needs_no_logarithms(rules, monkeypatch):
    """Twelve steps, of which one to three count: after them tags would get rarer and rarer, or there are none left."""
    monkeypatch.setattr(forward_backward, "log_partition_by_logs", None)
    made = model(rules)
    emissions, lengths = inputs([3, 2, 1], 15.0, steps=12)
    made.marginals(emissions, lengths)


def test_there_are_no_second_derivatives():
    made = model()
    emissions, lengths = inputs([4, 2])
    emissions.requires_grad_()
    slope = torch.autograd.grad(made.partition(emissions, lengths).square().sum(), emissions, create_graph=True)[0]
    with pytest.raises(RuntimeError, match="once_differentiable"):
        slope.sum().backward()


def test_logarithms_are_for_the_sentences_that_need_them_only(monkeypatch):
    made = model(RULES["all"])
    emissions, lengths = inputs([4, 3, 2, 4, 1])
    expected = made.partition(emissions, lengths)
    emissions[2, :2] *= 1e3
    seen = []
    summed = forward_backward.log_partition_by_logs
    monkeypatch.setattr(
        forward_backward, "log_partition_by_logs", lambda *given: seen.append(given[0]) or summed(*given)
    )
    found = made.partition(emissions, lengths)
    assert torch.equal(torch.cat(seen), emissions[2:3])
    others = [0, 1, 3, 4]
    close(found[others], expected[others])


def test_ordinary_scores_need_no_logarithms(monkeypatch):
    monkeypatch.setattr(forward_backward, "log_partition_by_logs", None)
    for seed in range(20):
        made = model(RULES["all"], 3.0, seed=seed)
        emissions, lengths = inputs([4, 3, 2, 4, 1], 10.0, seed=seed)
        made(emissions.requires_grad_(), some_tags(made, lengths), lengths).backward()


@each_rule
@pytest.mark.parametrize("content", [torch.nan, torch.inf, -torch.inf, 1e9, -1e9])
@pytest.mark.parametrize("size", [2.0, 1e3])
def test_what_stands_in_the_padding_never_matters(rules, content, size):
    made = model(rules)
    emissions, lengths = inputs([4, 2, 3, 1], size)
    padding = torch.arange(S) >= lengths.unsqueeze(1)
    filled = emissions.masked_fill(padding.unsqueeze(2), content)
    tags = some_tags(made, lengths)
    other = some_tags(made, lengths).masked_fill(padding, loss.IGNORED)
    results = []
    for given, gold in ((emissions, tags), (filled, other)):
        given = given.requires_grad_()
        value = made(given, gold, lengths)
        slopes = gradients(value, given, made)
        assert not slopes[0][padding].any()
        results.append([value, *slopes, *made.decode(given, lengths), *made.nbest(given, lengths, 5)])
        results[-1] += [made.marginals(given, lengths), made.score(given, gold, lengths)]
    assert all(torch.equal(one, two) for one, two in zip(*results, strict=True))


@each_rule
def test_a_batch_gives_what_its_sentences_give_alone(rules):
    made = model(rules)
    emissions, lengths = inputs([4, 2, 3, 1])
    tags, (best, scores) = some_tags(made, lengths, 0.3), made.decode(emissions, lengths)
    single = 0
    for row, length in enumerate(lengths.tolist()):
        alone, size = emissions[row : row + 1, :length], torch.tensor([length])
        single = single + made(alone, tags[row : row + 1, :length], size)
        assert torch.equal(made.decode(alone, size)[0][0], best[row, :length])
        assert torch.equal(made.decode(alone, size)[1][0], scores[row])
    close(made(emissions, tags, lengths), single)


@each_rule
def test_bf16_autocast_changes_nothing(rules):
    made = model(rules, classes=C)
    emissions, lengths = inputs([4, 2, 3])
    emissions.requires_grad_()
    tags = some_tags(made, lengths, 0.2)

    def results():
        value = made(emissions, tags, lengths)
        slopes = gradients(value, emissions, made)
        parts = [made.partition(emissions, lengths), made.score(emissions, tags, lengths)]
        return [value, *slopes, *parts, made.marginals(emissions, lengths), *made.decode(emissions, lengths)]

    expected = results()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = results()
    assert all(torch.equal(one, two) for one, two in zip(found, expected, strict=True))


def test_bf16_emissions_are_taken_in_fp32():
    made = model()
    emissions, lengths = inputs([4, 2, 3])
    short = emissions.bfloat16().requires_grad_()
    value = made(short, some_tags(made, lengths), lengths)
    value.backward()
    assert value.dtype == torch.float32 and short.grad.dtype == torch.bfloat16
    assert torch.equal(value, made(short.float(), some_tags(made, lengths), lengths))
    assert made.marginals(short, lengths).dtype == made.decode(short, lengths)[1].dtype == torch.float32


@st.composite
def masked(draw):
    """Rules, and the tags of one sequence that they allow."""
    classes, length = draw(st.integers(2, 5)), draw(st.integers(1, 6))
    flags = st.lists(st.booleans(), min_size=classes, max_size=classes)
    legal = draw(st.lists(flags, min_size=classes, max_size=classes))
    begin, end = draw(flags), draw(flags)
    path = draw(st.lists(st.integers(0, classes - 1), min_size=length, max_size=length))
    begin[path[0]] = end[path[-1]] = True
    for first, second in itertools.pairwise(path):
        legal[first][second] = True
    return {"legal": legal, "begin": begin, "end": end}, path


def is_legal(made, tags):
    pairs = all(made.legal[first, second] for first, second in itertools.pairwise(tags))
    return bool(made.begin[tags[0]] and made.end[tags[-1]] and pairs)


@hypothesis.given(masked(), st.integers(0, 1000), st.sampled_from([1.0, 100.0, 1e6]))
def test_an_illegal_sequence_never_comes_out(drawn, seed, size):
    rules, path = drawn
    made = model(rules, classes=len(rules["begin"]))
    emissions, lengths = inputs([len(path)], size, steps=len(path), classes=len(rules["begin"]), seed=seed)
    tags, score = made.decode(emissions, lengths)
    assert is_legal(made, tags[0].tolist()) and score.isfinite().all()
    several, scores = made.nbest(emissions, lengths, 7)
    assert scores[0, 0].isfinite()
    for found, value in zip(several[0].tolist(), scores[0].tolist(), strict=True):
        assert is_legal(made, found) or value == -torch.inf
    assert made.score(emissions, torch.tensor([path]), lengths) <= score + 1e-5 * size


@hypothesis.given(masked(), st.integers(0, 1000), st.sampled_from([1.0, 100.0, 1e4]))
def test_marginals_under_any_rules_are_probabilities(drawn, seed, size):
    rules, path = drawn
    made = model(rules, classes=len(rules["begin"]))
    emissions, lengths = inputs([len(path)], size, steps=len(path), classes=len(rules["begin"]), seed=seed)
    found = made.marginals(emissions, lengths)
    close(found.sum(2), torch.ones(1, len(path)))
    assert not found[0, 0, ~made.begin].any() and not found[0, -1, ~made.end].any()
    sequences, scores = enumerated(made, emissions[0], len(path)) if len(path) < 5 else (None, None)
    if sequences is not None:
        present = torch.nn.functional.one_hot(sequences, len(rules["begin"])).double()
        close(found[0], (scores.softmax(0).view(-1, 1, 1) * present).sum(0), rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("size", [2.0, 1e3])
def test_illegal_gold_tags_cost_much_and_their_gradients_are_finite(size):
    made = model(RULES["all"])
    emissions, lengths = inputs([4, 3], size)
    emissions.requires_grad_()
    tags = torch.tensor([[0, 2, 1, 1], [1, 0, 0, -1]])  # 0 to 2 is illegal; 1 at the start, 1 to 0 and 0 at the end are
    value = made(emissions, tags, lengths)
    close(value, by_hand(made, emissions, tags, lengths), rtol=1e-5, atol=0.01)
    assert abs(value + 4 * crf.ILLEGAL) < 20 * size
    slopes = gradients(value, emissions, made)
    assert all(slope.isfinite().all() and slope.abs().max() < 10 for slope in slopes)
    assert not slopes[2][~made.begin].any() and not slopes[1][~made.legal].any()


def test_partly_known_tags_that_no_legal_sequence_completes_cost_much_too():
    made = model(RULES["all"])
    emissions, lengths = inputs([4])
    emissions.requires_grad_()
    value = made(emissions, torch.tensor([[-1, 0, 2, -1]]), lengths)
    assert abs(value + crf.ILLEGAL) < 20
    assert all(slope.isfinite().all() for slope in gradients(value, emissions, made))


def test_a_sentence_without_any_legal_sequence_teaches_nothing():
    rules = {"legal": [[0, 1, 0], [0, 0, 1], [0, 0, 0]], "begin": [1, 0, 0], "end": [0, 0, 1]}  # only 0 1 2
    made = model(rules)
    emissions, lengths = inputs([4, 3, 1])
    emissions.requires_grad_()
    tags = torch.tensor([[0, 1, 2, 2], [0, 1, 2, 0], [0, 0, 0, 0]])
    value = made(emissions, tags, lengths)
    close(value, torch.tensor(0.0), rtol=0, atol=1e-5)
    close(gradients(value, emissions, made), tuple(torch.zeros_like(part) for part in (emissions, *made.parameters())))
    assert (made.partition(emissions, lengths) < crf.NEVER / 2).tolist() == [True, False, True]
    assert made.decode(emissions, lengths)[1].isfinite().tolist() == [False, True, False]
    scores = made.nbest(emissions, lengths, 2)[1]
    assert scores.isfinite().tolist() == [[False, False], [True, False], [False, False]]


def test_the_maxima_in_pieces_are_those_of_the_whole(monkeypatch):
    made = model(classes=7)
    emissions, lengths = inputs([4, 2, 3], classes=7)
    expected = made.decode(emissions, lengths)
    for cached in (1, 3 * 7 * 2, 3 * 7 * 3):
        monkeypatch.setattr(crf, "CACHED", cached)
        assert all(torch.equal(*both) for both in zip(made.decode(emissions, lengths), expected, strict=True))


def test_batches_of_other_lengths_before_change_nothing():
    used = model(RULES["all"])
    for steps in (2, 4, 3, 7):
        emissions, lengths = inputs([steps, 1], 10.0, steps=steps)
        assert torch.equal(used.partition(emissions, lengths), model(RULES["all"]).partition(emissions, lengths))


@pytest.mark.parametrize("size", [2.0, 1e3])
def test_a_copy_made_in_inference_has_the_same_marginals(size):
    made = model(RULES["all"])
    emissions, lengths = inputs([4, 2], size)
    expected = made.marginals(emissions, lengths)
    with torch.inference_mode():
        assert torch.equal(copy.deepcopy(made).marginals(emissions, lengths), expected)


def test_training_goes_on_after_inference():
    made = model(RULES["all"])
    emissions, lengths = inputs([4, 2])
    with torch.inference_mode():
        expected = made(emissions, some_tags(made, lengths), lengths)
        made.marginals(emissions, lengths)
    found = made(emissions.requires_grad_(), some_tags(made, lengths), lengths)
    found.backward()
    close(found, expected)


def test_a_sentence_of_ignored_tags_only_teaches_nothing():
    made = model(RULES["all"])
    emissions, lengths = inputs([4, 2])
    emissions.requires_grad_()
    value = made(emissions, torch.full((2, S), loss.IGNORED), lengths)
    close(value, torch.tensor(0.0), rtol=0, atol=1e-5)
    close(gradients(value, emissions, made)[0], torch.zeros(2, S, C), rtol=0, atol=1e-5)


def test_the_rules_are_not_among_the_weights():
    assert set(model(RULES["all"]).state_dict()) == {"transitions", "start", "stop"}


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@each_rule
@each_size
def test_on_a_gpu_results_are_those_of_the_cpu(rules, sizes):
    made, emissions, lengths = model(rules, sizes[1]), *inputs([4, 2, 3, 1], sizes[0])
    tags = some_tags(made, lengths, 0.3)
    results = []
    for device in ("cpu", "cuda"):
        made, given, size, gold = (part.to(device) for part in (made, emissions, lengths, tags))
        leaf = given.requires_grad_()
        with torch.autocast(device, dtype=torch.bfloat16):
            value = made(leaf, gold, size)
            parts = [*made.decode(leaf, size), *made.nbest(leaf, size, 5), made.marginals(leaf, size)]
        results.append([part.cpu() for part in (value, *gradients(value, leaf, made), *parts)])
    for one, two in zip(*results, strict=True):
        close(one, two, rtol=1e-4, atol=1e-6 * sum(sizes) + 2e-4)
