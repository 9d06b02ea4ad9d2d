"""The tagger's network: what goes into a word's vector, no illegal tags, losses by hand, several networks as one."""

import dataclasses
import itertools

import numpy as np
import pytest
import torch
from torch.nn import functional

from seqnlp import errors
from seqnlp.nn import loss
from seqnlp.preprocess.text import tag_schemes
from seqnlp.tasks.tag import network as tagger
from seqnlp.tasks.tag import options

VOCABULARY, UNKNOWN, RARE, TAGS = 13, 1, 9, 3
LETTERS = [[5, 7, 5], [2049 % tagger.ALPHABET], [3, 4, 5, 6, 7], [7, 5, 7, 5]]  # of the distinct words
GRAMS = [[0, 3, 5], [2], [1, 6], [6, 5, 4, 3]]
SURFACE = [[1, 2], [0], [4, 4, 3], [2]]
SENTENCES = [[0, 1, 2], [3], [2, 2, 1, 0, 3]]  # numbers of distinct words
FORMS = [(buckets, kind) for buckets in (0, 7) for kind in ("none", "lstm", "cnn")]
ANY = (torch.ones(TAGS, TAGS).bool(), torch.ones(TAGS).bool(), torch.ones(TAGS).bool())
BIOES = ["B-X", "E-X", "I-X", "O", "S-Y"]


def padded(rows, fill=0, width=0):
    width = max([width, *map(len, rows)])
    return torch.tensor([[*row, *[fill] * (width - len(row))] for row in rows])


def flat(rows):
    offsets = [0, *itertools.accumulate(map(len, rows))][:-1]
    return torch.tensor(list(itertools.chain(*rows))), torch.tensor(offsets)


def batch(sentences=SENTENCES, letters=LETTERS, width=0, longest=0):
    """A batch; word i of the distinct ones has the id i + 7 and the tag i % 3."""
    ids = [[number + 7 for number in sentence] for sentence in sentences]
    tags = [[number % TAGS for number in sentence] for sentence in sentences]
    return tagger.Batch(
        padded(ids, 0, width),
        torch.tensor(list(map(len, sentences))),
        padded(sentences, 0, width),
        *flat(GRAMS),
        *flat(SURFACE),
        padded(letters, 9, longest),
        torch.tensor(list(map(len, letters))),
        padded(tags, loss.IGNORED, width),
    )


SMALL = options.Config(
    embedding_size=4,
    hidden_size=3,
    layers=2,
    dropout=0.0,
    word_dropout=0.0,
    label_smoothing=0.0,
    char_ngram_buckets=7,
    char_ngram_embedding_size=3,
    affix_embedding_size=2,
    char_embedding_size=5,
    head="crf",
)


def forms(buckets=7, characters="none"):
    return tagger.Forms(dataclasses.replace(SMALL, char_ngram_buckets=buckets, char_encoder=characters))


def network(*, chain=True, tags=TAGS, legal=ANY, seed=0, spread=1.0, **changes):
    """A tagger with random weights everywhere, also where they are zero at first."""
    torch.manual_seed(seed)
    config = dataclasses.replace(SMALL, head="crf" if chain else "softmax", **changes)
    made = tagger.Tagger(config, vocabulary=VOCABULARY, tags=tags, rare=RARE, legal=legal)
    for parameter in made.parameters():
        torch.nn.init.normal_(parameter, std=spread)
    return made.eval()


def rules(tags):
    return tuple(map(torch.from_numpy, tag_schemes.transitions(tags, "BIOES")))


# forms


@pytest.mark.parametrize(("buckets", "kind"), FORMS)
def test_a_form_is_as_wide_as_it_says(buckets, kind):
    part = forms(buckets, kind)
    assert part.outputs == (5 if buckets else 0) + (0 if kind == "none" else 10)
    if part.outputs:
        assert part(batch()).shape == (len(LETTERS), part.outputs)


