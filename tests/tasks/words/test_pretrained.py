"""A language model to begin with: an encoder that begins with its layers computes what they compute."""

import dataclasses

import pytest
import torch
from torch import nn

from seqnlp import errors
from seqnlp.nn import cells, recurrent
from seqnlp.preprocess.text import tokenizer
from seqnlp.tasks import base
from seqnlp.tasks.classify.options import Config
from seqnlp.tasks.lm import codec as codecs
from seqnlp.tasks.lm import network, options
from seqnlp.tasks.words import pretrained

SIZES = dict(embedding_size=3, hidden_size=5)
WORDS = {"Oslo": 9, "the": 7, "oslo": 5, "BERGEN": 3}


def source(**settings):
    """A language model of a few words, its weights drawn."""
    torch.manual_seed(1)
    config = options.Config(**{"level": "word", "layers": 2, **SIZES, **settings})
    words = tokenizer.from_counts(WORDS)
    made = network.LanguageModel(config, len(words)).eval()
    for parameter in made.parameters():
        nn.init.normal_(parameter, std=0.4)
    return base.Pretrained("model", config, codecs.Codec(words, "word"), made, "hash")


def encoder(model, inputs=3, **settings):
    torch.manual_seed(2)
    return recurrent.Encoder(inputs, 5, cell=model.config.cell, **settings).eval()


def put(model, own):
    """Put a model's weights into an encoder and an embedding; return its vocabulary, its vectors before and after.

    And how much longer the model's vectors are.
    """
    known = tokenizer.from_counts({"oslo": 9, "bergen": 8, "ada": 7, "the": 6}, normalization="lower")
    embedding = nn.Embedding(len(known), 3)
    before = embedding.weight.detach().clone()
    pretrained.put(embedding, own, known, Config(**SIZES, cell=model.config.cell), model)
    after, theirs = (
        embedding.weight.detach(),
        model.network.embedding(torch.tensor(model.codec.tokens.lookup(["oslo"]))),
    )
    return known, before, after, (theirs[0, 0] / after[known.vocabulary["oslo"], 0]).item()


def outputs(reader, features):
    return reader(features, torch.full((len(features),), features.size(1)))[0]


FEATURES = torch.randn(2, 7, 3, generator=torch.Generator().manual_seed(3))


@pytest.mark.parametrize("cell", cells.CELLS)
def test_a_layer_in_both_directions_computes_what_the_models_first_layers_do(cell):
    model = source(direction="both", cell=cell, layers=1)
    own = encoder(model, bidirectional=True)
    *_, longer = put(model, own)
    ahead, back = model.network.encoder, model.network.backward_encoder
    expected = torch.cat([outputs(ahead, FEATURES), outputs(back, FEATURES.flip(1)).flip(1)], dim=2)
    torch.testing.assert_close(outputs(own, FEATURES / longer), expected)


@pytest.mark.parametrize("layers", [1, 2, 3])
def test_forward_layers_are_taken_as_far_as_there_are_such(layers):
    model = source(layers=2)
    own, fresh = encoder(model, layers=layers, bidirectional=False), encoder(model, layers=layers, bidirectional=False)
    *_, longer = put(model, own)
    for number in range(layers):
        theirs = model.network.encoder.layers[number] if number < 2 else fresh.layers[number]
        for (name, weight), other in zip(own.layers[number].named_parameters(), theirs.parameters(), strict=True):
            scale = longer if number == 0 and name == "weight_ih_l0" else 1.0
            torch.testing.assert_close(weight, other * scale)


def test_what_no_reader_has_learnt_stays_fresh():
    model = source()
    own, fresh = encoder(model, layers=2, bidirectional=True), encoder(model, layers=2, bidirectional=True)
    put(model, own)
    changed = [name for name, weight in own.named_parameters() if not torch.equal(weight, fresh.get_parameter(name))]
    assert sorted(changed) == [f"layers.0.{name}_l0" for name in ("bias_hh", "bias_ih", "weight_hh", "weight_ih")]


def test_columns_of_other_inputs_stay_fresh():
    model = source(layers=1)
    own, fresh = encoder(model, inputs=7, bidirectional=False), encoder(model, inputs=7, bidirectional=False)
    *_, longer = put(model, own)
    weight, theirs = own.layers[0].weight_ih_l0, model.network.encoder.layers[0].weight_ih_l0
    torch.testing.assert_close(weight[:, :3], theirs * longer)
    assert torch.equal(weight[:, 3:], fresh.layers[0].weight_ih_l0[:, 3:])


def test_a_word_begins_with_the_vector_of_itself_or_else_of_one_that_becomes_it():
    model = source()
    known, before, after, longer = put(model, encoder(model))
    vectors, names = model.network.embedding, model.codec.tokens.vocabulary
    for word, theirs in {"oslo": "oslo", "the": "the", "bergen": "BERGEN"}.items():
        torch.testing.assert_close(after[known.vocabulary[word]] * longer, vectors(torch.tensor(names[theirs])))
    known_words = [known.vocabulary[word] for word in ("oslo", "the", "bergen")]
    torch.testing.assert_close(after[known_words].std(correction=0), before.std(correction=0))
    others = [*range(len(tokenizer.SPECIALS)), known.vocabulary["ada"]]
    assert torch.equal(after[others], before[others])
    assert pretrained.words(model, known) == ["oslo", "the", "bergen"]


def test_a_model_with_no_word_in_common_gives_its_layers_as_they_are():
    model, own = source(layers=1), encoder(source(layers=1), bidirectional=False)
    known, embedding = tokenizer.from_counts({"ada": 7}), nn.Embedding(5, 3)
    before = embedding.weight.detach().clone()
    pretrained.put(embedding, own, known, Config(**SIZES), model)
    assert torch.equal(embedding.weight, before)
    assert all(map(torch.equal, own.parameters(), model.network.encoder.parameters()))


@pytest.mark.parametrize(
    ("settings", "hint"),
    [
        ({"hidden_size": 7}, "--hidden-size 5"),
        ({"cell": "gru", "embedding_size": 4}, "--cell lstm --embedding-size 3"),
    ],
)
def test_other_sizes_are_refused_with_the_flags_that_fit(settings, hint):
    with pytest.raises(errors.ModelError) as caught:
        pretrained.check(Config(**{**SIZES, **settings}), source())
    assert caught.value.hint == hint


def test_a_model_of_characters_is_refused():
    model = source()
    model = dataclasses.replace(model, config=dataclasses.replace(model.config, level="char"))
    with pytest.raises(errors.ModelError, match="language model of words, not of level char"):
        pretrained.check(Config(**SIZES), model)