def test_a_form_is_the_means_of_its_features_side_by_side():
    part = forms()
    expected = [
        torch.cat([part.char_ngrams.weight[grams].mean(0), part.affixes.weight[surface].mean(0)])
        for grams, surface in zip(GRAMS, SURFACE, strict=True)
    ]
    torch.testing.assert_close(part(batch()), torch.stack(expected))


@pytest.mark.parametrize("kind", ["lstm", "cnn"])
def test_the_characters_of_a_word_are_read_without_its_padding(kind):
    part = forms(0, kind)
    together = part(batch(longest=9))
    for letters, found in zip(LETTERS, together, strict=True):
        alone = part.characters(torch.tensor([letters]), torch.tensor([len(letters)]))
        torch.testing.assert_close(found, alone[0], atol=1e-6, rtol=0)


def test_a_character_lstm_gives_its_last_state_of_either_direction():
    part = forms(0, "lstm").characters
    for letters in LETTERS:
        outputs, _ = part.encoder(part.embedding(torch.tensor([letters])), torch.tensor([len(letters)]))
        expected = torch.cat([outputs[0, -1, :5], outputs[0, 0, 5:]])
        torch.testing.assert_close(part(torch.tensor([letters]), torch.tensor([len(letters)]))[0], expected)


def test_a_character_cnn_by_hand():
    part = forms(0, "cnn").characters
    for letters in LETTERS:
        around = functional.pad(part.embedding(torch.tensor(letters)), (0, 0, 1, 1))  # zeros before and behind
        windows = [around[i : i + 3].t().flatten() for i in range(len(letters))]  # (size x 3)
        seen = torch.stack(windows) @ part.window.weight.flatten(1).t() + part.window.bias
        expected = seen.max(0).values.tanh()
        torch.testing.assert_close(part(torch.tensor([letters]), torch.tensor([len(letters)]))[0], expected)


# words


def dropped(made, share, seed=3):
    """Which words of a batch of every id are looked up as another one."""
    torch.manual_seed(seed)
    made.word_dropout = share
    ids = torch.arange(VOCABULARY).repeat(50, 1)
    with torch.no_grad():
        made.words.weight.copy_(torch.arange(VOCABULARY).unsqueeze(1).expand(-1, 4))
        return made._words(ids)[..., 0].long(), ids


def test_in_training_some_rare_words_are_unknown():
    found, ids = dropped(network().train(), 0.3)
    assert found[:, :RARE].equal(ids[:, :RARE])
    lost = found != ids
    assert found[lost].eq(UNKNOWN).all()
    assert lost[:, RARE:].float().mean() < 0.4
    assert (lost[:, RARE:].float().mean(0) > 0.1).all()


def test_no_word_is_lost_at_prediction_nor_without_dropout():
    for made, share in ((network().eval(), 0.9), (network().train(), 0.0)):
        found, ids = dropped(made, share)
        assert found.equal(ids)


# emissions


@pytest.mark.parametrize("chain", [True, False])
@pytest.mark.parametrize(("buckets", "kind"), FORMS)
def test_a_sentence_is_scored_the_same_alone_and_in_a_batch(buckets, kind, chain):
    made = network(chain=chain, char_ngram_buckets=buckets, char_encoder=kind)
    together = made.emissions(batch(width=9))
    assert together.shape == (3, 9, TAGS)
    for sentence, found in zip(SENTENCES, together, strict=True):
        alone = made.emissions(batch([sentence]))[0]
        torch.testing.assert_close(found[: len(sentence)], alone, atol=1e-5, rtol=0)


def test_a_word_s_form_matters():
    made = network()
    grams = batch().char_ngrams.clone()
    grams[-len(GRAMS[3]) :] = 0  # of word 3, which the first sentence lacks
    before, after = (made.emissions(given) for given in (batch(), dataclasses.replace(batch(), char_ngrams=grams)))
    torch.testing.assert_close(after[0], before[0])
    assert not torch.allclose(after[1, 0], before[1, 0], atol=1e-3)


@pytest.mark.parametrize("chain", [True, False])
def test_emissions_are_in_fp32_under_autocast(chain):
    with torch.autocast("cpu", torch.bfloat16):
        assert network(chain=chain, char_encoder="lstm").emissions(batch()).dtype == torch.float32


def test_without_a_chain_emissions_are_log_probabilities():
    totals = network(chain=False).emissions(batch()).exp().sum(2)
    torch.testing.assert_close(totals, torch.ones_like(totals))


# decoding


def legal_sequences(tags, steps):
    """Every sequence of tags that is what its own spans are written as."""
    for numbers in itertools.product(range(len(tags)), repeat=steps):
        names = [tags[number] for number in numbers]
        if tag_schemes.convert(names, "BIOES") == names:
            yield list(numbers)


@pytest.mark.parametrize("chain", [True, False])
@pytest.mark.parametrize("seed", range(5))
def test_the_best_legal_tags_by_trying_all(chain, seed):
    made = network(chain=chain, tags=len(BIOES), legal=rules(BIOES), seed=seed, spread=3.0)
    emissions = made.emissions(batch())
    found = made.decode(emissions, batch().lengths)
    for row, tags, sentence in zip(emissions, found.tolist(), SENTENCES, strict=True):
        chosen = row[: len(sentence)]
        score = made.crf.score
        totals = {
            tuple(numbers): score(chosen.unsqueeze(0), torch.tensor([numbers]), torch.tensor([len(numbers)])).item()
            for numbers in legal_sequences(BIOES, len(sentence))
        }
        assert totals[tuple(tags[: len(sentence)])] == pytest.approx(max(totals.values()), abs=1e-4)
        assert not any(tags[len(sentence) :])


@pytest.mark.parametrize("chain", [True, False])
def test_probabilities_of_tags_by_trying_all(chain):
    made = network(chain=chain, tags=len(BIOES), legal=rules(BIOES), seed=1)
    lengths = batch().lengths
    emissions = made.emissions(batch())
    found = made.marginals(emissions, lengths)
    for row, shares, sentence in zip(emissions, found, SENTENCES, strict=True):
        n = len(sentence)
        every = torch.tensor(list(legal_sequences(BIOES, n)))
        scores = made.crf.score(row[:n].expand(len(every), -1, -1), every, torch.full((len(every),), n))
        weights = scores.softmax(0)
        expected = torch.stack([weights @ (every == tag).float() for tag in range(len(BIOES))], dim=1)
        torch.testing.assert_close(shares[:n], expected, atol=1e-5, rtol=0)


@pytest.mark.parametrize("seed", range(4))
def test_plain_tags_without_a_chain_are_the_most_probable_ones(seed):
    made = network(chain=False, seed=seed)
    assert made.free
    emissions = made.emissions(batch())
    found = made.decode(emissions, batch().lengths)
    for row, tags, sentence in zip(emissions, found, SENTENCES, strict=True):
        assert tags[: len(sentence)].equal(row[: len(sentence)].argmax(1))
        assert not tags[len(sentence) :].any()
    torch.testing.assert_close(made.marginals(emissions, batch().lengths), emissions.exp())


def test_the_short_way_of_plain_tags_gives_what_the_chain_gives():
    made = network(chain=False)
    emissions, lengths = made.emissions(batch()), batch().lengths
    assert made.decode(emissions, lengths).equal(made.crf.decode(emissions, lengths)[0])
    inside = padded([[1] * len(sentence) for sentence in SENTENCES]).bool()
    torch.testing.assert_close(
        made.marginals(emissions, lengths)[inside], made.crf.marginals(emissions, lengths)[inside], atol=1e-5, rtol=0
    )


@pytest.mark.parametrize(("chain", "legal"), [(True, ANY), (False, rules(["B-X", "E-X", "O"]))])
def test_only_plain_tags_without_a_chain_are_free(chain, legal):
    assert not network(chain=chain, legal=legal).free


def test_without_a_chain_transitions_are_not_learnt_nor_saved():
    made = network(chain=False)
    assert not [name for name, _ in made.named_parameters() if name.startswith("crf")]
    assert not [name for name in made.state_dict() if name.startswith("crf")]
    assert {name for name, _ in network().named_parameters() if name.startswith("crf")} == {
        "crf.transitions",
        "crf.start",
        "crf.stop",
    }


# losses


@pytest.mark.parametrize("smoothing", [0.0, 0.3])
def test_the_loss_of_the_softmax_by_hand(smoothing):
    made = network(chain=False, label_smoothing=smoothing)
    emissions = made.emissions(batch())
    total = 0.0
    for row, sentence in zip(emissions, SENTENCES, strict=True):
        for scores, number in zip(row, sentence, strict=False):
            total -= (1 - smoothing) * scores[number % TAGS].item() + smoothing * scores.mean().item()
    found = made(batch())
    assert found.sum.item() == pytest.approx(total, rel=1e-5)
    assert found.weight.item() == 9


def test_the_loss_of_the_chain_by_trying_all():
    made = network()
    emissions = made.emissions(batch())
    total = 0.0
    for row, sentence in zip(emissions, SENTENCES, strict=True):
        n = len(sentence)
        every = torch.tensor(list(itertools.product(range(TAGS), repeat=n)))
        scores = made.crf.score(row[:n].expand(len(every), -1, -1), every, torch.full((len(every),), n))
        gold = every.eq(torch.tensor([number % TAGS for number in sentence])).all(1)
        total -= scores.log_softmax(0)[gold].item()
    found = made(batch())
    assert found.sum.item() == pytest.approx(total, rel=1e-4)
    assert found.weight.item() == 9


@pytest.mark.parametrize("chain", [True, False])
def test_padding_costs_nothing(chain):
    made = network(chain=chain)
    for short, wide in zip(made(batch())[:2], made(batch(width=9, longest=8))[:2], strict=True):
        torch.testing.assert_close(short, wide)


# ensembles


def test_one_network_is_itself():
    made = network()
    found, emissions = tagger.joined([made], batch())
    assert found is made
    torch.testing.assert_close(emissions, made.emissions(batch()))


def test_scores_of_chains_are_averaged():
    made = [network(seed=seed) for seed in (1, 2, 3)]
    before = [{name: part.clone() for name, part in one.state_dict().items()} for one in made]
    mean, emissions = tagger.joined(made, batch())
    torch.testing.assert_close(emissions, sum(one.emissions(batch()) for one in made) / 3)
    for name in ("transitions", "start", "stop"):
        expected = sum(getattr(one.crf, name) for one in made) / 3
        torch.testing.assert_close(getattr(mean.crf, name).detach(), expected.detach())
    for one, parts in zip(made, before, strict=True):
        assert all(part.equal(parts[name]) for name, part in one.state_dict().items())


def test_probabilities_without_a_chain_are_averaged_on_the_scale_of_logarithms():
    made = [network(chain=False, seed=seed) for seed in (1, 2)]
    _, emissions = tagger.joined(made, batch())
    product = np.prod([one.emissions(batch()).exp().detach().numpy() for one in made], axis=0) ** 0.5
    expected = torch.from_numpy(product / product.sum(2, keepdims=True))
    torch.testing.assert_close(emissions.exp().detach(), expected, atol=1e-5, rtol=0)


@pytest.mark.parametrize("first", [True, False])
def test_chains_and_others_cannot_be_joined(first):
    with pytest.raises(errors.ModelError, match="an ensemble of --head crf and softmax"):
        tagger.joined([network(chain=first), network(chain=not first)], batch())


def test_a_batch_is_moved_as_a_whole():
    moved = batch().to(torch.device("meta"))
    assert {getattr(moved, field.name).device.type for field in dataclasses.fields(moved)} == {"meta"}
    assert dataclasses.replace(batch(), tags=None).to(torch.device("cpu")).tags is None
